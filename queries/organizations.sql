-- name: InsertOrganization :one
INSERT INTO organization (name, domain, address1, address2, zipcode, country, public_key)
VALUES (@name, @domain, @address1, @address2, @zipcode, @country, @public_key) RETURNING id;

-- name: GetOrganization :one
SELECT * FROM organization WHERE id = @id;

-- name: HoldOrganization :one
UPDATE organization SET name = name WHERE id = @id RETURNING *;

-- name: UpdateOrganization :exec
UPDATE organization SET name = @name, domain = @domain, address1 = @address1, address2 = @address2,
  zipcode = @zipcode, country = @country, public_key = @public_key WHERE id = @id;

-- name: DeleteOrganization :exec
DELETE FROM organization WHERE id = @id;

-- Whole rows, for the import and the shell. A filter that is nil filters nothing; lists
-- of texts or ids are the keys of a JSON object.

-- name: FindOrganizations :many
SELECT o.* FROM organization o
WHERE (CAST(sqlc.narg('id') AS BIGINT) IS NULL OR o.id = sqlc.narg('id'))
  AND (CAST(sqlc.narg('name') AS TEXT) IS NULL OR o.name = sqlc.narg('name'))
  AND (CAST(sqlc.narg('names') AS JSON) IS NULL OR o.name IN (SELECT j.key FROM json_each(sqlc.narg('names')) AS j))
  AND (CAST(sqlc.narg('collaboration_id') AS BIGINT) IS NULL OR o.id IN (
    SELECT m.organization_id FROM member m WHERE m.collaboration_id = sqlc.narg('collaboration_id')))
ORDER BY o.id;

-- name: ListOrganizations :many
SELECT o.*
FROM organization o
WHERE (CAST(sqlc.narg('name') AS TEXT) IS NULL OR (lower(o.name) LIKE lower(sqlc.narg('name')) ESCAPE '\'))
  AND (CAST(sqlc.narg('country') AS TEXT) IS NULL OR o.country = sqlc.narg('country'))
  AND (CAST(sqlc.narg('collaboration_id') AS BIGINT) IS NULL OR o.id IN (
    SELECT m.organization_id FROM member m WHERE m.collaboration_id = sqlc.narg('collaboration_id')))
  AND (CAST(sqlc.narg('only_id') AS BIGINT) IS NULL OR o.id = sqlc.narg('only_id'))
  AND (CAST(sqlc.narg('partner_of') AS BIGINT) IS NULL OR o.id IN (
    SELECT CAST(sqlc.narg('partner_of') AS BIGINT)
    UNION SELECT other.organization_id FROM member own JOIN member other ON other.collaboration_id = own.collaboration_id
    WHERE own.organization_id = sqlc.narg('partner_of')
      AND (CAST(sqlc.narg('within') AS BIGINT) IS NULL OR own.collaboration_id = sqlc.narg('within'))))
ORDER BY o.id LIMIT CAST(@lim AS BIGINT) OFFSET CAST(@off AS BIGINT);

-- name: ArePartners :one
SELECT EXISTS (
  SELECT 1 FROM member own JOIN member other ON other.collaboration_id = own.collaboration_id
  WHERE own.organization_id = @own AND other.organization_id = @other
    AND (CAST(sqlc.narg('within') AS BIGINT) IS NULL OR own.collaboration_id = sqlc.narg('within')));

-- Ids of related rows for a whole page of organizations; ids is a JSON object {"1":0,"7":0}.

-- name: CollaborationsOfOrganizations :many
SELECT m.organization_id AS owner_id, m.collaboration_id AS id FROM member m
WHERE m.organization_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j) ORDER BY m.collaboration_id;

-- name: NodesOfOrganizations :many
SELECT CAST(n.organization_id AS BIGINT) AS owner_id, n.id FROM node n
WHERE n.organization_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j) ORDER BY n.id;

-- name: UsersOfOrganizations :many
SELECT CAST(u.organization_id AS BIGINT) AS owner_id, u.id FROM "user" u
WHERE u.organization_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j) ORDER BY u.id;

-- name: RolesOfOrganizations :many
SELECT CAST(r.organization_id AS BIGINT) AS owner_id, r.id FROM role r
WHERE r.organization_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j) ORDER BY r.id;

-- name: NewestResultsOfOrganization :many
SELECT r.id FROM result r WHERE r.organization_id = @organization_id ORDER BY r.id DESC LIMIT 1000;

-- All that belongs to one organization, each list as ids between commas, of its results the newest.

-- name: RelationsOfOrganization :one
SELECT
  CAST(COALESCE((SELECT string_agg(CAST(m.collaboration_id AS TEXT), ',') FROM member m WHERE m.organization_id = CAST(@id AS BIGINT)), '') AS TEXT) AS collaborations,
  CAST(COALESCE((SELECT string_agg(CAST(n.id AS TEXT), ',') FROM node n WHERE n.organization_id = CAST(@id AS BIGINT)), '') AS TEXT) AS nodes,
  CAST(COALESCE((SELECT string_agg(CAST(u.id AS TEXT), ',') FROM "user" u WHERE u.organization_id = CAST(@id AS BIGINT)), '') AS TEXT) AS users,
  CAST(COALESCE((SELECT string_agg(CAST(o.id AS TEXT), ',') FROM role o WHERE o.organization_id = CAST(@id AS BIGINT)), '') AS TEXT) AS roles,
  CAST(COALESCE((SELECT string_agg(CAST(w.id AS TEXT), ',') FROM (
    SELECT r.id FROM result r WHERE r.organization_id = CAST(@id AS BIGINT) ORDER BY r.id DESC LIMIT 1000) AS w), '') AS TEXT) AS results;

-- name: IsMember :one
SELECT EXISTS (SELECT 1 FROM member WHERE organization_id = @organization_id AND collaboration_id = @collaboration_id);

-- name: IsInEncrypted :one
SELECT EXISTS (SELECT 1 FROM member m JOIN collaboration c ON c.id = m.collaboration_id
  WHERE m.organization_id = @organization_id AND c.encrypted);
