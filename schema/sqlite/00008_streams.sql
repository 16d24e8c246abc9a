-- +goose Up
-- A text that is longer than one chunk lies in a stream of chunks, so that it can be
-- written as it arrives and read as it is sent. A stream without a result is a draft, whose
-- text still arrives, or the rest of one that is gone: both are swept. No id is given
-- twice, because a slow reader may still hold an old one.
CREATE TABLE stream (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  result_id INTEGER REFERENCES result (id) ON DELETE SET NULL,
  part TEXT,
  bytes INTEGER NOT NULL DEFAULT 0,
  encoded INTEGER,
  touched_at TEXT NOT NULL,
  UNIQUE (result_id, part)
) STRICT;
CREATE INDEX stream_loose ON stream (touched_at) WHERE result_id IS NULL;
CREATE TABLE chunk (
  stream_id INTEGER NOT NULL REFERENCES stream (id),
  number INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (stream_id, number)
) STRICT;

INSERT INTO stream (result_id, part, bytes, touched_at)
SELECT result_id, 'input', octet_length(input), '1970-01-01T00:00:00.000000Z' FROM payload WHERE octet_length(input) > 262144
UNION ALL
SELECT result_id, 'result', octet_length(result), '1970-01-01T00:00:00.000000Z' FROM payload WHERE octet_length(result) > 262144
UNION ALL
SELECT result_id, 'log', octet_length(log), '1970-01-01T00:00:00.000000Z' FROM payload WHERE octet_length(log) > 262144;

INSERT INTO chunk (stream_id, number, bytes)
WITH RECURSIVE piece (stream_id, number, result_id, part, bytes) AS (
  SELECT id, 0, result_id, part, bytes FROM stream
  UNION ALL
  SELECT stream_id, number + 1, result_id, part, bytes FROM piece WHERE (number + 1) * 262144 < bytes
)
SELECT piece.stream_id, piece.number, substr(
  CASE piece.part WHEN 'input' THEN p.input WHEN 'result' THEN p.result ELSE p.log END, piece.number * 262144 + 1, 262144)
FROM piece JOIN payload p ON p.result_id = piece.result_id;

UPDATE payload SET
  input = CASE WHEN octet_length(input) > 262144 THEN NULL ELSE input END,
  result = CASE WHEN octet_length(result) > 262144 THEN NULL ELSE result END,
  log = CASE WHEN octet_length(log) > 262144 THEN NULL ELSE log END
WHERE result_id IN (SELECT result_id FROM stream);

-- +goose Down
INSERT INTO payload (result_id) SELECT DISTINCT result_id FROM stream WHERE result_id IS NOT NULL ON CONFLICT DO NOTHING;
UPDATE payload SET
  input = COALESCE(input, (SELECT CAST(group_concat(CAST(c.bytes AS TEXT), '' ORDER BY c.number) AS BLOB)
    FROM stream s JOIN chunk c ON c.stream_id = s.id WHERE s.result_id = payload.result_id AND s.part = 'input')),
  result = COALESCE(result, (SELECT CAST(group_concat(CAST(c.bytes AS TEXT), '' ORDER BY c.number) AS BLOB)
    FROM stream s JOIN chunk c ON c.stream_id = s.id WHERE s.result_id = payload.result_id AND s.part = 'result')),
  log = COALESCE(log, (SELECT CAST(group_concat(CAST(c.bytes AS TEXT), '' ORDER BY c.number) AS BLOB)
    FROM stream s JOIN chunk c ON c.stream_id = s.id WHERE s.result_id = payload.result_id AND s.part = 'log'))
WHERE result_id IN (SELECT result_id FROM stream);
DROP TABLE chunk;
DROP TABLE stream;
