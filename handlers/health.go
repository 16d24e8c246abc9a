package handlers

import (
	"net/http"
)

// Emulates is the release of the reference that this server answers like.
const Emulates = "3.7.3"

func (s *Server) healthRoutes() []route {
	return []route{
		{method: "GET", path: "/version", free: true, endpoint: public(s.handleVersion)},
		{method: "GET", path: "/health", free: true, endpoint: public(s.handleHealth)},
		{method: "GET", path: "/health/fix", endpoint: public(s.handleHealthFix)},
	}
}

func (s *Server) handleVersion(k *call) error {
	return k.reply(http.StatusOK, map[string]string{"version": Emulates})
}

func (s *Server) handleHealth(k *call) error {
	healthy := s.core.Healthy(k.ctx) && (s.opt.Exhausted == nil || !s.opt.Exhausted())
	status := http.StatusOK
	if !healthy {
		status = http.StatusServiceUnavailable // load balancers and probes look at nothing else
	}
	return k.reply(status, map[string]bool{"database": healthy})
}

// handleHealthFix did something in releases long gone; old scripts still call it.
func (s *Server) handleHealthFix(k *call) error { return k.reply(http.StatusOK, nil) }
