package bench

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Scenario is one kind of load with what is measured under it.
type Scenario struct {
	Name  string
	About string // in a sentence
	Full  Sizes
	Fast  Sizes // with Options.Quick

	own         bool // needs a server that it may start
	descriptors int  // that its server may have, 0 for as many as this process
	measures    []measure
	run         func(context.Context, *trial) error
}

// Sizes are the numbers of a scenario; each takes those that mean something to it.
type Sizes struct {
	Size    int64 // bytes of a result or body
	Nodes   int   // nodes, each of an organization of its own
	Sockets int   // live connections
	Tasks   int   // tasks or requests
	Clients int   // clients that work at a time
	Readers int   // clients that take nothing of their answer
	Writers int   // clients whose body does not end
	Threads int   // strangers who try to log in
}

// with replaces sizes by those that are given.
func (s Sizes) with(given Sizes) Sizes {
	for _, p := range []struct{ into, from *int }{
		{&s.Nodes, &given.Nodes}, {&s.Sockets, &given.Sockets}, {&s.Tasks, &given.Tasks}, {&s.Clients, &given.Clients},
		{&s.Readers, &given.Readers}, {&s.Writers, &given.Writers}, {&s.Threads, &given.Threads},
	} {
		if *p.from > 0 {
			*p.into = *p.from
		}
	}
	if given.Size > 0 {
		s.Size = given.Size
	}
	return s
}

// fill puts sizes into a text, in place of {size}, {sockets} and so on.
func (s Sizes) fill(text string) string {
	return strings.NewReplacer(
		"{size}", bytesText(s.Size), "{nodes}", strconv.Itoa(s.Nodes), "{sockets}", thousands(s.Sockets), "{tasks}", thousands(s.Tasks),
		"{clients}", strconv.Itoa(s.Clients), "{readers}", strconv.Itoa(s.Readers), "{writers}", strconv.Itoa(s.Writers), "{threads}", strconv.Itoa(s.Threads),
	).Replace(text)
}

func bytesText(n int64) string {
	for _, u := range []struct {
		name string
		size int64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"MB", 1e6}, {"KiB", 1 << 10}, {"kB", 1e3}} {
		if n >= u.size && n%u.size == 0 {
			return fmt.Sprintf("%d %s", n/u.size, u.name)
		}
	}
	return fmt.Sprintf("%d B", n)
}

func thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

func (s Scenario) sizes(quick bool) Sizes {
	if quick {
		return s.Fast
	}
	return s.Full
}

// Description says what the scenario does, with its sizes.
func (s Scenario) Description(o Options) string {
	return s.sizes(o.Quick).with(o.Sizes).fill(s.About)
}

// measure is a number that a scenario finds.
type measure struct {
	key  string
	text string // what it is, sizes filled in
	unit string
	aim  aim
}

// aim is what a number should be: a bound of its own, or of its ratio to that of the other program.
type aim struct {
	words string
	bound float64
	least bool // else at most
	ratio bool
}

func atMost(bound float64, unit string) aim {
	return aim{words: "<= " + number(bound) + unit, bound: bound}
}

func atLeast(bound float64, unit string) aim {
	return aim{words: ">= " + number(bound) + unit, bound: bound, least: true}
}

func ratioAtMost(bound float64) aim {
	return aim{words: fmt.Sprintf("ratio <= %.2f", bound), bound: bound, ratio: true}
}

func ratioAtLeast(bound float64) aim {
	return aim{words: fmt.Sprintf("ratio >= %.2f", bound), bound: bound, ratio: true, least: true}
}

// met reports whether a number is as wanted; known is false when that cannot be said.
func (a aim) met(value, ratio *float64) (ok, known bool) {
	looked := value
	if a.ratio {
		looked = ratio
	}
	if a.words == "" || looked == nil {
		return false, false
	}
	if a.least {
		return *looked >= a.bound, true
	}
	return *looked <= a.bound, true
}

// choose returns the scenarios of the names, in the order in which they are done; all for no name.
func choose(names []string) ([]Scenario, error) {
	all := Scenarios()
	if len(names) == 0 {
		return all, nil
	}
	chosen := slices.DeleteFunc(slices.Clone(all), func(s Scenario) bool { return !slices.Contains(names, s.Name) })
	for _, name := range names {
		if !slices.ContainsFunc(chosen, func(s Scenario) bool { return s.Name == name }) {
			return nil, fmt.Errorf("there is no scenario %s", name)
		}
	}
	return chosen, nil
}
