package core

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"vserver/queries"
	"vserver/service/promise"
)

// TestDutiesTakeTurns: none is done while another one is, each comes back at its own pace, and one that fails or panics
// is tried again like the others.
func TestDutiesTakeTurns(t *testing.T) {
	var said bytes.Buffer
	c := &Core{log: zerolog.New(&said)}
	ctx, stop := context.WithTimeout(t.Context(), promise.Patience)
	defer stop()
	var alone sync.Mutex
	done := map[string]int{}
	work := func(name string, every time.Duration, end func() error) duty {
		return duty{every, func(context.Context) error {
			if !alone.TryLock() {
				t.Errorf("%s is done beside another", name)
				return nil
			}
			defer alone.Unlock()
			if done[name]++; done["often"] > 3 && done["fails"] > 3 && done["panics"] > 3 {
				stop()
			}
			return end()
		}, name}
	}
	c.takeTurns(ctx, time.Millisecond, []duty{
		work("rare", time.Hour, func() error { return nil }),
		work("panics", time.Millisecond, func() error { panic("a fault of a duty") }),
		work("fails", time.Millisecond, func() error { return errors.New("no luck") }),
		work("busy", time.Hour, func() error { return queries.ErrBusy }),
		work("often", time.Millisecond, func() error { return nil }),
	})
	if done["rare"] != 1 || done["busy"] != 1 || done["often"] < 3 || done["fails"] < 3 || done["panics"] < 3 {
		t.Errorf("done: %v", done)
	}
	log := said.String()
	for _, text := range []string{"panics: it panicked, and will be tried again", "a fault of a duty", `"error":"no luck","message":"fails, it will be tried again"`} {
		if !strings.Contains(log, text) {
			t.Errorf("%q is not in the log: %s", text, log)
		}
	}
	if strings.Contains(log, "busy") {
		t.Errorf("who found another server at work complains: %s", log)
	}
}
