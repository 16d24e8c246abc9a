-- New nodes are the members of a JSON object, each under the id of its account.

-- name: InsertNodes :exec
INSERT INTO node (id, name, api_key, organization_id, collaboration_id)
SELECT CAST(j.key AS BIGINT), j.value ->> 'Name', j.value ->> 'ApiKey',
  CAST(j.value ->> 'OrganizationID' AS BIGINT), CAST(j.value ->> 'CollaborationID' AS BIGINT)
FROM json_each(@list) AS j;

-- name: GetNode :one
SELECT n.id, n.name, n.organization_id, n.collaboration_id, n.client, a.ip, a.status, a.last_seen,
  EXISTS (SELECT 1 FROM nodeconfig c WHERE c.node_id = n.id) AS configured
FROM node n JOIN authenticatable a ON a.id = n.id WHERE n.id = @id;

-- The row, held until the end of the transaction: of two that delete or move it at
-- once, the second sees what the first did.

-- name: HoldNode :one
UPDATE node SET name = name WHERE id = @id RETURNING *;

-- name: NodeOf :one
SELECT n.id FROM node n WHERE n.organization_id = @organization_id AND n.collaboration_id = @collaboration_id;

-- Whole rows, for the import and the shell. A filter that is nil filters nothing; lists
-- of texts or ids are the keys of a JSON object.

-- name: FindNodes :many
SELECT sqlc.embed(n), sqlc.embed(a) FROM node n JOIN authenticatable a ON a.id = n.id
WHERE (CAST(sqlc.narg('id') AS BIGINT) IS NULL OR n.id = sqlc.narg('id'))
  AND (CAST(sqlc.narg('api_key') AS TEXT) IS NULL OR n.api_key = sqlc.narg('api_key'))
  AND (CAST(sqlc.narg('api_keys') AS JSON) IS NULL OR n.api_key IN (SELECT j.key FROM json_each(sqlc.narg('api_keys')) AS j))
  AND (CAST(sqlc.narg('status') AS TEXT) IS NULL OR a.status = sqlc.narg('status'))
  AND (CAST(sqlc.narg('organization_id') AS BIGINT) IS NULL OR n.organization_id = sqlc.narg('organization_id'))
  AND (CAST(sqlc.narg('collaboration_id') AS BIGINT) IS NULL OR n.collaboration_id = sqlc.narg('collaboration_id'))
  AND (CAST(sqlc.narg('collaborations') AS JSON) IS NULL OR n.collaboration_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(sqlc.narg('collaborations')) AS j));

-- name: ListNodes :many
SELECT n.id, n.name, n.organization_id, n.collaboration_id, n.client, a.ip, a.status, a.last_seen,
  EXISTS (SELECT 1 FROM nodeconfig c WHERE c.node_id = n.id) AS configured
FROM node n JOIN authenticatable a ON a.id = n.id
WHERE (CAST(sqlc.narg('name') AS TEXT) IS NULL OR (lower(n.name) LIKE lower(sqlc.narg('name')) ESCAPE '\'))
  AND (CAST(sqlc.narg('organization_id') AS BIGINT) IS NULL OR n.organization_id = sqlc.narg('organization_id'))
  AND (CAST(sqlc.narg('collaboration_id') AS BIGINT) IS NULL OR n.collaboration_id = sqlc.narg('collaboration_id'))
  AND (CAST(sqlc.narg('status') AS TEXT) IS NULL OR a.status = sqlc.narg('status'))
  AND (CAST(sqlc.narg('ip') AS TEXT) IS NULL OR a.ip = sqlc.narg('ip'))
  AND (CAST(sqlc.narg('seen_from') AS TIMESTAMPTZ) IS NULL OR a.last_seen >= sqlc.narg('seen_from'))
  AND (CAST(sqlc.narg('seen_till') AS TIMESTAMPTZ) IS NULL OR a.last_seen <= sqlc.narg('seen_till'))
  AND (CAST(sqlc.narg('only_id') AS BIGINT) IS NULL OR n.id = sqlc.narg('only_id'))
  AND (CAST(sqlc.narg('owned_by') AS BIGINT) IS NULL OR n.organization_id = sqlc.narg('owned_by'))
ORDER BY n.id LIMIT CAST(@lim AS BIGINT) OFFSET CAST(@off AS BIGINT);

-- name: ConfigOfNodes :many
SELECT c.id, c.node_id, c.key, c.value FROM nodeconfig c
WHERE c.node_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j) ORDER BY c.id;

-- name: UpdateNode :exec
UPDATE node SET name = @name, api_key = @api_key, collaboration_id = @collaboration_id, organization_id = @organization_id
WHERE id = @id;

-- name: SetNodeClient :exec
UPDATE node SET client = @client WHERE id = @id AND client IS DISTINCT FROM CAST(@client AS TEXT);

-- What nodes tell of their configuration.

-- name: FindNodeConfig :many
SELECT c.* FROM nodeconfig c
WHERE (CAST(sqlc.narg('id') AS BIGINT) IS NULL OR c.id = sqlc.narg('id')) ORDER BY c.id;

-- name: InsertNodeConfig :one
INSERT INTO nodeconfig (node_id, key, value) VALUES (@node_id, @key, @value) RETURNING id;

-- name: HoldNodeConfig :one
UPDATE nodeconfig SET key = key WHERE id = @id RETURNING *;

-- name: UpdateNodeConfig :exec
UPDATE nodeconfig SET node_id = @node_id, key = @key, value = @value WHERE id = @id;

-- A filter that is nil filters nothing.

-- name: DeleteNodeConfig :exec
DELETE FROM nodeconfig WHERE (CAST(sqlc.narg('node_id') AS BIGINT) IS NULL OR node_id = sqlc.narg('node_id'))
  AND (CAST(sqlc.narg('id') AS BIGINT) IS NULL OR id = sqlc.narg('id'));
