package queries_test

import (
	"context"
	"errors"
	"testing"

	"vserver/queries"
)

// An answer is given again until somebody commits, whoever that is; on Postgres it is read each time.
func TestAnswersAreKeptUntilSomebodyCommits(t *testing.T) {
	src := noData.Copy(t)
	here, there := opened(t, src), opened(t, src)
	name := "n"
	create := func(ctx context.Context, tx *queries.Tx) error {
		_, err := tx.InsertOrganization(ctx, queries.InsertOrganizationParams{Name: &name})
		return err
	}
	refuse := func(ctx context.Context, tx *queries.Tx) error {
		return errors.Join(create(ctx, tx), errors.New("no"))
	}
	reads := 0
	ask := func(key string, meanwhile func()) {
		t.Helper()
		_, err := queries.Kept(t.Context(), here, key, func() (value, length int, err error) { reads++; meanwhile(); return reads, 8, nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	nothing := func() {}
	ask("a", nothing)
	for _, step := range []struct {
		name, key string
		db        *queries.DB
		write     func(context.Context, *queries.Tx) error
		meanwhile bool // it is written while the answer is read
		again     bool // it is read again
	}{
		{"the same", "a", nil, nil, false, false},
		{"another question", "b", nil, nil, false, true},
		{"own commit", "a", here, create, false, true},
		{"the same after it", "a", nil, nil, false, false},
		{"what was undone", "a", here, refuse, false, false},
		{"commit of another", "a", there, create, false, true},
		{"the other question after it", "b", nil, nil, false, true},
		{"commit during the reading", "c", there, create, true, true},
		{"the same after that", "c", nil, nil, false, true},
		{"and once more", "c", nil, nil, false, false},
	} {
		write := func() {
			if step.db != nil {
				_ = step.db.InTx(t.Context(), step.write)
			}
		}
		before, during := reads, nothing
		if step.meanwhile {
			during = func() { write(); ask("another one looks", nothing) }
		} else {
			write()
		}
		ask(step.key, during)
		if want := step.again || src.Engine == queries.Postgres; (reads > before) != want {
			t.Errorf("%s: read again is %v", step.name, reads > before)
		}
	}
}

// What is found out is given again until somebody commits, on both engines. Where it is of no use it is looked for seldom
// on Postgres, and again as soon as it is.
func TestWhatIsFoundOutLastsUntilSomebodyCommits(t *testing.T) {
	src := noData.Copy(t)
	here, there := opened(t, src), opened(t, src)
	write := func(db *queries.DB, within func()) {
		t.Helper()
		if err := db.InTx(t.Context(), func(ctx context.Context, tx *queries.Tx) error {
			_, err := tx.InsertOrganization(ctx, queries.InsertOrganizationParams{})
			within()
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	ask := func() any {
		answer, keep := here.Again(t.Context(), "question")
		if answer == nil {
			keep("answer", 6)
		}
		return answer
	}
	lasts := func(after string) {
		t.Helper()
		for range 10_000 {
			if ask() != nil {
				return
			}
		}
		t.Errorf("after %s nothing is kept", after)
	}
	lasts("the beginning")
	for _, db := range []*queries.DB{here, there} {
		write(db, func() {
			// Other databases of the same Postgres may commit meanwhile, which shows there.
			if ask() == nil && src.Engine == queries.SQLite {
				t.Error("what nobody has committed is taken for a change")
			}
		})
		if ask() != nil {
			t.Error("an answer is given again after a commit")
		}
		lasts("a commit")
	}
	for range 20 {
		write(there, func() {})
		if ask() != nil {
			t.Error("an answer is given again after one of many commits")
		}
	}
	lasts("many commits")
	if _, keep := here.Again(t.Context(), "long"); true {
		keep("long", 16<<20+1)
	}
	if answer, _ := here.Again(t.Context(), "long"); answer != nil {
		t.Error("an answer is kept that is longer than all may be together")
	}
}

func TestWhatCouldNotBeReadIsNotKept(t *testing.T) {
	db := opened(t, noData.Copy(t))
	for i, c := range []struct {
		err  error
		want int
	}{{errors.New("no"), 0}, {nil, 1}} {
		got, err := queries.Kept(t.Context(), db, "a", func() (value, length int, err error) { return i, 8, c.err })
		if !errors.Is(err, c.err) || got != c.want {
			t.Errorf("%d and %v, not %d and %v", got, err, c.want, c.err)
		}
	}
}

// Counts are told apart by the values that they are asked for.
func TestCountsAreKeptForTheirParameters(t *testing.T) {
	db := opened(t, noData.Copy(t))
	for _, name := range []*string{new("a"), new("b"), new("a"), nil, new("<nil>")} {
		params := queries.ListTasksParams{Name: name, Lim: 10}
		if err := db.InTx(t.Context(), func(ctx context.Context, tx *queries.Tx) error {
			_, err := tx.InsertTask(ctx, queries.InsertTaskParams{Name: name, Status: "unknown"})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			want, err := db.Count(t.Context(), queries.ListTasks, params)
			got, kept := db.KeptCount(t.Context(), queries.ListTasks, params)
			if err != nil || kept != nil || got != want {
				t.Errorf("%v: %d tasks, not %d: %v, %v", name, got, want, err, kept)
			}
		}
	}
	for name, want := range map[string]int64{"a": 2, "b": 1, "<nil>": 1} {
		if got, err := db.KeptCount(t.Context(), queries.ListTasks, queries.ListTasksParams{Name: &name, Lim: 10}); err != nil || got != want {
			t.Errorf("%q: %d tasks, not %d: %v", name, got, want, err)
		}
	}
}

func opened(t *testing.T, src queries.Source) *queries.DB {
	t.Helper()
	db, err := queries.Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}
