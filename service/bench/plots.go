package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"vserver/service/plot"
)

// drawn is a line that a scenario has for a plot.
type drawn struct {
	plot   string // its name
	axes   plot.Plot
	name   string // of the line, "" when the plot has one for each program
	dashed bool
	points []plot.Point
}

// draw keeps a line of a plot.
func (t *trial) draw(d drawn) {
	if len(d.points) > 0 {
		t.lines = append(t.lines, d)
	}
}

// drawMemory keeps what a watch has seen.
func (t *trial) drawMemory(name, title string, w *watch) {
	over := plot.Plot{Title: t.sizes.fill(title), X: "seconds", Y: "memory (RSS), MiB"}
	t.draw(drawn{plot: name, axes: over, points: w.end()})
}

// named is a plot with the name of its file.
type named struct {
	name string
	plot.Plot
}

// appendPlots adds the lines of a scenario's outcomes.
func appendPlots(plots []*named, of []outcome) []*named {
	for i, o := range of {
		for _, d := range o.lines {
			at := slices.IndexFunc(plots, func(p *named) bool { return p.name == d.plot })
			if at < 0 {
				plots = append(plots, &named{d.plot, d.axes})
				at = len(plots) - 1
			}
			name := []string{"this program", "older program"}[i]
			if d.name != "" {
				name = d.name
			}
			if d.name != "" && len(of) > 1 {
				name = []string{"this", "older"}[i] + ": " + d.name
			}
			plots[at].Lines = append(plots[at].Lines, plot.Line{Name: name, Second: i > 0, Dashed: d.dashed, Points: d.points})
		}
	}
	return plots
}

// writePlots puts the plots into their folder.
func (b *bench) writePlots() error {
	below := b.report.origin()
	if b.report.Against != "" {
		below += "; older: " + b.report.Against
	}
	for _, p := range b.plots {
		p.Below = below
		file := filepath.Join(b.Plots, p.name+".svg")
		if err := os.WriteFile(file, []byte(p.SVG()), 0o644); err != nil { //nolint:gosec // plots are for everybody
			return fmt.Errorf("writing a plot: %w", err)
		}
		b.report.Plots = append(b.report.Plots, file)
	}
	return nil
}
