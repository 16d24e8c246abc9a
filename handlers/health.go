package handlers

import (
	"net/http"
)

// Emulates is the release of the reference that this server answers like.
const Emulates = "3.7.3"

func (s *Server) openRoutes() []route {
	return []route{
		{method: "GET", path: "/version", endpoint: public(s.version)},
		{method: "GET", path: "/health", endpoint: public(s.health)},
		{method: "GET", path: "/health/fix", endpoint: public(s.healthFix)},
	}
}

func (s *Server) version(k *call) error {
	return k.reply(http.StatusOK, map[string]string{"version": Emulates})
}

func (s *Server) health(k *call) error {
	return k.reply(http.StatusOK, map[string]bool{"database": s.core.Healthy(k.ctx)})
}

// healthFix did something in releases long gone; old scripts still call it.
func (s *Server) healthFix(k *call) error { return k.reply(http.StatusOK, nil) }
