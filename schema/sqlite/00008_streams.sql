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

-- Which texts have to move. That is done behind the migrations, piece by piece: here SQLite would need
-- memory for several texts at once. Until then they are in their rows, or those that they had as text, with
-- -1 as their encoded length, and there is a counter.
CREATE TABLE IF NOT EXISTS payload_text (
  result_id INTEGER PRIMARY KEY REFERENCES result (id) ON DELETE CASCADE,
  input TEXT,
  result TEXT,
  log TEXT
) STRICT;
INSERT INTO counter (name, value) VALUES ('long_texts', 1);
INSERT INTO stream (result_id, part, bytes, encoded, touched_at)
SELECT result_id, 'input', octet_length(input), -1, '1970-01-01T00:00:00.000000Z' FROM payload_text WHERE octet_length(input) > 262144
UNION ALL
SELECT result_id, 'result', octet_length(result), -1, '1970-01-01T00:00:00.000000Z' FROM payload_text WHERE octet_length(result) > 262144
UNION ALL
SELECT result_id, 'log', octet_length(log), -1, '1970-01-01T00:00:00.000000Z' FROM payload_text WHERE octet_length(log) > 262144
UNION ALL
SELECT result_id, 'input', octet_length(input), -1, '1970-01-01T00:00:00.000000Z' FROM payload WHERE octet_length(input) > 262144
UNION ALL
SELECT result_id, 'result', octet_length(result), -1, '1970-01-01T00:00:00.000000Z' FROM payload WHERE octet_length(result) > 262144
UNION ALL
SELECT result_id, 'log', octet_length(log), -1, '1970-01-01T00:00:00.000000Z' FROM payload WHERE octet_length(log) > 262144;

-- +goose Down
CREATE TABLE IF NOT EXISTS payload_text (
  result_id INTEGER PRIMARY KEY REFERENCES result (id) ON DELETE CASCADE,
  input TEXT,
  result TEXT,
  log TEXT
) STRICT;
INSERT INTO payload (result_id) SELECT DISTINCT result_id FROM stream WHERE result_id IS NOT NULL ON CONFLICT DO NOTHING;
UPDATE payload SET
  input = COALESCE(input, (SELECT CAST(group_concat(CAST(c.bytes AS TEXT), '' ORDER BY c.number) AS BLOB)
    FROM stream s JOIN chunk c ON c.stream_id = s.id WHERE s.result_id = payload.result_id AND s.part = 'input')),
  result = COALESCE(result, (SELECT CAST(group_concat(CAST(c.bytes AS TEXT), '' ORDER BY c.number) AS BLOB)
    FROM stream s JOIN chunk c ON c.stream_id = s.id WHERE s.result_id = payload.result_id AND s.part = 'result')),
  log = COALESCE(log, (SELECT CAST(group_concat(CAST(c.bytes AS TEXT), '' ORDER BY c.number) AS BLOB)
    FROM stream s JOIN chunk c ON c.stream_id = s.id WHERE s.result_id = payload.result_id AND s.part = 'log'))
WHERE result_id IN (SELECT result_id FROM stream);
DELETE FROM counter WHERE name = 'long_texts';
DROP TABLE chunk;
DROP TABLE stream;
