package handlers

import (
	"slices"
	"strings"

	"vserver/service/access"
	"vserver/service/core"
	"vserver/service/fault"
)

func (s *Server) eventRoutes() []route {
	return []route{
		{method: "GET", path: "/event", who: access.User, endpoint: requires[access.UserItself](s.handleListEvents)},
	}
}

// mostOnPage is how many events are on a page at most, also when none is asked for.
const mostOnPage = 1000

// eventJSON is an event on the wire (/docs/events#object).
type eventJSON struct {
	ID            int64   `json:"id"`
	At            *string `json:"at"`
	Type          string  `json:"type"`
	Name          *string `json:"name"`
	Status        *string `json:"status"`
	RunID         *int64  `json:"run_id"`
	Task          *link   `json:"task"`
	Result        *link   `json:"result"`
	Node          *link   `json:"node"`
	User          *link   `json:"user"`
	Organization  *link   `json:"organization"`
	Collaboration *link   `json:"collaboration"`
}

func (s *Server) eventJSON(e core.Event) eventJSON {
	return eventJSON{
		ID: e.ID, At: moment(&e.At), Type: e.Type, Name: e.Name, Status: e.Status, RunID: e.RunID,
		Task: s.link("task", e.TaskID), Result: s.link("result", e.ResultID), Node: s.link("node", e.NodeID), User: s.link("user", e.UserID),
		Organization: s.link("organization", e.OrganizationID), Collaboration: s.link("collaboration", e.CollaborationID),
	}
}

func (s *Server) handleListEvents(k *call, g access.Grant[access.UserItself]) error {
	p, err := k.page()
	switch {
	case err != nil:
		return err
	case p.Size > mostOnPage:
		return fault.New(fault.Invalid, "per_page needs to be <= %d", mostOnPage)
	case p.Number == 0:
		p = core.Page{Number: 1, Size: mostOnPage}
	}
	f := k.filters()
	filter := core.EventFilter{
		Types: f.texts("type"), CollaborationID: f.id("collaboration_id"), TaskID: f.id("task_id"), NodeID: f.id("node_id"),
		Since: f.moment("since"), Until: f.moment("until"),
	}
	if f.err() != nil {
		return f.err()
	}
	for _, kind := range filter.Types {
		if !slices.Contains(core.EventTypes(), kind) {
			return fault.New(fault.Invalid, "type has to be one of %s", strings.Join(core.EventTypes(), ", "))
		}
	}
	rows, total, err := s.core.Events(k.ctx, g, filter, p)
	if err != nil {
		return err
	}
	return list(k, p, each(rows, s.eventJSON), total)
}
