package bench

import (
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is what was measured. Ratio is the value divided by that of the older program.
type Report struct {
	Began    time.Time `json:"began"`
	Version  string    `json:"version"`
	Against  string    `json:"against,omitempty"`  // version of the older program
	Database string    `json:"database,omitempty"` // "" where it is not known
	Quick    bool      `json:"quick"`              // small sizes: the numbers mean little
	Rounds   int       `json:"rounds"`             // values are the middle of so many
	Machine  Machine   `json:"machine"`
	Rows     []Row     `json:"rows"`
	Notes    []Note    `json:"notes"`
	Plots    []string  `json:"plots"` // files
}

// Machine is where it was measured, client and server together.
type Machine struct {
	System    string   `json:"system"`
	Cores     int      `json:"cores"`
	Load      *float64 `json:"load"`       // before, on average over a minute; null where that is not known
	LoadAfter *float64 `json:"load_after"` // likewise
}

func thisMachine() Machine {
	return Machine{System: runtime.GOOS + "/" + runtime.GOARCH, Cores: runtime.GOMAXPROCS(0), Load: load()}
}

// Row is one number.
type Row struct {
	Scenario string   `json:"scenario"`
	Key      string   `json:"key"` // of the number within the scenario
	Measured string   `json:"measured"`
	Unit     string   `json:"unit"`
	Value    *float64 `json:"value"`   // null when it could not be measured
	Against  *float64 `json:"against"` // of the older program
	Ratio    *float64 `json:"ratio"`
	Rounds   Rounds   `json:"rounds"`
	Aim      string   `json:"aim,omitempty"`
	Met      *bool    `json:"met"` // null without aim, or where it cannot be said
	Missing  string   `json:"missing,omitempty"`
	Error    string   `json:"error,omitempty"`         // why this program could not be measured
	Failed   string   `json:"against_error,omitempty"` // likewise the older one
}

// Rounds are the values of each round, in their order.
type Rounds struct {
	Values  []float64 `json:"values"`
	Against []float64 `json:"against"`
}

// Note is a sentence about a scenario on one of the programs.
type Note struct {
	Scenario string `json:"scenario"`
	Older    bool   `json:"older"` // it is about the older program
	Text     string `json:"text"`
}

// add makes the rows of a scenario. missing says why there are no values at all.
func (r *Report) add(s Scenario, sizes Sizes, of []outcome, missing string) {
	for _, m := range s.measures {
		row := Row{Scenario: s.Name, Key: m.key, Measured: sizes.fill(m.text), Unit: m.unit, Aim: m.aim.words, Missing: missing}
		row.Value, row.Error = of[0].value(m.key)
		row.Rounds = Rounds{append([]float64{}, of[0].values[m.key]...), []float64{}}
		if len(of) > 1 {
			row.Rounds.Against = append(row.Rounds.Against, of[1].values[m.key]...)
			row.Against, row.Failed = of[1].value(m.key)
			if row.Value != nil && row.Against != nil && *row.Against != 0 {
				ratio := *row.Value / *row.Against
				row.Ratio = &ratio
			}
		}
		if ok, known := m.aim.met(row.Value, row.Ratio); known {
			row.Met = &ok
		}
		if row.Value == nil && row.Error == "" && missing == "" {
			row.Missing = "not measured on this system"
		}
		r.Rows = append(r.Rows, row)
	}
	for i, o := range of {
		for _, text := range o.notes {
			r.Notes = append(r.Notes, Note{s.Name, i > 0, text})
		}
		if o.err != nil {
			r.Notes = append(r.Notes, Note{s.Name, i > 0, "failed: " + o.err.Error()})
		}
	}
}

// value is the middle of the rounds, or why there is none.
func (o outcome) value(key string) (middle *float64, failed string) {
	if all := o.values[key]; len(all) > 0 {
		m := quantile(all, .5)
		return &m, ""
	}
	if o.err != nil {
		return nil, o.err.Error()
	}
	return nil, ""
}

// number writes a number with about three digits.
func number(v float64) string {
	switch a := math.Abs(v); {
	case v == math.Trunc(v) && a < 1e6, a >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

func cell(v *float64, unit, otherwise string) string {
	switch {
	case v == nil:
		return otherwise
	case unit == "x" || unit == "/s" || unit == "%":
		return number(*v) + unit
	}
	return strings.TrimSpace(number(*v) + " " + unit)
}

// columns is a row as the table shows it.
func (r Row) columns(compared bool) []string {
	otherwise := "not measured"
	if r.Error != "" {
		otherwise = "failed"
	}
	all := []string{r.Scenario, r.Measured, cell(r.Value, r.Unit, otherwise)}
	if compared {
		otherwise = "-"
		if r.Failed != "" {
			otherwise = "failed"
		}
		all = append(all, cell(r.Against, r.Unit, otherwise), cell(r.Ratio, "x", "-"))
	}
	met := "-"
	if r.Met != nil {
		met = map[bool]string{true: "yes", false: "no"}[*r.Met]
	}
	aim := r.Aim
	if aim == "" {
		aim = "-"
	}
	return append(all, aim, met)
}

// Print writes the table, and what is to be said about it.
func (r Report) Print(out io.Writer) error {
	compared := r.Against != ""
	fmt.Fprintf(out, "\n%s\n", r.origin())
	if compared {
		fmt.Fprintf(out, "beside %s\n", r.Against)
	}
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	head := []string{"scenario", "measured", "value"}
	if compared {
		head = append(head, "older", "ratio")
	}
	fmt.Fprintln(w, strings.Join(append(head, "aim", "met"), "\t"))
	for _, row := range r.Rows {
		fmt.Fprintln(w, strings.Join(row.columns(compared), "\t"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	r.printNotes(out)
	return nil
}

func (r Report) printNotes(out io.Writer) {
	if len(r.Notes) > 0 {
		fmt.Fprintln(out)
	}
	var said []string
	for _, n := range r.Notes {
		of := n.Scenario
		if n.Older {
			of += ", older"
		}
		said = append(said, fmt.Sprintf("%s: %s", of, n.Text))
	}
	for _, row := range r.Rows {
		if row.Missing != "" {
			said = append(said, fmt.Sprintf("%s: %s: %s", row.Scenario, row.Measured, row.Missing))
		}
	}
	for i, line := range said {
		if !slices.Contains(said[:i], line) {
			fmt.Fprintln(out, line)
		}
	}
}

// Busy reports whether something else seems to have run on the machine.
func (r Report) Busy() bool {
	return r.Machine.Load != nil && *r.Machine.Load > float64(r.Machine.Cores)/4
}

// origin says in a line what was measured where and when.
func (r Report) origin() string {
	parts := []string{r.Version}
	if r.Database != "" {
		parts = append(parts, r.Database)
	}
	parts = append(parts, fmt.Sprintf("%s, %d cores, client included", r.Machine.System, r.Machine.Cores), r.Began.Format(time.DateOnly))
	if r.Machine.Load != nil {
		parts = append(parts, fmt.Sprintf("load before %.2f", *r.Machine.Load))
	}
	if r.Rounds > 1 {
		parts = append(parts, fmt.Sprintf("middle of %d rounds", r.Rounds))
	}
	if r.Quick {
		parts = append(parts, "quick sizes")
	}
	return strings.Join(parts, "; ")
}
