package queries_test

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"vserver/queries"
	"vserver/queries/dbtest"
)

// TestNamesAreFoundAsLikeFindsThem changes tasks at random and writes pages of their names now and then; what patterns find by
// the pages is what LIKE finds among the tasks.
func TestNamesAreFoundAsLikeFindsThem(t *testing.T) {
	var empty dbtest.Template
	src := empty.Copy(t)
	db, err := queries.Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	raw, err := dbtest.SQL(src)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	execute(t, raw, `INSERT INTO collaboration (id, name, encrypted) VALUES (1, 'x', FALSE), (2, 'y', FALSE), (3, 'z', FALSE)`)
	m := named{T: t, db: db, raw: raw}
	changes := []func(){
		m.add, m.add, m.add, m.add,
		func() { m.do(`UPDATE task SET name = $1 WHERE id = $2`, m.name(), rand.IntN(200)) },
		func() { m.do(`UPDATE task SET collaboration_id = $1 WHERE id = $2`, 1+rand.IntN(3), rand.IntN(200)) },
		func() { m.do(`DELETE FROM task WHERE id = $1`, rand.IntN(200)) },
		func() {
			if err := db.WriteNames(t.Context(), queries.NamePaging{Size: 7, Behind: 10, Renamed: int64(rand.IntN(9))}); err != nil {
				t.Fatal(err)
			}
		},
	}
	for i := range 600 {
		changes[rand.IntN(len(changes))]()
		if i%6 == 0 {
			m.compare(m.pattern())
		}
	}
	if db.Engine == queries.SQLite {
		m.do(`UPDATE task SET name = 'a' || char(0) || 'b' WHERE id % 9 = 0`) // LIKE sees an a
		if err := db.WriteNames(t.Context(), queries.NamePaging{Size: 7, Behind: 10}); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range []string{"a", "%", "%%", "_", "%a%", `%\%%`, `\a`, "%" + strings.Repeat("a", 50), strings.Repeat("%a", 50)} {
		m.compare(p)
	}
	m.do(`DELETE FROM collaboration WHERE id = 3`)
	m.compare("%a%")
	if m.pages == 0 || count(t, raw, "name_page") == 0 {
		t.Error("no page was looked in")
	}
	m.do(`DELETE FROM task`)
	m.compare("%")
	wipe := func(ctx context.Context, tx *queries.Tx) error { return db.DeleteAll(ctx, tx) }
	if err := db.InTx(t.Context(), wipe); err != nil {
		t.Fatal(err)
	}
	if n := count(t, raw, "name_page") + count(t, raw, "renamed"); n != 0 {
		t.Errorf("without tasks there are %d rows about names", n)
	}
}

// TestNamesFoundBesideACommit: an answer that was read while somebody committed is not kept in place of what there is
// from then on.
func TestNamesFoundBesideACommit(t *testing.T) {
	var empty dbtest.Template
	db := opened(t, empty.Copy(t))
	name := "a"
	add := func() {
		if err := db.InTx(t.Context(), func(ctx context.Context, tx *queries.Tx) error {
			_, err := tx.InsertTask(ctx, queries.InsertTaskParams{Name: &name, Status: "unknown"})
			return err
		}); err != nil {
			t.Error(err)
		}
	}
	add()
	if err := db.WriteNames(t.Context(), queries.NamePaging{Size: 1}); err != nil {
		t.Fatal(err)
	}
	find := func() int64 {
		found, ok, err := db.FindNamed(t.Context(), queries.NameSearch{Pattern: "%", Limit: 5})
		if err != nil || !ok {
			t.Error("nothing was looked for in pages", err)
		}
		return found.Total
	}
	for want := int64(2); want < 200 && !t.Failed(); want++ {
		var beside sync.WaitGroup
		done := make(chan struct{})
		for range 3 {
			beside.Go(func() {
				for {
					select {
					case <-done:
						return
					default:
						find()
					}
				}
			})
		}
		add()
		close(done)
		beside.Wait()
		if got := find(); got != want {
			t.Errorf("%d tasks are found, of %d", got, want)
		}
	}
}

// TestDamagedPagesOfNamesAreNotBelieved: what they would tell is found among the tasks.
func TestDamagedPagesOfNamesAreNotBelieved(t *testing.T) {
	var empty dbtest.Template
	src := empty.Copy(t)
	db := opened(t, src)
	name := "a"
	if err := db.InTx(t.Context(), func(ctx context.Context, tx *queries.Tx) error {
		_, err := tx.InsertTask(ctx, queries.InsertTaskParams{Name: &name, Status: "unknown"})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := db.WriteNames(t.Context(), queries.NamePaging{Size: 1}); err != nil {
		t.Fatal(err)
	}
	raw, err := dbtest.SQL(src)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for _, page := range [][]byte{{}, {0x80}, {9}, {2, 'a', 2, 2, 2, 200, 0}} {
		if _, err := raw.ExecContext(t.Context(), `UPDATE name_page SET page = $1`, page); err != nil {
			t.Fatal(err)
		}
		if found, ok, err := db.FindNamed(t.Context(), queries.NameSearch{Pattern: "%", Limit: 5}); ok || err != nil || found.Total != 0 {
			t.Errorf("of the page %v: %v, %v, %v", page, found, ok, err)
		}
	}
}

// named are tasks whose names are looked for.
type named struct {
	*testing.T
	db    *queries.DB
	raw   *sql.DB
	pages int // found by them
}

func (m *named) do(statement string, args ...any) {
	m.Helper()
	if _, err := m.raw.ExecContext(m.Context(), statement, args...); err != nil {
		m.Fatal(statement, err)
	}
}

func (m *named) add() {
	m.do(`INSERT INTO task (name, collaboration_id) VALUES ($1, $2)`, m.name(), 1+rand.IntN(3))
}

// name is one of few characters, of one to four bytes, or none.
func (m *named) name() *string {
	if rand.IntN(9) == 0 {
		return nil
	}
	name := some([]string{"a", "b", "A", "É", "€", "𝛼", "%", "_", `\`, "ab", "k"}, 6)
	return &name
}

func (m *named) pattern() string {
	return some([]string{"a", "b", "B", "%", "%", "%", "_", "ab", "€", "é", "É", `\%`, `\_`, `\\`, `\a`, "𝛼"}, 6)
}

func some(of []string, most int) string {
	var b strings.Builder
	for range rand.IntN(most + 1) {
		b.WriteString(of[rand.IntN(len(of))])
	}
	return b.String()
}

// compare looks for a pattern in everything and in some collaborations, from different places on.
func (m *named) compare(pattern string) {
	m.Helper()
	set := `{"1":0,"3":0}`
	for _, s := range []queries.NameSearch{
		{Limit: 5}, {Limit: 3, Offset: 4}, {Limit: 5000},
		{Within: []int64{1, 3}, Limit: 5}, {Within: []int64{1, 3}, Limit: 2, Offset: 1}, {Within: []int64{1, 3}, Limit: 5000},
	} {
		s.Pattern, s.InReach = pattern, 1000
		found, ok, err := m.db.FindNamed(m.Context(), s)
		if err != nil {
			m.Fatal(err)
		}
		if !ok {
			continue
		}
		m.pages++
		a := queries.ListTasksParams{Name: &pattern, Lim: s.Limit, Off: s.Offset}
		if s.Within != nil {
			a.Within = &set
		}
		rows, err := m.db.ListTasks(m.Context(), a)
		if err != nil {
			m.Fatal(err)
		}
		want := make([]int64, len(rows))
		for i := range rows {
			want[i] = rows[i].ID
		}
		total, err := m.db.Count(m.Context(), queries.ListTasks, a)
		if err != nil || total != found.Total || !slices.Equal(want, found.IDs) {
			m.Fatalf("%q in %v from %d: %v of %d, want %v of %d, %v", pattern, s.Within, s.Offset, found.IDs, found.Total, want, total, err)
		}
	}
}
