package handlers

import (
	"vserver/service/access"
	"vserver/service/core"
	"vserver/service/fault"
)

func (s *Server) killRoutes() []route {
	return []route{
		{method: "POST", path: "/kill/task", who: access.User, once: true, judges: core.KillsTasks, endpoint: requires[access.CreateEvents](s.handleKillTask)},
		{method: "POST", path: "/kill/node/tasks", who: access.User, once: true, judges: core.KillsOnNodes, endpoint: requires[access.CreateEvents](s.handleKillNode)},
	}
}

func (s *Server) handleKillTask(k *call, g access.Grant[access.CreateEvents]) error {
	id, err := k.victim("task")
	if err != nil {
		return err
	}
	if err := s.core.KillTask(k.ctx, g, id); err != nil {
		return err
	}
	return k.say("Nodes have been instructed to kill any containers running for task %d.", id)
}

func (s *Server) handleKillNode(k *call, g access.Grant[access.CreateEvents]) error {
	id, err := k.victim("node")
	if err != nil {
		return err
	}
	if err := s.core.KillNode(k.ctx, g, id); err != nil {
		return err
	}
	return k.say("Node %d has been instructed to kill all containers running on it.", id)
}

// victim reads the id of what has to be killed.
func (k *call) victim(kind string) (int64, error) {
	b, err := k.body()
	if err != nil {
		return 0, err
	}
	id := b.integer("id")
	switch {
	case b.err() != nil:
		return 0, b.err()
	case id == nil || *id == 0:
		return 0, fault.New(fault.Invalid, "No %s id provided!", kind)
	}
	return *id, nil
}
