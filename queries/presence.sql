-- The live channel: who may hear what, who is there, what nodes tell about themselves.
-- ids is a JSON object {"1":0,"7":0}.

-- name: StandingOfNodes :many
SELECT n.id, a.access_era, n.organization_id, n.collaboration_id, EXISTS (
  SELECT 1 FROM member m WHERE m.organization_id = n.organization_id AND m.collaboration_id = n.collaboration_id) AS member
FROM node n JOIN authenticatable a ON a.id = n.id
WHERE n.id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j);

-- name: StandingOfUsers :many
SELECT u.id, a.access_era, u.organization_id FROM "user" u JOIN authenticatable a ON a.id = u.id
WHERE u.id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j);

-- name: EventViewOfUsers :many
SELECT ur.user_id, r.scope FROM user_rule ur JOIN rule r ON r.id = ur.rule_id
WHERE r.name = 'event' AND r.operation = 'VIEW' AND ur.user_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j)
UNION
SELECT uo.user_id, r.scope FROM user_role uo JOIN role_rule rr ON rr.role_id = uo.role_id JOIN rule r ON r.id = rr.rule_id
WHERE r.name = 'event' AND r.operation = 'VIEW' AND uo.user_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j);

-- name: CollaborationIDs :many
SELECT id FROM collaboration ORDER BY id;

-- name: RelayedResult :one
SELECT r.id, r.organization_id, r.task_id, t.run_id, t.collaboration_id, t.parent_id, EXISTS (
  SELECT 1 FROM member m WHERE m.organization_id = r.organization_id AND m.collaboration_id = t.collaboration_id) AS member
FROM result r JOIN task t ON t.id = r.task_id WHERE r.id = @id;
