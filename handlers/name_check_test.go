package handlers

import (
	"net/url"
	"testing"
)

// TestAdvisory_T05_NamesAreNoIDs tries names that could be taken for ids wherever an
// organization, collaboration or node gets one, and names where ids are expected.
func TestAdvisory_T05_NamesAreNoIDs(t *testing.T) {
	b := newBed(t)
	for _, name := range []string{"1", "01", " 1 ", "\u00a012", "１", "٣", "१२", "12345678901234567890"} {
		body := map[string]any{"name": name, "organization_ids": []int{2}, "collaboration_id": 3, "organization_id": 1}
		for _, at := range [][2]string{
			{"POST", "/organization"},
			{"PATCH", "/organization/2"},
			{"POST", "/collaboration"},
			{"PATCH", "/collaboration/1"},
			{"POST", "/node"},
			{"PATCH", "/node/12"},
		} {
			b.run(row{name: name, as: "root", method: at[0], path: at[1], body: body, want: 400, has: `{"msg":"name: ` + "must not consist of digits only, it could be taken for an id" + `"}`})
		}
	}
	for query, want := range map[string]int64{
		`SELECT COUNT(*) FROM organization`: 4, `SELECT COUNT(*) FROM collaboration`: 3, `SELECT COUNT(*) FROM node`: 7,
		`SELECT COUNT(*) FROM node WHERE name = 'node_iknl_z'`: 1,
	} {
		if got := b.number(t, query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
	for _, name := range []string{"IKNL", "１", " 1", "1 ", "+1", "-1", "1.0", "0x1", "1e0"} {
		for _, kind := range []string{"organization", "collaboration", "node"} {
			b.run(row{name: name, as: "root", method: "GET", path: "/" + kind + "/" + url.PathEscape(name), want: 404})
		}
	}
	for _, name := range []string{"IKNL", "１", "1.0", "0x1", "1e0"} {
		b.run(row{as: "root", method: "GET", path: "/node?organization_id=" + url.QueryEscape(name), want: 400})
		b.run(row{as: "root", method: "GET", path: "/collaboration?organization_id=" + url.QueryEscape(name), want: 400})
		b.run(row{as: "root", method: "GET", path: "/organization?collaboration_id=" + url.QueryEscape(name), want: 400})
		b.run(row{as: "root", method: "POST", path: "/collaboration/1/organization", body: map[string]string{"id": name}, want: 400})
		b.run(row{as: "root", method: "POST", path: "/node", body: map[string]any{"collaboration_id": name}, want: 400})
	}
	b.run(
		row{name: "a filter by name finds no id", as: "root", method: "GET", path: "/organization?name=2", want: 200, has: `[]`},
		row{name: "digits among others are fine", as: "root", method: "POST", path: "/organization", body: `{"name":"4 hospitals"}`, want: 201},
	)
}

// TestNamesThatAreStoredMayStay: clients send every field back, also of rows that came
// from another server.
func TestNamesThatAreStoredMayStay(t *testing.T) {
	b := newBed(t)
	for path, table := range map[string]string{"/organization/2": "organization", "/collaboration/2": "collaboration", "/node/12": "node"} {
		b.change(t, `UPDATE `+table+` SET name = '17' WHERE id IN (2, 12)`)
		b.run(
			row{as: "root", method: "PATCH", path: path, body: `{"name":"17"}`, want: 200, has: `{"name":"17"}`},
			row{as: "root", method: "PATCH", path: path, body: `{"name":"18"}`, want: 400},
			row{as: "root", method: "PATCH", path: path, body: `{"name":"x"}`, want: 200, has: `{"name":"x"}`},
		)
	}
}
