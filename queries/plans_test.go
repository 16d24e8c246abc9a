package queries

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"
)

// recorder keeps the text of the last statement that was prepared.
type recorder struct {
	DBTX
	last string
}

func (r *recorder) PrepareContext(ctx context.Context, q string) (*sql.Stmt, error) {
	r.last = q
	return r.DBTX.PrepareContext(ctx, q)
}

// TestHotQueriesUseIndexes reads SQLite's plans of the lists that must not grow with
// their tables: nothing is sorted that is as long as a table, and no table is read
// from end to end but in the order of the list.
func TestHotQueriesUseIndexes(t *testing.T) {
	db, err := Open(t.Context(), Source{Engine: SQLite, Path: t.TempDir() + "/p.sqlite"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	rec := &recorder{DBTX: db.pool}
	l := newLite(rec)
	t.Cleanup(func() { _ = l.close() })
	q := New(l)
	id, within, open, status := new(int64), new(string), new(bool), "failed"
	*within, *open = `{"1":0,"2":0}`, true
	for _, c := range []struct {
		name string
		read func(ctx context.Context) error
		want string
		// sorts tells that the few rows found are sorted.
		sorts bool
	}{
		{name: "all tasks", want: "SCAN t", read: listTasks(q, ListTasksParams{})},
		{name: "tasks of a collaboration", want: "USING INDEX task_collaboration", read: listTasks(q, ListTasksParams{CollaborationID: id})},
		{name: "tasks among many", want: "SCAN t", read: listTasks(q, ListTasksParams{Within: within})},
		{name: "a run", want: "USING INDEX task_run", read: listTasks(q, ListTasksParams{Within: within, RunID: id, InitiatorID: id})},
		{name: "children", want: "USING INDEX task_parent", read: listTasks(q, ListTasksParams{Within: within, ParentID: id, InitUserID: id})},
		{name: "tasks of a user", want: "USING INDEX task_init_user", read: listTasks(q, ListTasksParams{Within: within, InitUserID: id, InitiatorID: id})},
		{name: "tasks of an initiator", want: "USING INDEX task_initiator", read: listTasks(q, ListTasksParams{Within: within, InitiatorID: id})},
		{name: "tasks of a status", want: "USING INDEX task_status (status=?)", read: listTasks(q, ListTasksParams{Within: within, Status: &status})},
		{name: "tasks of a status and a user", want: "USING INDEX task_init_user", read: listTasks(q, ListTasksParams{Status: &status, InitUserID: id})},
		{name: "the place of a row from the end", want: "USING COVERING INDEX task_status (status=?)", read: func(ctx context.Context) error {
			_, err := q.Seek(ctx, ListTasks, ListTasksParams{Status: &status}, 3, true)
			if Missing(err) {
				return nil
			}
			return err
		}},
		{name: "the number of tasks of a status", want: "SEARCH t USING COVERING INDEX task_status (status=? AND id>?)", read: func(ctx context.Context) error {
			_, err := q.CountTasksOfStatus(ctx, CountTasksOfStatusParams{Status: status})
			return err
		}},
		{name: "the number of results of an organization", want: "SEARCH y USING COVERING INDEX tally_value (kind=? AND value=?", read: func(ctx context.Context) error {
			_, err := q.CountResultsOfOrganization(ctx, CountResultsOfOrganizationParams{OrganizationID: "1"})
			return err
		}},
		{name: "names behind the pages", want: "SEARCH t USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)", read: func(ctx context.Context) error {
			_, err := q.NamedBehind(ctx, NamedBehindParams{Lowered: status, Within: within})
			return err
		}},
		{name: "changed names", want: "SEARCH t USING INTEGER PRIMARY KEY (rowid=?)", read: func(ctx context.Context) error {
			_, err := q.NamedAmong(ctx, NamedAmongParams{Ids: *within, Lowered: status, Within: within})
			return err
		}},
		{name: "how far the pages of names go", want: "SEARCH p", read: func(ctx context.Context) error {
			_, err := q.NamesDue(ctx, status)
			return err
		}},
		{name: "the pages of names", want: "SEARCH p USING INTEGER PRIMARY KEY (rowid<?)", read: func(ctx context.Context) error {
			rows, err := l.QueryContext(ctx, namePages, 7)
			if err != nil {
				return err
			}
			return errors.Join(rows.Err(), rows.Close())
		}},
		{name: "the task of a result", want: "SEARCH t USING INTEGER PRIMARY KEY", read: listTasks(q, ListTasksParams{Within: within, ResultID: id, InitiatorID: id})},
		{name: "all results", want: "SCAN r", read: listResults(q, ListResultsParams{})},
		{name: "results of a collaboration", want: "USING INDEX result_collaboration", read: listResults(q, ListResultsParams{CollaborationID: id})},
		{
			name: "what a node has to do", want: "USING INDEX result_open (collaboration_id=? AND organization_id=?)",
			read: listResults(q, ListResultsParams{CollaborationID: id, OrganizationID: id, Open: open}),
		},
		{
			name: "what a node has to do for a task", want: "USING INDEX result_task",
			read: listResults(q, ListResultsParams{Within: within, OrganizationID: id, TaskID: id, Open: open}),
		},
		{
			name: "open results of a collaboration", want: "USING INDEX result_open", sorts: true,
			read: listResults(q, ListResultsParams{CollaborationID: id, Open: open}),
		},
		{name: "all open results", want: "USING INDEX result_finished", read: listResults(q, ListResultsParams{Open: open})},
		{name: "results of an organization", want: "USING INDEX result_organization", read: listResults(q, ListResultsParams{Within: within, OrganizationID: id})},
		{name: "results of a run", want: "USING INDEX result_task", sorts: true, read: listResults(q, ListResultsParams{Within: within, RunID: id, OrganizationID: id})},
		{name: "tasks of a collaboration, oldest first", want: "USING INDEX task_collaboration", read: func(ctx context.Context) error {
			_, err := q.ListTasksOfCollaboration(ctx, ListTasksOfCollaborationParams{CollaborationID: id, Lim: 10})
			return err
		}},
		{name: "results of a task", want: "USING INDEX result_task", read: func(ctx context.Context) error {
			_, err := q.ListResultsOfTask(ctx, ListResultsOfTaskParams{TaskID: id, Lim: 10})
			return err
		}},
		{name: "results of a page of tasks", want: "SEARCH r USING INDEX result_task", sorts: true, read: func(ctx context.Context) error {
			_, err := q.PartsOfTasks(ctx, *within)
			return err
		}},
		{name: "children of a page of tasks", want: "SEARCH t USING INDEX task_parent", sorts: true, read: func(ctx context.Context) error {
			_, err := q.PartsOfTasks(ctx, *within)
			return err
		}},
		{name: "nodes of a page of results", want: "SEARCH n USING INDEX sqlite_autoindex_node_2", read: func(ctx context.Context) error {
			_, err := q.NodesOfResults(ctx, *within)
			return err
		}},
		{name: "users by their names", want: "SEARCH u USING INDEX sqlite_autoindex_user_1 (username=?)", read: func(ctx context.Context) error {
			_, err := q.FindUsers(ctx, FindUsersParams{Usernames: within})
			return err
		}},
		{name: "nodes by their keys", want: "SEARCH n USING INDEX sqlite_autoindex_node_1 (api_key=?)", read: func(ctx context.Context) error {
			_, err := q.FindNodes(ctx, FindNodesParams{ApiKeys: within})
			return err
		}},
		{name: "all events", want: "SCAN e", read: listEvents(q, ListEventsParams{Tasks: true, Nodes: true})},
		{name: "events that some see", want: "SCAN e", read: listEvents(q, ListEventsParams{Tasks: true, TasksWithin: within, Nodes: true, NodesOf: id, UsersOf: id})},
		{name: "events of a collaboration", want: "USING INDEX event_in_collaboration", read: listEvents(q, ListEventsParams{Tasks: true, TasksWithin: within, Nodes: true, OfCollaboration: id})},
		{name: "events of a task", want: "USING INDEX event_task", read: listEvents(q, ListEventsParams{Tasks: true, TasksWithin: within, OfTask: id})},
		{name: "events of a node", want: "USING INDEX event_node", sorts: true, read: listEvents(q, ListEventsParams{Nodes: true, OfNode: id})},
		{name: "the events of a day", want: "SEARCH e USING INTEGER PRIMARY KEY (rowid>?)", read: listEvents(q, ListEventsParams{Tasks: true, Since: &Time{}})},
		{name: "the next run", want: "USING COVERING INDEX task_run", read: func(ctx context.Context) error {
			_, err := q.TakeRun(ctx)
			if err != nil && strings.Contains(err.Error(), "readonly") {
				return nil
			}
			return err
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.read(t.Context()); err != nil {
				t.Fatal(err)
			}
			plan := explain(t, db.pool, rec.last)
			if !strings.Contains(plan, c.want) {
				t.Errorf("the plan has no %q:\n%s\n%s", c.want, plan, rec.last)
			}
			if strings.Contains(plan, "TEMP B-TREE") != c.sorts {
				t.Errorf("the plan sorts: %v, want %v:\n%s", !c.sorts, c.sorts, plan)
			}
		})
	}
}

func listEvents(q *Queries, arg ListEventsParams) func(context.Context) error {
	arg.Lim = 10
	return func(ctx context.Context) error {
		_, err := q.ListEvents(ctx, arg)
		return err
	}
}

func listTasks(q *Queries, arg ListTasksParams) func(context.Context) error {
	arg.Lim = 10
	return func(ctx context.Context) error {
		_, err := q.ListTasks(ctx, arg)
		return err
	}
}

func listResults(q *Queries, arg ListResultsParams) func(context.Context) error {
	arg.Lim = 10
	return func(ctx context.Context) error {
		_, err := q.ListResults(ctx, arg)
		return err
	}
}

// TestSQLiteFoldsNoCase: its LIKE does so already, and a million texts would be written in small letters first.
func TestSQLiteFoldsNoCase(t *testing.T) {
	l := &lite{}
	if text, _ := l.text(shape{ListTasks, 0}); strings.Contains(text, "lower(") || !strings.Contains(text, `(t.name LIKE ?9 ESCAPE '\')`) {
		t.Error(text)
	}
}

// explain returns the steps of SQLite's plan, a line each.
func explain(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(step + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

// TestStatementsArePreparedOnce runs every query several times, as the driver does,
// and asks SQLite how often it prepared it anew.
func TestStatementsArePreparedOnce(t *testing.T) {
	db, err := Open(t.Context(), Source{Engine: SQLite, Path: t.TempDir() + "/p.sqlite"})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.pool.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	err = conn.Raw(func(c any) error {
		raw := c.(interface{ Raw() *sqlite3.Conn }).Raw()
		for name, q := range generated(t) {
			text, _ := rewrite(q, 0)
			if n := preparations(t, raw, text); n > 0 {
				t.Errorf("%s is prepared anew %d times", name, n)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// preparations runs a query with numbers for all parameters and counts how often it
// was prepared after the first time. Writes fail here, which does not matter.
func preparations(t *testing.T, c *sqlite3.Conn, query string) int {
	t.Helper()
	st, _, err := c.Prepare(query)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	for range 3 {
		for i := range st.BindCount() {
			if err := st.BindInt64(i+1, 1); err != nil {
				t.Fatal(err)
			}
		}
		for st.Step() {
		}
		_ = st.Reset()
		if err := st.ClearBindings(); err != nil {
			t.Fatal(err)
		}
	}
	return st.Status(sqlite3.STMTSTATUS_REPREPARE, false)
}
