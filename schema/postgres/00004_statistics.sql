-- +goose Up
-- Postgres keeps statistics by itself.
SELECT 1;

-- +goose Down
SELECT 1;
