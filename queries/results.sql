-- Results, newest first. `collaboration_id` and `within` are those of tasks.sql; a
-- result whose task lies in no collaboration is in no list.

-- name: GetResult :one
SELECT sqlc.embed(r), t.run_id FROM result r LEFT JOIN task t ON t.id = r.task_id WHERE r.id = @id;

-- Whole rows, for the shell. A filter that is nil filters nothing.

-- name: FindResults :many
SELECT r.* FROM result r
WHERE (CAST(sqlc.narg('id') AS BIGINT) IS NULL OR r.id = sqlc.narg('id'))
  AND (CAST(sqlc.narg('task_id') AS BIGINT) IS NULL OR r.task_id = sqlc.narg('task_id'))
  AND (CAST(sqlc.narg('organization_id') AS BIGINT) IS NULL OR r.organization_id = sqlc.narg('organization_id'))
ORDER BY r.id;

-- name: ListResults :many
SELECT r.*
FROM result r
WHERE r.collaboration_id IS NOT NULL
  AND (CAST(sqlc.narg('collaboration_id') AS BIGINT) IS NULL OR r.collaboration_id = sqlc.narg('collaboration_id'))
  AND (CAST(sqlc.narg('within') AS JSON) IS NULL OR +r.collaboration_id IN (
    SELECT CAST(j.key AS BIGINT) FROM json_each(sqlc.narg('within')) AS j))
  AND (CAST(sqlc.narg('run_id') AS BIGINT) IS NULL OR r.task_id IN (SELECT t.id FROM task t WHERE t.run_id = sqlc.narg('run_id')))
  AND (CAST(sqlc.narg('task_id') AS BIGINT) IS NULL OR r.task_id = sqlc.narg('task_id'))
  AND (CAST(sqlc.narg('organization_id') AS BIGINT) IS NULL OR r.organization_id = sqlc.narg('organization_id'))
  AND (CAST(sqlc.narg('port') AS BIGINT) IS NULL OR r.id IN (SELECT p.result_id FROM algorithmport p WHERE p.port = sqlc.narg('port')))
  AND (CAST(sqlc.narg('open') AS BOOLEAN) IS NULL OR r.finished_at IS NULL)
  AND (CAST(sqlc.narg('assigned_from') AS TIMESTAMPTZ) IS NULL OR r.assigned_at >= sqlc.narg('assigned_from'))
  AND (CAST(sqlc.narg('assigned_till') AS TIMESTAMPTZ) IS NULL OR r.assigned_at <= sqlc.narg('assigned_till'))
  AND (CAST(sqlc.narg('started_from') AS TIMESTAMPTZ) IS NULL OR r.started_at >= sqlc.narg('started_from'))
  AND (CAST(sqlc.narg('started_till') AS TIMESTAMPTZ) IS NULL OR r.started_at <= sqlc.narg('started_till'))
  AND (CAST(sqlc.narg('finished_from') AS TIMESTAMPTZ) IS NULL OR r.finished_at >= sqlc.narg('finished_from'))
  AND (CAST(sqlc.narg('finished_till') AS TIMESTAMPTZ) IS NULL OR r.finished_at <= sqlc.narg('finished_till'))
  AND (CAST(sqlc.narg('before') AS BIGINT) IS NULL OR r.id < sqlc.narg('before'))
ORDER BY r.id DESC LIMIT CAST(@lim AS BIGINT) OFFSET CAST(@off AS BIGINT);

-- name: CountAllResults :one
SELECT CAST(COALESCE(SUM(y.results), 0) AS BIGINT) AS total FROM extent y;

-- name: ListResultsOfTask :many
SELECT r.*
FROM result r WHERE r.task_id = @task_id
  AND (CAST(sqlc.narg('after') AS BIGINT) IS NULL OR r.id > sqlc.narg('after'))
ORDER BY r.id LIMIT CAST(@lim AS BIGINT) OFFSET CAST(@off AS BIGINT);

-- name: ResultsOfTasks :many
SELECT r.* FROM result r WHERE r.task_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j) ORDER BY r.id;

-- name: OpenTasks :many
SELECT DISTINCT CAST(r.task_id AS BIGINT) AS task_id FROM result r
WHERE r.collaboration_id = @collaboration_id AND r.organization_id = @organization_id AND r.finished_at IS NULL
  AND r.task_id IS NOT NULL
ORDER BY 1 LIMIT CAST(@lim AS BIGINT);

-- name: PlaceOfNode :one
SELECT n.organization_id, n.collaboration_id FROM node n WHERE n.id = @id;

-- name: PayloadsOfResults :many
SELECT p.* FROM payload p WHERE p.result_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j);

-- name: GetPayload :one
SELECT * FROM payload WHERE result_id = @result_id;

