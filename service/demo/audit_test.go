package demo

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// TestAuditFindsAnAgeThatLeaves has a node send what it may and what it may not.
func TestAuditFindsAnAgeThatLeaves(t *testing.T) {
	h := newHospital(0)
	body := func(v any) []byte {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	part := partial{h.sum(), len(h.ages)}
	for name, c := range map[string]struct {
		sent          []byte
		numbers, ages int
	}{
		"a result":               {body(map[string]any{"result": encode(part), "status": "completed"}), 2, 0},
		"the central answer":     {body(map[string]any{"result": encode(answer{1, []partial{part}})}), 0, 0},
		"a status":               {body([]any{"algorithm_status_change", map[string]any{"node_id": 8}}), 0, 0},
		"no JSON":                {[]byte("x"), 0, 0},
		"an age as the result":   {body(map[string]any{"result": encode(map[string]any{"sum": h.ages[3], "count": 1})}), 2, 1},
		"ages beside":            {body(map[string]any{"result": encode(map[string]any{"sum": 1, "count": 1, "all": h.ages})}), 2 + len(h.ages), len(h.ages)},
		"an age in the input":    {body(map[string]any{"organizations": []any{map[string]any{"input": encode(h.ages[:1])}}}), 0, 1},
		"an age in the open":     {body(map[string]any{"log": "", "oldest": h.ages[5]}), 0, 1},
		"an age within an event": {body([]any{"message", h.ages[5]}), 0, 1},
	} {
		a := newAudit(h)
		a.look(c.sent)
		if bytes, numbers, ages := a.total(); bytes != len(c.sent) || numbers != c.numbers || ages != c.ages {
			t.Errorf("%s: %d bytes, %d numbers, %d ages", name, bytes, numbers, ages)
		}
	}
}

// TestVerdictFailsWhenAnAgeLeft and when an average is wrong.
func TestVerdictFailsWhenAnAgeLeft(t *testing.T) {
	for name, c := range map[string]struct {
		report Report
		want   string
	}{
		"right":  {Report{TrueAverage: 50, Averages: []float64{50, 50}}, ""},
		"wrong":  {Report{TrueAverage: 50, Averages: []float64{50, 51}}, "the federated average 51 is not the true one, 50"},
		"an age": {Report{TrueAverage: 50, Averages: []float64{50}, Hospitals: []HospitalReport{{Ages: 2}}}, "ages of single patients left the hospitals 2 times"},
	} {
		err := c.report.judge()
		if got := strings.TrimPrefix(fmt.Sprint(err), "<nil>"); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
		c.report.Passed = err == nil
		if passed := strings.HasPrefix(c.report.verdict(), "PASSED"); passed != (c.want == "") {
			t.Errorf("%s: %s", name, c.report.verdict())
		}
	}
}

// TestReportFits79Columns prints one with large numbers.
func TestReportFits79Columns(t *testing.T) {
	r := Report{Nodes: 1000, Tasks: 100_000, Subtasks: 100_000, Results: 100_100_000, Passed: true, ElapsedMS: 1e7, rows: 1e7, bytes: 1e10, sum: 5e8, NumbersThatLeft: 2e8}
	r.Steps = []Step{{"log in as root and register the hospitals", 1e7}}
	for i := range 1000 {
		r.Hospitals = append(r.Hospitals, HospitalReport{Name: newHospital(i).name, Rows: 38_000, sum: 2_000_000, Numbers: 200_000})
	}
	var out strings.Builder
	if err := r.Print(&out); err != nil {
		t.Fatal(err)
	}
	if wide := regexp.MustCompile(`(?m)^.{80,}$`).FindString(out.String()); wide != "" {
		t.Errorf("%d columns: %s", len(wide), wide)
	}
}
