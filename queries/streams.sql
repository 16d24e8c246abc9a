-- Texts that are longer than a chunk. A stream without a result is a draft or a rest.

-- name: StreamsOfResults :many
SELECT s.* FROM stream s
WHERE s.result_id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j);

-- name: InsertStream :one
INSERT INTO stream (touched_at) VALUES (@touched_at) RETURNING id;

-- A piece that is there already is the same one, of a try whose outcome nobody knew.

-- name: InsertChunk :exec
INSERT INTO chunk (stream_id, number, bytes) VALUES (@stream_id, @number, @bytes) ON CONFLICT (stream_id, number) DO NOTHING;

-- name: ReadChunk :one
SELECT c.bytes FROM chunk c WHERE c.stream_id = @stream_id AND c.number = @number;

-- name: AdoptStream :execrows
UPDATE stream SET result_id = @result_id, part = @part, bytes = @bytes, encoded = @encoded
WHERE id = @id AND result_id IS NULL;

-- name: ReleaseStreams :exec
UPDATE stream SET result_id = NULL WHERE result_id = @result_id
  AND part IN (SELECT j.key FROM json_each(@parts) AS j);

-- name: TouchStreams :exec
UPDATE stream SET touched_at = @touched_at
WHERE id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j);

-- name: LooseStreams :many
SELECT s.id FROM stream s WHERE s.result_id IS NULL AND s.touched_at < @before ORDER BY s.touched_at LIMIT 100;

-- name: DeleteChunks :execrows
DELETE FROM chunk AS d WHERE d.stream_id = @stream_id AND d.number > (
  SELECT COALESCE(MAX(c.number), 0) FROM chunk c WHERE c.stream_id = @stream_id) - CAST(@most AS BIGINT);

-- name: DeleteStream :exec
DELETE FROM stream WHERE id = @id AND result_id IS NULL;

-- The texts in the row give way to those in streams.

-- name: ClearTexts :exec
UPDATE payload SET input = CASE WHEN CAST(@input AS BOOLEAN) THEN NULL ELSE input END, result = CASE WHEN CAST(@result AS BOOLEAN) THEN NULL ELSE result END,
  log = CASE WHEN CAST(@log AS BOOLEAN) THEN NULL ELSE log END WHERE result_id = @result_id;

-- name: IsLoose :one
SELECT EXISTS (SELECT 1 FROM stream s WHERE s.id = @id AND s.result_id IS NULL) AS loose;
