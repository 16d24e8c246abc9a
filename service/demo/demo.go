// Package demo plays the whole main job against a running server: hospitals with
// patients, a simulated node for each, a researcher who asks for an average. It
// speaks only the public REST and Socket.IO that every node and client uses, and
// imports nothing of ours but fault; tests and load use the same nodes.
package demo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"vserver/service/fault"
)

// Options say what is played.
type Options struct {
	URL          string // of the server with its API path, like http://127.0.0.1:5000/api
	RootPassword string // of user root, who sets the stage
	Nodes        int    // hospitals, each with a node; at least 1
	Tasks        int    // how often the researcher asks; at least 1
	// Progress is told after each step; it must not block. May be nil.
	Progress func(Progress)
	// Played is told what came of it while the nodes are still online: they leave when it
	// returns. May be nil.
	Played func(Report, error)
}

// Progress is how far the play is.
type Progress struct {
	Step        string
	Done, Total int // parts of the whole play
}

// image is the name of the demo's algorithm. No registry has it: the simulated
// nodes carry it out themselves.
const image = "vserver.example/demo/average:1"

// play is one performance.
type play struct {
	opt        Options
	started    time.Time
	root       *client
	hospitals  []*hospital
	audits     []*audit // by hospital
	keys       []string
	study      int64 // the collaboration
	researcher *client
	audience   *socket // the researcher's live connection
	told       *ledger
	report     Report

	mu   sync.Mutex // of the progress
	step string
	done int
}

// Run sets the stage, has the researcher ask, and compares the federated averages
// with the true one. The report is complete even when they differ; the error then
// says so.
func Run(ctx context.Context, opt Options) (Report, error) {
	p := &play{opt: opt, started: time.Now(), told: newLedger()}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	report, err := p.perform(ctx, &running)
	if opt.Played != nil {
		p.endProgress()
		opt.Played(report, err)
	}
	return report, err
}

// perform plays all steps; the nodes stay until ctx ends.
func (p *play) perform(ctx context.Context, running *sync.WaitGroup) (Report, error) {
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"log in as root and register the hospitals", p.register},
		{"give the researcher an account", p.invite},
		{"bring the nodes online", func(ctx context.Context) error { return p.goOnline(ctx, running) }},
		{"run the tasks", p.ask},
	} {
		p.begin(step.name)
		begun := time.Now()
		if err := step.do(ctx); err != nil {
			return p.report, fmt.Errorf("%s: %w", step.name, err)
		}
		p.report.Steps = append(p.report.Steps, Step{step.name, milliseconds(time.Since(begun))})
	}
	return p.finish()
}

// begin names what happens from now on.
func (p *play) begin(step string) { p.tell(step, 0) }

// advance counts parts of the play as done: an organization, a node, an account, or one
// hospital's work on a task.
func (p *play) advance(parts int) { p.tell("", parts) }

func (p *play) tell(step string, parts int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	total := 3*p.opt.Nodes + 1 + p.opt.Tasks*(p.opt.Nodes+1)
	p.done = min(p.done+parts, total) // what is carried out again counts once more
	if step != "" {
		p.step = step
	}
	if p.opt.Progress != nil {
		p.opt.Progress(Progress{Step: p.step, Done: p.done, Total: total})
	}
}

// endProgress has nobody told of what the nodes do after the play.
func (p *play) endProgress() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opt.Progress = nil
}

// register makes the hospitals, their collaboration and its nodes.
func (p *play) register(ctx context.Context) error {
	p.root = newClient(p.opt.URL)
	if err := p.root.logIn(ctx, "root", p.opt.RootPassword); err != nil {
		return err
	}
	organizations := make([]int64, p.opt.Nodes)
	for i := range p.opt.Nodes {
		h := newHospital(i)
		var made object
		if err := p.root.post(ctx, "/organization", map[string]any{"name": h.name, "country": "Demoland"}, &made); err != nil {
			return err
		}
		organizations[i] = made.ID
		p.hospitals = append(p.hospitals, h)
		p.advance(1)
	}
	var study object
	name := fmt.Sprintf("Demonstration %x", time.Now().UnixNano())
	err := p.root.post(ctx, "/collaboration", map[string]any{"name": name, "organization_ids": organizations, "encrypted": false}, &study)
	if err != nil {
		return err
	}
	p.study = study.ID
	for i, h := range p.hospitals {
		h.organization = organizations[i]
		var made struct {
			APIKey string `json:"api_key"`
		}
		body := map[string]any{"collaboration_id": p.study, "organization_id": h.organization, "name": h.name + " node"}
		if err := p.root.post(ctx, "/node", body, &made); err != nil {
			return err
		}
		p.keys = append(p.keys, made.APIKey)
		p.advance(1)
	}
	return nil
}

// invite makes a researcher at the first hospital and lets them watch.
func (p *play) invite(ctx context.Context) error {
	var roles []struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	}
	if err := p.root.get(ctx, "/role?name=Researcher", &roles); err != nil {
		return err
	}
	if len(roles) == 0 {
		return errors.New("the server has no role Researcher")
	}
	username := fmt.Sprintf("researcher-%x", time.Now().UnixNano())
	p.report.Researcher = Account{username, "Demo-" + username + "!1A"}
	err := p.root.post(ctx, "/user", map[string]any{
		"username": username, "firstname": "Demo", "lastname": "Researcher", "password": p.report.Researcher.Password,
		"email": username + "@demo.example", "organization_id": p.hospitals[0].organization, "roles": []int64{roles[0].ID},
	}, nil)
	if err != nil {
		return err
	}
	p.researcher = newClient(p.opt.URL)
	if err := p.researcher.logIn(ctx, username, p.report.Researcher.Password); err != nil {
		return err
	}
	p.advance(1)
	p.audience, err = p.researcher.connect(ctx, func(e event) { p.told.note("researcher", e.name) }, nil)
	return err
}

