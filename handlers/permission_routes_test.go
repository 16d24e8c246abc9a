package handlers

import (
	"maps"
	"slices"
)

// oracle has every route of the table. A body is valid, so that who may gets what the
// route is for.
var oracle = map[string]answers{
	"GET /organization":                   {who: "unc", may: holds("organization", "VIEW", "GLOBAL", "COLLABORATION", "ORGANIZATION"), good: 200},
	"POST /organization":                  {who: "u", may: holds("organization", "CREATE", "GLOBAL"), good: 201, body: fixed(`{"name":"New"}`), harmless: true},
	"GET /organization/:id":               {who: "unc", object: "organization", may: seesOrganization, good: 200},
	"PATCH /organization/:id":             {who: "un", object: "organization", may: changesOrganization, good: 200, body: fixed(`{"domain":"new.example"}`), harmless: true},
	"GET /organization/:id/collaboration": {who: "un", object: "organization", may: belowOrganization("collaboration"), good: 200},
	"GET /organization/:id/node":          {who: "un", object: "organization", may: belowOrganization("node"), good: 200},

	"GET /collaboration":        {who: "u", may: holds("collaboration", "VIEW", "GLOBAL", "ORGANIZATION"), good: 200},
	"POST /collaboration":       {who: "u", may: holds("collaboration", "CREATE", "GLOBAL"), good: 200, body: newCollaborationBody, harmless: true},
	"GET /collaboration/:id":    {who: "unc", object: "collaboration", may: seesCollaboration, good: 200},
	"PATCH /collaboration/:id":  {who: "u", object: "collaboration", may: holds("collaboration", "EDIT", "GLOBAL"), good: 200, body: fixed(`{"encrypted":false}`), harmless: true},
	"DELETE /collaboration/:id": {who: "u", object: "collaboration", may: holds("collaboration", "DELETE", "GLOBAL"), good: 200},
	"GET /collaboration/:id/organization": {
		who: "unc", object: "collaboration", good: 200,
		may: both(seesCollaboration, holds("organization", "VIEW", "GLOBAL", "COLLABORATION", "ORGANIZATION")),
	},
	"POST /collaboration/:id/organization": {who: "u", object: "collaboration", may: holds("collaboration", "EDIT", "GLOBAL"), good: 200, body: fixed(`{"id":1}`)},
	"DELETE /collaboration/:id/organization": {
		who: "u", object: "collaboration", may: holds("collaboration", "DELETE", "GLOBAL"), good: 200,
		body: func(w *world, _ caller, id int64) any { return map[string]int64{"id": append(w.members[id], 1)[0]} },
	},
	"GET /collaboration/:id/node": {
		who: "u", object: "collaboration", may: both(seesCollaboration, holds("node", "VIEW", "GLOBAL", "ORGANIZATION")), good: 200,
	},
	"POST /collaboration/:id/node": {who: "u", object: "collaboration", may: holds("collaboration", "EDIT", "GLOBAL"), good: 201, body: fixed(`{"id":23}`)},
	"DELETE /collaboration/:id/node": {
		who: "u", object: "collaboration", may: holds("collaboration", "EDIT", "GLOBAL"), good: 200,
		body: func(w *world, _ caller, id int64) any { return map[string]int64{"id": firstNode(w, id)} },
	},
	"GET /collaboration/:id/task": {who: "un", object: "collaboration", may: within("task"), good: 200},

	"GET /node": {who: "un", may: holds("node", "VIEW", "GLOBAL", "ORGANIZATION"), good: 200},
	"POST /node": {
		who: "u", object: "organization", inBody: true, ids: []int64{2, 3, 5}, may: ofOrganization("node", "CREATE"), good: 201,
		body: func(_ *world, _ caller, id int64) any {
			return map[string]int64{"organization_id": id, "collaboration_id": map[int64]int64{2: 5, 3: 5, 5: 6}[id]}
		},
	},
	"GET /node/:id":      {who: "unc", object: "node", may: seesNode, good: 200},
	"PATCH /node/:id":    {who: "un", object: "node", may: changesNode("EDIT"), good: 200, body: fixed(`{"name":"new"}`), harmless: true},
	"DELETE /node/:id":   {who: "u", object: "node", may: changesNode("DELETE"), good: 200},
	"POST /recover/node": {who: "u", object: "node", inBody: true, may: changesNode("EDIT"), good: 200, body: itsID},

	"GET /user": {who: "u", may: holds("user", "VIEW", "GLOBAL", "ORGANIZATION"), good: 200},
	"POST /user": {
		who: "u", object: "organization", inBody: true, ids: []int64{2, 3, 5}, may: ofOrganization("user", "CREATE"), good: 201, harmless: true,
		body: func(_ *world, c caller, id int64) any {
			name := "new-" + c.name + itoa(id)
			return map[string]any{"username": name, "firstname": "f", "lastname": "l", "email": name, "password": "Passw0rd!", "organization_id": id}
		},
	},
	"GET /user/:id":                      {who: "u", object: "user", may: seesUser, good: 200},
	"PATCH /user/:id":                    {who: "u", object: "user", may: changesUser("EDIT"), good: 200, body: fixed(`{"firstname":"New"}`), harmless: true},
	"DELETE /user/:id":                   {who: "u", object: "user", may: deletesUser, good: 200},
	"POST /user/:id/unlock":              {who: "u", object: "user", may: inCharge, late: isSelf, good: 200, harmless: true},
	"POST /user/:id/invite":              {who: "u", object: "user", may: inCharge, late: isSelf, good: 201, body: fixed(`{"by":"link"}`), harmless: true},
	"GET /second-factor":                 {who: "u", good: 200},
	"POST /second-factor/recovery-codes": {who: "u", good: 400, body: fixed(`{"mfa_code":"123456"}`)}, // no second factor is asked for

	"PATCH /password/change": {who: "u", good: 200, body: changedPassword},

	"GET /role": {who: "u", good: 200},
	"POST /role": {
		who: "u", object: "organization", inBody: true, ids: []int64{2, 3, 5}, may: ofOrganization("role", "CREATE"), good: 201, harmless: true,
		body: func(_ *world, _ caller, id int64) any {
			return map[string]any{"name": "new", "description": "d", "rules": []int64{}, "organization_id": id}
		},
	},
	"GET /role/:id":      {who: "u", object: "role", may: seesRole, good: 200},
	"PATCH /role/:id":    {who: "u", object: "role", early: isDefault, may: changesRole("EDIT"), good: 200, body: fixed(`{"description":"new"}`), harmless: true},
	"DELETE /role/:id":   {who: "u", object: "role", may: deletesRole, late: isDefault, good: 200},
	"GET /role/:id/rule": {who: "u", object: "role", may: seesRole, good: 200},
	"POST /role/:id/rule/:rule_id": {
		who: "u", object: "role", seconds: []int64{2, 53, 9999}, may: changesRuleOf("EDIT"), late: isFixed, good: 201,
	},
	"DELETE /role/:id/rule/:rule_id": {
		who: "u", object: "role", seconds: []int64{2, 53, 9999}, may: changesRuleOf("DELETE"), good: 200,
		late: func(w *world, c caller, id, rule int64) int {
			if status := isFixed(w, c, id, rule); status != 0 || slices.Contains(w.roles[id].rules, rule) {
				return status
			}
			return 404
		},
	},
	"GET /rule":     {who: "u", good: 200},
	"GET /rule/:id": {who: "u", object: "rule", good: 200},

	"GET /task": {who: "unc", may: holds("task", "VIEW", "GLOBAL", "ORGANIZATION"), good: 200},
	"POST /task": {
		who: "uc", object: "collaboration", inBody: true, may: createsTask, good: 201, harmless: true,
		body: func(w *world, _ caller, id int64) any {
			target := map[int64]int64{1: 2, 2: 2, 3: 3, 4: 5, 9999: 2}[id]
			return map[string]any{"name": "new", "image": "hello-world", "collaboration_id": id, "organizations": []any{map[string]any{"id": target, "input": "aW4="}}}
		},
	},
	"GET /task/:id":        {who: "unc", object: "task", may: sees("task", "task"), good: 200},
	"DELETE /task/:id":     {who: "u", object: "task", may: deletesTask, good: 200},
	"GET /task/:id/result": {who: "uc", object: "task", may: sees("result", "task"), good: 200},
	"GET /result":          {who: "unc", may: holds("result", "VIEW", "GLOBAL", "ORGANIZATION"), good: 200},
	"GET /result/:id":      {who: "unc", object: "result", may: sees("result", "result"), good: 200},
	"PATCH /result/:id": {
		who: "n", object: "result", may: writesResult, good: 200, body: fixed(`{"status":"active"}`), harmless: true,
		late: func(w *world, _ caller, id, _ int64) int { return when(w.tasks[w.results[id].task].ended, 400) },
	},
	"GET /port": {who: "unc", may: holds("port", "VIEW", "GLOBAL", "ORGANIZATION"), good: 200},
	"POST /port": {
		who: "n", object: "result", inBody: true, may: writesResult, good: 201, harmless: true,
		body: func(_ *world, _ caller, id int64) any { return map[string]int64{"port": 8080, "result_id": id} },
	},
	"DELETE /port":  {who: "n", object: "result", inBody: true, may: writesResult, good: 200}, // in the query
	"GET /port/:id": {who: "unc", object: "port", may: sees("port", "port"), good: 200},

	"POST /kill/task": {
		who: "u", object: "task", inBody: true, may: killsTask, good: 200, body: itsID,
		early: func(w *world, _ caller, id, _ int64) int { return when(w.tasks[id].ended, 400) },
	},
	"POST /kill/node/tasks": {
		who: "u", object: "node", inBody: true, may: killsNode, good: 200, body: itsID, harmless: true,
		early: func(w *world, _ caller, id, _ int64) int {
			return when(id == 15 || w.nodes[id].collaboration == 0, 400)
		},
	},

	// Without a portal there is no VPN, and no answer that depends on who asks.
	"GET /vpn":                     {who: "n", good: 501},
	"POST /vpn/update":             {who: "n", good: 501, body: fixed(`{"vpn_config":"x"}`)},
	"GET /vpn/algorithm/addresses": {who: "c", may: holds("port", "VIEW", "GLOBAL", "ORGANIZATION"), good: 200},

	"POST /token/user":        {good: 200, body: fixed(`{"username":"viewer","password":"Passw0rd!"}`), harmless: true},
	"POST /token/node":        {good: 200, body: fixed(`{"api_key":"key-12"}`), harmless: true},
	"POST /token/container":   {who: "n", object: "task", inBody: true, ids: []int64{1, 2, 3, 4, 5, 6}, may: startsContainer, late: isEnded, good: 200, body: containerOf, harmless: true},
	"POST /token/revoke":      {who: "u", good: 200},
	"POST /token/refresh":     {late: isNoRefreshToken, good: 200, harmless: true},
	"POST /recover/lost":      {good: 200, body: fixed(`{"username":"viewer"}`), harmless: true},
	"POST /recover/reset":     {good: 400, body: fixed(`{"reset_token":"t","password":"An0ther-one"}`)}, // a token that nobody was sent
	"POST /recover/2fa/reset": {good: 400, body: fixed(`{"reset_token":"t"}`)},
	"POST /recover/2fa/lost":  {good: 200, body: fixed(`{"username":"viewer","password":"Passw0rd!"}`), harmless: true},
	"GET /access/explain":     {who: "unc", good: 400}, // without a question
	"GET /event":              {who: "u", good: 200},
	"GET /server":             {who: "u", may: holdsEverything, good: 200},
	"GET /server/doctor":      {who: "u", may: holdsEverything, good: 200},
	"GET /server/warning":     {who: "u", may: holdsEverything, good: 200},
	"GET /server/log":         {who: "u", may: holdsEverything, good: 200},
	"GET /server/backup":      {who: "u", may: holdsEverything, good: 501}, // there is nobody who makes one
	"GET /version":            {good: 200},
	"GET /health":             {good: 200},
	"GET /health/fix":         {good: 200},
}

