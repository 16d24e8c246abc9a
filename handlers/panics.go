package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"vserver/service/fault"
)

// recovering makes an error of a handler's panic, so that its caller gets a reply. Who
// aborts a reply on purpose, as net/http has it, is let through.
func (s *Server) recovering(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if p := recover(); p == http.ErrAbortHandler { //nolint:errorlint // what was panicked with, no error that was returned
				panic(p)
			} else if p != nil {
				err = fault.Recovered(p)
			}
		}()
		return next(c)
	}
}

// serveLive answers a request of the live channel.
func (s *Server) serveLive(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if p := recover(); p == http.ErrAbortHandler { //nolint:errorlint // as above
			panic(p)
		} else if p != nil {
			w.Header().Set(incidentHeader, s.incident(r, fault.Recovered(p)))
			w.Header().Set("Cache-Control", noStore)
			w.WriteHeader(http.StatusInternalServerError)
		}
	}()
	s.recognizeLater(r)
	s.live.engine.ServeHTTP(w, r)
}
