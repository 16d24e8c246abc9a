package handlers

import (
	"fmt"

	"vserver/queries/dbtest"
)

// aligned are changes that bring our rows to what the recording goes on with, where
// the contract has this server answer otherwise. Without them every later list
// would differ; the exchanges themselves stand in the table of deviations.
var aligned = map[string]func(g *replay){
	"role.031": func(g *replay) {
		g.exec(`INSERT INTO role (name, description, organization_id) VALUES ('5', '6', 1)`)
		g.pairLast("role", 14)
		g.exec(fmt.Sprintf(`INSERT INTO role_rule (role_id, rule_id) VALUES (%d, 1)`, g.ids.ours("role", 14)))
	},
	"role.032": func(g *replay) {
		g.exec(`INSERT INTO role (description, organization_id) VALUES ('d', 1)`)
		g.pairLast("role", 15)
	},
	"role.047": func(g *replay) { g.exec(`INSERT INTO role_rule (role_id, rule_id) VALUES (11, 5)`) },
	"organization.054": func(g *replay) {
		g.exec(`INSERT INTO organization (name, domain, address1, zipcode) VALUES ('5', '', '', '')`)
		g.pairLast("organization", 9)
	},
	"collaboration.071": func(g *replay) { g.exec(`UPDATE collaboration SET name = NULL WHERE id = 4`) },
	"node.073":          func(g *replay) { g.exec(`UPDATE authenticatable SET ip = '10.1.1.1' WHERE id = 8`) },
	"task.024":          func(g *replay) { g.insertTask(11, 11, "hello-world", "NULL", 16, []int64{17}, "5") },
	"task.025":          func(g *replay) { g.deleteResults(12, 18) },
	"task.026":          func(g *replay) { g.deleteResults(13, 0) },
	"task.038":          func(g *replay) { g.insertTask(17, 1, "registry/hello-world", "1", 0, []int64{25, 26}, "aW5wdXQ=") },
	"result.073": func(g *replay) {
		g.exec(`UPDATE payload SET result = NULL, log = NULL WHERE result_id = 10`)
		g.exec(`UPDATE result SET started_at = '2026-01-02T03:04:05.678901Z' WHERE id = 10`)
	},
}

func (g *replay) exec(statement string) {
	g.Helper()
	g.change(g.T, statement)
}

// pairLast pairs a recorded id with that of the newest row of a kind.
func (g *replay) pairLast(kind string, golden int64) { g.ids.pair(kind, golden, g.last(kind)) }

func (g *replay) last(table string) int64 {
	g.Helper()
	db, err := dbtest.SQL(g.src)
	if err != nil {
		g.Fatal(err)
	}
	defer db.Close()
	var id int64
	if err := db.QueryRowContext(g.Context(), `SELECT MAX(id) FROM `+table).Scan(&id); err != nil {
		g.Fatal(err)
	}
	return id
}

// insertTask makes a task of organization 2 in collaboration 1 with results for
// organizations 2 and on, under recorded ids. user 0 means none.
func (g *replay) insertTask(golden, run int64, image, parent string, user int64, results []int64, input string) {
	by := "NULL"
	if user != 0 {
		by = fmt.Sprint(g.ids.ours("account", user))
	}
	g.exec(fmt.Sprintf(`INSERT INTO task (name, description, image, database, collaboration_id, run_id, parent_id, initiator_id, init_user_id)
		VALUES ('my task', 'desc', '%s', 'default', 1, %d, %s, 2, %s)`, image, g.ids.ours("run", run), parent, by))
	g.exec(fmt.Sprintf(`UPDATE counter SET value = %d WHERE name = 'run' AND value < %d`, run, run))
	g.pairLast("task", golden)
	for i, r := range results {
		g.exec(fmt.Sprintf(`INSERT INTO result (task_id, organization_id, status, assigned_at, collaboration_id)
			VALUES (%d, %d, 'pending', '2026-01-01T00:00:00.000000Z', 1)`, g.ids.ours("task", golden), i+2))
		g.pairLast("result", r)
		g.exec(fmt.Sprintf(`INSERT INTO payload (result_id, input) VALUES (%d, %s)`, g.ids.ours("result", r), g.octets(input)))
	}
}

// deleteResults takes from a task the results that the recording's does not have;
// keep 0 keeps none.
func (g *replay) deleteResults(task, keep int64) {
	g.ids.pair("task", task, g.ids.ours("task", task))
	g.exec(fmt.Sprintf(`DELETE FROM result WHERE task_id = %d AND id <> %d`, g.ids.ours("task", task), g.ids.ours("result", keep)))
}