-- name: BytesOfPayloads :one
SELECT CAST(COALESCE(SUM(COALESCE(octet_length(p.input), 0) + COALESCE(octet_length(p.result), 0) + COALESCE(octet_length(p.log), 0)), 0) AS BIGINT) AS bytes
FROM payload p WHERE p.result_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j);

-- The length of a text that is not in the row is -1.

-- name: SizesOfPayloads :many
SELECT p.result_id, CAST(COALESCE(octet_length(p.input), -1) AS BIGINT) AS input,
  CAST(COALESCE(octet_length(p.result), -1) AS BIGINT) AS result, CAST(COALESCE(octet_length(p.log), -1) AS BIGINT) AS log
FROM payload p WHERE p.result_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j);

-- name: NodesOfResults :many
SELECT r.id AS result_id, n.id, n.name, a.ip, a.status FROM result r
JOIN node n ON n.organization_id = r.organization_id AND n.collaboration_id = r.collaboration_id
JOIN authenticatable a ON a.id = n.id
WHERE r.id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j);

-- name: PortsOfResults :many
SELECT p.* FROM algorithmport p
WHERE p.result_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j) ORDER BY p.id;

-- Whether there is anything of which most results have nothing, for those of a stretch of ids.

-- name: BesideResults :one
SELECT EXISTS (SELECT 1 FROM algorithmport p WHERE p.result_id >= CAST(@low AS BIGINT) AND p.result_id <= CAST(@high AS BIGINT)) AS ports,
  EXISTS (SELECT 1 FROM stream s WHERE s.result_id >= CAST(@low AS BIGINT) AND s.result_id <= CAST(@high AS BIGINT)) AS streams;

-- name: InsertResult :one
INSERT INTO result (task_id, organization_id, collaboration_id, assigned_at, started_at, finished_at, status)
VALUES (@task_id, @organization_id, @collaboration_id, @assigned_at, @started_at, @finished_at, @status) RETURNING id;

-- The results of a new task, in the order of the organizations: a JSON object {"7":0,"1":1}.

-- name: AssignTask :many
INSERT INTO result (task_id, organization_id, collaboration_id, assigned_at, status)
SELECT CAST(@task_id AS BIGINT), CAST(j.key AS BIGINT), CAST(@collaboration_id AS BIGINT), @assigned_at, 'pending'
FROM json_each(@organizations) AS j
RETURNING id, organization_id;

-- name: InsertInput :exec
INSERT INTO payload (result_id, input) VALUES (@result_id, @input);

-- name: HoldResult :one
SELECT * FROM result WHERE id = @id FOR NO KEY UPDATE;

-- The collaboration of a result is that of its task: a trigger keeps it.

-- name: UpdateResult :exec
UPDATE result SET task_id = @task_id, organization_id = @organization_id, assigned_at = @assigned_at, started_at = @started_at,
  finished_at = @finished_at, status = @status WHERE id = @id;

-- name: DeleteResult :exec
DELETE FROM result WHERE id = @id;

-- name: DeleteResultsOfTasks :exec
DELETE FROM result WHERE task_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j);

-- The large texts of a result; what is nil leaves the stored text.

-- name: UpsertPayload :exec
INSERT INTO payload (result_id, input, result, log) VALUES (@result_id, @input, @result, @log)
ON CONFLICT (result_id) DO UPDATE SET input = COALESCE(excluded.input, payload.input),
  result = COALESCE(excluded.result, payload.result), log = COALESCE(excluded.log, payload.log);

-- name: ResultForPatch :one
SELECT r.task_id, r.organization_id, r.collaboration_id, r.status, r.started_at, r.finished_at, c.encrypted, EXISTS (
  SELECT 1 FROM member m WHERE m.organization_id = r.organization_id AND m.collaboration_id = r.collaboration_id) AS member
FROM result r LEFT JOIN collaboration c ON c.id = r.collaboration_id WHERE r.id = @id;

-- What a node says about a result is written in one statement, which touches nothing
-- that a trigger watches; of two that finish a result at once the second changes nothing.

-- name: AdvanceResult :execrows
UPDATE result SET
  started_at = COALESCE(sqlc.narg('started_at'), started_at),
  finished_at = COALESCE(sqlc.narg('finished_at'), finished_at),
  status = COALESCE(sqlc.narg('status'), status)
WHERE id = @id AND finished_at IS NULL;

-- name: FailOpenResult :exec
UPDATE result SET status = 'failed'
WHERE id = @id AND finished_at IS NULL AND (status IS NULL OR status IN ('pending', 'initializing', 'active'));

-- name: KillResultsOfTasks :many
UPDATE result SET status = 'killed by user', finished_at = @finished_at
WHERE finished_at IS NULL AND task_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j)
RETURNING id, task_id, organization_id;
