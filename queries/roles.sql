-- name: AllRules :many
SELECT * FROM rule ORDER BY id;

-- name: DefaultRoleByName :one
SELECT id FROM role WHERE name = @name AND organization_id IS NULL AND NOT orphan ORDER BY id LIMIT 1;

-- name: InsertRole :one
INSERT INTO role (name, description, organization_id) VALUES (@name, @description, @organization_id) RETURNING id;

-- Whole rows, for the import and the shell. A filter that is nil filters nothing; lists
-- of texts or ids are the keys of a JSON object.

-- name: FindRoles :many
SELECT r.* FROM role r
WHERE (CAST(sqlc.narg('id') AS BIGINT) IS NULL OR r.id = sqlc.narg('id'))
  AND (CAST(sqlc.narg('name') AS TEXT) IS NULL OR r.name = sqlc.narg('name'))
  AND (CAST(sqlc.narg('names') AS JSON) IS NULL OR r.name IN (SELECT j.key FROM json_each(sqlc.narg('names')) AS j))
  AND (CAST(sqlc.narg('organization_id') AS BIGINT) IS NULL OR r.organization_id = sqlc.narg('organization_id'))
  AND (CAST(sqlc.narg('user_id') AS BIGINT) IS NULL OR r.id IN (
    SELECT uo.role_id FROM user_role uo WHERE uo.user_id = sqlc.narg('user_id')))
  AND (CAST(sqlc.narg('rule_id') AS BIGINT) IS NULL OR r.id IN (
    SELECT rr.role_id FROM role_rule rr WHERE rr.rule_id = sqlc.narg('rule_id')))
ORDER BY r.id;

-- Of the repeated filters each lies in two parameters: whether it filters, and the
-- values as the keys of a JSON object.

-- name: ListRoles :many
SELECT r.*
FROM role r
WHERE (CAST(sqlc.narg('held_by') AS BIGINT) IS NULL OR r.id IN (
    SELECT uo.role_id FROM user_role uo WHERE uo.user_id = sqlc.narg('held_by')))
  AND (CAST(sqlc.narg('within') AS BIGINT) IS NULL OR r.organization_id = sqlc.narg('within') OR (r.organization_id IS NULL AND NOT r.orphan) OR r.id IN (
    SELECT uo.role_id FROM user_role uo WHERE uo.user_id = @caller_id))
  AND (CAST(sqlc.narg('named') AS BIGINT) IS NULL OR EXISTS (
    SELECT 1 FROM json_each(@names) AS j WHERE (lower(r.name) LIKE lower(j.key) ESCAPE '\')))
  AND (CAST(sqlc.narg('described') AS BIGINT) IS NULL OR EXISTS (
    SELECT 1 FROM json_each(@descriptions) AS j WHERE (lower(r.description) LIKE lower(j.key) ESCAPE '\')))
  AND (CAST(sqlc.narg('belonging') AS BIGINT) IS NULL OR r.organization_id IN (
    SELECT CAST(j.key AS BIGINT) FROM json_each(@organizations) AS j) OR (CAST(@with_defaults AS BOOLEAN) AND r.organization_id IS NULL AND NOT r.orphan))
  AND (CAST(sqlc.narg('rule_id') AS BIGINT) IS NULL OR r.id IN (
    SELECT rr.role_id FROM role_rule rr WHERE rr.rule_id = sqlc.narg('rule_id')))
  AND (CAST(sqlc.narg('user_id') AS BIGINT) IS NULL OR r.id IN (
    SELECT uo.role_id FROM user_role uo WHERE uo.user_id = sqlc.narg('user_id')))
ORDER BY r.id LIMIT CAST(@lim AS BIGINT) OFFSET CAST(@off AS BIGINT);

-- name: GetRole :one
SELECT * FROM role WHERE id = @id;

-- name: RolesByIDs :many
SELECT * FROM role WHERE id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j) ORDER BY id;

-- name: HoldsRole :one
SELECT EXISTS (SELECT 1 FROM user_role WHERE user_id = @user_id AND role_id = @role_id);

-- name: HoldRole :one
UPDATE role SET name = name WHERE id = @id RETURNING *;

-- name: UpdateRole :exec
UPDATE role SET name = @name, description = @description, organization_id = @organization_id WHERE id = @id;

-- name: DeleteRole :exec
DELETE FROM role WHERE id = @id;

-- name: InsertRulesOfRole :exec
INSERT INTO role_rule (role_id, rule_id)
SELECT CAST(@role_id AS BIGINT), CAST(j.key AS BIGINT) FROM json_each(@ids) AS j WHERE TRUE ON CONFLICT DO NOTHING;

-- name: DeleteRulesOfRole :execrows
DELETE FROM role_rule WHERE role_id = @role_id
  AND rule_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j);

-- Related rows for a whole page of roles.

-- name: RulesOfRoles :many
SELECT rr.role_id AS owner_id, rr.rule_id AS id FROM role_rule rr
WHERE rr.role_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j) ORDER BY rr.rule_id;

-- within bounds the users to those of an organization and the caller.

-- name: HoldersOfRoles :many
SELECT uo.role_id AS owner_id, uo.user_id AS id FROM user_role uo JOIN "user" u ON u.id = uo.user_id
WHERE uo.role_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j)
  AND (CAST(sqlc.narg('within') AS BIGINT) IS NULL OR u.organization_id = sqlc.narg('within') OR u.id = @caller_id)
ORDER BY uo.user_id;
