-- +goose Up
-- What lets somebody back in who lost a password or a second factor: of each purpose the
-- newest one, as the digest of its token. A used one is gone.
CREATE TABLE recovery (
  user_id INTEGER NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
  purpose TEXT NOT NULL,
  digest TEXT NOT NULL UNIQUE,
  expires_at TEXT NOT NULL,
  PRIMARY KEY (user_id, purpose)
) STRICT, WITHOUT ROWID;

-- Who asked for one by mail. It is looked up later whether there is such a user, so that the
-- answer takes the same time; user_id has who proved a password with it.
CREATE TABLE recovery_request (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  purpose TEXT NOT NULL,
  username TEXT,
  email TEXT,
  user_id INTEGER REFERENCES "user" (id) ON DELETE CASCADE,
  network TEXT NOT NULL,
  language TEXT NOT NULL
) STRICT;
CREATE INDEX recovery_request_user ON recovery_request (user_id) WHERE user_id IS NOT NULL;

-- Mails that go out. One that is sent, or given up, has no due_at and no content, and is kept
-- for a day, because it counts.
CREATE TABLE mail (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  network TEXT NOT NULL,
  language TEXT NOT NULL,
  recipient TEXT NOT NULL,
  content TEXT NOT NULL,
  created_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  due_at TEXT,
  tries INTEGER NOT NULL DEFAULT 0,
  -- how often nobody knows whether the mail server took it
  doubts INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX mail_due ON mail (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX mail_user ON mail (user_id, kind, created_at);
CREATE INDEX mail_network ON mail (network, created_at);

-- +goose Down
DROP TABLE mail;
DROP TABLE recovery_request;
DROP TABLE recovery;
