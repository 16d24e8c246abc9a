-- Users as everybody sees them: no query of a list or an object reads a secret.

-- name: ListUsers :many
SELECT u.id, u.username, u.firstname, u.lastname, u.email, u.organization_id, a.last_seen, a.status
FROM "user" u JOIN authenticatable a ON a.id = u.id
WHERE (CAST(sqlc.narg('within') AS BIGINT) IS NULL OR u.organization_id = sqlc.narg('within'))
  AND (CAST(sqlc.narg('username') AS TEXT) IS NULL OR (lower(u.username) LIKE lower(sqlc.narg('username')) ESCAPE '\'))
  AND (CAST(sqlc.narg('firstname') AS TEXT) IS NULL OR (lower(u.firstname) LIKE lower(sqlc.narg('firstname')) ESCAPE '\'))
  AND (CAST(sqlc.narg('lastname') AS TEXT) IS NULL OR (lower(u.lastname) LIKE lower(sqlc.narg('lastname')) ESCAPE '\'))
  AND (CAST(sqlc.narg('email') AS TEXT) IS NULL OR (lower(u.email) LIKE lower(sqlc.narg('email')) ESCAPE '\'))
  AND (CAST(sqlc.narg('organization_id') AS BIGINT) IS NULL OR u.organization_id = sqlc.narg('organization_id'))
  AND (CAST(sqlc.narg('role_id') AS BIGINT) IS NULL OR u.id IN (
    SELECT uo.user_id FROM user_role uo WHERE uo.role_id = sqlc.narg('role_id')))
  AND (CAST(sqlc.narg('rule_id') AS BIGINT) IS NULL OR u.id IN (
    SELECT ur.user_id FROM user_rule ur WHERE ur.rule_id = sqlc.narg('rule_id')))
  AND (CAST(sqlc.narg('seen_from') AS TIMESTAMPTZ) IS NULL OR a.last_seen >= sqlc.narg('seen_from'))
  AND (CAST(sqlc.narg('seen_till') AS TIMESTAMPTZ) IS NULL OR a.last_seen <= sqlc.narg('seen_till'))
ORDER BY u.id LIMIT CAST(@lim AS BIGINT) OFFSET CAST(@off AS BIGINT);

-- Whole rows, for the import and the shell. A filter that is nil filters nothing; lists
-- of texts or ids are the keys of a JSON object.

-- name: FindUsers :many
SELECT sqlc.embed(u), sqlc.embed(a) FROM "user" u JOIN authenticatable a ON a.id = u.id
WHERE (CAST(sqlc.narg('id') AS BIGINT) IS NULL OR u.id = sqlc.narg('id'))
  AND (CAST(sqlc.narg('username') AS TEXT) IS NULL OR u.username = sqlc.narg('username'))
  AND (CAST(sqlc.narg('usernames') AS JSON) IS NULL OR u.username IN (SELECT j.key FROM json_each(sqlc.narg('usernames')) AS j))
  AND (CAST(sqlc.narg('email') AS TEXT) IS NULL OR u.email = sqlc.narg('email'))
  AND (CAST(sqlc.narg('emails') AS JSON) IS NULL OR u.email IN (SELECT j.key FROM json_each(sqlc.narg('emails')) AS j))
  AND (CAST(sqlc.narg('organization_id') AS BIGINT) IS NULL OR u.organization_id = sqlc.narg('organization_id'))
  AND (CAST(sqlc.narg('role_id') AS BIGINT) IS NULL OR u.id IN (
    SELECT uo.user_id FROM user_role uo WHERE uo.role_id = sqlc.narg('role_id')))
  AND (CAST(sqlc.narg('rule_id') AS BIGINT) IS NULL OR u.id IN (
    SELECT ur.user_id FROM user_rule ur WHERE ur.rule_id = sqlc.narg('rule_id')));

-- name: CountUsers :one
SELECT COUNT(*) FROM "user";

-- name: GetUserByUsername :one
SELECT * FROM "user" WHERE username = @username;

-- name: GetUser :one
SELECT u.id, u.username, u.firstname, u.lastname, u.email, u.organization_id, a.last_seen, a.status
FROM "user" u JOIN authenticatable a ON a.id = u.id WHERE u.id = @id;

-- name: CredentialsOfUser :one
SELECT * FROM "user" WHERE id = @id;

-- name: UsernameTaken :one
SELECT EXISTS (SELECT 1 FROM "user" WHERE username = @username AND id <> @but);

-- name: EmailTaken :one
SELECT EXISTS (SELECT 1 FROM "user" WHERE email = @email AND id <> @but);

-- New users are the members of a JSON object, each under the id of its account.

-- name: InsertUsers :exec
INSERT INTO "user" (id, username, password, firstname, lastname, email, organization_id, failed_login_attempts, initial_password)
SELECT CAST(j.key AS BIGINT), j.value ->> 'Username', j.value ->> 'Password', j.value ->> 'Firstname', j.value ->> 'Lastname',
  j.value ->> 'Email', CAST(j.value ->> 'OrganizationID' AS BIGINT),
  COALESCE(CAST(j.value ->> 'FailedLoginAttempts' AS BIGINT), 0), CAST(j.value ->> 'InitialPassword' AS BOOLEAN)
FROM json_each(@list) AS j;

-- name: HoldUser :one
UPDATE "user" SET username = username WHERE id = @id RETURNING *;

-- name: UpdateUser :exec
UPDATE "user" SET username = @username, password = @password, firstname = @firstname, lastname = @lastname, email = @email,
  organization_id = @organization_id, failed_login_attempts = @failed_login_attempts, last_login_attempt = @last_login_attempt,
  initial_password = @initial_password WHERE id = @id;

-- The second factor is written by itself, so that nothing else can put a secret that is not sealed.

-- name: UpdateSecondFactor :exec
UPDATE "user" SET otp_secret = @otp_secret, otp_pending = @otp_pending, otp_pending_at = @otp_pending_at, otp_step = @otp_step
WHERE id = @id;

-- name: UsersWithSecondFactor :many
SELECT id FROM "user" WHERE otp_secret IS NOT NULL OR otp_pending IS NOT NULL ORDER BY id;

-- name: CountSecondFactors :one
SELECT COUNT(*) FROM "user" WHERE otp_secret IS NOT NULL;

-- Secrets that are stored as they are; sealed ones have a mark before them.

-- name: UsersWithOpenSecret :many
SELECT id FROM "user" WHERE (otp_secret IS NOT NULL AND otp_secret <> '' AND otp_secret NOT LIKE 'v1:%')
  OR (otp_pending IS NOT NULL AND otp_pending NOT LIKE 'v1:%') ORDER BY id;

-- name: InsertRecoveryCode :exec
INSERT INTO recovery_code (user_id, digest) VALUES (@user_id, @digest) ON CONFLICT DO NOTHING;

-- name: HasRecoveryCode :one
SELECT EXISTS (SELECT 1 FROM recovery_code WHERE user_id = @user_id AND digest = @digest);

-- name: CountRecoveryCodes :one
SELECT COUNT(*) FROM recovery_code WHERE user_id = @user_id;

-- name: DeleteRecoveryCode :exec
DELETE FROM recovery_code WHERE user_id = @user_id AND digest = @digest;

-- name: DeleteRecoveryCodes :exec
DELETE FROM recovery_code WHERE user_id = @user_id;

-- Ids of related rows for a whole page of users; ids is a JSON object {"1":0,"7":0}.

-- name: RolesOfUsers :many
SELECT uo.user_id AS owner_id, uo.role_id AS id FROM user_role uo
WHERE uo.user_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j) ORDER BY uo.role_id;

-- name: ExtraRulesOfUsers :many
SELECT ur.user_id AS owner_id, ur.rule_id AS id FROM user_rule ur
WHERE ur.user_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j) ORDER BY ur.rule_id;

-- The newest 1,000 tasks of each user as ids with commas between. Rows are compared as
-- pairs, because for an equation Postgres may read the table backwards by id.

-- name: NewestTasksOfUsers :many
SELECT u.id AS owner_id, CAST(COALESCE((
  SELECT string_agg(CAST(n.id AS TEXT), ',') FROM (
    SELECT t.id FROM task t WHERE (t.init_user_id, t.id) >= (u.id, 0) AND (t.init_user_id, t.id) < (u.id + 1, 0)
    ORDER BY t.init_user_id DESC, t.id DESC LIMIT 1000) AS n), '') AS TEXT) AS ids
FROM "user" u WHERE u.id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j);

-- Roles and extra rules of one user; ids as above.

-- name: InsertRolesOfUsers :exec
INSERT INTO user_role (user_id, role_id)
SELECT CAST(j.value ->> 'UserID' AS BIGINT), CAST(j.value ->> 'RoleID' AS BIGINT) FROM json_each(@list) AS j
WHERE TRUE ON CONFLICT DO NOTHING;

-- name: DeleteRolesOfUser :exec
DELETE FROM user_role WHERE user_id = @user_id
  AND role_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j);

-- name: InsertRulesOfUser :exec
INSERT INTO user_rule (user_id, rule_id)
SELECT CAST(@user_id AS BIGINT), CAST(j.key AS BIGINT) FROM json_each(@ids) AS j WHERE TRUE ON CONFLICT DO NOTHING;

-- name: DeleteRulesOfUser :exec
DELETE FROM user_rule WHERE user_id = @user_id
  AND rule_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j);

-- name: HoldersOfDefaultRole :many
SELECT uo.user_id FROM user_role uo JOIN role r ON r.id = uo.role_id
WHERE r.name = @name AND r.organization_id IS NULL AND NOT r.orphan ORDER BY uo.user_id;

-- Holds up other transactions that are about to take the role from somebody.

-- name: HoldDefaultRole :exec
UPDATE role SET name = name WHERE name = @name AND organization_id IS NULL AND NOT orphan;

-- Wrong passwords by the network that they came from.

-- name: FailedLoginsOfUser :many
SELECT * FROM failed_login WHERE user_id = @user_id;

-- name: PutFailedLogin :exec
INSERT INTO failed_login (user_id, network, attempts, last_attempt) VALUES (@user_id, @network, @attempts, @last_attempt)
ON CONFLICT (user_id, network) DO UPDATE SET attempts = excluded.attempts, last_attempt = excluded.last_attempt;

-- name: DeleteFailedLogin :exec
DELETE FROM failed_login WHERE user_id = @user_id AND network = @network;

-- name: UsersWithFailedLogins :many
SELECT * FROM "user" u WHERE u.failed_login_attempts > 0
  AND (CAST(sqlc.narg('ids') AS JSON) IS NULL OR u.id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(sqlc.narg('ids')) AS j))
ORDER BY u.username, u.id;

-- name: FailedLogins :many
SELECT * FROM failed_login f
WHERE (CAST(sqlc.narg('ids') AS JSON) IS NULL OR f.user_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(sqlc.narg('ids')) AS j))
ORDER BY f.user_id, f.last_attempt DESC, f.network;
