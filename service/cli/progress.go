package cli

import (
	"fmt"
	"time"

	"vserver/service/terminal"
)

// meter draws on a terminal how far a long work is: its step, how fast that goes, and how long it still takes.
type meter struct {
	p            *program
	unit         string // what is counted
	step         string
	begun, drawn time.Time
}

func (p *program) meter(unit string) *meter { return &meter{p: p, unit: unit} }

// draw shows how much of a step is done. Its line goes when the step ends.
func (m *meter) draw(step string, done, total int64) {
	const every = 100 * time.Millisecond
	if !m.p.Terminal {
		return
	}
	now := time.Now()
	if step != m.step || m.begun.IsZero() {
		m.step, m.begun, m.drawn = step, now, time.Time{}
	}
	if done >= total {
		_, _ = fmt.Fprint(m.p.Console.Out, "\r\x1b[K")
		return
	}
	if now.Sub(m.drawn) < every {
		return
	}
	m.drawn = now
	_, _ = fmt.Fprintf(m.p.Console.Out, "\r\x1b[K%s %s: %s", terminal.Bar(int(done), int(total), " "), step, m.state(now.Sub(m.begun), done, total))
}

// state writes what there is to say of so much done in so long.
func (m *meter) state(spent time.Duration, done, total int64) string {
	text := fmt.Sprintf("%d of %d %s", done, total, m.unit)
	if done == 0 {
		return text
	}
	rate := float64(done) / max(spent, time.Millisecond).Seconds()
	left := time.Duration(float64(total-done) / rate * float64(time.Second)).Round(time.Second)
	return fmt.Sprintf("%s, %.4g/s, %s left", text, rate, left)
}
