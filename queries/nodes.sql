-- name: CreateNode :execrows
INSERT INTO node (id, name, api_key, collaboration_id, organization_id)
VALUES (@id, @name, @api_key, @collaboration_id, @organization_id) ON CONFLICT DO NOTHING;

-- name: GetNode :one
SELECT n.id, n.name, n.organization_id, n.collaboration_id, a.ip, a.status, a.last_seen,
  EXISTS (SELECT 1 FROM nodeconfig c WHERE c.node_id = n.id) AS configured
FROM node n JOIN authenticatable a ON a.id = n.id WHERE n.id = @id;

-- The row, held until the end of the transaction: of two that delete or move it at
-- once, the second sees what the first did.

-- name: HoldNode :execrows
UPDATE node SET name = name WHERE id = @id;

-- name: NodeOf :one
SELECT n.id FROM node n WHERE n.organization_id = @organization_id AND n.collaboration_id = @collaboration_id;

-- name: ListNodes :many
SELECT n.id, n.name, n.organization_id, n.collaboration_id, a.ip, a.status, a.last_seen,
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

-- name: CountNodes :one
SELECT COUNT(*) FROM node n JOIN authenticatable a ON a.id = n.id
WHERE (CAST(sqlc.narg('name') AS TEXT) IS NULL OR (lower(n.name) LIKE lower(sqlc.narg('name')) ESCAPE '\'))
  AND (CAST(sqlc.narg('organization_id') AS BIGINT) IS NULL OR n.organization_id = sqlc.narg('organization_id'))
  AND (CAST(sqlc.narg('collaboration_id') AS BIGINT) IS NULL OR n.collaboration_id = sqlc.narg('collaboration_id'))
  AND (CAST(sqlc.narg('status') AS TEXT) IS NULL OR a.status = sqlc.narg('status'))
  AND (CAST(sqlc.narg('ip') AS TEXT) IS NULL OR a.ip = sqlc.narg('ip'))
  AND (CAST(sqlc.narg('seen_from') AS TIMESTAMPTZ) IS NULL OR a.last_seen >= sqlc.narg('seen_from'))
  AND (CAST(sqlc.narg('seen_till') AS TIMESTAMPTZ) IS NULL OR a.last_seen <= sqlc.narg('seen_till'))
  AND (CAST(sqlc.narg('only_id') AS BIGINT) IS NULL OR n.id = sqlc.narg('only_id'))
  AND (CAST(sqlc.narg('owned_by') AS BIGINT) IS NULL OR n.organization_id = sqlc.narg('owned_by'));

-- name: ConfigOfNodes :many
SELECT c.id, c.node_id, c.key, c.value FROM nodeconfig c
WHERE c.node_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j) ORDER BY c.id;

-- name: UpdateNode :exec
UPDATE node SET
  name = COALESCE(sqlc.narg('name'), name),
  organization_id = COALESCE(sqlc.narg('organization_id'), organization_id),
  collaboration_id = COALESCE(sqlc.narg('collaboration_id'), collaboration_id)
WHERE id = @id;

-- name: DetachNode :execrows
UPDATE node SET collaboration_id = NULL WHERE id = @id AND collaboration_id = @collaboration_id;

-- name: SetNodeAddress :exec
UPDATE authenticatable SET ip = @ip WHERE id = @id;

-- name: SetAPIKey :exec
UPDATE node SET api_key = @api_key WHERE id = @id;
