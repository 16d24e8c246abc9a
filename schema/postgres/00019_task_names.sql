-- +goose Up
-- expand-only
-- The names of tasks in pages of some thousand, written behind the tasks: a list that is filtered by a pattern reads
-- these in place of all tasks, whatever the pattern is and however many it fits. A page covers the tasks from one id
-- to another; what is behind the last page is looked for among the tasks.
CREATE TABLE name_page (
  last_id BIGINT PRIMARY KEY,
  first_id BIGINT NOT NULL,
  page BYTEA NOT NULL
);
-- Made smaller it would take longer to read.
ALTER TABLE name_page ALTER COLUMN page SET STORAGE EXTERNAL;

-- Tasks that have changed or gone since their page was written.
CREATE TABLE renamed (
  task_id BIGINT NOT NULL
);

-- +goose StatementBegin
CREATE FUNCTION note_gone_names() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO renamed (task_id) SELECT o.id FROM old_rows o WHERE o.id <= (SELECT MAX(p.last_id) FROM name_page p);
  RETURN NULL;
END;
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION note_renamed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO renamed (task_id) SELECT OLD.id WHERE OLD.id <= (SELECT MAX(p.last_id) FROM name_page p);
  RETURN NULL;
END;
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION forget_names() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM name_page;
  DELETE FROM renamed;
  RETURN NULL;
END;
$$;
-- +goose StatementEnd

CREATE TRIGGER task_names_delete AFTER DELETE ON task
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION note_gone_names();
CREATE TRIGGER task_names_update AFTER UPDATE OF name, collaboration_id ON task FOR EACH ROW
  WHEN (OLD.name IS DISTINCT FROM NEW.name OR OLD.collaboration_id IS DISTINCT FROM NEW.collaboration_id)
  EXECUTE FUNCTION note_renamed();
CREATE TRIGGER task_names_truncate AFTER TRUNCATE ON task FOR EACH STATEMENT EXECUTE FUNCTION forget_names();

-- +goose Down
DROP TRIGGER task_names_truncate ON task;
DROP TRIGGER task_names_update ON task;
DROP TRIGGER task_names_delete ON task;
DROP FUNCTION forget_names();
DROP FUNCTION note_renamed();
DROP FUNCTION note_gone_names();
DROP TABLE renamed;
DROP TABLE name_page;
