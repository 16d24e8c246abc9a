-- Accounts: what users and nodes have in common.

-- New rows are the members of a JSON object, in the order of their insertion. The tokens
-- of new accounts begin with the era, which a wipe of the database raises.

-- name: InsertAccounts :many
INSERT INTO authenticatable (type, refresh_generation, access_era)
SELECT @type, e.era, e.era FROM json_each(@list) AS j
CROSS JOIN (SELECT COALESCE(MAX(c.value), 0) AS era FROM counter c WHERE c.name = 'era') AS e RETURNING id;

-- name: HoldAccount :one
UPDATE authenticatable SET type = type WHERE id = @id RETURNING *;

-- name: UpdateAccount :exec
UPDATE authenticatable SET ip = @ip, last_seen = @last_seen, status = @status WHERE id = @id;

-- A user or a node goes with its account.

-- name: DeleteAccounts :exec
DELETE FROM authenticatable WHERE id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j);

-- name: FindAccounts :many
SELECT a.* FROM authenticatable a
WHERE (CAST(sqlc.narg('id') AS BIGINT) IS NULL OR a.id = sqlc.narg('id')) ORDER BY a.id;

-- name: IdentifyUser :one
SELECT a.refresh_generation, a.access_era, u.username, u.organization_id
FROM "user" u JOIN authenticatable a ON a.id = u.id WHERE u.id = @id;

-- name: IdentifyNode :one
SELECT a.refresh_generation, a.access_era, n.name, n.organization_id, n.collaboration_id
FROM node n JOIN authenticatable a ON a.id = n.id WHERE n.id = @id;

-- name: RulesOfUser :many
SELECT r.name, r.scope, r.operation FROM rule r WHERE r.id IN (
  SELECT ur.rule_id FROM user_rule ur WHERE ur.user_id = @user_id
  UNION
  SELECT rr.rule_id FROM user_role uo JOIN role_rule rr ON rr.role_id = uo.role_id WHERE uo.user_id = @user_id);

-- name: RulesOfDefaultRole :many
SELECT r.name, r.scope, r.operation FROM rule r JOIN role_rule rr ON rr.rule_id = r.id
JOIN role o ON o.id = rr.role_id WHERE o.name = @name AND o.organization_id IS NULL AND NOT o.orphan;

-- name: SetLastSeen :exec
UPDATE authenticatable SET last_seen = @last_seen WHERE id = @id;

-- name: RevokeRefreshTokens :exec
UPDATE authenticatable SET refresh_generation = refresh_generation + 1 WHERE id = @id;

-- name: RevokeAllTokens :exec
UPDATE authenticatable SET refresh_generation = refresh_generation + 1, access_era = access_era + 1 WHERE id = @id;

-- name: SetStatus :execrows
UPDATE authenticatable SET status = @status WHERE id = @id;

-- name: SetAllOffline :exec
UPDATE authenticatable SET status = 'offline' WHERE status = 'online';

-- name: UpdateFailedLogins :exec
UPDATE "user" SET failed_login_attempts = @attempts, last_login_attempt = @at WHERE id = @id;

-- name: NodeByAPIKey :one
SELECT n.id FROM node n WHERE n.api_key = @api_key;

-- name: TaskOfContainer :one
SELECT t.image, t.run_id, t.collaboration_id, EXISTS (
  SELECT 1 FROM result r WHERE r.task_id = t.id AND r.finished_at IS NULL) AS open
FROM task t WHERE t.id = @id;

-- name: GetSecret :one
SELECT value FROM secret WHERE name = @name;

-- name: InsertSecret :exec
INSERT INTO secret (name, value) VALUES (@name, @value) ON CONFLICT DO NOTHING;

-- name: DeleteSecret :exec
DELETE FROM secret WHERE name = @name;

-- name: RoleNamesOfUser :many
SELECT r.name FROM role r JOIN user_role ur ON ur.role_id = r.id WHERE ur.user_id = @user_id ORDER BY r.id;

-- name: TaskForContainer :one
SELECT t.id, t.image, t.database, t.collaboration_id,
  (SELECT COUNT(*) FROM result r WHERE r.task_id = t.id) AS results,
  (SELECT COUNT(*) FROM result r WHERE r.task_id = t.id AND r.finished_at IS NULL) AS open_results,
  (SELECT COUNT(*) FROM result r WHERE r.task_id = t.id AND r.organization_id = @organization_id) AS own_results
FROM task t WHERE t.id = @id;
