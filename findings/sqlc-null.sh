#!/bin/sh
# sqlc 1.31.1 knows that a column may be NULL, but forgets it in every expression over the column: the generated field has a
# type that holds no NULL, so that the first such row is an error while the program runs, and none while it is generated.
set -eu

dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
GOBIN=$dir CGO_ENABLED=0 go install github.com/sqlc-dev/sqlc/cmd/sqlc@v1.31.1

cat >sqlc.yaml <<'YAML'
version: "2"
sql:
  - {engine: postgresql, schema: schema.sql, queries: query.sql, gen: {go: {package: letters, out: letters}}}
YAML
cat >schema.sql <<'SQL'
CREATE TABLE letter (id BIGINT PRIMARY KEY, pages BIGINT, text TEXT);
SQL
cat >query.sql <<'SQL'
-- name: Letters :many
SELECT pages AS as_it_is, CAST(pages AS BIGINT) AS casted, abs(pages) AS of_function, octet_length(text) AS length FROM letter;
SQL
./sqlc generate
seen=$(sed -n '/^type LettersRow struct/,/^}/p' letters/query.sql.go)
printf '%s\n%s\n' "$(./sqlc version)" "$seen"
for field in 'AsItIs sql.NullInt64' 'Casted int64' 'OfFunction int64' 'Length int32'; do
  echo "$seen" | tr -s ' \t' ' ' | grep -q "^ $field\$" || { echo "not as found: $field" >&2; exit 1; }
done
echo "as found: only the bare column may be NULL"
