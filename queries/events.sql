-- What happened. An event is about the one object that it names, beside the result of a task.

-- name: InsertTaskEvent :exec
INSERT INTO event (at, type, task_id, result_id, status, in_collaboration)
VALUES (@at, @type, @task_id, @result_id, @status, (SELECT t.collaboration_id FROM task t WHERE t.id = @task_id));

-- Tasks that were killed; ids is a JSON object {"1":0,"7":0}.

-- name: InsertKillEvents :exec
INSERT INTO event (at, type, task_id, in_collaboration)
SELECT @at, @type, t.id, t.collaboration_id FROM task t WHERE t.id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j)
ORDER BY t.id;

-- The end of a task, once none of its results is open.

-- name: InsertTaskEnd :exec
INSERT INTO event (at, type, task_id, status, in_collaboration)
SELECT @at, @type, t.id, t.status, t.collaboration_id FROM task t
WHERE t.id = @task_id AND NOT EXISTS (SELECT 1 FROM result r WHERE r.task_id = t.id AND r.finished_at IS NULL);

-- What happened to anything else, of which there is not more than that since a moment.

-- name: InsertEvent :exec
INSERT INTO event (at, type, node_id, user_id, organization_id, collaboration_id, status, in_collaboration, of_organization)
SELECT @at, @type, CAST(sqlc.narg('node_id') AS BIGINT), CAST(sqlc.narg('user_id') AS BIGINT),
  CAST(sqlc.narg('organization_id') AS BIGINT), CAST(sqlc.narg('collaboration_id') AS BIGINT), CAST(sqlc.narg('status') AS TEXT),
  COALESCE(sqlc.narg('collaboration_id'), (SELECT n.collaboration_id FROM node n WHERE n.id = sqlc.narg('node_id'))),
  COALESCE(sqlc.narg('organization_id'), (SELECT n.organization_id FROM node n WHERE n.id = sqlc.narg('node_id')),
    (SELECT u.organization_id FROM "user" u WHERE u.id = sqlc.narg('user_id')))
WHERE (SELECT COUNT(*) FROM event e WHERE e.at > @since
  AND (e.node_id = sqlc.narg('node_id') OR e.user_id = sqlc.narg('user_id')
    OR e.organization_id = sqlc.narg('organization_id') OR e.collaboration_id = sqlc.narg('collaboration_id'))) < CAST(@most AS BIGINT);

-- A node that comes or goes, before its status says so; an account that is none is left out.

-- name: InsertPresenceEvent :exec
INSERT INTO event (at, type, node_id, in_collaboration, of_organization)
SELECT @at, @type, n.id, n.collaboration_id, n.organization_id FROM node n JOIN authenticatable a ON a.id = n.id
WHERE n.id = @node_id AND a.status IS DISTINCT FROM CAST(@status AS TEXT) AND (SELECT COUNT(*) FROM event e WHERE e.node_id = n.id AND e.at > @since) < CAST(@most AS BIGINT);

-- All nodes that are online went.

-- name: InsertOfflineEvents :exec
INSERT INTO event (at, type, node_id, in_collaboration, of_organization)
SELECT @at, @type, n.id, n.collaboration_id, n.organization_id FROM node n JOIN authenticatable a ON a.id = n.id WHERE a.status = 'online';

-- Something is gone, with its name and where it belonged.

-- name: InsertDeletionEvent :exec
INSERT INTO event (at, type, name, in_collaboration, of_organization) VALUES (@at, @type, @name, @in_collaboration, @of_organization);

-- Each kind of event is bounded as the lists of its objects are: it is left out without the
-- permission, shown as a whole with it, or bounded to what belongs to an organization. Nothing but the event itself
-- is looked at for that: those of a collaboration come from an index, and the others are gone through fast.

-- name: ListEvents :many
SELECT e.id, e.at, e.type, e.status, e.task_id, e.result_id, e.node_id, e.user_id, t.run_id,
  COALESCE(r.organization_id, e.of_organization) AS organization_id, e.in_collaboration AS collaboration_id,
  COALESCE(e.name, t.name, n.name, u.username, o.name, c.name) AS name
