-- +goose Up
-- The status of a task, made of those of its results: what lists show and filter by. A
-- status that is none of the good ones, or none at all beside others, is a failure.
CREATE VIEW task_status AS
SELECT t.id AS task_id, CAST((
  SELECT CASE WHEN COUNT(r.status) = 0 THEN 'unknown' ELSE
    CASE MIN(CASE r.status WHEN 'active' THEN 1 WHEN 'initializing' THEN 2 WHEN 'pending' THEN 3 WHEN 'completed' THEN 4 ELSE 0 END)
      WHEN 0 THEN 'failed' WHEN 1 THEN 'active' WHEN 2 THEN 'initializing' WHEN 3 THEN 'pending' ELSE 'completed' END END
  FROM result r WHERE r.task_id = t.id) AS TEXT) AS status
FROM task t;

-- +goose Down
DROP VIEW task_status;
