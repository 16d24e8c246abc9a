-- Tasks. Lists are read newest first from an index: `collaboration_id` uses that of
-- the collaboration, `within` (a JSON object of ids) filters rows that another index
-- finds, which the plus sign makes sure of.

-- name: GetTask :one
SELECT * FROM task WHERE id = @id;

-- name: ListTasks :many
SELECT t.*
FROM task t
WHERE (CAST(sqlc.narg('id') AS BIGINT) IS NULL OR t.id = sqlc.narg('id'))
  AND (CAST(sqlc.narg('collaboration_id') AS BIGINT) IS NULL OR t.collaboration_id = sqlc.narg('collaboration_id'))
  AND (CAST(sqlc.narg('within') AS JSON) IS NULL OR +t.collaboration_id IN (
    SELECT CAST(j.key AS BIGINT) FROM json_each(sqlc.narg('within')) AS j))
  AND (CAST(sqlc.narg('run_id') AS BIGINT) IS NULL OR t.run_id = sqlc.narg('run_id'))
  AND (CAST(sqlc.narg('parent_id') AS BIGINT) IS NULL OR t.parent_id = sqlc.narg('parent_id'))
  AND (CAST(sqlc.narg('initiator_id') AS BIGINT) IS NULL OR t.initiator_id = sqlc.narg('initiator_id'))
  AND (CAST(sqlc.narg('init_user_id') AS BIGINT) IS NULL OR t.init_user_id = sqlc.narg('init_user_id'))
  AND (CAST(sqlc.narg('result_id') AS BIGINT) IS NULL OR t.id = (SELECT r.task_id FROM result r WHERE r.id = sqlc.narg('result_id')))
  AND (CAST(sqlc.narg('name') AS TEXT) IS NULL OR (lower(t.name) LIKE lower(sqlc.narg('name')) ESCAPE '\'))
  AND (CAST(sqlc.narg('image') AS TEXT) IS NULL OR (lower(t.image) LIKE lower(sqlc.narg('image')) ESCAPE '\'))
  AND (CAST(sqlc.narg('description') AS TEXT) IS NULL OR (lower(t.description) LIKE lower(sqlc.narg('description')) ESCAPE '\'))
  AND (CAST(sqlc.narg('database') AS TEXT) IS NULL OR (lower(t.database) LIKE lower(sqlc.narg('database')) ESCAPE '\'))
  AND (CAST(sqlc.narg('status') AS TEXT) IS NULL OR t.status = sqlc.narg('status'))
  AND (CAST(sqlc.narg('statuses') AS JSON) IS NULL OR t.status IN (SELECT j.key FROM json_each(sqlc.narg('statuses')) AS j))
  AND (CAST(sqlc.narg('created_from') AS TIMESTAMPTZ) IS NULL OR t.created_at >= sqlc.narg('created_from'))
  AND (CAST(sqlc.narg('created_till') AS TIMESTAMPTZ) IS NULL OR t.created_at < sqlc.narg('created_till'))
  AND (CAST(sqlc.narg('before') AS BIGINT) IS NULL OR t.id < sqlc.narg('before'))
ORDER BY t.id DESC LIMIT CAST(@lim AS BIGINT) OFFSET CAST(@off AS BIGINT);

-- name: ListTasksOfCollaboration :many
SELECT t.*
FROM task t WHERE t.collaboration_id = @collaboration_id
  AND (CAST(sqlc.narg('after') AS BIGINT) IS NULL OR t.id > sqlc.narg('after'))
ORDER BY t.id LIMIT CAST(@lim AS BIGINT) OFFSET CAST(@off AS BIGINT);

-- name: TasksByID :many
SELECT t.* FROM task t WHERE t.id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j);

-- CollaborationsInReach returns the collaborations of an organization with what they
-- hold; triggers keep the counts.

-- name: CollaborationsInReach :many
SELECT m.collaboration_id AS id, CAST(COALESCE(SUM(y.tasks), 0) AS BIGINT) AS task_count,
  CAST(COALESCE(SUM(y.results), 0) AS BIGINT) AS result_count
FROM member m LEFT JOIN extent y ON y.collaboration_id = m.collaboration_id
WHERE m.organization_id = @organization_id
  AND (CAST(sqlc.narg('only') AS BIGINT) IS NULL OR m.collaboration_id = sqlc.narg('only'))
GROUP BY m.collaboration_id ORDER BY m.collaboration_id;

-- name: CountAllTasks :one
SELECT CAST((SELECT COALESCE(SUM(y.tasks), 0) FROM extent y)
  + (SELECT COUNT(*) FROM task t WHERE t.collaboration_id IS NULL) AS BIGINT) AS total;

-- name: CollaborationCounts :one
SELECT c.id, CAST(COALESCE(SUM(y.tasks), 0) AS BIGINT) AS task_count, CAST(COALESCE(SUM(y.results), 0) AS BIGINT) AS result_count
FROM collaboration c LEFT JOIN extent y ON y.collaboration_id = c.id WHERE c.id = @id GROUP BY c.id;

-- What belongs to tasks: their results, and the tasks below them, of which the moment says nothing.

-- name: PartsOfTasks :many
SELECT CAST(r.task_id AS BIGINT) AS owner_id, r.id, r.finished_at AS at, CAST(FALSE AS BOOLEAN) AS below FROM result r
WHERE r.task_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j)
UNION ALL
SELECT CAST(t.parent_id AS BIGINT) AS owner_id, t.id, t.created_at AS at, CAST(TRUE AS BOOLEAN) AS below FROM task t
WHERE t.parent_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j)
ORDER BY 2;

-- name: ChildrenOfTasks :many
SELECT CAST(t.parent_id AS BIGINT) AS owner_id, t.id FROM task t
WHERE t.parent_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j) ORDER BY t.id;

-- name: BelowTasks :one
SELECT EXISTS (SELECT 1 FROM task t WHERE t.parent_id >= CAST(@low AS BIGINT) AND t.parent_id <= CAST(@high AS BIGINT));

-- name: StatesOfTasks :many
SELECT CAST(r.task_id AS BIGINT) AS task_id, r.id, r.finished_at FROM result r
WHERE r.task_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j) ORDER BY r.id;

-- name: NodesForTask :many
SELECT m.organization_id, n.id AS node_id FROM member m
LEFT JOIN node n ON n.organization_id = m.organization_id AND n.collaboration_id = m.collaboration_id
WHERE m.collaboration_id = @collaboration_id;

-- name: PoliciesForTask :many
SELECT p.node_id, CAST(n.organization_id AS BIGINT) AS organization_id, p.key, p.value
FROM node n JOIN nodeconfig p ON p.node_id = n.id
WHERE n.collaboration_id = @collaboration_id AND n.organization_id IS NOT NULL AND p.key IN ('allowed_users', 'allowed_orgs')
ORDER BY p.id;

-- Who holds a row waits for those who write it and keeps others from it, until the end of the
-- transaction; SQLite, which has one writer, is not told of that.

-- name: HoldTask :one
SELECT * FROM task WHERE id = @id FOR NO KEY UPDATE;

-- ShareTask keeps a task from being deleted or killed by others, not from having more tasks below it.

-- name: ShareTask :exec
SELECT task.id FROM task WHERE id = @id FOR SHARE;

-- name: ParentOfTask :one
SELECT t.run_id, t.init_user_id, t.image, t.collaboration_id, EXISTS (
  SELECT 1 FROM result r WHERE r.task_id = t.id AND r.finished_at IS NULL) AS open
FROM task t WHERE t.id = @id;

-- The status is that which the results are about to give the task.

-- name: InsertTask :one
INSERT INTO task (name, description, image, collaboration_id, run_id, parent_id, database, initiator_id, init_user_id, created_at, status)
VALUES (@name, @description, @image, @collaboration_id, @run_id, @parent_id, @database, @initiator_id, @init_user_id, @created_at, @status)
RETURNING id;

-- name: UpdateTask :exec
UPDATE task SET name = @name, description = @description, image = @image, collaboration_id = @collaboration_id, run_id = @run_id,
  parent_id = @parent_id, database = @database, initiator_id = @initiator_id, init_user_id = @init_user_id WHERE id = @id;

-- HoldSubtree holds a task with all below it, so that no container adds a task there
-- meanwhile. Their ids are read by a statement of its own, which sees what came while
-- this one waited.

-- name: HoldSubtree :exec
WITH RECURSIVE tree (id) AS (
  SELECT t.id FROM task t WHERE t.id = @id
  UNION
  SELECT t.id FROM task t JOIN tree ON t.parent_id = tree.id)
SELECT task.id FROM task WHERE task.id IN (SELECT tree.id FROM tree) ORDER BY task.id FOR NO KEY UPDATE;

-- name: TasksOfSubtree :many
WITH RECURSIVE tree (id) AS (
  SELECT t.id FROM task t WHERE t.id = @id
  UNION
  SELECT t.id FROM task t JOIN tree ON t.parent_id = tree.id)
SELECT CAST(tree.id AS BIGINT) AS id FROM tree;

-- name: IsSubtreeOpen :one
WITH RECURSIVE tree (id) AS (
  SELECT t.id FROM task t WHERE t.id = @id
  UNION
  SELECT t.id FROM task t JOIN tree ON t.parent_id = tree.id)
SELECT EXISTS (SELECT 1 FROM tree JOIN result r ON r.task_id = tree.id WHERE r.finished_at IS NULL);

-- name: DeleteTasks :exec
DELETE FROM task WHERE id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j);