FROM event e
LEFT JOIN task t ON t.id = e.task_id
LEFT JOIN result r ON r.id = e.result_id
LEFT JOIN node n ON n.id = e.node_id
LEFT JOIN "user" u ON u.id = e.user_id
LEFT JOIN organization o ON o.id = e.organization_id
LEFT JOIN collaboration c ON c.id = e.collaboration_id
WHERE ((e.task_id IS NOT NULL OR e.type = 'task-deleted') AND CAST(@tasks AS BOOLEAN)
      AND (CAST(sqlc.narg('tasks_within') AS JSON) IS NULL OR e.in_collaboration IN (
        SELECT CAST(j.key AS BIGINT) FROM json_each(sqlc.narg('tasks_within')) AS j))
      AND (e.result_id IS NULL OR CAST(@results AS BOOLEAN)
        AND (CAST(sqlc.narg('results_within') AS JSON) IS NULL OR e.in_collaboration IN (
          SELECT CAST(j.key AS BIGINT) FROM json_each(sqlc.narg('results_within')) AS j)))
    OR (e.node_id IS NOT NULL OR e.type = 'node-deleted') AND CAST(@nodes AS BOOLEAN)
      AND (CAST(sqlc.narg('nodes_of') AS BIGINT) IS NULL OR e.of_organization = sqlc.narg('nodes_of'))
    OR (e.user_id IS NOT NULL OR e.type = 'user-deleted')
      AND (CAST(sqlc.narg('users_of') AS BIGINT) IS NULL OR e.of_organization = sqlc.narg('users_of') OR e.user_id = CAST(@caller AS BIGINT))
    OR e.organization_id IS NOT NULL AND CAST(@organizations AS BOOLEAN)
      AND (CAST(sqlc.narg('organization') AS BIGINT) IS NULL OR e.organization_id = sqlc.narg('organization'))
      AND (CAST(sqlc.narg('partner_of') AS BIGINT) IS NULL OR e.organization_id = sqlc.narg('partner_of') OR e.organization_id IN (
        SELECT other.organization_id FROM member own JOIN member other ON other.collaboration_id = own.collaboration_id
        WHERE own.organization_id = sqlc.narg('partner_of')))
    OR (e.collaboration_id IS NOT NULL OR e.type = 'collaboration-deleted') AND CAST(@collaborations AS BOOLEAN)
      AND (CAST(sqlc.narg('collaborations_within') AS JSON) IS NULL OR e.collaboration_id IN (
        SELECT CAST(j.key AS BIGINT) FROM json_each(sqlc.narg('collaborations_within')) AS j)))
  AND (CAST(sqlc.narg('types') AS JSON) IS NULL OR e.type IN (SELECT j.key FROM json_each(sqlc.narg('types')) AS j))
  AND (CAST(sqlc.narg('of_collaboration') AS BIGINT) IS NULL OR e.in_collaboration = sqlc.narg('of_collaboration'))
  AND (CAST(sqlc.narg('of_task') AS BIGINT) IS NULL OR e.task_id = sqlc.narg('of_task'))
  AND (CAST(sqlc.narg('of_node') AS BIGINT) IS NULL OR e.node_id = sqlc.narg('of_node'))
  AND (CAST(sqlc.narg('since') AS TIMESTAMPTZ) IS NULL OR e.at >= sqlc.narg('since') AND e.id >= (
    SELECT MIN(first.id) FROM event first WHERE first.at >= sqlc.narg('since')))
  AND (CAST(sqlc.narg('until') AS TIMESTAMPTZ) IS NULL OR e.at < sqlc.narg('until'))
ORDER BY e.id DESC LIMIT CAST(@lim AS BIGINT) OFFSET CAST(@off AS BIGINT);

-- Only some at a time, so that nobody waits for it.

-- name: DeleteOldEvents :execrows
DELETE FROM event WHERE id IN (SELECT e.id FROM event e WHERE e.at < @before ORDER BY e.at LIMIT 1000);
