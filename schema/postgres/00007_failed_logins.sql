-- +goose Up
-- Wrong passwords of an account by the network that they came from; '' has those from where
-- no address is known. The account's own columns have all of them together, 0 when somebody
-- took them back: then these rows count no more.
CREATE TABLE failed_login (
  user_id BIGINT NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
  network TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  last_attempt TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (user_id, network)
);
-- Those that were counted before came from nobody knows where.
INSERT INTO failed_login (user_id, network, attempts, last_attempt)
SELECT id, '', failed_login_attempts, last_login_attempt FROM "user"
WHERE failed_login_attempts > 0 AND last_login_attempt IS NOT NULL;

-- +goose Down
DROP TABLE failed_login;
