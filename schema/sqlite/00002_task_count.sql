-- +goose Up
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

-- +goose Down
DROP TRIGGER task_count_move;
DROP TRIGGER task_count_delete;
DROP TRIGGER task_count_insert;
