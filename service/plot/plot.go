// Package plot draws diagrams of lines as SVG, for light and dark screens. It imports nothing of
// the house.
package plot

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// Plot is a diagram.
type Plot struct {
	Title, Below string // Below says where the values come from
	X, Y         string // what the axes show, with units
	LogX, LogY   bool   // logarithmic axes; their values are above 0
	Lines        []Line
}

// Line is a line of a diagram.
type Line struct {
	Name   string
	Second bool // of the second kind, in its colour
	Dashed bool
	Points []Point
}

// Point is where a line goes through.
type Point struct{ X, Y float64 }

// mostPoints is how many points of a line are drawn.
const mostPoints = 300

// thinned keeps the highest of neighbours when there are too many.
func thinned(points []Point) []Point {
	if len(points) <= mostPoints {
		return points
	}
	var kept []Point
	for group := range slices.Chunk(points, (len(points)+mostPoints-1)/mostPoints) {
		kept = append(kept, slices.MaxFunc(group, func(a, b Point) int { return cmp.Compare(a.Y, b.Y) }))
	}
	return kept
}

// The picture, and the diagram within it.
const (
	width, height            = 760, 430
	left, right, top, bottom = 68, 28, 104, 82
)

// scale turns values into places.
type scale struct {
	from, to float64 // values
	log      bool
	at, len  float64 // place of from, and how far away that of to is
}

func (s scale) place(v float64) float64 {
	if s.log {
		return s.at + s.len*(math.Log(max(v, s.from))-math.Log(s.from))/(math.Log(s.to)-math.Log(s.from))
	}
	return s.at + s.len*(v-s.from)/(s.to-s.from)
}

// marks are the values that an axis shows.
func (s scale) marks() []float64 {
	if s.log {
		return s.logMarks()
	}
	var all []float64
	step := niceStep(s.to - s.from)
	for v := s.from; v <= s.to+step/1000; v += step {
		all = append(all, v)
	}
	return all
}

func (s scale) logMarks() (all []float64) {
	for decade := s.from; decade <= s.to*1.001; decade *= 10 {
		for _, m := range []float64{1, 2, 5} {
			if v := decade * m; v <= s.to*1.001 && (m == 1 || s.to/s.from <= 1e3) {
				all = append(all, v)
			}
		}
	}
	return all
}

// niceStep makes a few steps of 1, 2 or 5 of a decade.
func niceStep(span float64) float64 {
	span = max(span, leastSpan)
	unit := math.Pow(10, math.Floor(math.Log10(span)))
	for _, m := range []float64{.1, .2, .5, 1} {
		if span/(unit*m) <= 8 {
			return unit * m
		}
	}
	return unit
}

// leastSpan keeps axes from having no length.
const leastSpan = 1e-3

// scales fit the values into the diagram.
func (p *Plot) scales() (x, y scale) {
	var xs, ys []float64
	for _, l := range p.Lines {
		for _, at := range thinned(l.Points) {
			xs, ys = append(xs, at.X), append(ys, at.Y)
		}
	}
	x = scale{from: 0, to: max(slices.Max(xs), leastSpan), log: p.LogX, at: left, len: width - left - right}
	y = scale{from: 0, to: slices.Max(ys), log: p.LogY, at: height - bottom, len: -(height - top - bottom)}
	if p.LogX {
		x.from = slices.Min(xs)
		x.to = max(x.to, 2*x.from)
	}
	if p.LogY {
		y.from = decade(slices.Min(ys), math.Floor)
		y.to = max(y.to, 10*y.from)
		for _, m := range []float64{1, 2, 5} {
			if top := decade(y.to, math.Floor) * m; top >= y.to {
				y.to = top
				break
			} else if m == 5 {
				y.to = decade(y.to, math.Ceil)
			}
		}
		return x, y
	}
	y.to = max(y.to, leastSpan)
	step := niceStep(y.to)
	y.to = step * math.Ceil(y.to/step*1.02)
	return x, y
}

func decade(v float64, round func(float64) float64) float64 {
	return math.Pow(10, round(math.Log10(max(v, 1e-6))))
}

// dark is for those who look at a dark screen; everything has its light colour as an attribute.
const dark = `@media (prefers-color-scheme: dark) { .page { fill: #18211f } .ink { fill: #e6ecea } .soft { fill: #a3b1ac } ` +
	`.grid { stroke: #2c3936 } .axis { stroke: #71807b } .first { stroke: #5fd4c5 } .second { stroke: #f0b45b } }`

