package handlers

import (
	"encoding/json"
	"net/http"
	"strings"

	"vserver/service/access"
	"vserver/service/core"
)

func (s *Server) taskRoutes() []route {
	const all = access.User | access.Node | access.Container
	return []route{
		{method: "GET", path: "/task", who: all, lasting: true, judges: core.ListsInCollaborations, endpoint: requires[access.ViewTasks](s.handleListTasks)},
		{method: "POST", path: "/task", who: access.User | access.Container, once: true, judges: core.CreatesTasks, endpoint: receives[access.CreateTasks](s.handleCreateTask)},
		{method: "GET", path: "/task/:id", who: all, lasting: true, judges: core.ViewsTask, endpoint: requires[access.ViewTasks](s.handleGetTask)},
		{method: "DELETE", path: "/task/:id", who: access.User, once: true, judges: core.DeletesTask, endpoint: requires[access.DeleteTasks](s.handleDeleteTask)},
		{method: "GET", path: "/collaboration/:id/task", who: access.User | access.Node, lasting: true, judges: core.ViewsCollaboration, endpoint: requires[access.ViewTasks](s.handleListTasksOfCollaboration)},
	}
}

// taskJSON is a task on the wire as it stands within a result (/docs/tasks#object).
type taskJSON struct {
	ID            int64   `json:"id"`
	Name          *string `json:"name"`
	Description   *string `json:"description"`
	Image         *string `json:"image"`
	Database      *string `json:"database"`
	RunID         *int64  `json:"run_id"`
	Collaboration *link   `json:"collaboration"`
	Initiator     *int64  `json:"initiator"` // an organization
	InitUser      *int64  `json:"init_user"`
	Parent        *link   `json:"parent"`
	Children      []link  `json:"children"`
	Complete      bool    `json:"complete"`
	Status        string  `json:"status"`
	CreatedAt     *string `json:"created_at"`
	FinishedAt    *string `json:"finished_at"`
}

// fullTaskJSON is a task with its results: links, or embeddedResultJSON when they
// were asked for.
type fullTaskJSON struct {
	taskJSON
	Results any `json:"results"`
}

func (s *Server) taskJSON(t core.Task) taskJSON {
	return taskJSON{
		ID: t.ID, Name: t.Name, Description: t.Description, Image: t.Image, Database: t.Database, RunID: t.RunID,
		Collaboration: s.link("collaboration", t.CollaborationID), Initiator: t.InitiatorID, InitUser: t.InitUserID,
		Parent: s.link("task", t.ParentID), Children: s.links("task", t.Children),
		Complete: t.Complete(), Status: t.Status, CreatedAt: moment(t.CreatedOn()), FinishedAt: moment(t.FinishedAt()),
	}
}

func (s *Server) fullTaskJSON(t core.Task) fullTaskJSON {
	j := fullTaskJSON{taskJSON: s.taskJSON(t)}
	if t.Results != nil {
		j.Results = each(t.Results, s.embeddedResultJSON)
		return j
	}
	ids := make([]int64, len(t.States))
	for i, r := range t.States {
		ids[i] = r.ResultID
	}
	j.Results = s.links("result", ids)
	return j
}

func (s *Server) handleListTasks(k *call, g access.Grant[access.ViewTasks]) error {
	p, err := k.page()
	if err != nil {
		return err
	}
	f := k.filters()
	filter := core.TaskFilter{
		InitiatorID: f.id("initiator_id"), InitUserID: f.id("init_user_id"), CollaborationID: f.id("collaboration_id"),
		ParentID: f.id("parent_id"), RunID: f.id("run_id"), ResultID: f.id("result_id"),
		Name: f.text("name"), Image: f.text("image"), Description: f.text("description"), Database: f.text("database"),
		Status: f.text("status"), CreatedAfter: f.moment("created_after"), CreatedBefore: f.moment("created_before"),
	}
	if f.err() != nil {
		return f.err()
	}
	tasks, err := s.core.Tasks(k.ctx, g, filter, p, k.includes("result", "results"))
	if err != nil {
		return err
	}
	return longList(k, p, tasks, s.fullTaskJSON)
}

