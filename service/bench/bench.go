// Package bench measures a server as its clients meet it: through REST and the live channel, with
// large results, slow readers and writers, floods and crowds, beside a look at the memory of the
// server's process. It starts servers of its own, of this program and of an older one to compare
// with, in turns, or takes one that runs.
//
// It knows of the house only demo, whose nodes carry tasks out, fault, freeport, plot, and queries for databases
// of its own on PostgreSQL; everything else it does as any client does. It is large because each kind of load has a scenario of its own.
package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"vserver/service/fault"
)

// Options say what is measured, and on which servers.
type Options struct {
	Names []string // of scenarios, in any order; none for all
	Quick bool     // sizes that take seconds
	Sizes Sizes    // what is not zero replaces the sizes of every scenario
	// Rounds is how often each scenario is done on each program; 0 for 3, or 1 when quick.
	Rounds int
	// Plots is the folder for the plots, "" for none.
	Plots string

	// Program is the path of the program to measure, and Against that of an older one beside it,
	// or "".
	Program, Against string
	// Postgres is a connection string; every server gets an empty database of its own there.
	// "" is SQLite.
	Postgres string

	// Address is a server that runs already, with its API path; then Program, Against and
	// Postgres are not looked at.
	Address            string
	Username, Password string // of an administrator there
	PID                int    // of its process, 0 when it is not known

	// Version says what Program is, for the plots.
	Version string
	// Progress is told what happens; may be nil.
	Progress func(text string)
}

// trialTime is how long one round of a scenario may take.
const trialTime = 15 * time.Minute

// build is a program whose servers are measured.
type build struct{ name, path string }

// bench is one run.
type bench struct {
	Options
	builds []build
	given  *server // of Address
	report Report
	plots  []*named
}

// Run measures. The report has a row for everything that was to be measured, also when that failed;
// the error is about the run as a whole, or says that a scenario could not be carried out.
func Run(ctx context.Context, o Options) (Report, error) {
	chosen, err := choose(o.Names)
	if err != nil {
		return Report{}, err
	}
	b := &bench{Options: o, builds: []build{{"this", o.Program}}}
	if o.Against != "" && o.Address == "" {
		b.builds = append(b.builds, build{"against", o.Against})
	}
	if err := b.prepare(ctx); err != nil {
		return Report{}, err
	}
	defer b.leave(ctx)
	for _, s := range chosen {
		b.scenario(ctx, s)
		if ctx.Err() != nil {
			return b.report, errors.New("interrupted")
		}
	}
	b.report.Machine.LoadAfter = load()
	return b.finish()
}

// prepare finds out early what would be in the way.
func (b *bench) prepare(ctx context.Context) (err error) {
	b.Rounds = cmp.Or(b.Rounds, map[bool]int{true: 1, false: 3}[b.Quick])
	b.report = Report{
		Began: time.Now().UTC().Truncate(time.Second), Version: b.Version, Database: "SQLite", Rounds: b.Rounds, Quick: b.Quick, Machine: thisMachine(),
	}
	if b.Postgres != "" {
		b.report.Database = "PostgreSQL"
	}
	if b.Plots != "" {
		if err := writable(b.Plots); err != nil {
			return fmt.Errorf("the plots cannot be written: %w", err)
		}
	}
	if len(b.builds) > 1 {
		if b.report.Against, err = programVersion(ctx, b.Against); err != nil {
			return err
		}
	}
	if b.Address != "" {
		b.report.Database = "" // of the given server, which does not tell
		if b.given, err = attach(b.Address, b.Username, b.Password, b.PID); err != nil {
			return err
		}
		return b.given.begin(ctx)
	}
	return nil
}

// writable makes a folder and tries whether files can be made in it.
func writable(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // plots are for everybody
		return err
	}
	f, err := os.CreateTemp(dir, ".try-")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// leave takes what it can out of a server that was there before.
func (b *bench) leave(ctx context.Context) {
	if b.given != nil {
		b.given.tidy(context.WithoutCancel(ctx))
	}
}

func (b *bench) tell(format string, args ...any) {
	if b.Progress != nil {
		b.Progress(fmt.Sprintf(format, args...))
	}
}

// outcome is what the rounds of a scenario gave on one program.
type outcome struct {
	values map[string][]float64 // by measure, one a round
	notes  []string
	lines  []drawn
	err    error
}

// scenario does all rounds of a scenario, on the programs in turns.
func (b *bench) scenario(ctx context.Context, s Scenario) {
	sizes := s.sizes(b.Quick).with(b.Sizes)
	outcomes := make([]outcome, len(b.builds))
	for i := range outcomes {
		outcomes[i].values = map[string][]float64{}
	}
	if s.own && b.given != nil {
		b.report.add(s, sizes, outcomes, "needs a server of its own, without --address")
		return
	}
	for round := range b.Rounds {
		for turn := range b.builds {
			i := (turn + round) % len(b.builds)
			if o := &outcomes[i]; o.err == nil && ctx.Err() == nil {
				b.tell("%s, round %d of %d%s", s.Name, round+1, b.Rounds, b.which(i))
				b.round(ctx, s, sizes, b.builds[i], o)
			}
		}
	}
	b.report.add(s, sizes, outcomes, "")
	b.plots = appendPlots(b.plots, outcomes)
}

func (b *bench) which(i int) string {
	switch {
	case len(b.builds) == 1:
		return ""
	case i == 0:
		return ", this program"
	}
	return ", the other one"
}

// round does a scenario once, and adds what came of it to an outcome.
func (b *bench) round(ctx context.Context, s Scenario, sizes Sizes, on build, o *outcome) {
	ctx, cancel := context.WithTimeout(ctx, trialTime)
	defer cancel()
	t := &trial{sizes: sizes, quick: b.Quick, values: map[string]float64{}, server: b.given}
	err := fault.Caught(func() (err error) {
		if t.server == nil {
			if t.server, err = start(ctx, on.path, b.Postgres, s.descriptors); err != nil {
				return err
			}
		}
		if err := t.setUp(ctx, sizes.Nodes); err != nil {
			return fmt.Errorf("setting the stage: %w", err)
		}
		return s.run(ctx, t)
	})
	if t.server != nil && b.given == nil {
		err = t.end(ctx, err)
	}
	for key, v := range t.values {
		o.values[key] = append(o.values[key], v)
	}
	o.notes = append(o.notes, t.notes...)
	if t.lines != nil {
		o.lines = t.lines // of the last round
	}
	o.err = err
}

// finish draws the plots, and says what could not be carried out.
func (b *bench) finish() (Report, error) {
	if b.Plots != "" {
		if err := b.writePlots(); err != nil {
			return b.report, err
		}
	}
	var failed []string
	for _, r := range b.report.Rows {
		if r.Error != "" && !slices.Contains(failed, r.Scenario) {
			failed = append(failed, r.Scenario)
		}
	}
	if len(failed) > 0 {
		return b.report, fmt.Errorf("could not be carried out: %s", strings.Join(failed, ", "))
	}
	return b.report, nil
}
