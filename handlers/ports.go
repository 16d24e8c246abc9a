package handlers

import (
	"net/http"

	"vserver/service/access"
	"vserver/service/core"
	"vserver/service/fault"
)

func (s *Server) portRoutes() []route {
	const all = access.User | access.Node | access.Container
	return []route{
		{method: "GET", path: "/port", who: all, judges: core.ListsInCollaborations, endpoint: requires[access.ViewPorts](s.handleListPorts)},
		{method: "POST", path: "/port", who: access.Node, once: true, judges: core.NeedsOwnResult, endpoint: requires[access.NodeItself](s.handleCreatePort)},
		{method: "DELETE", path: "/port", who: access.Node, once: true, judges: core.NeedsOwnResult, endpoint: requires[access.NodeItself](s.handleDeletePorts)},
		{method: "GET", path: "/port/:id", who: all, judges: core.ViewsPort, endpoint: requires[access.ViewPorts](s.handleGetPort)},
	}
}

// portJSON is a port on the wire (/docs/ports#object).
type portJSON struct {
	embeddedPortJSON
	Result *int64 `json:"result"`
}

func toPortJSON(p core.Port) portJSON {
	return portJSON{embeddedPortJSON: embeddedPortJSON{ID: p.ID, Port: p.Port, Label: p.Label}, Result: p.ResultID}
}

func (s *Server) handleListPorts(k *call, g access.Grant[access.ViewPorts]) error {
	p, err := k.page()
	if err != nil {
		return err
	}
	f := k.filters()
	filter := core.PortFilter{ResultID: f.id("result_id"), TaskID: f.id("task_id"), RunID: f.id("run_id")}
	if f.err() != nil {
		return f.err()
	}
	rows, total, err := s.core.Ports(k.ctx, g, filter, p)
	if err != nil {
		return err
	}
	return list(k, p, each(rows, toPortJSON), total)
}

func (s *Server) handleGetPort(k *call, g access.Grant[access.ViewPorts]) error {
	p, err := s.core.Port(k.ctx, g, k.id("id"))
	if err != nil {
		return err
	}
	return k.reply(http.StatusOK, toPortJSON(p))
}

func (s *Server) handleCreatePort(k *call, g access.Grant[access.NodeItself]) error {
	b, err := k.body()
	if err != nil {
		return err
	}
	b.need("port")
	b.need("result_id")
	port, result := b.integer("port"), b.integer("result_id")
	if port != nil && (*port < 1 || *port > 65535) {
		b.refuse("port", "has to be from 1 to 65535")
	}
	label := b.text("label", shortText)
	if b.err() != nil {
		return b.err()
	}
	p, err := s.core.CreatePort(k.ctx, g, core.PortFields{Port: *port, ResultID: *result, Label: label})
	if err != nil {
		return err
	}
	return k.reply(http.StatusCreated, toPortJSON(p))
}

func (s *Server) handleDeletePorts(k *call, g access.Grant[access.NodeItself]) error {
	f := k.filters()
	result := f.id("result_id")
	switch {
	case f.err() != nil:
		return f.err()
	case result == nil:
		return fault.New(fault.Invalid, "The result_id argument is required!")
	}
	if err := s.core.DeletePorts(k.ctx, g, *result); err != nil {
		return err
	}
	return k.say("Ports removed from the database.")
}
