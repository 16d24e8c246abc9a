-- Ports of algorithms, newest first.

-- name: GetPort :one
SELECT sqlc.embed(p), r.collaboration_id, t.run_id FROM algorithmport p
LEFT JOIN result r ON r.id = p.result_id LEFT JOIN task t ON t.id = r.task_id WHERE p.id = @id;

-- name: ListPorts :many
SELECT p.*
FROM algorithmport p
WHERE (CAST(sqlc.narg('id') AS BIGINT) IS NULL OR p.id = sqlc.narg('id'))
  AND (CAST(sqlc.narg('within') AS JSON) IS NULL OR p.result_id IN (
    SELECT r.id FROM result r WHERE r.id = p.result_id AND +r.collaboration_id IN (
      SELECT CAST(j.key AS BIGINT) FROM json_each(sqlc.narg('within')) AS j)))
  AND (CAST(sqlc.narg('result_id') AS BIGINT) IS NULL OR p.result_id = sqlc.narg('result_id'))
  AND (CAST(sqlc.narg('task_id') AS BIGINT) IS NULL OR p.result_id IN (SELECT r.id FROM result r WHERE r.task_id = sqlc.narg('task_id')))
  AND (CAST(sqlc.narg('run_id') AS BIGINT) IS NULL OR p.result_id IN (
    SELECT r.id FROM task t JOIN result r ON r.task_id = t.id WHERE t.run_id = sqlc.narg('run_id')))
ORDER BY p.id DESC LIMIT CAST(@lim AS BIGINT) OFFSET CAST(@off AS BIGINT);

-- Where algorithms of some tasks, and of the children of one, listen in the VPN.

-- name: AddressesOfTasks :many
SELECT p.port, p.label, a.ip, r.organization_id, t.id AS task_id, t.parent_id
FROM task t JOIN result r ON r.task_id = t.id JOIN algorithmport p ON p.result_id = r.id
LEFT JOIN node n ON n.organization_id = r.organization_id AND n.collaboration_id = r.collaboration_id
LEFT JOIN authenticatable a ON a.id = n.id
WHERE (CAST(sqlc.narg('label') AS TEXT) IS NULL OR p.label = sqlc.narg('label'))
  AND t.id IN (
    SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j
    UNION ALL SELECT c.id FROM task c WHERE c.parent_id = sqlc.narg('children_of'))
ORDER BY p.id;

-- name: InsertPort :one
INSERT INTO algorithmport (port, result_id, label) VALUES (@port, @result_id, @label) RETURNING id;

-- name: HoldPort :one
UPDATE algorithmport SET port = port WHERE id = @id RETURNING *;

-- name: UpdatePort :exec
UPDATE algorithmport SET port = @port, result_id = @result_id, label = @label WHERE id = @id;

-- name: DeletePort :exec
DELETE FROM algorithmport WHERE id = @id;

-- name: DeletePortsOfResult :exec
DELETE FROM algorithmport WHERE result_id = @result_id;

-- name: DeletePortsOfTasks :exec
DELETE FROM algorithmport WHERE result_id IN (
  SELECT r.id FROM result r WHERE r.task_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j));