// goOnline starts a node for each hospital and waits until the server shows all of
// them online.
func (p *play) goOnline(ctx context.Context, running *sync.WaitGroup) error {
	failed := make(chan error, len(p.hospitals))
	for i, h := range p.hospitals {
		n := NewNode(p.opt.URL, p.keys[i], func(ctx context.Context, c *Container) (string, error) {
			defer p.advance(1)
			return h.average(ctx, c)
		})
		a := newAudit(h)
		n.Told, n.Sent = func(event string) { p.told.note(h.name, event) }, a.look
		p.audits = append(p.audits, a)
		running.Go(func() {
			if err := n.Run(ctx); err != nil && ctx.Err() == nil {
				failed <- fmt.Errorf("the node of %s: %w", h.name, err)
			}
		})
	}
	path := fmt.Sprintf("/node?status=online&collaboration_id=%d", p.study)
	seen := 0
	return poll(ctx, func() (bool, error) {
		select {
		case err := <-failed:
			return false, err
		default:
		}
		var online []object
		err := p.root.get(ctx, path, &online)
		if more := len(online) - seen; more > 0 {
			p.advance(more)
			seen += more
		}
		return len(online) == len(p.hospitals), err
	})
}

// askAtOnce is how many central tasks are under way at a time.
const askAtOnce = 4

// ask has the researcher post the central tasks and wait for their averages.
func (p *play) ask(ctx context.Context) error {
	turns := make(chan struct{}, askAtOnce)
	outcomes := make(chan outcome)
	for range p.opt.Tasks {
		go func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			var o outcome
			if err := fault.Caught(func() error { o = p.askOnce(ctx); return nil }); err != nil {
				o.err = err
			}
			outcomes <- o
		}()
	}
	var err error
	for range p.opt.Tasks {
		o := <-outcomes
		if o.err != nil {
			err = errors.Join(err, o.err)
			continue
		}
		p.report.Averages = append(p.report.Averages, o.average)
		p.report.Partials = o.partials
		p.begin(fmt.Sprintf("run the tasks: %d of %d", len(p.report.Averages), p.opt.Tasks))
	}
	return err
}

// outcome is what came of one central task.
type outcome struct {
	average  float64
	partials []partial
	err      error
}

func (p *play) askOnce(ctx context.Context) outcome {
	organizations := make([]int64, len(p.hospitals))
	for i, h := range p.hospitals {
		organizations[i] = h.organization
	}
	input := encode(order{Method: "central", Organizations: organizations})
	var task object
	err := p.researcher.post(ctx, "/task", map[string]any{
		"name": "average age", "image": image, "collaboration_id": p.study, "database": "default",
		"organizations": []any{map[string]any{"id": p.hospitals[0].organization, "input": input}},
	}, &task)
	if err != nil {
		return outcome{err: err}
	}
	err = poll(ctx, func() (bool, error) {
		var t struct {
			Complete bool `json:"complete"`
		}
		err := p.researcher.get(ctx, fmt.Sprintf("/task/%d", task.ID), &t)
		return t.Complete, err
	})
	if err != nil {
		return outcome{err: err}
	}
	var results []struct {
		Result *string `json:"result"`
		Status string  `json:"status"`
		Log    string  `json:"log"`
	}
	if err := p.researcher.get(ctx, fmt.Sprintf("/task/%d/result", task.ID), &results); err != nil {
		return outcome{err: err}
	}
	var a answer
	if err := decode(results[0].Result, &a); err != nil {
		return outcome{err: fmt.Errorf("task %d ended as %q, its log: %s", task.ID, results[0].Status, results[0].Log)}
	}
	return outcome{average: a.Average, partials: a.Partials}
}

// finish compares and completes the report.
func (p *play) finish() (Report, error) {
	r := &p.report
	p.audience.close()
	var sum float64
	for _, h := range p.hospitals {
		sum += h.sum()
		r.rows += len(h.ages)
	}
	r.TrueAverage = sum / float64(r.rows)
	r.FederatedAverage = r.Averages[0]
	r.Nodes, r.Tasks, r.Subtasks = len(p.hospitals), p.opt.Tasks, p.opt.Tasks
	r.Results = p.opt.Tasks * (1 + len(p.hospitals))
	for i, h := range p.hospitals {
		r.Hospitals = append(r.Hospitals, HospitalReport{
			Name: h.name, Rows: r.Partials[i].Count, Average: r.Partials[i].Sum / float64(r.Partials[i].Count), Told: p.told.of(h.name),
		})
		r.Hospitals[i].count(p.audits[i], r.Partials[i].Sum)
	}
	r.ResearcherTold = p.told.of("researcher")
	r.ElapsedMS = milliseconds(time.Since(p.started))
	err := r.judge()
	r.Passed = err == nil
	return *r, err
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// poll asks until the answer is yes, a little more rarely each time.
func poll(ctx context.Context, ask func() (bool, error)) error {
	wait := 5 * time.Millisecond
	for {
		yes, err := ask()
		if yes || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		wait = min(wait*3/2, 200*time.Millisecond)
	}
}

// ledger counts who was told what.
type ledger struct {
	mu sync.Mutex
	by map[string]map[string]int
}

func newLedger() *ledger { return &ledger{by: map[string]map[string]int{}} }

func (l *ledger) note(who, event string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.by[who] == nil {
		l.by[who] = map[string]int{}
	}
	l.by[who][event]++
}

func (l *ledger) of(who string) map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	told := map[string]int{}
	for event, n := range l.by[who] {
		told[event] = n
	}
	return told
}
