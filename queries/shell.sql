-- The shell: whole rows, every column of them. A filter that is nil filters nothing.

-- name: ShellOrganizations :many
SELECT o.* FROM organization o
WHERE (CAST(sqlc.narg('id') AS BIGINT) IS NULL OR o.id = sqlc.narg('id'))
  AND (CAST(sqlc.narg('name') AS TEXT) IS NULL OR o.name = sqlc.narg('name'))
  AND (CAST(sqlc.narg('collaboration_id') AS BIGINT) IS NULL OR o.id IN (
    SELECT m.organization_id FROM member m WHERE m.collaboration_id = sqlc.narg('collaboration_id')))
ORDER BY o.id;

-- name: ShellUsers :many
SELECT sqlc.embed(u), sqlc.embed(a) FROM "user" u JOIN authenticatable a ON a.id = u.id
WHERE (CAST(sqlc.narg('id') AS BIGINT) IS NULL OR u.id = sqlc.narg('id'))
  AND (CAST(sqlc.narg('username') AS TEXT) IS NULL OR u.username = sqlc.narg('username'))
  AND (CAST(sqlc.narg('email') AS TEXT) IS NULL OR u.email = sqlc.narg('email'))
  AND (CAST(sqlc.narg('organization_id') AS BIGINT) IS NULL OR u.organization_id = sqlc.narg('organization_id'))
  AND (CAST(sqlc.narg('role_id') AS BIGINT) IS NULL OR u.id IN (
    SELECT uo.user_id FROM user_role uo WHERE uo.role_id = sqlc.narg('role_id')))
  AND (CAST(sqlc.narg('rule_id') AS BIGINT) IS NULL OR u.id IN (
    SELECT ur.user_id FROM user_rule ur WHERE ur.rule_id = sqlc.narg('rule_id')))
ORDER BY u.id;

-- name: ShellNodes :many
SELECT sqlc.embed(n), sqlc.embed(a) FROM node n JOIN authenticatable a ON a.id = n.id
WHERE (CAST(sqlc.narg('id') AS BIGINT) IS NULL OR n.id = sqlc.narg('id'))
  AND (CAST(sqlc.narg('api_key') AS TEXT) IS NULL OR n.api_key = sqlc.narg('api_key'))
  AND (CAST(sqlc.narg('status') AS TEXT) IS NULL OR a.status = sqlc.narg('status'))
  AND (CAST(sqlc.narg('organization_id') AS BIGINT) IS NULL OR n.organization_id = sqlc.narg('organization_id'))
  AND (CAST(sqlc.narg('collaboration_id') AS BIGINT) IS NULL OR n.collaboration_id = sqlc.narg('collaboration_id'))
ORDER BY n.id;

-- name: ShellCollaborations :many
SELECT c.* FROM collaboration c
WHERE (CAST(sqlc.narg('id') AS BIGINT) IS NULL OR c.id = sqlc.narg('id'))
  AND (CAST(sqlc.narg('name') AS TEXT) IS NULL OR c.name = sqlc.narg('name'))
  AND (CAST(sqlc.narg('organization_id') AS BIGINT) IS NULL OR c.id IN (
    SELECT m.collaboration_id FROM member m WHERE m.organization_id = sqlc.narg('organization_id')))
ORDER BY c.id;

-- name: ShellTasks :many
SELECT t.* FROM task t
WHERE (CAST(sqlc.narg('id') AS BIGINT) IS NULL OR t.id = sqlc.narg('id'))
  AND (CAST(sqlc.narg('collaboration_id') AS BIGINT) IS NULL OR t.collaboration_id = sqlc.narg('collaboration_id'))
  AND (CAST(sqlc.narg('parent_id') AS BIGINT) IS NULL OR t.parent_id = sqlc.narg('parent_id'))
  AND (CAST(sqlc.narg('initiator_id') AS BIGINT) IS NULL OR t.initiator_id = sqlc.narg('initiator_id'))
  AND (CAST(sqlc.narg('init_user_id') AS BIGINT) IS NULL OR t.init_user_id = sqlc.narg('init_user_id'))
ORDER BY t.id;

-- name: ShellResults :many
SELECT r.* FROM result r
WHERE (CAST(sqlc.narg('id') AS BIGINT) IS NULL OR r.id = sqlc.narg('id'))
  AND (CAST(sqlc.narg('task_id') AS BIGINT) IS NULL OR r.task_id = sqlc.narg('task_id'))
  AND (CAST(sqlc.narg('organization_id') AS BIGINT) IS NULL OR r.organization_id = sqlc.narg('organization_id'))
ORDER BY r.id;

-- name: ShellRoles :many
SELECT r.* FROM role r
WHERE (CAST(sqlc.narg('id') AS BIGINT) IS NULL OR r.id = sqlc.narg('id'))
  AND (CAST(sqlc.narg('name') AS TEXT) IS NULL OR r.name = sqlc.narg('name'))
  AND (CAST(sqlc.narg('organization_id') AS BIGINT) IS NULL OR r.organization_id = sqlc.narg('organization_id'))
  AND (CAST(sqlc.narg('user_id') AS BIGINT) IS NULL OR r.id IN (
    SELECT uo.role_id FROM user_role uo WHERE uo.user_id = sqlc.narg('user_id')))
  AND (CAST(sqlc.narg('rule_id') AS BIGINT) IS NULL OR r.id IN (
    SELECT rr.role_id FROM role_rule rr WHERE rr.rule_id = sqlc.narg('rule_id')))
ORDER BY r.id;

-- name: ShellRules :many
SELECT r.* FROM rule r
WHERE (CAST(sqlc.narg('id') AS BIGINT) IS NULL OR r.id = sqlc.narg('id'))
  AND (CAST(sqlc.narg('name') AS TEXT) IS NULL OR r.name = sqlc.narg('name'))
  AND (CAST(sqlc.narg('operation') AS TEXT) IS NULL OR r.operation = sqlc.narg('operation'))
  AND (CAST(sqlc.narg('scope') AS TEXT) IS NULL OR r.scope = sqlc.narg('scope'))
  AND (CAST(sqlc.narg('user_id') AS BIGINT) IS NULL OR r.id IN (
    SELECT ur.rule_id FROM user_rule ur WHERE ur.user_id = sqlc.narg('user_id')))
  AND (CAST(sqlc.narg('role_id') AS BIGINT) IS NULL OR r.id IN (
    SELECT rr.rule_id FROM role_rule rr WHERE rr.role_id = sqlc.narg('role_id')))
ORDER BY r.id;

-- name: ShellPorts :many
SELECT p.* FROM algorithmport p
WHERE (CAST(sqlc.narg('id') AS BIGINT) IS NULL OR p.id = sqlc.narg('id'))
  AND (CAST(sqlc.narg('result_id') AS BIGINT) IS NULL OR p.result_id = sqlc.narg('result_id'))
ORDER BY p.id;

-- name: ShellNodeConfigs :many
SELECT c.* FROM nodeconfig c
WHERE (CAST(sqlc.narg('id') AS BIGINT) IS NULL OR c.id = sqlc.narg('id')) ORDER BY c.id;

-- name: ShellAccounts :many
SELECT a.id, a.type FROM authenticatable a
WHERE (CAST(sqlc.narg('id') AS BIGINT) IS NULL OR a.id = sqlc.narg('id')) ORDER BY a.id;

-- The large texts of a result, read when they are asked for.

-- name: ShellPayload :one
SELECT * FROM payload WHERE result_id = @result_id;
