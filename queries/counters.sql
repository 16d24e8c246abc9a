-- Counters: the highest run id ever given out ('run'), the era that tokens of new
-- accounts begin with ('era'), and the changes that were made past the server
-- ('changes'), by the shell and by the import.

-- name: InsertRunCounter :exec
INSERT INTO counter (name, value) VALUES ('run', 0) ON CONFLICT DO NOTHING;

-- A run id is never given out twice: nodes name shared folders after it. Tasks may have
-- come past the counter, and the newest may be gone.

-- name: TakeRun :one
UPDATE counter SET value = 1 + CASE
  WHEN counter.value < (SELECT COALESCE(MAX(t.run_id), 0) FROM task t) THEN (SELECT COALESCE(MAX(t.run_id), 0) FROM task t)
  ELSE counter.value END
WHERE counter.name = 'run' RETURNING counter.value;

-- name: GetHighestRun :one
SELECT CAST(COALESCE(MAX(h.run), 0) AS BIGINT) AS run FROM (
  SELECT t.run_id AS run FROM task t UNION ALL SELECT c.value AS run FROM counter c WHERE c.name = 'run') AS h;

-- name: RaiseRun :exec
UPDATE counter SET value = @run WHERE name = 'run' AND value < @run;

-- name: RaiseEra :exec
INSERT INTO counter (name, value) VALUES ('era', 1000000000)
ON CONFLICT (name) DO UPDATE SET value = counter.value + 1000000000;

-- name: DeleteCounters :exec
DELETE FROM counter WHERE name NOT IN ('era', 'changes');

-- name: CountChange :exec
INSERT INTO counter (name, value) VALUES ('changes', 1)
ON CONFLICT (name) DO UPDATE SET value = counter.value + 1;

-- name: CountedChanges :one
SELECT CAST(COALESCE(MAX(c.value), 0) AS BIGINT) AS changes FROM counter c WHERE c.name = 'changes';

-- When the database was taken over from a 3.x server ('taken_over'), in seconds; 0 for never.

-- name: TakenOverAt :one
SELECT CAST(COALESCE(MAX(c.value), 0) AS BIGINT) AS at FROM counter c WHERE c.name = 'taken_over';
