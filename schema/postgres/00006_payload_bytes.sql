-- +goose Up
-- Inputs, results and logs are bytes: a text column loses what is no text, as U+0000
-- or half of a surrogate pair.
ALTER TABLE payload
  ALTER COLUMN input TYPE BYTEA USING convert_to(input, 'UTF8'),
  ALTER COLUMN result TYPE BYTEA USING convert_to(result, 'UTF8'),
  ALTER COLUMN log TYPE BYTEA USING convert_to(log, 'UTF8');

-- +goose Down
ALTER TABLE payload
  ALTER COLUMN input TYPE TEXT USING convert_from(input, 'UTF8'),
  ALTER COLUMN result TYPE TEXT USING convert_from(result, 'UTF8'),
  ALTER COLUMN log TYPE TEXT USING convert_from(log, 'UTF8');
