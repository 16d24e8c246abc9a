-- +goose Up
-- What the planner is told about the tables that grow: rows in all, then rows for
-- one value of the first column, of the first two, and so on. Without it SQLite takes
-- every index for equally good and may read all results of an organization to find
-- the one of a task. The numbers only have to be right in proportion.
ANALYZE;
DELETE FROM sqlite_stat1 WHERE tbl IN ('task', 'result', 'algorithmport');
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('task', 'task_collaboration', '1000000 50000 1'),
  ('task', 'task_run', '1000000 4 1'),
  ('task', 'task_parent', '1000000 8 1'),
  ('task', 'task_initiator', '1000000 50000 1'),
  ('task', 'task_init_user', '1000000 5000 1'),
  ('result', 'result_task', '3000000 3 1'),
  ('result', 'result_organization', '3000000 100000 1'),
  ('result', 'result_collaboration', '3000000 150000 1'),
  ('result', 'result_open', '3000 300 30 1'),
  ('result', 'result_assigned', '3000000 3'),
  ('result', 'result_started', '3000000 1'),
  ('result', 'result_finished', '3000000 3000'),
  ('algorithmport', 'algorithmport_result', '10000 2 1'),
  ('algorithmport', 'algorithmport_port', '10000 2');

-- +goose Down
DELETE FROM sqlite_stat1 WHERE tbl IN ('task', 'result', 'algorithmport');
