-- The shell: whole rows, every column of them. A filter that is nil filters nothing.
-- Rows to change are read by an update that changes nothing, so that nobody else
-- writes them before the transaction ends.

-- name: ShellOrganizations :many
SELECT o.* FROM organization o
WHERE (CAST(sqlc.narg('id') AS BIGINT) IS NULL OR o.id = sqlc.narg('id'))
  AND (CAST(sqlc.narg('name') AS TEXT) IS NULL OR o.name = sqlc.narg('name'))
  AND (CAST(sqlc.narg('collaboration_id') AS BIGINT) IS NULL OR o.id IN (
    SELECT m.organization_id FROM member m WHERE m.collaboration_id = sqlc.narg('collaboration_id')))
ORDER BY o.id;

-- name: ShellUsers :many
SELECT u.*, a.type, a.ip, a.last_seen, a.status FROM "user" u JOIN authenticatable a ON a.id = u.id
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
SELECT n.*, a.type, a.ip, a.last_seen, a.status FROM node n JOIN authenticatable a ON a.id = n.id
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

-- name: ShellSavePayload :exec
INSERT INTO payload (result_id, input, result, log) VALUES (@result_id, @input, @result, @log)
ON CONFLICT (result_id) DO UPDATE SET input = excluded.input, result = excluded.result, log = excluded.log;

-- How many belong to one: what a line about an object tells.

-- name: ShellCountUsers :one
SELECT COUNT(*) FROM "user" u WHERE u.organization_id = @organization_id;

-- name: ShellCountMembers :one
SELECT COUNT(*) FROM member m WHERE m.collaboration_id = @collaboration_id;

-- name: ShellCountHolders :one
SELECT COUNT(*) FROM user_role uo WHERE uo.role_id = @role_id;

-- New rows, to be filled by an update in the same transaction.

-- name: ShellAddOrganization :one
INSERT INTO organization DEFAULT VALUES RETURNING id;

-- name: ShellAddUser :exec
INSERT INTO "user" (id) VALUES (@id);

-- name: ShellAddNode :exec
INSERT INTO node (id) VALUES (@id);

-- name: ShellAddCollaboration :one
INSERT INTO collaboration DEFAULT VALUES RETURNING id;

-- name: ShellAddTask :one
INSERT INTO task (created_at) VALUES (@created_at) RETURNING id;

-- name: ShellAddResult :one
INSERT INTO result (assigned_at) VALUES (@assigned_at) RETURNING id;

-- name: ShellAddRole :one
INSERT INTO role DEFAULT VALUES RETURNING id;

-- name: ShellAddRule :one
INSERT INTO rule (name, operation, scope) VALUES (@name, @operation, @scope) RETURNING id;

-- name: ShellAddPort :one
INSERT INTO algorithmport DEFAULT VALUES RETURNING id;

-- name: ShellAddNodeConfig :one
INSERT INTO nodeconfig (node_id) VALUES (@node_id) RETURNING id;

-- name: ShellHoldOrganization :one
UPDATE organization SET name = name WHERE id = @id RETURNING *;

-- name: ShellHoldUser :one
UPDATE "user" SET username = username WHERE id = @id RETURNING *;

-- name: ShellHoldNode :one
UPDATE node SET name = name WHERE id = @id RETURNING *;

-- name: ShellHoldAccount :one
UPDATE authenticatable SET type = type WHERE id = @id RETURNING *;

-- name: ShellHoldTask :one
UPDATE task SET name = name WHERE id = @id RETURNING *;

-- name: ShellHoldResult :one
UPDATE result SET status = status WHERE id = @id RETURNING *;

-- name: ShellHoldRole :one
UPDATE role SET name = name WHERE id = @id RETURNING *;

-- name: ShellHoldRule :one
UPDATE rule SET name = name WHERE id = @id RETURNING *;

-- name: ShellHoldPort :one
UPDATE algorithmport SET port = port WHERE id = @id RETURNING *;

-- name: ShellHoldNodeConfig :one
UPDATE nodeconfig SET key = key WHERE id = @id RETURNING *;

-- name: ShellSaveOrganization :exec
UPDATE organization SET name = @name, domain = @domain, address1 = @address1, address2 = @address2,
  zipcode = @zipcode, country = @country, public_key = @public_key WHERE id = @id;

-- name: ShellSaveAccount :exec
UPDATE authenticatable SET ip = @ip, last_seen = @last_seen, status = @status WHERE id = @id;

-- name: ShellSaveUser :exec
UPDATE "user" SET username = @username, password = @password, firstname = @firstname, lastname = @lastname, email = @email,
  organization_id = @organization_id, failed_login_attempts = @failed_login_attempts, last_login_attempt = @last_login_attempt,
  otp_secret = @otp_secret, initial_password = @initial_password WHERE id = @id;

-- name: ShellSaveNode :exec
UPDATE node SET name = @name, api_key = @api_key, collaboration_id = @collaboration_id, organization_id = @organization_id
WHERE id = @id;

-- name: ShellSaveCollaboration :exec
UPDATE collaboration SET name = @name, encrypted = @encrypted WHERE id = @id;

-- name: ShellSaveTask :exec
UPDATE task SET name = @name, description = @description, image = @image, collaboration_id = @collaboration_id, run_id = @run_id,
  parent_id = @parent_id, database = @database, initiator_id = @initiator_id, init_user_id = @init_user_id WHERE id = @id;

-- name: ShellSaveResult :exec
UPDATE result SET task_id = @task_id, organization_id = @organization_id, assigned_at = @assigned_at, started_at = @started_at,
  finished_at = @finished_at, status = @status WHERE id = @id;

-- name: ShellSaveRole :exec
UPDATE role SET name = @name, description = @description, organization_id = @organization_id WHERE id = @id;

-- name: ShellSaveRule :exec
UPDATE rule SET name = @name, operation = @operation, scope = @scope, description = @description WHERE id = @id;

-- name: ShellSavePort :exec
UPDATE algorithmport SET port = @port, result_id = @result_id, label = @label WHERE id = @id;

-- name: ShellSaveNodeConfig :exec
UPDATE nodeconfig SET node_id = @node_id, key = @key, value = @value WHERE id = @id;

-- name: ShellDeleteOrganization :exec
DELETE FROM organization WHERE id = @id;

-- name: ShellDeleteTask :exec
DELETE FROM task WHERE id = @id;

-- name: ShellDeleteResult :exec
DELETE FROM result WHERE id = @id;

-- name: ShellDeleteRule :exec
DELETE FROM rule WHERE id = @id;

-- name: ShellDeletePort :exec
DELETE FROM algorithmport WHERE id = @id;

-- name: ShellDeleteNodeConfig :exec
DELETE FROM nodeconfig WHERE id = @id;
