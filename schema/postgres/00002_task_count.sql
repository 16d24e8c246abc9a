-- +goose Up
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
CREATE TRIGGER task_count_insert AFTER INSERT ON task FOR EACH ROW EXECUTE FUNCTION keep_task_count();
CREATE TRIGGER task_count_delete AFTER DELETE ON task FOR EACH ROW EXECUTE FUNCTION keep_task_count();
CREATE TRIGGER task_count_move AFTER UPDATE OF collaboration_id ON task FOR EACH ROW EXECUTE FUNCTION keep_task_count();

-- +goose Down
DROP TRIGGER task_count_move ON task;
DROP TRIGGER task_count_delete ON task;
DROP TRIGGER task_count_insert ON task;
DROP FUNCTION keep_task_count();
