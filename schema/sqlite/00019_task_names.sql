-- +goose Up
-- expand-only
-- The names of tasks in pages of some thousand, written behind the tasks: a list that is filtered by a pattern reads
-- these in place of all tasks, whatever the pattern is and however many it fits. A page covers the tasks from one id
-- to another; what is behind the last page is looked for among the tasks.
CREATE TABLE name_page (
  last_id INTEGER PRIMARY KEY,
  first_id INTEGER NOT NULL,
  page BLOB NOT NULL
) STRICT;

-- Tasks that have changed or gone since their page was written.
CREATE TABLE renamed (
  task_id INTEGER NOT NULL
) STRICT;

-- +goose StatementBegin
CREATE TRIGGER task_names_delete AFTER DELETE ON task
WHEN OLD.id <= (SELECT MAX(p.last_id) FROM name_page p)
BEGIN
  INSERT INTO renamed (task_id) VALUES (OLD.id);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER task_names_update AFTER UPDATE OF name, collaboration_id ON task
WHEN (OLD.name IS NOT NEW.name OR OLD.collaboration_id IS NOT NEW.collaboration_id)
  AND OLD.id <= (SELECT MAX(p.last_id) FROM name_page p)
BEGIN
  INSERT INTO renamed (task_id) VALUES (OLD.id);
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER task_names_update;
DROP TRIGGER task_names_delete;
DROP TABLE renamed;
DROP TABLE name_page;
