package demo

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// Report is what came of a play. Times are in milliseconds.
type Report struct {
	FederatedAverage float64          `json:"federated_average"`
	TrueAverage      float64          `json:"true_average"`
	Nodes            int              `json:"nodes"`
	Tasks            int              `json:"tasks"`    // asked by the researcher
	Subtasks         int              `json:"subtasks"` // posted by containers
	Results          int              `json:"results"`  // of both
	ElapsedMS        float64          `json:"elapsed_ms"`
	Hospitals        []HospitalReport `json:"hospitals"`
	Steps            []Step           `json:"steps"`
	ResearcherTold   map[string]int   `json:"researcher_told"`
	Averages         []float64        `json:"averages"` // of each task
	Researcher       Account          `json:"-"`
	Partials         []partial        `json:"-"`

	rows int
}

// HospitalReport is one hospital's part.
type HospitalReport struct {
	Name    string         `json:"name"`
	Rows    int            `json:"rows"`
	Average float64        `json:"partial_average"`
	Told    map[string]int `json:"told"` // how often each event arrived
}

// Step is a part of the play and how long it took.
type Step struct {
	Name string  `json:"name"`
	MS   float64 `json:"ms"`
}

// Account is a log-in.
type Account struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// Print writes the report for people.
func (r Report) Print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "hospital\trows\tpartial average\ttold")
	for _, h := range r.Hospitals {
		fmt.Fprintf(w, "%s\t%d\t%.6f\t%s\n", h.Name, h.Rows, h.Average, told(h.Told))
	}
	fmt.Fprintf(w, "researcher\t\t\t%s\n\n", told(r.ResearcherTold))
	fmt.Fprintf(w, "federated average\t%d\t%.12f\tfrom %d numbers that left the hospitals\n", r.rows, r.FederatedAverage, 2*r.Nodes)
	fmt.Fprintf(w, "true average\t%d\t%.12f\tover all rows in one place\n\n", r.rows, r.TrueAverage)
	fmt.Fprintln(w, "step\tms")
	for _, s := range r.Steps {
		fmt.Fprintf(w, "%s\t%.1f\n", s.Name, s.MS)
	}
	fmt.Fprintf(w, "all: %d tasks, %d subtasks, %d results, %d nodes\t%.1f\n", r.Tasks, r.Subtasks, r.Results, r.Nodes, r.ElapsedMS)
	return w.Flush()
}

func told(events map[string]int) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(events)) {
		list = append(list, fmt.Sprintf("%s x%d", name, events[name]))
	}
	return strings.Join(list, ", ")
}

// subject reads the id of a node or user out of its own token, without looking at
// the signature, as nodes do.
func subject(token string) (int64, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return 0, errors.New("the server's token has no three parts")
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return 0, fmt.Errorf("decoding the server's token: %w", err)
	}
	var claims struct {
		Subject int64 `json:"sub"`
	}
	if err := json.Unmarshal(raw, &claims); err != nil {
		return 0, fmt.Errorf("reading the server's token: %w", err)
	}
	return claims.Subject, nil
}
