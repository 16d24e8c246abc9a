package service_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"vserver/service/core"
)

// benchLogInUnderFlood compares a log-in that is right, beside a hundred threads that guess from other addresses, with one
// on an idle server, which is one check of a password (/docs/security#u13).
func benchLogInUnderFlood(b *testing.B) []benchRow {
	const threads, rounds = 100, 9
	var rows []benchRow
	for _, c := range []struct {
		what  string
		from  func(thread int) string
		known bool
	}{
		{"log-in, 100 wrong ones from one address", func(int) string { return "192.0.2.1" }, false},
		{"log-in, 100 wrong ones from 100 addresses, a place kept", func(i int) string { return fmt.Sprintf("192.0.2.%d", i) }, true},
	} {
		s := newBenchServer(b, func(*core.Core) []string { return []string{`UPDATE "user" SET initial_password = FALSE`} })
		right := func(from string) time.Duration {
			began := time.Now()
			if status, err := s.guess(b.Context(), from, "root", "root"); status != http.StatusOK {
				b.Errorf("the right log-in: %d %v", status, err)
			}
			return time.Since(began)
		}
		var alone, beside []time.Duration
		for range rounds {
			alone = append(alone, right("198.51.100.0"))
		}
		stop := s.flood(b, threads, c.from)
		for i := range rounds {
			from := "198.51.100.0"
			if !c.known {
				from = fmt.Sprintf("198.51.100.%d", i+1) // nobody logged in from there before
			}
			beside = append(beside, right(from))
		}
		stop()
		slices.Sort(alone)
		slices.Sort(beside)
		one, most := alone[rounds/2], beside[rounds-1]
		rows = append(rows, benchRow{
			c.what, fmt.Sprintf("%.0f ms, the longest %.0f ms", ms(beside[rounds/2]), ms(most)), fmt.Sprintf("alone %.0f ms", ms(one)),
			fmt.Sprintf("%.2f, %.2f", ms(beside[rounds/2])/ms(one), ms(most)/ms(one)), "<= 3.00",
		})
	}
	return rows
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// guess tries to log in from an address.
func (s *benchServer) guess(ctx context.Context, from, name, password string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/api/token/user",
		strings.NewReader(fmt.Sprintf(`{"username":%q,"password":%q}`, name, password)))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Forwarded-For", from)
	reply, err := benchClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer reply.Body.Close()
	_, err = io.Copy(io.Discard, reply.Body)
	return reply.StatusCode, err
}

// flood sends wrong log-ins from many threads until stop is called. It begins once there is a
// crowd that waits.
func (s *benchServer) flood(b *testing.B, threads int, from func(int) string) (stop func()) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	var work sync.WaitGroup
	for i := range threads {
		work.Go(func() {
			for ctx.Err() == nil {
				_, _ = s.guess(ctx, from(i), "nobody", "wrong")
			}
		})
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		if s.core.Waiting()["other"].Load() >= 16 {
			break
		}
	}
	return func() {
		cancel()
		work.Wait()
	}
}
