-- +goose Up
-- How many tasks and results a collaboration has is the sum of the rows that it has here. A change adds a row, so that
-- nobody waits for another one to commit; from time to time the rows of a collaboration are made one.
CREATE TABLE extent (
  collaboration_id BIGINT NOT NULL,
  tasks BIGINT NOT NULL,
  results BIGINT NOT NULL
);
CREATE INDEX extent_collaboration ON extent (collaboration_id);
INSERT INTO extent (collaboration_id, tasks, results) SELECT id, task_count, result_count FROM collaboration;

DROP TRIGGER task_count_insert ON task;
DROP TRIGGER task_count_delete ON task;
DROP TRIGGER task_count_move ON task;
DROP TRIGGER result_count_insert ON result;
DROP TRIGGER result_count_delete ON result;
DROP TRIGGER result_count_move ON result;
DROP FUNCTION keep_task_count();
DROP FUNCTION keep_result_count();
ALTER TABLE collaboration DROP COLUMN task_count;
ALTER TABLE collaboration DROP COLUMN result_count;

-- Run ids that are given out. Those that are written by hand raise it, when nobody else writes tasks: it must not fall.
CREATE SEQUENCE run_number OWNED BY task.run_id;
SELECT setval('run_number', GREATEST(1, COALESCE((SELECT MAX(run_id) FROM task), 0), COALESCE((SELECT value FROM counter WHERE name = 'run'), 0)),
  EXISTS (SELECT 1 FROM task WHERE run_id > 0) OR EXISTS (SELECT 1 FROM counter WHERE name = 'run' AND value > 0));

-- +goose StatementBegin
CREATE FUNCTION extent_of_tasks() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  run BIGINT;
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO extent SELECT collaboration_id, COUNT(*), 0 FROM new_rows WHERE collaboration_id IS NOT NULL GROUP BY collaboration_id;
    SELECT MAX(run_id) INTO run FROM new_rows;
    IF run > (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM run_number) THEN
      LOCK TABLE task IN SHARE ROW EXCLUSIVE MODE;
      IF run > (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM run_number) THEN
        PERFORM setval('run_number', run);
      END IF;
    END IF;
  ELSE
    INSERT INTO extent SELECT collaboration_id, -COUNT(*), 0 FROM old_rows WHERE collaboration_id IS NOT NULL GROUP BY collaboration_id;
  END IF;
  RETURN NULL;
END;
$$;
-- +goose StatementEnd

-- What is done for the results of a statement is done at once.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION keep_task_status() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  ids BIGINT[];
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO extent SELECT collaboration_id, 0, COUNT(*) FROM new_rows WHERE collaboration_id IS NOT NULL GROUP BY collaboration_id;
    SELECT array_agg(DISTINCT n.task_id) INTO ids FROM new_rows n JOIN task t ON t.id = n.task_id
    WHERE n.status IS DISTINCT FROM t.status OR n.status = 'unknown';
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO extent SELECT collaboration_id, 0, -COUNT(*) FROM old_rows WHERE collaboration_id IS NOT NULL GROUP BY collaboration_id;
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

-- +goose StatementBegin
CREATE FUNCTION extent_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO extent SELECT c.id, c.n * (TG_TABLE_NAME = 'task')::int, c.n * (TG_TABLE_NAME = 'result')::int
  FROM (VALUES (OLD.collaboration_id, -1), (NEW.collaboration_id, 1)) AS c (id, n) WHERE c.id IS NOT NULL;
  RETURN NULL;
END;
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION keep_run() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  run BIGINT := NEW.run_id;
BEGIN
  IF run > (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM run_number) THEN
    LOCK TABLE task IN SHARE ROW EXCLUSIVE MODE;
    IF run > (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM run_number) THEN
      PERFORM setval('run_number', run);
    END IF;
  END IF;
  RETURN NULL;
END;
$$;
-- +goose StatementEnd

