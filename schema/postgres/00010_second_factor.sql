-- +goose Up
-- The second factor of a user. otp_secret is the secret that was confirmed, sealed with a key that
-- is not in the database; a base32 text is one that was stored before there was a key. otp_pending
-- is a sealed one that was shown at otp_pending_at and waits for its first code. otp_step is the
-- period of 30 seconds of the last code that was accepted: neither it nor an earlier one is again.
ALTER TABLE "user" ADD COLUMN otp_pending TEXT;
ALTER TABLE "user" ADD COLUMN otp_pending_at TIMESTAMPTZ;
ALTER TABLE "user" ADD COLUMN otp_step BIGINT;
-- Codes that stand in for one of an authenticator, once each, as keyed digests.
CREATE TABLE recovery_code (
  user_id BIGINT NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
  digest TEXT NOT NULL,
  PRIMARY KEY (user_id, digest)
);

-- +goose Down
DROP TABLE recovery_code;
ALTER TABLE "user" DROP COLUMN otp_step;
ALTER TABLE "user" DROP COLUMN otp_pending_at;
ALTER TABLE "user" DROP COLUMN otp_pending;
