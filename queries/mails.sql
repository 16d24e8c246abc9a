-- Mails that wait to be sent, and those of the last day, which count for limits.

-- name: InsertMail :one
INSERT INTO mail (user_id, kind, network, language, recipient, content, created_at, expires_at, due_at)
VALUES (@user_id, @kind, @network, @language, @recipient, @content, @created_at, @expires_at, @due_at) RETURNING id;

-- name: DueMails :many
SELECT * FROM mail WHERE due_at <= @now ORDER BY due_at, id LIMIT CAST(@lim AS BIGINT);

-- A mail belongs to whoever moved its due_at away from what all others saw.

-- name: ClaimMail :execrows
UPDATE mail SET due_at = @until, tries = tries + 1 WHERE id = @id AND due_at = @due;

-- name: MoveMail :execrows
UPDATE mail SET due_at = @due, tries = @tries, doubts = @doubts WHERE id = @id AND due_at = @claim;

-- name: EndMail :exec
UPDATE mail SET due_at = NULL, content = '' WHERE id = @id;

-- name: EndMailsOfUser :exec
UPDATE mail SET due_at = NULL, content = '' WHERE user_id = @user_id AND kind = @kind AND due_at IS NOT NULL;

-- name: CountMailsOfUser :one
SELECT COUNT(*) FROM mail WHERE user_id = @user_id AND kind = @kind AND created_at > @after AND created_at <= @till;

-- name: CountMailsForNetwork :one
SELECT COUNT(*) FROM mail WHERE network = @network AND created_at > @after AND created_at <= @till;

-- name: CountWaitingMails :one
SELECT COUNT(*) FROM mail WHERE due_at IS NOT NULL;

-- name: DeleteOldMails :exec
DELETE FROM mail WHERE due_at IS NULL AND created_at <= @before;
