-- +goose Up
-- Inputs, results and logs are bytes: a text column loses what is no text, as U+0000
-- or half of a surrogate pair.
CREATE TABLE payload_bytes (
  result_id INTEGER PRIMARY KEY REFERENCES result (id) ON DELETE CASCADE,
  input BLOB,
  result BLOB,
  log BLOB
) STRICT;
INSERT INTO payload_bytes (result_id, input, result, log)
SELECT result_id, CAST(input AS BLOB), CAST(result AS BLOB), CAST(log AS BLOB) FROM payload;
DROP TABLE payload;
ALTER TABLE payload_bytes RENAME TO payload;

-- +goose Down
CREATE TABLE payload_text (
  result_id INTEGER PRIMARY KEY REFERENCES result (id) ON DELETE CASCADE,
  input TEXT,
  result TEXT,
  log TEXT
) STRICT;
INSERT INTO payload_text (result_id, input, result, log)
SELECT result_id, CAST(input AS TEXT), CAST(result AS TEXT), CAST(log AS TEXT) FROM payload;
DROP TABLE payload;
ALTER TABLE payload_text RENAME TO payload;
