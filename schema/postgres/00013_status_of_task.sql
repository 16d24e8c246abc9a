-- +goose Up
-- The status of a task is kept with it, so that lists can be filtered by it: that of before, made of those of its
-- results. Only these triggers write it, but that a new task may have the status that its results are about to give it.
DROP VIEW task_status;
ALTER TABLE task ADD COLUMN status TEXT NOT NULL DEFAULT 'unknown';
UPDATE task SET status = s.status FROM (
  SELECT r.task_id, CASE WHEN COUNT(r.status) = 0 THEN 'unknown' ELSE
    CASE MIN(CASE r.status WHEN 'active' THEN 1 WHEN 'initializing' THEN 2 WHEN 'pending' THEN 3 WHEN 'completed' THEN 4 ELSE 0 END)
      WHEN 0 THEN 'failed' WHEN 1 THEN 'active' WHEN 2 THEN 'initializing' WHEN 3 THEN 'pending' ELSE 'completed' END END AS status
  FROM result r GROUP BY r.task_id) s
WHERE s.task_id = task.id AND s.status <> task.status;
CREATE INDEX task_status ON task (status, id);

-- The tasks are held before their results are looked at: of two that change results of one task the second sees what
-- the first did.
-- +goose StatementBegin
CREATE FUNCTION keep_task_status() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  ids BIGINT[];
BEGIN
  IF TG_OP = 'INSERT' THEN
    SELECT array_agg(DISTINCT n.task_id) INTO ids FROM new_rows n JOIN task t ON t.id = n.task_id
    WHERE n.status IS DISTINCT FROM t.status OR n.status = 'unknown';
  ELSIF TG_OP = 'DELETE' THEN
    SELECT array_agg(DISTINCT o.task_id) INTO ids FROM old_rows o WHERE o.task_id IS NOT NULL;
  ELSE
    SELECT array_agg(DISTINCT c.task_id) INTO ids FROM (
      SELECT unnest(ARRAY[o.task_id, n.task_id]) AS task_id FROM old_rows o JOIN new_rows n ON n.id = o.id
      WHERE o.status IS DISTINCT FROM n.status OR o.task_id IS DISTINCT FROM n.task_id) c
    WHERE c.task_id IS NOT NULL;
  END IF;
  IF ids IS NOT NULL THEN
    PERFORM 1 FROM task WHERE id = ANY (ids) ORDER BY id FOR NO KEY UPDATE;
    UPDATE task SET status = s.status FROM (
      SELECT t.id, CASE WHEN COUNT(r.status) = 0 THEN 'unknown' ELSE
        CASE MIN(CASE r.status WHEN 'active' THEN 1 WHEN 'initializing' THEN 2 WHEN 'pending' THEN 3 WHEN 'completed' THEN 4 ELSE 0 END)
          WHEN 0 THEN 'failed' WHEN 1 THEN 'active' WHEN 2 THEN 'initializing' WHEN 3 THEN 'pending' ELSE 'completed' END END AS status
      FROM unnest(ids) AS t (id) LEFT JOIN result r ON r.task_id = t.id GROUP BY t.id) s
    WHERE s.id = task.id AND s.status <> task.status;
  END IF;
  RETURN NULL;
END;
$$;
-- +goose StatementEnd

CREATE TRIGGER task_status_insert AFTER INSERT ON result
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_task_status();
CREATE TRIGGER task_status_delete AFTER DELETE ON result
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_task_status();
CREATE TRIGGER task_status_update AFTER UPDATE ON result
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_task_status();

-- +goose Down
DROP TRIGGER task_status_update ON result;
DROP TRIGGER task_status_delete ON result;
DROP TRIGGER task_status_insert ON result;
DROP FUNCTION keep_task_status();
DROP INDEX task_status;
ALTER TABLE task DROP COLUMN status;
CREATE VIEW task_status AS
SELECT t.id AS task_id, CAST((
  SELECT CASE WHEN COUNT(r.status) = 0 THEN 'unknown' ELSE
    CASE MIN(CASE r.status WHEN 'active' THEN 1 WHEN 'initializing' THEN 2 WHEN 'pending' THEN 3 WHEN 'completed' THEN 4 ELSE 0 END)
      WHEN 0 THEN 'failed' WHEN 1 THEN 'active' WHEN 2 THEN 'initializing' WHEN 3 THEN 'pending' ELSE 'completed' END END
  FROM result r WHERE r.task_id = t.id) AS TEXT) AS status
FROM task t;
