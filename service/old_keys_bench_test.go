package service_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"vserver/service/core"
)

// benchOldKeys compares requests and log-ins beside a search for the API key of a node of a 3.x server with those on an
// idle server (/docs/nodes#old-keys).
func benchOldKeys(b *testing.B) []benchRow {
	const nodes, cost = 100, 12
	hash, err := bcrypt.GenerateFromPassword([]byte("of nobody"), cost)
	must(b, err)
	program := builtProgram(b)
	s := newBenchServer(b, func(c *core.Core) []string {
		list := []string{`UPDATE "user" SET initial_password = FALSE`}
		for id := 1000; id < 1000+nodes; id++ {
			list = append(list,
				fmt.Sprintf(`INSERT INTO authenticatable (id, type) VALUES (%d, 'node')`, id),
				fmt.Sprintf(`INSERT INTO node (id, name) VALUES (%d, 'n')`, id),
				fmt.Sprintf(`INSERT INTO node_old_key (node_id, hash) VALUES (%d, '%s')`, id, hash))
		}
		c.OldKeysLeft().Store(nodes)
		c.CompareKeysBy([]string{program, "compare-key"})
		return list
	})
	alone, logInAlone := s.paces(b)
	searched := make(chan bool)
	go func() {
		defer close(searched)
		req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, s.URL+"/api/token/node", strings.NewReader(`{"api_key":"wrong"}`))
		if err != nil {
			b.Error(err)
			return
		}
		req.Header.Set("Content-Type", "application/json")
		if reply, err := http.DefaultClient.Do(req); err == nil { // else the connection was cut, as it may
			_ = reply.Body.Close()
		}
	}()
	beside, logInBeside := s.paces(b)
	select {
	case <-searched:
		b.Error("the search was over before the measurement: that is no load")
	default:
	}
	return []benchRow{
		{"GET beside the search for a key of 3.x, p99", fmt.Sprintf("%.2f ms", ms(beside)), fmt.Sprintf("alone %.2f ms", ms(alone)), fmt.Sprintf("%.2f", ms(beside)/ms(alone)), "<= 2.00"},
		{"log-in beside the search for a key of 3.x", fmt.Sprintf("%.0f ms", ms(logInBeside)), fmt.Sprintf("alone %.0f ms", ms(logInAlone)), fmt.Sprintf("%.2f", ms(logInBeside)/ms(logInAlone)), "<= 2.00"},
	}
}

// paces are the p99 of short requests, and the median of log-ins.
func (s *benchServer) paces(b *testing.B) (p99, logIn time.Duration) {
	b.Helper()
	const requests, logIns = 10_000, 5
	var took, slow []time.Duration
	for range requests {
		began := time.Now()
		s.call(b, "GET", "/api/organization/1", s.token, "")
		took = append(took, time.Since(began))
	}
	for range logIns {
		began := time.Now()
		if status, err := s.guess(b.Context(), "198.51.100.0", "root", "root"); status != http.StatusOK {
			b.Errorf("a log-in: %d %v", status, err)
		}
		slow = append(slow, time.Since(began))
	}
	slices.Sort(took)
	slices.Sort(slow)
	return took[requests*99/100], slow[logIns/2]
}
