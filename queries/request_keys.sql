-- What requests with an Idempotency-Key did. ids is a JSON object {"1":0,"7":0}.

-- name: FindRequestKey :one
SELECT k.request, k.outcome FROM request_key k WHERE k.name = @name;

-- Nothing is claimed that another request has; on Postgres one that is under way is waited for.

-- name: ClaimRequestKey :execrows
INSERT INTO request_key (name, account_id, at, request, outcome) VALUES (@name, @account_id, @at, @request, @outcome)
ON CONFLICT (name) DO NOTHING;

-- name: KeepOutcome :exec
UPDATE request_key SET outcome = @outcome WHERE name = @name;

-- Those that are too old, and those of a caller that has newer ones enough.

-- name: StaleRequestKeys :many
WITH crowded AS (
  SELECT k.account_id FROM request_key k GROUP BY k.account_id HAVING COUNT(*) > CAST(@most AS BIGINT)),
ranked AS (
  SELECT k.id, ROW_NUMBER() OVER (PARTITION BY k.account_id ORDER BY k.id DESC) AS place
  FROM request_key k WHERE k.account_id IN (SELECT crowded.account_id FROM crowded))
SELECT k.id FROM request_key k WHERE k.at < @before
UNION SELECT ranked.id FROM ranked WHERE ranked.place > CAST(@most AS BIGINT) LIMIT 500;

-- name: DeleteRequestKeys :exec
DELETE FROM request_key WHERE id IN (SELECT CAST(j.key AS BIGINT) FROM json_each(@ids) AS j);
