-- name: InsertCollaboration :one
INSERT INTO collaboration (name, encrypted) VALUES (@name, @encrypted) RETURNING id;

-- name: GetCollaboration :one
SELECT * FROM collaboration WHERE id = @id;

-- name: UpdateCollaboration :exec
UPDATE collaboration SET name = @name, encrypted = @encrypted WHERE id = @id;

-- name: DeleteCollaboration :exec
DELETE FROM collaboration WHERE id = @id;

-- Whole rows, for the import and the shell. A filter that is nil filters nothing; lists
-- of texts or ids are the keys of a JSON object.

-- name: FindCollaborations :many
SELECT c.* FROM collaboration c
WHERE (CAST(sqlc.narg('id') AS BIGINT) IS NULL OR c.id = sqlc.narg('id'))
  AND (CAST(sqlc.narg('name') AS TEXT) IS NULL OR c.name = sqlc.narg('name'))
  AND (CAST(sqlc.narg('names') AS JSON) IS NULL OR c.name IN (SELECT j.key FROM json_each(sqlc.narg('names')) AS j))
  AND (CAST(sqlc.narg('organization_id') AS BIGINT) IS NULL OR c.id IN (
    SELECT m.collaboration_id FROM member m WHERE m.organization_id = sqlc.narg('organization_id')));

-- name: ListCollaborations :many
SELECT c.*
FROM collaboration c
WHERE (CAST(sqlc.narg('name') AS TEXT) IS NULL OR (lower(c.name) LIKE lower(sqlc.narg('name')) ESCAPE '\'))
  AND (CAST(sqlc.narg('encrypted') AS BOOLEAN) IS NULL OR c.encrypted = sqlc.narg('encrypted'))
  AND (CAST(sqlc.narg('organization_id') AS BIGINT) IS NULL OR c.id IN (
    SELECT m.collaboration_id FROM member m WHERE m.organization_id = sqlc.narg('organization_id')))
  AND (CAST(sqlc.narg('only_id') AS BIGINT) IS NULL OR c.id = sqlc.narg('only_id'))
  AND (CAST(sqlc.narg('member_id') AS BIGINT) IS NULL OR c.id IN (
    SELECT m.collaboration_id FROM member m WHERE m.organization_id = sqlc.narg('member_id')))
ORDER BY c.id LIMIT CAST(@lim AS BIGINT) OFFSET CAST(@off AS BIGINT);

-- Ids of related rows for a whole page; ids is a JSON object {"1":0,"7":0}.

-- name: OrganizationsOfCollaborations :many
SELECT m.collaboration_id AS owner_id, m.organization_id AS id FROM member m
WHERE m.collaboration_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j) ORDER BY m.organization_id;

-- name: NodesOfCollaborations :many
SELECT CAST(n.collaboration_id AS BIGINT) AS owner_id, n.id FROM node n
WHERE n.collaboration_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j) ORDER BY n.id;

-- name: AllTasksOfCollaboration :many
SELECT t.id FROM task t WHERE t.collaboration_id = @collaboration_id;

-- name: NewestTasksOfCollaboration :many
SELECT t.id FROM task t WHERE t.collaboration_id = @collaboration_id ORDER BY t.id DESC LIMIT 1000;

-- All that belongs to one collaboration, each list as ids between commas, of its tasks the newest.

-- name: RelationsOfCollaboration :one
SELECT
  CAST(COALESCE((SELECT string_agg(CAST(m.organization_id AS TEXT), ',') FROM member m WHERE m.collaboration_id = CAST(@id AS BIGINT)), '') AS TEXT) AS organizations,
  CAST(COALESCE((SELECT string_agg(CAST(n.id AS TEXT), ',') FROM node n WHERE n.collaboration_id = CAST(@id AS BIGINT)), '') AS TEXT) AS nodes,
  CAST(COALESCE((SELECT string_agg(CAST(w.id AS TEXT), ',') FROM (
    SELECT t.id FROM task t WHERE t.collaboration_id = CAST(@id AS BIGINT) ORDER BY t.id DESC LIMIT 1000) AS w), '') AS TEXT) AS tasks;

-- Members. Organizations that do not exist are left out.

-- name: InsertMembers :exec
INSERT INTO member (organization_id, collaboration_id)
SELECT o.id, CAST(@collaboration_id AS BIGINT) FROM organization o
WHERE o.id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j)
ON CONFLICT DO NOTHING;

-- name: DeleteMember :execrows
DELETE FROM member WHERE organization_id = @organization_id AND collaboration_id = @collaboration_id;

-- name: DeleteOtherMembers :exec
DELETE FROM member WHERE collaboration_id = @collaboration_id
  AND organization_id NOT IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j);