func (s *Server) handleListTasksOfCollaboration(k *call, g access.Grant[access.ViewTasks]) error {
	p, err := k.page()
	if err != nil {
		return err
	}
	tasks, err := s.core.TasksOfCollaboration(k.ctx, g, k.id("id"), p)
	if err != nil {
		return err
	}
	return longList(k, p, tasks, s.fullTaskJSON)
}

func (s *Server) handleGetTask(k *call, g access.Grant[access.ViewTasks]) error {
	t, err := s.core.Task(k.ctx, g, k.id("id"), k.includes("result", "results"))
	if err != nil {
		return err
	}
	return k.replyTexts(http.StatusOK, s.fullTaskJSON(t))
}

func (s *Server) handleDeleteTask(k *call, g access.Grant[access.DeleteTasks]) error {
	id := k.id("id")
	if err := s.core.DeleteTask(k.ctx, g, id); err != nil {
		return err
	}
	return k.say("task id=%d and its result successfully deleted", id)
}

func (s *Server) handleCreateTask(k *call, g access.Grant[access.CreateTasks]) error {
	if err := k.loadTexts(longBody{takes: textsOfTask, judge: func(begun []byte) error { return k.judgeTask(g, begun) }}); err != nil {
		return err
	}
	b, err := k.body()
	if err != nil {
		return err
	}
	b.need("collaboration_id")
	b.need("organizations")
	task := core.NewTask{
		Name: b.optional("name", shortText), Description: b.optional("description", longText),
		Image: b.optional("image", imageText), Database: b.optional("database", shortText),
	}
	if id := b.integer("collaboration_id"); id != nil {
		task.CollaborationID = *id
	}
	task.Targets = b.targets("organizations")
	if b.err() != nil {
		return b.err()
	}
	t, err := s.core.CreateTask(k.ctx, g, task)
	if err != nil {
		return err
	}
	return k.reply(http.StatusCreated, s.fullTaskJSON(t))
}

// judgeTask refuses a long body once the collaboration is known and the caller makes no task there.
func (k *call) judgeTask(g access.Grant[access.CreateTasks], begun []byte) error {
	raw := beginning(begun, "collaboration_id")
	if raw == nil {
		return nil
	}
	b := body{call: k, fields: map[string]json.RawMessage{"collaboration_id": raw}}
	id := b.integer("collaboration_id")
	if id == nil {
		return b.err()
	}
	return k.s.core.AdmitsTasksOf(k.ctx, g, *id)
}

// textsOfTask names the inputs of a task, which may be objects too.
func textsOfTask(place []string, _ bool) string {
	if len(place) == 3 && place[0] == "organizations" && place[1] == "" && place[2] == "input" {
		return "input"
	}
	return ""
}

// optional reads a text that is empty when absent; an explicit null stays null.
func (b *body) optional(field string, limit int) *string {
	if _, sent := b.fields[field]; !sent {
		return new(string)
	}
	return b.text(field, limit)
}

// targets reads the organizations of a task with what each gets to work on.
func (b *body) targets(field string) []core.Target {
	raw, ok := b.get(field)
	if !ok {
		return nil
	}
	var items []map[string]json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		b.refuse(field, "has to be a list of objects")
		return nil
	}
	list := make([]core.Target, len(items))
	for i, item := range items {
		if item == nil {
			b.refuse(field, "has to be a list of objects")
			return nil
		}
		list[i].OrganizationID = b.organizationID(item["id"])
		list[i].Input = b.input(item["input"])
	}
	return list
}

// organizationID reads an id that has to be a number; everything else is no member
// of any collaboration.
func (b *body) organizationID(raw json.RawMessage) int64 {
	if strings.HasPrefix(string(raw), `"`) {
		return 0
	}
	id, err := b.whole(raw)
	if err != nil {
		return 0
	}
	return id
}

// input reads what an organization gets to work on: an opaque text, or the one that was
// made of an object; nil when absent or null.
func (b *body) input(raw json.RawMessage) *core.Text {
	if len(raw) == 0 {
		return nil
	}
	field := body{fields: map[string]json.RawMessage{"input": raw}, texts: b.texts}
	text := field.longText("input")
	if b.fault == nil {
		b.fault = field.fault
	}
	return text
}
