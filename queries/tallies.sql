-- Tallies: how many rows there are for a value that lists are filtered by. A total is what is tallied, and what has come
-- since. Without `within` it is that of everything. The caller says up to which id rows are tallied, so that Postgres
-- knows how few are behind it; the total is right when the answer says the same.

-- name: CountTasksOfStatus :one
SELECT CAST((
  SELECT COALESCE(SUM(y.number), 0) FROM tally y WHERE y.kind = 'status' AND y.value = @status
    AND (CAST(sqlc.narg('within') AS JSON) IS NULL OR y.collaboration_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(sqlc.narg('within')) AS j))
) + (
  SELECT COUNT(*) FROM task t WHERE t.status = @status
    AND t.id > CAST(@tallied AS BIGINT)
    AND (CAST(sqlc.narg('within') AS JSON) IS NULL OR +t.collaboration_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(sqlc.narg('within')) AS j))
) AS BIGINT) AS total,
  CAST((SELECT COALESCE(MAX(c.value), 0) FROM counter c WHERE c.name = 'tallied_tasks') AS BIGINT) AS tallied;

-- name: CountTasksOfInitiator :one
SELECT CAST((
  SELECT COALESCE(SUM(y.number), 0) FROM tally y WHERE y.kind = 'initiator' AND y.value = CAST(@initiator_id AS TEXT)
    AND (CAST(sqlc.narg('within') AS JSON) IS NULL OR y.collaboration_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(sqlc.narg('within')) AS j))
) + (
  SELECT COUNT(*) FROM task t WHERE t.initiator_id = CAST(@initiator_id AS BIGINT)
    AND t.id > CAST(@tallied AS BIGINT)
    AND (CAST(sqlc.narg('within') AS JSON) IS NULL OR +t.collaboration_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(sqlc.narg('within')) AS j))
) AS BIGINT) AS total,
  CAST((SELECT COALESCE(MAX(c.value), 0) FROM counter c WHERE c.name = 'tallied_tasks') AS BIGINT) AS tallied;

-- name: CountTasksOfInitUser :one
SELECT CAST((
  SELECT COALESCE(SUM(y.number), 0) FROM tally y WHERE y.kind = 'init_user' AND y.value = CAST(@init_user_id AS TEXT)
    AND (CAST(sqlc.narg('within') AS JSON) IS NULL OR y.collaboration_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(sqlc.narg('within')) AS j))
) + (
  SELECT COUNT(*) FROM task t WHERE t.init_user_id = CAST(@init_user_id AS BIGINT)
    AND t.id > CAST(@tallied AS BIGINT)
    AND (CAST(sqlc.narg('within') AS JSON) IS NULL OR +t.collaboration_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(sqlc.narg('within')) AS j))
) AS BIGINT) AS total,
  CAST((SELECT COALESCE(MAX(c.value), 0) FROM counter c WHERE c.name = 'tallied_tasks') AS BIGINT) AS tallied;

-- A result whose task lies in no collaboration is in no list.

-- name: CountResultsOfOrganization :one
SELECT CAST((
  SELECT COALESCE(SUM(y.number), 0) FROM tally y WHERE y.kind = 'organization' AND y.value = CAST(@organization_id AS TEXT) AND y.collaboration_id > 0
    AND (CAST(sqlc.narg('within') AS JSON) IS NULL OR y.collaboration_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(sqlc.narg('within')) AS j))
) + (
  SELECT COUNT(*) FROM result r WHERE r.organization_id = CAST(@organization_id AS BIGINT) AND r.collaboration_id IS NOT NULL
    AND r.id > CAST(@tallied AS BIGINT)
    AND (CAST(sqlc.narg('within') AS JSON) IS NULL OR +r.collaboration_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(sqlc.narg('within')) AS j))
) AS BIGINT) AS total,
  CAST((SELECT COALESCE(MAX(c.value), 0) FROM counter c WHERE c.name = 'tallied_results') AS BIGINT) AS tallied;

-- What is tallied, what there is, and how many rows the tallies have themselves.

-- name: TalliesDue :one
SELECT CAST((SELECT COALESCE(MAX(t.id), 0) FROM task t) AS BIGINT) AS tasks,
  CAST((SELECT COALESCE(MAX(c.value), 0) FROM counter c WHERE c.name = 'tallied_tasks') AS BIGINT) AS tallied_tasks,
  CAST((SELECT COALESCE(MAX(r.id), 0) FROM result r) AS BIGINT) AS results,
  CAST((SELECT COALESCE(MAX(c.value), 0) FROM counter c WHERE c.name = 'tallied_results') AS BIGINT) AS tallied_results,
  CAST(COALESCE((SELECT MAX(y.id) FROM tally y) - (SELECT MIN(y.id) FROM tally y) + 1, 0) AS BIGINT) AS written;

-- name: TallyTasks :exec
INSERT INTO tally (kind, value, collaboration_id, number)
SELECT 'status', t.status, COALESCE(t.collaboration_id, 0), COUNT(*) FROM task t
  WHERE t.id > @after AND t.id <= @till GROUP BY t.status, t.collaboration_id
UNION ALL SELECT 'initiator', CAST(t.initiator_id AS TEXT), COALESCE(t.collaboration_id, 0), COUNT(*) FROM task t
  WHERE t.id > @after AND t.id <= @till AND t.initiator_id IS NOT NULL GROUP BY t.initiator_id, t.collaboration_id
UNION ALL SELECT 'init_user', CAST(t.init_user_id AS TEXT), COALESCE(t.collaboration_id, 0), COUNT(*) FROM task t
  WHERE t.id > @after AND t.id <= @till AND t.init_user_id IS NOT NULL GROUP BY t.init_user_id, t.collaboration_id;

-- name: TallyResults :exec
INSERT INTO tally (kind, value, collaboration_id, number)
SELECT 'organization', CAST(r.organization_id AS TEXT), COALESCE(r.collaboration_id, 0), COUNT(*) FROM result r
  WHERE r.id > @after AND r.id <= @till AND r.organization_id IS NOT NULL GROUP BY r.organization_id, r.collaboration_id;

-- name: SetTallied :exec
INSERT INTO counter (name, value) VALUES (@name, @value) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: Tallied :one
SELECT CAST(COALESCE(MAX(c.value), 0) AS BIGINT) AS till FROM counter c WHERE c.name = @name;

-- name: LastTally :one
SELECT CAST(COALESCE(MAX(y.id), 0) AS BIGINT) AS id FROM tally y;

-- name: SumTallies :exec
INSERT INTO tally (kind, value, collaboration_id, number)
SELECT y.kind, y.value, y.collaboration_id, SUM(y.number) FROM tally y WHERE y.id <= @till
GROUP BY y.kind, y.value, y.collaboration_id HAVING SUM(y.number) <> 0;

-- name: DropTallies :exec
DELETE FROM tally WHERE id <= @till;
