-- Rows by the thousand, for the import. A list is a JSON object with the wanted
-- texts or ids as keys: {"IKNL":0}.

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
