-- +goose Up
-- The collaboration of a result is that of its task. The copy lets a list of the
-- results of a few collaborations be read from an index, newest first, and lets a
-- page know its total without a count; the triggers keep both.
ALTER TABLE collaboration ADD COLUMN result_count BIGINT NOT NULL DEFAULT 0;
ALTER TABLE result ADD COLUMN collaboration_id BIGINT;

UPDATE result SET collaboration_id = (SELECT t.collaboration_id FROM task t WHERE t.id = result.task_id);
UPDATE collaboration SET result_count = (SELECT COUNT(*) FROM result r WHERE r.collaboration_id = collaboration.id);

CREATE INDEX result_collaboration ON result (collaboration_id, id);
DROP INDEX result_open;
CREATE INDEX result_open ON result (collaboration_id, organization_id, id) WHERE finished_at IS NULL;

-- +goose StatementBegin
CREATE FUNCTION place_result() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' OR NEW.collaboration_id IS NULL THEN
    NEW.collaboration_id := (SELECT t.collaboration_id FROM task t WHERE t.id = NEW.task_id);
  END IF;
  RETURN NEW;
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

-- +goose StatementBegin
CREATE FUNCTION move_results() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE result SET collaboration_id = NEW.collaboration_id WHERE task_id = NEW.id;
  RETURN NULL;
END;
$$;
-- +goose StatementEnd

CREATE TRIGGER result_place BEFORE INSERT OR UPDATE OF task_id ON result FOR EACH ROW EXECUTE FUNCTION place_result();
CREATE TRIGGER result_count_insert AFTER INSERT ON result FOR EACH ROW EXECUTE FUNCTION keep_result_count();
CREATE TRIGGER result_count_delete AFTER DELETE ON result FOR EACH ROW EXECUTE FUNCTION keep_result_count();
CREATE TRIGGER result_count_move AFTER UPDATE OF task_id, collaboration_id ON result FOR EACH ROW
  WHEN (OLD.collaboration_id IS DISTINCT FROM NEW.collaboration_id) EXECUTE FUNCTION keep_result_count();
CREATE TRIGGER result_follows_task AFTER UPDATE OF collaboration_id ON task FOR EACH ROW EXECUTE FUNCTION move_results();

-- +goose Down
DROP TRIGGER result_follows_task ON task;
DROP TRIGGER result_count_move ON result;
DROP TRIGGER result_count_delete ON result;
DROP TRIGGER result_count_insert ON result;
DROP TRIGGER result_place ON result;
DROP FUNCTION move_results();
DROP FUNCTION keep_result_count();
DROP FUNCTION place_result();
DROP INDEX result_open;
DROP INDEX result_collaboration;
ALTER TABLE result DROP COLUMN collaboration_id;
ALTER TABLE collaboration DROP COLUMN result_count;
CREATE INDEX result_open ON result (organization_id, id) WHERE finished_at IS NULL;
