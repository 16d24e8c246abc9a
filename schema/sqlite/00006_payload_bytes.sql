-- +goose Up
-- Inputs, results and logs are bytes: a text column loses what is no text, as U+0000
-- or half of a surrogate pair.
-- Long texts stay where they are until they become streams: copying one takes more memory than there is.
ALTER TABLE payload RENAME TO payload_text;
CREATE TABLE payload (
  result_id INTEGER PRIMARY KEY REFERENCES result (id) ON DELETE CASCADE,
  input BLOB,
  result BLOB,
  log BLOB
) STRICT;
INSERT INTO payload (result_id, input, result, log)
SELECT result_id,
  CASE WHEN octet_length(input) > 262144 THEN NULL ELSE CAST(input AS BLOB) END,
  CASE WHEN octet_length(result) > 262144 THEN NULL ELSE CAST(result AS BLOB) END,
  CASE WHEN octet_length(log) > 262144 THEN NULL ELSE CAST(log AS BLOB) END
FROM payload_text;

-- +goose Down
CREATE TABLE payload_before (
  result_id INTEGER PRIMARY KEY REFERENCES result (id) ON DELETE CASCADE,
  input TEXT,
  result TEXT,
  log TEXT
) STRICT;
INSERT INTO payload_before (result_id, input, result, log)
SELECT result_id, CAST(input AS TEXT), CAST(result AS TEXT), CAST(log AS TEXT) FROM payload;
UPDATE payload_before SET
  input = COALESCE(input, (SELECT t.input FROM payload_text t WHERE t.result_id = payload_before.result_id)),
  result = COALESCE(result, (SELECT t.result FROM payload_text t WHERE t.result_id = payload_before.result_id)),
  log = COALESCE(log, (SELECT t.log FROM payload_text t WHERE t.result_id = payload_before.result_id));
DROP TABLE payload_text;
DROP TABLE payload;
ALTER TABLE payload_before RENAME TO payload;
