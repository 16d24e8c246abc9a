package queries

import "testing"

func TestRewrite(t *testing.T) {
	q := `SELECT '$1' FROM t WHERE (CAST($2 AS TEXT) IS NULL OR (lower(a) LIKE lower($2) ESCAPE '\')) AND (CAST($1 AS BIGINT) IS NULL OR b = $1 OR EXISTS (SELECT 1 WHERE (CAST($3 AS BIGINT) IS NULL OR c = $3))) LIMIT $5 OFFSET $4`
	for _, c := range []struct {
		name string
		nils uint64
		want string
		last int
	}{
		{"all given", 0, `SELECT '$1' FROM t WHERE ((lower(a) LIKE lower(?2) ESCAPE '\')) AND (b = ?1 OR EXISTS (SELECT 1 WHERE (c = ?3))) LIMIT ?5 OFFSET ?4`, 5},
		{"outer nil", 1, `SELECT '$1' FROM t WHERE ((lower(a) LIKE lower(?2) ESCAPE '\')) AND TRUE LIMIT ?5 OFFSET ?4`, 5},
		{"inner nil", 4, `SELECT '$1' FROM t WHERE ((lower(a) LIKE lower(?2) ESCAPE '\')) AND (b = ?1 OR EXISTS (SELECT 1 WHERE TRUE)) LIMIT ?5 OFFSET ?4`, 5},
		{"filters nil", 3, `SELECT '$1' FROM t WHERE TRUE AND TRUE LIMIT ?5 OFFSET ?4`, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, last := rewrite(q, c.nils)
			if got != c.want || last != c.last {
				t.Errorf("got  %s (%d)\nwant %s (%d)", got, last, c.want, c.last)
			}
		})
	}
}

func TestRewriteDropsTrailingParameters(t *testing.T) {
	got, last := rewrite(`SELECT 1 WHERE a = $1 AND (CAST($2 AS BIGINT) IS NULL OR b = $2)`, 2)
	if got != `SELECT 1 WHERE a = ?1 AND TRUE` || last != 1 {
		t.Errorf("got %q, %d", got, last)
	}
}
