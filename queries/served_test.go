package queries_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vserver/queries"
)

// TestSecondServerOfADatabaseIsRefused: whoever comes second learns who was first, whatever
// name leads to the file; others may open it, and the first one's end makes room.
func TestSecondServerOfADatabaseIsRefused(t *testing.T) {
	dir := t.TempDir()
	src := queries.Source{Engine: queries.SQLite, Path: filepath.Join(dir, "new", "p.sqlite")}
	release, err := queries.Occupy(src, "server one")
	if err != nil {
		t.Fatal(err)
	}
	openLite(t, src.Path)
	link := queries.Source{Engine: queries.SQLite, Path: filepath.Join(dir, "link.sqlite")}
	if err := os.Symlink(src.Path, link.Path); err != nil {
		t.Fatal(err)
	}
	for _, second := range []queries.Source{src, link} {
		_, err := queries.Occupy(second, "server two")
		var served *queries.ServedError
		if !errors.As(err, &served) || served.By != "server one" || !strings.Contains(err.Error(), second.Path) {
			t.Errorf("the second: %v", err)
		}
		if by := queries.ServedBy(second); by != "server one" {
			t.Errorf("served by %q", by)
		}
	}
	release()
	if by := queries.ServedBy(src); by != "" {
		t.Errorf("after its end it is served by %q", by)
	}
	if release, err = queries.Occupy(link, "server two"); err != nil {
		t.Fatal(err)
	}
	release()
	if left, _ := filepath.Glob(filepath.Join(dir, "*", "*-server")); left != nil {
		t.Errorf("%v is left", left)
	}
}

// TestOneOfManyServersGetsADatabase: of those that begin at the same time, and again and
// again, there is one at each moment.
func TestOneOfManyServersGetsADatabase(t *testing.T) {
	src := queries.Source{Engine: queries.SQLite, Path: filepath.Join(t.TempDir(), "p.sqlite")}
	const servers, turns = 24, 60
	inside := make(chan struct{}, 1)
	done := make(chan error, servers)
	for range servers {
		go func() {
			for got := 0; got < turns; {
				release, err := queries.Occupy(src, "x")
				var served *queries.ServedError
				if errors.As(err, &served) {
					continue
				}
				if err != nil {
					done <- err
					return
				}
				select {
				case inside <- struct{}{}:
					<-time.After(time.Millisecond) // for another one to come in
					<-inside
				default:
					done <- errors.New("two servers at a time")
					return
				}
				release()
				got++
			}
			done <- nil
		}()
	}
	for range servers {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
