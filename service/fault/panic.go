package fault

import (
	"context"
	"crypto/rand"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/rs/zerolog"
)

// Panic is what somebody panicked with, as an error. Nothing but the incident is ever
// shown to a caller.
type Panic struct {
	Value    any
	Stack    string // of the goroutine that panicked
	Incident string // the id under which the log has it
}

// NewIncident makes an id under which the log has what a caller is not told.
func NewIncident() string { return rand.Text()[:12] }

// Error returns the value; the stack is for the log.
func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// Detail adds all of it to an entry of the log.
func (p *Panic) Detail(e *zerolog.Event) {
	e.Err(p).Str("incident", p.Incident).Str("stack", p.Stack)
}

// Recovered makes an error of what recover returned. A deferred function has to call
// it, so that the stack is still there.
func Recovered(value any) *Panic {
	return &Panic{Value: value, Stack: string(debug.Stack()), Incident: NewIncident()}
}

// Caught does a piece of work; its panic is the error.
func Caught(work func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = Recovered(p)
		}
	}()
	return work()
}

// pause is how long a loop rests after it panicked.
const pause = time.Second

// Steadily runs a loop of the background until it returns. One that panics is reported
// and begun again after a second, since it would end the process for everybody.
func Steadily(ctx context.Context, report func(*Panic), loop func(context.Context)) {
	for !returned(ctx, report, loop) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// returned runs a loop and reports whether it returned by itself.
func returned(ctx context.Context, report func(*Panic), loop func(context.Context)) (ok bool) {
	defer func() {
		if p := recover(); p != nil {
			report(Recovered(p))
		}
	}()
	loop(ctx)
	return true
}
