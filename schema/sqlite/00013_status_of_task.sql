-- +goose Up
-- The status of a task is kept with it, so that lists can be filtered by it: that of before, made of those of its
-- results. Only these triggers write it, but that a new task may have the status that its results are about to give it.
DROP VIEW task_status;
ALTER TABLE task ADD COLUMN status TEXT NOT NULL DEFAULT 'unknown';
UPDATE task SET status = (
  SELECT CASE WHEN COUNT(r.status) = 0 THEN 'unknown' ELSE
    CASE MIN(CASE r.status WHEN 'active' THEN 1 WHEN 'initializing' THEN 2 WHEN 'pending' THEN 3 WHEN 'completed' THEN 4 ELSE 0 END)
      WHEN 0 THEN 'failed' WHEN 1 THEN 'active' WHEN 2 THEN 'initializing' WHEN 3 THEN 'pending' ELSE 'completed' END END
  FROM result r WHERE r.task_id = task.id);
CREATE INDEX task_status ON task (status, id);

-- +goose StatementBegin
CREATE TRIGGER task_status_insert AFTER INSERT ON result
WHEN NOT EXISTS (SELECT 1 FROM task t WHERE t.id = NEW.task_id AND t.status = NEW.status AND NEW.status <> 'unknown')
BEGIN
  UPDATE task SET status = (
    SELECT CASE WHEN COUNT(r.status) = 0 THEN 'unknown' ELSE
      CASE MIN(CASE r.status WHEN 'active' THEN 1 WHEN 'initializing' THEN 2 WHEN 'pending' THEN 3 WHEN 'completed' THEN 4 ELSE 0 END)
        WHEN 0 THEN 'failed' WHEN 1 THEN 'active' WHEN 2 THEN 'initializing' WHEN 3 THEN 'pending' ELSE 'completed' END END
    FROM result r WHERE r.task_id = task.id)
  WHERE id = NEW.task_id;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER task_status_delete AFTER DELETE ON result
WHEN OLD.task_id IS NOT NULL
BEGIN
  UPDATE task SET status = (
    SELECT CASE WHEN COUNT(r.status) = 0 THEN 'unknown' ELSE
      CASE MIN(CASE r.status WHEN 'active' THEN 1 WHEN 'initializing' THEN 2 WHEN 'pending' THEN 3 WHEN 'completed' THEN 4 ELSE 0 END)
        WHEN 0 THEN 'failed' WHEN 1 THEN 'active' WHEN 2 THEN 'initializing' WHEN 3 THEN 'pending' ELSE 'completed' END END
    FROM result r WHERE r.task_id = task.id)
  WHERE id = OLD.task_id;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER task_status_update AFTER UPDATE OF status, task_id ON result
WHEN OLD.status IS NOT NEW.status OR OLD.task_id IS NOT NEW.task_id
BEGIN
  UPDATE task SET status = (
    SELECT CASE WHEN COUNT(r.status) = 0 THEN 'unknown' ELSE
      CASE MIN(CASE r.status WHEN 'active' THEN 1 WHEN 'initializing' THEN 2 WHEN 'pending' THEN 3 WHEN 'completed' THEN 4 ELSE 0 END)
        WHEN 0 THEN 'failed' WHEN 1 THEN 'active' WHEN 2 THEN 'initializing' WHEN 3 THEN 'pending' ELSE 'completed' END END
    FROM result r WHERE r.task_id = task.id)
  WHERE id IN (OLD.task_id, NEW.task_id);
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER task_status_update;
DROP TRIGGER task_status_delete;
DROP TRIGGER task_status_insert;
DROP INDEX task_status;
ALTER TABLE task DROP COLUMN status;
CREATE VIEW task_status AS
SELECT t.id AS task_id, CAST((
  SELECT CASE WHEN COUNT(r.status) = 0 THEN 'unknown' ELSE
    CASE MIN(CASE r.status WHEN 'active' THEN 1 WHEN 'initializing' THEN 2 WHEN 'pending' THEN 3 WHEN 'completed' THEN 4 ELSE 0 END)
      WHEN 0 THEN 'failed' WHEN 1 THEN 'active' WHEN 2 THEN 'initializing' WHEN 3 THEN 'pending' ELSE 'completed' END END
  FROM result r WHERE r.task_id = t.id) AS TEXT) AS status
FROM task t;
