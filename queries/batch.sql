-- Rows by the thousand, for the import. A list is a JSON object with the wanted
-- texts or ids as keys: {"IKNL":0}. New rows are the members of a JSON object, in the
-- order of their insertion: {"8":{"username":"a"},"9":{"username":"b"}}.

-- name: FindOrganizations :many
SELECT o.* FROM organization o WHERE o.name IN (SELECT j.key FROM json_each(@names) AS j) ORDER BY o.id;

-- name: FindUsers :many
SELECT u.id, u.username, u.firstname, u.lastname, u.email, u.organization_id, u.otp_secret
FROM "user" u WHERE u.username IN (SELECT j.key FROM json_each(@names) AS j);

-- name: FindEmails :many
SELECT u.email, u.username FROM "user" u WHERE u.email IN (SELECT j.key FROM json_each(@emails) AS j);

-- name: FindRoles :many
SELECT r.id, r.name, r.organization_id, (SELECT COUNT(*) FROM role_rule rr WHERE rr.role_id = r.id) AS rules
FROM role r WHERE r.name IN (SELECT j.key FROM json_each(@names) AS j) ORDER BY r.id;

-- name: FindRolesOfUsers :many
SELECT ur.user_id AS owner_id, ur.role_id AS id FROM user_role ur
WHERE ur.user_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j) ORDER BY ur.role_id;

-- name: FindCollaborations :many
SELECT c.* FROM collaboration c WHERE c.name IN (SELECT j.key FROM json_each(@names) AS j);

-- name: FindNodes :many
SELECT n.id, n.name, n.api_key, n.organization_id, n.collaboration_id FROM node n
WHERE n.collaboration_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j);

-- name: FindMembers :many
SELECT m.collaboration_id AS owner_id, m.organization_id AS id FROM member m
WHERE m.collaboration_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j);

-- name: FindAPIKeys :many
SELECT n.id, n.name, n.api_key, n.organization_id, n.collaboration_id FROM node n
WHERE n.api_key IN (SELECT j.key FROM json_each(@digests) AS j);

-- name: GiveAllRules :exec
INSERT INTO role_rule (role_id, rule_id) SELECT CAST(@role_id AS BIGINT), r.id FROM rule r;

-- name: ImportAccounts :many
INSERT INTO authenticatable (type, refresh_generation, access_era)
SELECT @type, e.era, e.era FROM json_each(@list) AS j
CROSS JOIN (SELECT COALESCE(MAX(c.value), 0) AS era FROM counter c WHERE c.name = 'era') AS e RETURNING id;

-- name: ImportUsers :exec
INSERT INTO "user" (id, username, password, firstname, lastname, email, otp_secret, organization_id)
SELECT CAST(j.key AS BIGINT), j.value ->> 'username', j.value ->> 'password', j.value ->> 'firstname',
  j.value ->> 'lastname', j.value ->> 'email', j.value ->> 'otp_secret', CAST(j.value ->> 'organization' AS BIGINT)
FROM json_each(@list) AS j;

-- name: ImportRolesOfUsers :exec
INSERT INTO user_role (user_id, role_id)
SELECT CAST(j.value ->> 'user' AS BIGINT), CAST(j.value ->> 'role' AS BIGINT) FROM json_each(@list) AS j;

-- name: ImportCollaboration :one
INSERT INTO collaboration (name, encrypted) VALUES (@name, @encrypted) RETURNING id;

-- name: ImportMembers :exec
INSERT INTO member (organization_id, collaboration_id)
SELECT CAST(j.key AS BIGINT), CAST(@collaboration_id AS BIGINT) FROM json_each(@organizations) AS j ORDER BY 1
ON CONFLICT DO NOTHING;

-- name: ImportNodes :exec
INSERT INTO node (id, name, api_key, organization_id, collaboration_id)
SELECT CAST(j.key AS BIGINT), j.value ->> 'name', j.value ->> 'api_key',
  CAST(j.value ->> 'organization' AS BIGINT), CAST(j.value ->> 'collaboration' AS BIGINT)
FROM json_each(@list) AS j;

-- name: ImportRun :one
UPDATE counter SET value = value + 1 WHERE name = 'run' RETURNING value;

-- name: ImportTask :one
INSERT INTO task (name, image, collaboration_id, run_id, initiator_id, created_at)
VALUES (@name, @image, @collaboration_id, @run_id, @initiator_id, @created_at) RETURNING id;

-- name: ImportResults :exec
INSERT INTO result (task_id, organization_id, collaboration_id, assigned_at)
SELECT CAST(@task_id AS BIGINT), CAST(j.key AS BIGINT), CAST(@collaboration_id AS BIGINT), @assigned_at
FROM json_each(@organizations) AS j;

-- name: ImportInputs :exec
INSERT INTO payload (result_id, input) SELECT r.id, @input FROM result r WHERE r.task_id = @task_id;
