-- Pages of the names of tasks: name_page.go says what is in one. Patterns and names are lowered by the engine, in pages
-- and beside them, so that both mean the same.

-- NamesDue says how far the pages go, how far the tasks do, and how many tasks of pages have changed since.

-- name: NamesDue :one
SELECT CAST(COALESCE((SELECT MAX(p.last_id) FROM name_page p), 0) AS BIGINT) AS written,
  CAST(COALESCE((SELECT MAX(t.id) FROM task t), 0) AS BIGINT) AS last,
  CAST((SELECT COUNT(*) FROM renamed) AS BIGINT) AS changed,
  CAST(lower(CAST(@pattern AS TEXT)) AS TEXT) AS lowered;

-- name: NamesToWrite :many
SELECT t.id, CAST(COALESCE(t.collaboration_id, 0) AS BIGINT) AS collaboration_id, CAST(t.name IS NULL AS BOOLEAN) AS nameless,
  CAST(COALESCE(lower(t.name), '') AS TEXT) AS name
FROM task t WHERE t.id > @after AND t.id <= @till ORDER BY t.id LIMIT CAST(@lim AS BIGINT);

-- name: InsertNamePage :exec
INSERT INTO name_page (last_id, first_id, page) VALUES (@last_id, @first_id, @page);

-- name: DropNamePage :execrows
DELETE FROM name_page WHERE last_id = @last_id;

-- name: DropRenamed :exec
DELETE FROM renamed WHERE task_id >= @first_id AND task_id <= @last_id;

-- name: RenamedTasks :many
SELECT DISTINCT d.task_id FROM renamed d ORDER BY d.task_id;

-- name: RenamedPages :many
SELECT p.first_id, p.last_id FROM name_page p
WHERE EXISTS (SELECT 1 FROM renamed d WHERE d.task_id >= p.first_id AND d.task_id <= p.last_id) ORDER BY p.last_id;

-- NamedBehind finds tasks that are in no page. Postgres takes what lies between two ids for little.

-- name: NamedBehind :many
SELECT t.id FROM task t WHERE t.id > @after AND t.id <= @till AND (lower(t.name) LIKE CAST(@lowered AS TEXT) ESCAPE '\')
  AND (CAST(sqlc.narg('within') AS JSON) IS NULL OR +t.collaboration_id IN (
    SELECT CAST(j.key AS BIGINT) FROM json_each(sqlc.narg('within')) AS j))
ORDER BY t.id DESC;

-- NamedAmong finds tasks whose page is not right any more.

-- name: NamedAmong :many
SELECT t.id FROM task t WHERE t.id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j) AND (lower(t.name) LIKE CAST(@lowered AS TEXT) ESCAPE '\')
  AND (CAST(sqlc.narg('within') AS JSON) IS NULL OR +t.collaboration_id IN (
    SELECT CAST(j.key AS BIGINT) FROM json_each(sqlc.narg('within')) AS j))
ORDER BY t.id DESC;