// fixed is a body that is the same for everybody.
func fixed(text string) func(*world, caller, int64) any {
	return func(*world, caller, int64) any { return text }
}

func newCollaborationBody(_ *world, c caller, _ int64) any {
	return map[string]any{"name": "New of " + c.name, "organization_ids": []int64{2}}
}

func itsID(_ *world, _ caller, id int64) any { return map[string]int64{"id": id} }

func changedPassword(_ *world, c caller, _ int64) any {
	current := "Passw0rd!"
	if c.name == "root" {
		current = "root"
	}
	return map[string]string{"current_password": current, "new_password": "An0ther-one"}
}

func containerOf(_ *world, _ caller, id int64) any {
	return map[string]any{"task_id": id, "image": "hello-world"}
}

// startsContainer is /docs/tokens#container-token.
func startsContainer(w *world, c caller, id, _ int64) bool {
	return w.tasks[id].collaboration == c.collaboration && slices.ContainsFunc(slices.Collect(maps.Values(w.results)), func(r worldPiece) bool {
		return r.task == id && c.owns(r.organization)
	})
}

func isEnded(w *world, _ caller, id, _ int64) int { return when(w.tasks[id].ended, 400) }

// isNoRefreshToken is /docs/tokens#faults: every token of these tests is one for access.
func isNoRefreshToken(_ *world, c caller, _, _ int64) int {
	if c.kind == 0 || c.name == "expired" {
		return 401
	}
	return 422
}

func isDefault(w *world, _ caller, id, _ int64) int { return when(w.roles[id].organization == 0, 400) }

func isFixed(w *world, _ caller, id, _ int64) int { return when(fixedRole(w, id), 400) }

func when(holds bool, status int) int {
	if holds {
		return status
	}
	return 0
}

// both joins two conditions.
func both(a, b func(*world, caller, int64, int64) bool) func(*world, caller, int64, int64) bool {
	return func(w *world, c caller, id, second int64) bool { return a(w, c, id, second) && b(w, c, id, second) }
}

// within is who sees what of a resource lies in a collaboration, as a whole.
func within(resource string) func(*world, caller, int64, int64) bool {
	return func(w *world, c caller, id, _ int64) bool { return seesWithin(resource, w, c, id, c.run) }
}

func isSelf(_ *world, c caller, id, _ int64) int { return when(id == c.id, 400) }

// firstNode is a node of a collaboration; 1 is none.
func firstNode(w *world, collaboration int64) int64 {
	for _, id := range slices.Sorted(maps.Keys(w.nodes)) {
		if w.nodes[id].collaboration == collaboration {
			return id
		}
	}
	return 1
}