CREATE TRIGGER extent_insert AFTER INSERT ON task REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION extent_of_tasks();
CREATE TRIGGER extent_delete AFTER DELETE ON task REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION extent_of_tasks();
CREATE TRIGGER extent_move AFTER UPDATE OF collaboration_id ON task FOR EACH ROW
  WHEN (OLD.collaboration_id IS DISTINCT FROM NEW.collaboration_id) EXECUTE FUNCTION extent_move();
CREATE TRIGGER task_run_kept AFTER UPDATE OF run_id ON task FOR EACH ROW
  WHEN (OLD.run_id IS DISTINCT FROM NEW.run_id) EXECUTE FUNCTION keep_run();
CREATE TRIGGER extent_move AFTER UPDATE OF task_id, collaboration_id ON result FOR EACH ROW
  WHEN (OLD.collaboration_id IS DISTINCT FROM NEW.collaboration_id) EXECUTE FUNCTION extent_move();

-- What already has the collaboration of its task is not looked at.
DROP TRIGGER result_place ON result;
CREATE TRIGGER result_place BEFORE INSERT ON result FOR EACH ROW WHEN (NEW.collaboration_id IS NULL) EXECUTE FUNCTION place_result();
CREATE TRIGGER result_place_again BEFORE UPDATE OF task_id ON result FOR EACH ROW EXECUTE FUNCTION place_result();

-- +goose Down
DROP TRIGGER result_place_again ON result;
DROP TRIGGER result_place ON result;
CREATE TRIGGER result_place BEFORE INSERT OR UPDATE OF task_id ON result FOR EACH ROW EXECUTE FUNCTION place_result();
DROP TRIGGER extent_move ON result;
DROP TRIGGER task_run_kept ON task;
DROP TRIGGER extent_move ON task;
DROP TRIGGER extent_delete ON task;
DROP TRIGGER extent_insert ON task;
DROP FUNCTION keep_run();
DROP FUNCTION extent_move();
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION keep_task_status() RETURNS trigger LANGUAGE plpgsql AS $$
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
DROP FUNCTION extent_of_tasks();
UPDATE counter SET value = GREATEST(value, (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM run_number)) WHERE name = 'run';
DROP SEQUENCE run_number;
ALTER TABLE collaboration ADD COLUMN task_count BIGINT NOT NULL DEFAULT 0;
ALTER TABLE collaboration ADD COLUMN result_count BIGINT NOT NULL DEFAULT 0;
UPDATE collaboration SET task_count = (SELECT COUNT(*) FROM task t WHERE t.collaboration_id = collaboration.id),
  result_count = (SELECT COUNT(*) FROM result r WHERE r.collaboration_id = collaboration.id);
DROP TABLE extent;
-- +goose StatementBegin
CREATE FUNCTION keep_task_count() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    UPDATE collaboration SET task_count = task_count - 1 WHERE id = OLD.collaboration_id;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    UPDATE collaboration SET task_count = task_count + 1 WHERE id = NEW.collaboration_id;
  END IF;
  RETURN NULL;
END;
$$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION keep_result_count() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    UPDATE collaboration SET result_count = result_count - 1 WHERE id = OLD.collaboration_id;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    UPDATE collaboration SET result_count = result_count + 1 WHERE id = NEW.collaboration_id;
  END IF;
  RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER task_count_insert AFTER INSERT ON task FOR EACH ROW EXECUTE FUNCTION keep_task_count();
CREATE TRIGGER task_count_delete AFTER DELETE ON task FOR EACH ROW EXECUTE FUNCTION keep_task_count();
CREATE TRIGGER task_count_move AFTER UPDATE OF collaboration_id ON task FOR EACH ROW EXECUTE FUNCTION keep_task_count();
CREATE TRIGGER result_count_insert AFTER INSERT ON result FOR EACH ROW EXECUTE FUNCTION keep_result_count();
CREATE TRIGGER result_count_delete AFTER DELETE ON result FOR EACH ROW EXECUTE FUNCTION keep_result_count();
CREATE TRIGGER result_count_move AFTER UPDATE OF task_id, collaboration_id ON result FOR EACH ROW
  WHEN (OLD.collaboration_id IS DISTINCT FROM NEW.collaboration_id) EXECUTE FUNCTION keep_result_count();
