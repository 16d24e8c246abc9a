-- Tokens that let somebody back in, and who asked for one by mail.

-- name: PutRecovery :exec
INSERT INTO recovery (user_id, purpose, digest, expires_at) VALUES (@user_id, @purpose, @digest, @expires_at)
ON CONFLICT (user_id, purpose) DO UPDATE SET digest = excluded.digest, expires_at = excluded.expires_at;

-- name: FindRecovery :one
SELECT * FROM recovery WHERE digest = @digest;

-- name: UseRecovery :execrows
DELETE FROM recovery WHERE digest = @digest;

-- name: DeleteRecoveries :exec
DELETE FROM recovery WHERE user_id = @user_id AND purpose = @purpose;

-- Those of a user whose address becomes another one: who reads the former one must not get in.

-- name: EndRecoveriesOfMoved :exec
DELETE FROM recovery WHERE user_id = @user_id AND EXISTS (
  SELECT 1 FROM "user" u WHERE u.id = @user_id AND u.email IS DISTINCT FROM CAST(sqlc.narg('email') AS TEXT));

-- One more waits when there is room.

-- name: InsertRecoveryRequest :execrows
INSERT INTO recovery_request (purpose, username, email, user_id, network, language)
SELECT @purpose, CAST(sqlc.narg('username') AS TEXT), CAST(sqlc.narg('email') AS TEXT), CAST(sqlc.narg('user_id') AS BIGINT), @network, @language
WHERE (SELECT COUNT(*) FROM recovery_request) < CAST(@most AS BIGINT);

-- name: RecoveryRequests :many
SELECT id FROM recovery_request ORDER BY id LIMIT 100;

-- name: TakeRecoveryRequest :one
DELETE FROM recovery_request WHERE id = @id RETURNING *;

-- name: GetUserByEmail :one
SELECT * FROM "user" WHERE email = @email;
