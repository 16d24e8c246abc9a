-- +goose Up
-- What happened: what GET /event shows, for thirty days. An event is about the one object that
-- it names, and goes with it. Names are not kept: those of the present are shown.
CREATE TABLE event (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL,
  type TEXT NOT NULL,
  task_id INTEGER REFERENCES task (id) ON DELETE CASCADE,
  -- of the task, when the event is about one organization's part in it
  result_id INTEGER REFERENCES result (id) ON DELETE CASCADE,
  node_id INTEGER REFERENCES node (id) ON DELETE CASCADE,
  user_id INTEGER REFERENCES "user" (id) ON DELETE CASCADE,
  organization_id INTEGER REFERENCES organization (id) ON DELETE CASCADE,
  collaboration_id INTEGER REFERENCES collaboration (id) ON DELETE CASCADE,
  status TEXT
) STRICT;
CREATE INDEX event_at ON event (at);
CREATE INDEX event_task ON event (task_id, id) WHERE task_id IS NOT NULL;
CREATE INDEX event_result ON event (result_id) WHERE result_id IS NOT NULL;
CREATE INDEX event_node ON event (node_id, at) WHERE node_id IS NOT NULL;
CREATE INDEX event_user ON event (user_id, at) WHERE user_id IS NOT NULL;
CREATE INDEX event_organization ON event (organization_id, at) WHERE organization_id IS NOT NULL;
CREATE INDEX event_collaboration ON event (collaboration_id, at) WHERE collaboration_id IS NOT NULL;

-- The program that a node said it was when it logged in last: its header User-Agent.
ALTER TABLE node ADD COLUMN client TEXT;

-- +goose Down
ALTER TABLE node DROP COLUMN client;
DROP TABLE event;
