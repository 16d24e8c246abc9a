-- +goose Up
-- Only PostgreSQL has several servers: here these stay empty.
CREATE TABLE replica (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  place TEXT NOT NULL,
  name TEXT NOT NULL,
  secret TEXT NOT NULL,
  generated INTEGER NOT NULL,
  knows INTEGER NOT NULL DEFAULT 0,
  until TEXT NOT NULL
) STRICT;
CREATE TABLE message (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  xid INTEGER NOT NULL,
  at TEXT NOT NULL,
  replica_id INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX message_xid ON message (xid);
CREATE INDEX message_at ON message (at);
CREATE TABLE attendance (
  account_id INTEGER NOT NULL,
  replica_id INTEGER NOT NULL REFERENCES replica (id) ON DELETE CASCADE,
  PRIMARY KEY (account_id, replica_id)
) STRICT;
CREATE INDEX attendance_replica ON attendance (replica_id);

-- +goose Down
DROP TABLE attendance;
DROP TABLE message;
DROP TABLE replica;
