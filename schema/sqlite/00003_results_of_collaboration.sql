-- +goose Up
-- The collaboration of a result is that of its task. The copy lets a list of the
-- results of a few collaborations be read from an index, newest first, and lets a
-- page know its total without a count; the triggers keep both.
ALTER TABLE collaboration ADD COLUMN result_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE result ADD COLUMN collaboration_id INTEGER;

UPDATE result SET collaboration_id = (SELECT t.collaboration_id FROM task t WHERE t.id = result.task_id);
UPDATE collaboration SET result_count = (SELECT COUNT(*) FROM result r WHERE r.collaboration_id = collaboration.id);

CREATE INDEX result_collaboration ON result (collaboration_id, id);
DROP INDEX result_open;
CREATE INDEX result_open ON result (collaboration_id, organization_id, id) WHERE finished_at IS NULL;

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

-- +goose StatementBegin
CREATE TRIGGER result_follows_task AFTER UPDATE OF collaboration_id ON task
BEGIN
  UPDATE result SET collaboration_id = NEW.collaboration_id WHERE task_id = NEW.id;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER result_changes_task AFTER UPDATE OF task_id ON result
BEGIN
  UPDATE result SET collaboration_id = (SELECT t.collaboration_id FROM task t WHERE t.id = NEW.task_id) WHERE id = NEW.id;
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER result_changes_task;
DROP TRIGGER result_follows_task;
DROP TRIGGER result_count_move;
DROP TRIGGER result_count_delete;
DROP TRIGGER result_count_insert;
DROP INDEX result_open;
DROP INDEX result_collaboration;
ALTER TABLE result DROP COLUMN collaboration_id;
ALTER TABLE collaboration DROP COLUMN result_count;
CREATE INDEX result_open ON result (organization_id, id) WHERE finished_at IS NULL;
