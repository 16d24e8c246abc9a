-- +goose Up
-- How many tasks and results a collaboration has is the sum of the rows that it has here: one with SQLite, where
-- writers wait for each other anyway.
CREATE TABLE extent (
  collaboration_id INTEGER NOT NULL,
  tasks INTEGER NOT NULL,
  results INTEGER NOT NULL
) STRICT;
CREATE INDEX extent_collaboration ON extent (collaboration_id);
INSERT INTO extent (collaboration_id, tasks, results) SELECT id, task_count, result_count FROM collaboration;

DROP TRIGGER task_count_insert;
DROP TRIGGER task_count_delete;
DROP TRIGGER task_count_move;
DROP TRIGGER result_count_insert;
DROP TRIGGER result_count_delete;
DROP TRIGGER result_count_move;
ALTER TABLE collaboration DROP COLUMN task_count;
ALTER TABLE collaboration DROP COLUMN result_count;

-- +goose StatementBegin
CREATE TRIGGER extent_begin AFTER INSERT ON collaboration
BEGIN
  INSERT INTO extent (collaboration_id, tasks, results) VALUES (NEW.id, 0, 0);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER extent_end AFTER DELETE ON collaboration
BEGIN
  DELETE FROM extent WHERE collaboration_id = OLD.id;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER task_extent_insert AFTER INSERT ON task
BEGIN
  UPDATE extent SET tasks = tasks + 1 WHERE collaboration_id = NEW.collaboration_id;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER task_extent_delete AFTER DELETE ON task
BEGIN
  UPDATE extent SET tasks = tasks - 1 WHERE collaboration_id = OLD.collaboration_id;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER task_extent_move AFTER UPDATE OF collaboration_id ON task
BEGIN
  UPDATE extent SET tasks = tasks - 1 WHERE collaboration_id = OLD.collaboration_id;
  UPDATE extent SET tasks = tasks + 1 WHERE collaboration_id = NEW.collaboration_id;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER result_extent_insert AFTER INSERT ON result
BEGIN
  UPDATE extent SET results = results + 1 WHERE collaboration_id = NEW.collaboration_id;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER result_place AFTER INSERT ON result WHEN NEW.collaboration_id IS NULL AND NEW.task_id IS NOT NULL
BEGIN
  UPDATE result SET collaboration_id = (SELECT t.collaboration_id FROM task t WHERE t.id = NEW.task_id) WHERE id = NEW.id;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER result_extent_delete AFTER DELETE ON result
BEGIN
  UPDATE extent SET results = results - 1 WHERE collaboration_id = OLD.collaboration_id;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER result_extent_move AFTER UPDATE OF collaboration_id ON result
BEGIN
  UPDATE extent SET results = results - 1 WHERE collaboration_id = OLD.collaboration_id;
  UPDATE extent SET results = results + 1 WHERE collaboration_id = NEW.collaboration_id;
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER result_extent_move;
DROP TRIGGER result_extent_delete;
DROP TRIGGER result_place;
DROP TRIGGER result_extent_insert;
DROP TRIGGER task_extent_move;
DROP TRIGGER task_extent_delete;
DROP TRIGGER task_extent_insert;
DROP TRIGGER extent_end;
DROP TRIGGER extent_begin;
ALTER TABLE collaboration ADD COLUMN task_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE collaboration ADD COLUMN result_count INTEGER NOT NULL DEFAULT 0;
UPDATE collaboration SET task_count = (SELECT COUNT(*) FROM task t WHERE t.collaboration_id = collaboration.id),
  result_count = (SELECT COUNT(*) FROM result r WHERE r.collaboration_id = collaboration.id);
DROP TABLE extent;

-- +goose StatementBegin
CREATE TRIGGER task_count_insert AFTER INSERT ON task
BEGIN
  UPDATE collaboration SET task_count = task_count + 1 WHERE id = NEW.collaboration_id;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER task_count_delete AFTER DELETE ON task
BEGIN
  UPDATE collaboration SET task_count = task_count - 1 WHERE id = OLD.collaboration_id;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER task_count_move AFTER UPDATE OF collaboration_id ON task
BEGIN
  UPDATE collaboration SET task_count = task_count - 1 WHERE id = OLD.collaboration_id;
  UPDATE collaboration SET task_count = task_count + 1 WHERE id = NEW.collaboration_id;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER result_count_insert AFTER INSERT ON result
BEGIN
  UPDATE collaboration SET result_count = result_count + 1 WHERE id = NEW.collaboration_id;
  UPDATE result SET collaboration_id = (SELECT t.collaboration_id FROM task t WHERE t.id = NEW.task_id)
  WHERE id = NEW.id AND NEW.collaboration_id IS NULL;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER result_count_delete AFTER DELETE ON result
BEGIN
  UPDATE collaboration SET result_count = result_count - 1 WHERE id = OLD.collaboration_id;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER result_count_move AFTER UPDATE OF collaboration_id ON result
BEGIN
  UPDATE collaboration SET result_count = result_count - 1 WHERE id = OLD.collaboration_id;
  UPDATE collaboration SET result_count = result_count + 1 WHERE id = NEW.collaboration_id;
END;
-- +goose StatementEnd