// SVG draws the plot.
func (p *Plot) SVG() string {
	var b strings.Builder
	put := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	put(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" font-family="system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif" font-size="13">`, width, height, width, height)
	put(`<title>%s</title>`, html.EscapeString(p.Title))
	put(`<style>%s</style>`, dark)
	put(`<rect class="page" width="%d" height="%d" rx="12" fill="#ffffff"/>`, width, height)
	put(`<text class="ink" x="20" y="30" font-size="16" font-weight="600" fill="#1c2422">%s</text>`, html.EscapeString(p.Title))
	p.drawLegend(put)
	x, y := p.scales()
	p.drawAxes(put, x, y)
	for _, l := range p.Lines {
		l.draw(put, x, y)
	}
	put(`<text class="soft" x="20" y="%d" font-size="11" fill="#55625e">%s</text>`, height-14, html.EscapeString(p.Below))
	put(`</svg>`)
	return b.String()
}

// fewPoints are shown as such.
const fewPoints = 20

func (l Line) draw(put func(string, ...any), x, y scale) {
	var places []string
	for _, at := range thinned(l.Points) {
		places = append(places, fmt.Sprintf("%.1f,%.1f", x.place(at.X), y.place(at.Y)))
		if len(l.Points) <= fewPoints {
			put(`<circle class="%s" cx="%.1f" cy="%.1f" r="2.5" fill="none" stroke="%s" stroke-width="2"/>`, l.class(), x.place(at.X), y.place(at.Y), l.colour())
		}
	}
	put(`<polyline class="%s" points="%s" fill="none" stroke="%s" stroke-width="2" stroke-linejoin="round"%s/>`,
		l.class(), strings.Join(places, " "), l.colour(), l.dash())
}

// drawLegend names the lines.
func (p *Plot) drawLegend(put func(string, ...any)) {
	at := 20
	for _, l := range p.Lines {
		put(`<line class="%s" x1="%d" y1="54" x2="%d" y2="54" stroke="%s" stroke-width="3"%s/>`, l.class(), at, at+26, l.colour(), l.dash())
		put(`<text class="ink" x="%d" y="58" fill="#1c2422">%s</text>`, at+32, html.EscapeString(l.Name))
		at += 32 + 7*len(l.Name) + 22
	}
}

func (p *Plot) drawAxes(put func(string, ...any), x, y scale) {
	for _, v := range y.marks() {
		at := y.place(v)
		put(`<line class="grid" x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#e3e7e5"/>`, left, at, width-right, at)
		put(`<text class="soft" x="%d" y="%.1f" text-anchor="end" fill="#55625e">%s</text>`, left-8, at+4.5, mark(v))
	}
	marks := x.marks()
	if p.LogX {
		marks = nil
		for _, at := range p.Lines[0].Points {
			marks = append(marks, at.X)
		}
	}
	for _, v := range marks {
		put(`<line class="axis" x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#71807b"/>`, x.place(v), height-bottom, x.place(v), height-bottom+5)
		put(`<text class="soft" x="%.1f" y="%d" text-anchor="middle" fill="#55625e">%s</text>`, x.place(v), height-bottom+20, mark(v))
	}
	put(`<line class="axis" x1="%d" y1="%d" x2="%d" y2="%d" stroke="#71807b"/>`, left, height-bottom, width-right, height-bottom)
	put(`<text class="soft" x="%d" y="%d" text-anchor="middle" fill="#55625e">%s</text>`, (left+width-right)/2, height-bottom+42, html.EscapeString(p.X))
	put(`<text class="soft" x="20" y="%d" fill="#55625e">%s</text>`, top-20, html.EscapeString(p.Y))
}

// mark writes a value of an axis.
func mark(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.4f", math.Round(v*1e4)/1e4), "0"), ".")
}

func (l Line) class() string {
	if l.Second {
		return "second"
	}
	return "first"
}

func (l Line) colour() string {
	if l.Second {
		return "#b45309"
	}
	return "#0f766e"
}

func (l Line) dash() string {
	if l.Dashed {
		return ` stroke-dasharray="6 4"`
	}
	return ""
}
