//go:build unix

package cli_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/promise"
)

// manyRows fills a database of either engine: many short rows, and a text in chunks.
const manyRows = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %[1]d) INSERT INTO task (name, image) SELECT 't', 'i' FROM n;
	INSERT INTO result (task_id, status) SELECT id, 'completed' FROM task;
	INSERT INTO payload (result_id, input) SELECT id, %[3]s FROM result;
	INSERT INTO stream (result_id, part, bytes, touched_at) SELECT MIN(id), 'result', %[2]d * 262144, '1970-01-01T00:00:00.000000Z' FROM result;
	WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %[2]d - 1) INSERT INTO chunk (stream_id, number, bytes) SELECT 1, i, %[4]s FROM n`

func fillForCopy(t *testing.T, src queries.Source, rows, chunks int) {
	t.Helper()
	short, piece := "zeroblob(1000)", "zeroblob(262144)"
	if src.Engine == queries.Postgres {
		short, piece = "CAST(repeat('x', 1000) AS BYTEA)", "CAST(repeat('y', 262144) AS BYTEA)"
	}
	onSource(t, src, fmt.Sprintf(manyRows, rows, chunks, short, piece))
}

// copier copies a victim's database to a file, and where there is Postgres that file to it.
type copier struct{ *victim }

func (c copier) run(t *testing.T, to queries.Source, life time.Duration, more ...string) (out string, took time.Duration, err error) {
	t.Helper()
	uri := "sqlite:///" + to.Path
	if to.Engine == queries.Postgres {
		uri = strings.Replace(to.DSN, "postgres://", "postgresql://", 1)
	}
	cmd := c.command(append([]string{"copy", "--config", c.config, "--environment", "test", "--to", uri}, more...)...)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(life, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	err = cmd.Wait()
	return said.String(), time.Since(begun), err
}

// TestCopySurvivesKills kills `vserver copy` with SIGKILL at any moment: the source is as it was, the
// target none that a server would use, and a repetition completes.
func TestCopySurvivesKills(t *testing.T) {
	rounds := 2
	if promise.Long() {
		rounds = 50
	}
	c := copier{newVictim(t)}
	fillForCopy(t, c.src, 8_000, 8)
	file := queries.Source{Engine: queries.SQLite, Path: filepath.Join(t.TempDir(), "copy.sqlite")}
	c.surviveKills(t, c.src, file, rounds)
	if c.src.Engine == queries.Postgres {
		c.surviveKills(t, file, dbtest.Postgres(t), rounds, "--from", file.Path)
	}
}

func (c copier) surviveKills(t *testing.T, from, to queries.Source, rounds int, more ...string) {
	t.Helper()
	before := withoutHolder(contents(t, from))
	probe := queries.Source{Engine: queries.SQLite, Path: filepath.Join(t.TempDir(), "probe.sqlite")}
	out, whole, err := c.run(t, probe, time.Hour, more...)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	killed, begun := 0, 0
	for round := range rounds {
		at := whole * time.Duration(round) / time.Duration(rounds)
		at += time.Duration(rand.Int64N(int64(whole) / int64(rounds)))
		if _, _, err := c.run(t, to, at, more...); err == nil {
			break // it was faster this time; there is nothing left to kill
		}
		killed++
		id, err := queries.Identify(t.Context(), to)
		if err != nil || id.Kind != queries.KindEmpty && id.Kind != queries.KindUnfinished {
			t.Errorf("killed after %s of %s: the target is %+v, %v", at, whole, id, err)
		}
		if left, _ := filepath.Glob(to.Path + ".*"); id.Kind == queries.KindUnfinished || to.Path != "" && len(left) > 0 {
			begun++
		}
		if after := withoutHolder(contents(t, from)); after != before {
			t.Errorf("killed after %s: the source was changed", at)
		}
	}
	if id, err := queries.Identify(t.Context(), to); err != nil || id.Kind != queries.KindOurs {
		if out, _, err := c.run(t, to, time.Hour, more...); err != nil || !strings.Contains(out, "Copied and proven") {
			t.Errorf("repeated: %v\n%s", err, out)
		}
	}
	if left, _ := filepath.Glob(to.Path + ".*"); to.Path != "" && len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	t.Logf("killed %d of %d copies of %s, %d had begun to write", killed, rounds, whole, begun)
}

// withoutHolder leaves out the file by which whoever works on a database is known.
func withoutHolder(listing string) string {
	lines := slices.DeleteFunc(strings.Split(listing, "\n"), func(line string) bool { return strings.Contains(line, "-server ") })
	return strings.Join(lines, "\n")
}

// TestCopyTakesLittleMemory: a text of 256 MiB is never in memory as a whole.
func TestCopyTakesLittleMemory(t *testing.T) {
	const most = 200 * mebi
	c := copier{newVictim(t)}
	fillForCopy(t, c.src, 1000, 1024)
	file := filepath.Join(t.TempDir(), "copy.sqlite")
	c.within(t, most, "copy", "--to", "sqlite:///"+file)
	if c.src.Engine == queries.Postgres {
		c.within(t, most, "copy", "--from", file, "--to", strings.Replace(dbtest.Postgres(t).DSN, "postgres://", "postgresql://", 1))
	}
}

// TestCopyNeedsAStoppedServer also where nothing but the connections of Postgres tells of it.
func TestCopyNeedsAStoppedServer(t *testing.T) {
	c := copier{newVictim(t)}
	to := queries.Source{Engine: queries.SQLite, Path: filepath.Join(t.TempDir(), "copy.sqlite")}
	c.start(t)
	out, _, err := c.run(t, to, time.Hour)
	if _, failed := errors.AsType[*exec.ExitError](err); !failed || !strings.Contains(out, "stop") {
		t.Errorf("%v\n%s", err, out)
	}
	if id, err := queries.Identify(t.Context(), to); err != nil || id.Exists {
		t.Errorf("%+v, %v", id, err)
	}
}
