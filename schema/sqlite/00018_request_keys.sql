-- +goose Up
-- expand-only
-- What requests with an Idempotency-Key did, for a day, so that they can be sent again. A key is kept as a digest
-- of itself and its caller, and what was done is sealed with it. Accounts that are gone may be left here.
CREATE TABLE request_key (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name BLOB NOT NULL UNIQUE,
  account_id INTEGER NOT NULL,
  at TEXT NOT NULL,
  request BLOB NOT NULL,
  outcome BLOB NOT NULL
) STRICT;
CREATE INDEX request_key_account ON request_key (account_id, id);
CREATE INDEX request_key_at ON request_key (at);

-- +goose Down
DROP TABLE request_key;
