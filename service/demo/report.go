package demo

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
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
	Averages         []float64        `json:"averages"`          // of each task
	NumbersThatLeft  int              `json:"numbers_that_left"` // the hospitals, over all tasks
	AgesThatLeft     int              `json:"ages_that_left"`    // of single patients, among everything that was sent
	Passed           bool             `json:"passed"`
	Researcher       Account          `json:"-"`
	Partials         []partial        `json:"-"`

	rows, bytes int
	sum         float64
}

// HospitalReport is one hospital's part.
type HospitalReport struct {
	Name    string         `json:"name"`
	Rows    int            `json:"rows"`
	Average float64        `json:"partial_average"`
	Told    map[string]int `json:"told"` // how often each event arrived
	Numbers int            `json:"numbers_that_left"`
	Ages    int            `json:"ages_that_left"`
	Bytes   int            `json:"bytes_sent"`

	sum float64
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

// count takes what the audit of the hospital found.
func (h *HospitalReport) count(a *audit, sum float64) {
	h.Bytes, h.Numbers, h.Ages = a.total()
	h.sum = sum
}

// judge adds up what left the hospitals, and fails when an average is wrong or the age
// of a patient was sent.
func (r *Report) judge() error {
	for _, h := range r.Hospitals {
		r.NumbersThatLeft += h.Numbers
		r.AgesThatLeft += h.Ages
		r.bytes += h.Bytes
		r.sum += h.sum
	}
	for _, a := range r.Averages {
		if math.Abs(a-r.TrueAverage) > 1e-9*math.Max(1, math.Abs(r.TrueAverage)) {
			return fmt.Errorf("the federated average %v is not the true one, %v", a, r.TrueAverage)
		}
	}
	if r.AgesThatLeft > 0 {
		return fmt.Errorf("ages of single patients left the hospitals %d times", r.AgesThatLeft)
	}
	return nil
}

// Print writes the report for people, within 79 columns.
func (r Report) Print(out io.Writer) error {
	fmt.Fprintf(out, "\nWhat happened: a researcher asked %s for the average age of their\n"+
		"patients, %s. The node of each hospital fetched the question,\n"+
		"worked it out on the hospital's own table, and sent back two numbers: how many\n"+
		"patients there are, and the sum of their ages. The tables stay where they are.\n\n",
		counted(r.Nodes, "hospital"), counted(r.Tasks, "time"))
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "hospital\tpatients\tsum of ages\tnumbers that left\tages that left")
	for _, h := range r.Hospitals {
		fmt.Fprintf(w, "%s\t%d\t%.3f\t%d\t%d\n", h.Name, h.Rows, h.sum, h.Numbers, h.Ages)
	}
	fmt.Fprintf(w, "all hospitals\t%d\t%.3f\t%d\t%d\n\n", r.rows, r.sum, r.NumbersThatLeft, r.AgesThatLeft)
	fmt.Fprintf(w, "average from the %s\t%.12f\n", counted(r.NumbersThatLeft, "number"), r.FederatedAverage)
	fmt.Fprintf(w, "average of all %s, in one place to compare\t%.12f\n\n", counted(r.rows, "age"), r.TrueAverage)
	fmt.Fprintln(w, "step\tseconds")
	for _, s := range r.Steps {
		fmt.Fprintf(w, "%s\t%.3f\n", s.Name, s.MS/1000)
	}
	fmt.Fprintf(w, "%s, %s, %s in all\t%.3f\n", counted(r.Tasks, "task"), counted(r.Subtasks, "subtask"), counted(r.Results, "result"), r.ElapsedMS/1000)
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\n%s\n", r.verdict())
	return err
}

// verdict says in a sentence or two what the play has shown.
func (r Report) verdict() string {
	if !r.Passed {
		return "FAILED: do not rely on this server; the message below says why."
	}
	return fmt.Sprintf("PASSED: the answer is the true average, and not one of the %s is in\n"+
		"the %s that the nodes sent; all of them were looked at.", counted(r.rows, "age"), counted(r.bytes, "byte"))
}

// counted writes a number with its noun.
func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
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
