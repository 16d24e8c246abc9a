-- +goose Up
-- How many rows there are for a value that people filter by, so that a list knows its total without counting them. A
-- tally covers the rows up to the id that a counter has (tallied_tasks, tallied_results); those behind it are counted,
-- and from time to time added. Whatever changes a row that is covered adds a row with the difference; nothing is updated,
-- so that nobody waits for another. Rows are inserted behind what is tallied: ids go up.
CREATE TABLE tally (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  -- 0 for none
  collaboration_id INTEGER NOT NULL,
  number INTEGER NOT NULL
) STRICT;
-- Of the totals of filtered lists.
CREATE INDEX tally_value ON tally (kind, value, collaboration_id, number);

INSERT INTO tally (kind, value, collaboration_id, number)
SELECT 'status', t.status, COALESCE(t.collaboration_id, 0), COUNT(*) FROM task t GROUP BY t.status, t.collaboration_id
UNION ALL SELECT 'initiator', CAST(t.initiator_id AS TEXT), COALESCE(t.collaboration_id, 0), COUNT(*) FROM task t WHERE t.initiator_id IS NOT NULL GROUP BY t.initiator_id, t.collaboration_id
UNION ALL SELECT 'init_user', CAST(t.init_user_id AS TEXT), COALESCE(t.collaboration_id, 0), COUNT(*) FROM task t WHERE t.init_user_id IS NOT NULL GROUP BY t.init_user_id, t.collaboration_id
UNION ALL SELECT 'organization', CAST(r.organization_id AS TEXT), COALESCE(r.collaboration_id, 0), COUNT(*) FROM result r WHERE r.organization_id IS NOT NULL GROUP BY r.organization_id, r.collaboration_id;
INSERT INTO counter (name, value) SELECT 'tallied_tasks', MAX(t.id) FROM task t HAVING COUNT(*) > 0;
INSERT INTO counter (name, value) SELECT 'tallied_results', MAX(r.id) FROM result r HAVING COUNT(*) > 0;

-- For the planner, as in 00004_statistics.sql.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('task', 'task_status', '1000000 150000 1'), ('tally', 'tally_value', '1000 20 2 1 1');

-- +goose StatementBegin
CREATE TRIGGER task_tally_delete AFTER DELETE ON task
WHEN OLD.id <= (SELECT c.value FROM counter c WHERE c.name = 'tallied_tasks')
BEGIN
  INSERT INTO tally (kind, value, collaboration_id, number) SELECT 'status', OLD.status, COALESCE(OLD.collaboration_id, 0), -1;
  INSERT INTO tally (kind, value, collaboration_id, number) SELECT 'initiator', CAST(OLD.initiator_id AS TEXT), COALESCE(OLD.collaboration_id, 0), -1 WHERE OLD.initiator_id IS NOT NULL;
  INSERT INTO tally (kind, value, collaboration_id, number) SELECT 'init_user', CAST(OLD.init_user_id AS TEXT), COALESCE(OLD.collaboration_id, 0), -1 WHERE OLD.init_user_id IS NOT NULL;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER task_tally_update AFTER UPDATE OF status, collaboration_id, initiator_id, init_user_id ON task
WHEN (OLD.status <> NEW.status OR OLD.collaboration_id IS NOT NEW.collaboration_id OR OLD.initiator_id IS NOT NEW.initiator_id
  OR OLD.init_user_id IS NOT NEW.init_user_id) AND OLD.id <= (SELECT c.value FROM counter c WHERE c.name = 'tallied_tasks')
BEGIN
  INSERT INTO tally (kind, value, collaboration_id, number) SELECT 'status', OLD.status, COALESCE(OLD.collaboration_id, 0), -1;
  INSERT INTO tally (kind, value, collaboration_id, number) SELECT 'status', NEW.status, COALESCE(NEW.collaboration_id, 0), 1;
  INSERT INTO tally (kind, value, collaboration_id, number) SELECT 'initiator', CAST(OLD.initiator_id AS TEXT), COALESCE(OLD.collaboration_id, 0), -1 WHERE OLD.initiator_id IS NOT NULL;
  INSERT INTO tally (kind, value, collaboration_id, number) SELECT 'initiator', CAST(NEW.initiator_id AS TEXT), COALESCE(NEW.collaboration_id, 0), 1 WHERE NEW.initiator_id IS NOT NULL;
  INSERT INTO tally (kind, value, collaboration_id, number) SELECT 'init_user', CAST(OLD.init_user_id AS TEXT), COALESCE(OLD.collaboration_id, 0), -1 WHERE OLD.init_user_id IS NOT NULL;
  INSERT INTO tally (kind, value, collaboration_id, number) SELECT 'init_user', CAST(NEW.init_user_id AS TEXT), COALESCE(NEW.collaboration_id, 0), 1 WHERE NEW.init_user_id IS NOT NULL;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER result_tally_delete AFTER DELETE ON result
WHEN OLD.organization_id IS NOT NULL AND OLD.id <= (SELECT c.value FROM counter c WHERE c.name = 'tallied_results')
BEGIN
  INSERT INTO tally (kind, value, collaboration_id, number) SELECT 'organization', CAST(OLD.organization_id AS TEXT), COALESCE(OLD.collaboration_id, 0), -1;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER result_tally_update AFTER UPDATE OF organization_id, collaboration_id ON result
WHEN (OLD.organization_id IS NOT NEW.organization_id OR OLD.collaboration_id IS NOT NEW.collaboration_id)
  AND OLD.id <= (SELECT c.value FROM counter c WHERE c.name = 'tallied_results')
BEGIN
  INSERT INTO tally (kind, value, collaboration_id, number) SELECT 'organization', CAST(OLD.organization_id AS TEXT), COALESCE(OLD.collaboration_id, 0), -1 WHERE OLD.organization_id IS NOT NULL;
  INSERT INTO tally (kind, value, collaboration_id, number) SELECT 'organization', CAST(NEW.organization_id AS TEXT), COALESCE(NEW.collaboration_id, 0), 1 WHERE NEW.organization_id IS NOT NULL;
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER result_tally_update;
DROP TRIGGER result_tally_delete;
DROP TRIGGER task_tally_update;
DROP TRIGGER task_tally_delete;
DELETE FROM counter WHERE name IN ('tallied_tasks', 'tallied_results');
DROP TABLE tally;
DELETE FROM sqlite_stat1 WHERE idx IN ('task_status', 'tally_value');
