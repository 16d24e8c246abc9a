package plot

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

// Whatever is measured, the plot is well-formed and within its picture.
func TestPlotsAreWellFormed(t *testing.T) {
	for name, points := range map[string][]Point{
		"one":        {{1, 1}},
		"at nothing": {{0, 0}, {0, 0}},
		"tiny":       {{0, 1e-9}, {1e-9, 2e-9}},
		"large":      {{1, 5500}, {40, 1e6}, {80, 3}},
		"powers":     {{1, .2}, {2, .4}, {4, 1}, {8, 30}, {128, 700}},
		"many":       slices.Repeat([]Point{{1, 2}, {3, 4}}, 2_000),
	} {
		for _, over := range []Plot{{X: "a < b", Y: "c & d"}, {LogY: true}, {LogX: true, LogY: true}} {
			if over.LogX && (points[0].X <= 0 || len(points) > fewPoints) {
				continue // load begins with one client, and doubles
			}
			over.Title, over.Below = `"A" <title>`, "here & now"
			over.Lines = []Line{{Name: "<1>", Points: points}, {Name: "2", Points: points, Second: true, Dashed: true}}
			lookAtPlot(t, name, over.SVG())
		}
	}
}

func lookAtPlot(t *testing.T, name, svg string) {
	t.Helper()
	lines := 0
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, svg)
		}
		element, ok := token.(xml.StartElement)
		if !ok || element.Name.Local != "polyline" {
			continue
		}
		lines++
		for _, a := range element.Attr {
			if a.Name.Local == "points" {
				withinPicture(t, name, a.Value)
			}
		}
	}
	if lines != 2 || len(svg) > 40_000 {
		t.Errorf("%s: %d lines, %d bytes", name, lines, len(svg))
	}
}

func withinPicture(t *testing.T, name, places string) {
	t.Helper()
	for place := range strings.FieldsSeq(places) {
		var x, y float64
		if n, err := fmt.Sscanf(place, "%f,%f", &x, &y); n != 2 || err != nil || math.IsNaN(x+y) || x < left-1 || x > width || y < 0 || y > height-bottom+1 {
			t.Fatalf("%s: a point is at %s", name, place)
		}
	}
}
