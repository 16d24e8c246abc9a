-- +goose Up
-- A role whose organization is gone, of a database that was taken over from a 3.x server. Its holders keep it, but it
-- is no role of everybody, as others without an organization are.
ALTER TABLE role ADD COLUMN orphan INTEGER NOT NULL DEFAULT 0;

-- The bcrypt hash of a node's API key from there. The node has no digest until its key is seen.
CREATE TABLE node_old_key (
  node_id INTEGER PRIMARY KEY REFERENCES node (id) ON DELETE CASCADE,
  hash TEXT NOT NULL
) STRICT;

-- Rows, or values of rows, from there that no table can hold.
CREATE TABLE leftover (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  origin TEXT NOT NULL,
  reason TEXT NOT NULL,
  content TEXT NOT NULL
) STRICT;

-- +goose Down
DROP TABLE leftover;
DROP TABLE node_old_key;
ALTER TABLE role DROP COLUMN orphan;
