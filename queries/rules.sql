-- name: InsertRule :one
INSERT INTO rule (name, operation, scope, description) VALUES (@name, @operation, @scope, @description) RETURNING id;

-- name: HoldRule :one
UPDATE rule SET name = name WHERE id = @id RETURNING *;

-- name: UpdateRule :exec
UPDATE rule SET name = @name, operation = @operation, scope = @scope, description = @description WHERE id = @id;

-- name: DeleteRule :exec
DELETE FROM rule WHERE id = @id;

-- name: ListRules :many
SELECT r.*
FROM rule r
WHERE (CAST(sqlc.narg('id') AS BIGINT) IS NULL OR r.id = sqlc.narg('id'))
  AND (CAST(sqlc.narg('name') AS TEXT) IS NULL OR r.name = sqlc.narg('name'))
  AND (CAST(sqlc.narg('operation') AS TEXT) IS NULL OR r.operation = sqlc.narg('operation'))
  AND (CAST(sqlc.narg('scope') AS TEXT) IS NULL OR r.scope = sqlc.narg('scope'))
  AND (CAST(sqlc.narg('role_id') AS BIGINT) IS NULL OR r.id IN (
    SELECT rr.rule_id FROM role_rule rr WHERE rr.role_id = sqlc.narg('role_id')))
  AND (CAST(sqlc.narg('user_id') AS BIGINT) IS NULL OR r.id IN (
    SELECT ur.rule_id FROM user_rule ur WHERE ur.user_id = sqlc.narg('user_id')))
ORDER BY r.id LIMIT CAST(@lim AS BIGINT) OFFSET CAST(@off AS BIGINT);

-- name: GetRule :one
SELECT * FROM rule WHERE id = @id;

-- name: RulesByIDs :many
SELECT * FROM rule WHERE id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j) ORDER BY id;

-- within bounds the users to those of an organization and the caller.

-- name: HoldersOfRules :many
SELECT ur.rule_id AS owner_id, ur.user_id AS id FROM user_rule ur JOIN "user" u ON u.id = ur.user_id
WHERE ur.rule_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j)
  AND (CAST(sqlc.narg('within') AS BIGINT) IS NULL OR u.organization_id = sqlc.narg('within') OR u.id = @caller_id)
ORDER BY ur.user_id;
