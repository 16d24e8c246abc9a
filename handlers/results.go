package handlers

import (
	"context"
	"net/http"
	"time"

	"vserver/service/access"
	"vserver/service/core"
)

func (s *Server) resultRoutes() []route {
	const all = access.User | access.Node | access.Container
	return []route{
		{method: "GET", path: "/result", who: all, texts: true, lasting: true, judges: core.ListsInCollaborations, endpoint: requires[access.ViewResults](s.handleListResults)},
		{method: "GET", path: "/result/:id", who: all, texts: true, lasting: true, judges: core.ViewsResult, endpoint: requires[access.ViewResults](s.handleGetResult)},
		{method: "PATCH", path: "/result/:id", who: access.Node, held: true, once: true, judges: core.ChangesResult, endpoint: receives[access.NodeItself](s.handleChangeResult)},
		{method: "GET", path: "/task/:id/result", who: access.User | access.Container, texts: true, lasting: true, judges: core.ViewsTask, endpoint: requires[access.ViewResults](s.handleListResultsOfTask)},
	}
}

// embeddedResultJSON is a result on the wire as it stands within a task (/docs/results#object).
type embeddedResultJSON struct {
	resultJSON
	Organization *int64 `json:"organization"`
}

// resultOfTaskJSON is a result in the list of a task's results.
type resultOfTaskJSON struct {
	embeddedResultJSON
	Task *int64 `json:"task"`
}

// fullResultJSON is a result by itself.
type fullResultJSON struct {
	resultJSON
	Organization *link `json:"organization"`
	Task         any   `json:"task"` // a link, or taskJSON when it was asked for
}

// resultJSON is what all forms of a result have.
type resultJSON struct {
	ID         int64              `json:"id"`
	Input      any                `json:"input"` // textJSON
	Result     any                `json:"result"`
	Log        any                `json:"log"`
	Status     *string            `json:"status"`
	AssignedAt *string            `json:"assigned_at"`
	StartedAt  *string            `json:"started_at"`
	FinishedAt *string            `json:"finished_at"`
	Node       any                `json:"node"` // resultNodeJSON, {} when there is no such node
	Ports      []embeddedPortJSON `json:"ports"`
}

// resultNodeJSON is a node within a result. Nobody reads its configuration here.
type resultNodeJSON struct {
	ID     int64   `json:"id"`
	Name   *string `json:"name"`
	IP     *string `json:"ip"`
	Status *string `json:"status"`
	Config []int64 `json:"config"`
}

// embeddedPortJSON is a port within a result.
type embeddedPortJSON struct {
	ID    int64   `json:"id"`
	Port  *int64  `json:"port"`
	Label *string `json:"label"`
}

func (s *Server) resultBase(r core.Result) resultJSON {
	j := resultJSON{
		ID: r.ID, Input: s.textJSON(r.Input), Result: s.textJSON(r.Output), Log: s.textJSON(r.Log), Status: r.Status,
		AssignedAt: moment(r.AssignedAt), StartedAt: moment(r.StartedAt), FinishedAt: moment(r.EndedAt),
		Node: struct{}{}, Ports: make([]embeddedPortJSON, len(r.Ports)),
	}
	if n := r.Node; n != nil {
		j.Node = resultNodeJSON{ID: n.ID, Name: n.Name, IP: n.IP, Status: n.Status, Config: []int64{}}
	}
	for i, p := range r.Ports {
		j.Ports[i] = embeddedPortJSON{ID: p.ID, Port: p.Port, Label: p.Label}
	}
	return j
}

func (s *Server) embeddedResultJSON(r core.Result) embeddedResultJSON {
	return embeddedResultJSON{resultJSON: s.resultBase(r), Organization: r.OrganizationID}
}

func (s *Server) resultOfTaskJSON(r core.Result) resultOfTaskJSON {
	return resultOfTaskJSON{embeddedResultJSON: s.embeddedResultJSON(r), Task: r.TaskID}
}

func (s *Server) fullResultJSON(r core.Result) fullResultJSON {
	j := fullResultJSON{resultJSON: s.resultBase(r), Organization: s.link("organization", r.OrganizationID), Task: s.link("task", r.TaskID)}
	if r.Task != nil {
		j.Task = s.taskJSON(*r.Task)
	}
	return j
}

func (s *Server) handleListResults(k *call, g access.Grant[access.ViewResults]) error {
	p, err := k.page()
	if err != nil {
		return err
	}
	f := k.filters()
	filter := core.ResultFilter{
		TaskID: f.id("task_id"), OrganizationID: f.id("organization_id"), NodeID: f.id("node_id"), Port: f.id("port"),
		Open:         k.query.Get("state") == "open",
		AssignedFrom: f.moment("assigned_from"), AssignedTill: f.moment("assigned_till"),
		StartedFrom: f.moment("started_from"), StartedTill: f.moment("started_till"),
		EndedFrom: f.moment("finished_from"), EndedTill: f.moment("finished_till"),
	}
	if f.err() != nil {
		return f.err()
	}
	if filter.Open {
		s.live.fetched(k.actor, filter.TaskID)
	}
	results, err := s.core.Results(k.ctx, g, filter, p, k.includes("task"))
	if err != nil {
		return err
	}
	return longList(k, p, results, s.fullResultJSON)
}

func (s *Server) handleListResultsOfTask(k *call, g access.Grant[access.ViewResults]) error {
	p, err := k.page()
	if err != nil {
		return err
	}
	results, err := s.core.ResultsOfTask(k.ctx, g, k.id("id"), p)
	if err != nil {
		return err
	}
	return longList(k, p, results, s.resultOfTaskJSON)
}

func (s *Server) handleGetResult(k *call, g access.Grant[access.ViewResults]) error {
	r, err := s.core.Result(k.ctx, g, k.id("id"), k.includes("task"))
	if err != nil {
		return err
	}
	return k.replyTexts(http.StatusOK, s.fullResultJSON(r))
}

// handleChangeResult judges before it reads: what a node sends may be long.
func (s *Server) handleChangeResult(k *call, g access.Grant[access.NodeItself]) error {
	id := k.id("id")
	err := s.core.Hold(k.ctx, k.until, func(ctx context.Context) error { return s.core.AwaitsResult(ctx, g, id) })
	if err != nil {
		return err
	}
	if err := k.loadTexts(longBody{takes: textsOfResult, most: 2}); err != nil {
		return err
	}
	r, err := s.core.ChangeResult(k.ctx, g, id, sent(k.body, resultFields), k.until)
	if err != nil {
		return err
	}
	return k.replyTexts(http.StatusOK, s.fullResultJSON(r))
}

func textsOfResult(place []string, object bool) string {
	if !object && len(place) == 1 && (place[0] == "result" || place[0] == "log") {
		return place[0]
	}
	return ""
}

func resultFields(b *body) core.ResultFields {
	return core.ResultFields{
		StartedAt: b.moment("started_at"), EndedAt: b.moment("finished_at"), Status: b.text("status", shortText),
		Output: b.longText("result"), Log: b.longText("log"),
	}
}

// moment reads a time as nodes write it: theirs, without an offset, and without a
// fraction once in a million (/docs/wire#fields). Nil when absent, null or empty.
func (b *body) moment(field string) *time.Time {
	s := b.text(field, shortText)
	if s == nil || *s == "" {
		return nil
	}
	t, ok := parseMoment(*s)
	if !ok {
		b.refuse(field, "has to be a time like 2026-01-31T12:00:00.000000")
		return nil
	}
	return &t
}
