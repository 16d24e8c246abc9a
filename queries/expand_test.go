package queries

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"vserver/service/promise"
)

// TestMigrationsThatOnlyExpand: one that says that servers of the release before may go on beside it only adds.
func TestMigrationsThatOnlyExpand(t *testing.T) {
	for _, m := range migrationsOfPostgres() {
		if m.expands {
			if refused := notExpanding(m.text); refused != "" {
				t.Errorf("migration %d says that it only adds, and does more: %s", m.version, refused)
			}
		}
	}
	up := func(text string) string {
		return "-- +goose Up\n" + expandMark + "\n" + text + "\n-- +goose Down\nDROP TABLE x;\n"
	}
	for text, fine := range map[string]bool{
		"CREATE TABLE x (id BIGINT);":                       true,
		"CREATE INDEX CONCURRENTLY i ON task (name);":       true,
		"ALTER TABLE task ADD COLUMN x TEXT;":               true,
		"ALTER TABLE task ADD COLUMN x TEXT NOT NULL;":      false,
		"ALTER TABLE task ALTER COLUMN id TYPE TEXT;":       false,
		"ALTER TABLE task ADD COLUMN x TEXT, DROP name;":    false,
		"DROP TABLE task;":                                  false,
		"UPDATE task SET name = '';":                        false,
		"CREATE TABLE x (id BIGINT);\nDELETE FROM message;": false,
		"CREATE UNIQUE INDEX i ON task (name);":             false,

		"CREATE TABLE x (id BIGINT);\nALTER TABLE x ALTER COLUMN id SET STORAGE EXTERNAL;": true,
		"CREATE TABLE x (id BIGINT);\n" + notes("INSERT INTO x SELECT OLD.id;"):            true,
		"CREATE TABLE x (id BIGINT);\n" + notes("DELETE FROM x;"):                          true,
		notes("INSERT INTO event SELECT OLD.id;"):                                          false,
		"CREATE TABLE x (id BIGINT);\n" + notes("UPDATE task SET name = '';"):              false,
		"CREATE TABLE x (id BIGINT);\n" + notes("RAISE EXCEPTION 'no';"):                   false,
		"CREATE TRIGGER t BEFORE INSERT ON task FOR EACH ROW EXECUTE FUNCTION f();":        false,
	} {
		if refused := notExpanding(up(text)); (refused == "") != fine {
			t.Errorf("%s: %q", text, refused)
		}
	}
}

// notes is a trigger that does something after each change of a task.
func notes(does string) string {
	return "-- +goose StatementBegin\nCREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n  " + does + "\n  RETURN NULL;\nEND;\n$$;\n" +
		"-- +goose StatementEnd\nCREATE TRIGGER t AFTER UPDATE ON task FOR EACH ROW EXECUTE FUNCTION f();"
}

var (
	adds      = regexp.MustCompile(`(?is)^(CREATE TABLE |CREATE INDEX |CREATE TRIGGER \w+ AFTER |ALTER TABLE \w+ ADD COLUMN \w+ [^,]*$|ALTER TABLE \w+ ALTER COLUMN \w+ SET STORAGE \w+$|COMMENT )`)
	asks      = regexp.MustCompile(`(?is)^ALTER TABLE .* NOT NULL`)
	functions = regexp.MustCompile(`(?is)CREATE FUNCTION .*?\$\$(.*?)\$\$;`)
	writes    = regexp.MustCompile(`(?i)\b(INSERT INTO|DELETE FROM|UPDATE|LOCK|RAISE|PERFORM|EXECUTE|ALTER|DROP|TRUNCATE|MERGE)\b *(\w*)`)
)

// notExpanding returns the first statement on the way up that does more than to add. Functions of triggers may write to
// tables that are added.
func notExpanding(text string) string {
	up, _, _ := strings.Cut(text, "-- +goose Down")
	up = regexp.MustCompile(`(?m)^--.*$`).ReplaceAllString(up, "")
	for _, body := range functions.FindAllStringSubmatch(up, -1) {
		for _, w := range writes.FindAllStringSubmatch(body[1], -1) {
			own := (w[1] == "INSERT INTO" || w[1] == "DELETE FROM") && strings.Contains(up, "CREATE TABLE "+w[2]+" (")
			if !own {
				return w[0]
			}
		}
	}
	up = functions.ReplaceAllString(up, "")
	for statement := range strings.SplitSeq(up, ";") {
		statement = strings.TrimSpace(statement)
		if statement != "" && (!adds.MatchString(statement) || asks.MatchString(statement)) {
			return statement
		}
	}
	return ""
}

// TestMigrationsWaitForServers: the schema does not change under a server of an older release; one that was killed
// is waited for.
func TestMigrationsWaitForServers(t *testing.T) {
	_, db := freshPostgres(t)
	ctx := t.Context()
	if _, err := db.Join(ctx, Peer{Place: "here", Name: "server old", Secret: "s"}, 700*time.Millisecond, func([]Peer) error { return nil }); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := refuseWhileServed(ctx, db.pool, withReplicas-1); err != nil || time.Since(began) > promise.Within(200*time.Millisecond) {
		t.Errorf("a schema from before there were several servers: %v after %s", err, time.Since(began))
	}
	if expandOnly(withReplicas - 1) {
		t.Fatal("that there are several servers is no change that older ones go on beside")
	}
	if err := waitForServers(ctx, db.pool, time.Millisecond); err == nil || !strings.Contains(err.Error(), "server old") {
		t.Errorf("with a server: %v", err)
	}
	if err := waitForServers(ctx, db.pool, servedWait); err != nil || time.Since(began) < 500*time.Millisecond {
		t.Errorf("with one that was killed: %v after %s", err, time.Since(began))
	}
}
