package live

import (
	"sync"
	"time"
)

const (
	// paceStretch is how long one works at a pace, and then rests. With the rests the work takes half a core at most, and
	// so leaves room for what is urgent.
	paceStretch = time.Millisecond
	// pacePatience is how long a piece of work may keep the others waiting: most of it waits for a client or a database
	// then, and goes on beside them.
	pacePatience = 2 * time.Millisecond
)

// pace does work that a crowd causes, one piece after another. Done all at once it would make thousands of goroutines
// runnable, and whatever else there is to do would come after all of them. One goroutine works; another takes over from one
// that is kept too long by a piece.
type pace struct {
	quit    <-chan struct{} // closed when the server is
	running *sync.WaitGroup // that of the server
	again   func()          // goes on with the work, until do says that another does
	worked  time.Duration   // since the last rest

	mu       sync.Mutex
	patience *time.Timer
	busy     bool // with a piece
	turn     int  // rises when another goroutine takes over
}

func newPace(quit <-chan struct{}, running *sync.WaitGroup, again func()) *pace {
	p := &pace{quit: quit, running: running, again: again}
	p.patience = time.AfterFunc(time.Hour, p.takeOver)
	p.patience.Stop()
	return p
}

// do does a piece of work, and rests when it is time and there is no hurry. It reports false if it took so long that
// another goroutine has gone on meanwhile.
func (p *pace) do(work func(), hurry bool) bool {
	begin := time.Now()
	turn := p.begin()
	work()
	if !p.end(turn) {
		return false
	}
	if p.worked += time.Since(begin); p.worked >= paceStretch && !hurry {
		p.worked = 0
		p.sleep(paceStretch)
	}
	return true
}

func (p *pace) begin() (turn int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy = true
	p.patience.Reset(pacePatience)
	return p.turn
}

func (p *pace) end(turn int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.turn != turn {
		return false
	}
	p.busy = false
	p.patience.Stop()
	return true
}

// takeOver has another goroutine go on.
func (p *pace) takeOver() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.busy {
		return
	}
	p.busy = false
	p.turn++
	p.running.Go(p.again)
}

// sleep waits and reports whether the server is still open.
func (p *pace) sleep(d time.Duration) bool {
	select {
	case <-p.quit:
		return false
	default:
	}
	if d <= 0 {
		return true
	}
	select {
	case <-p.quit:
		return false
	case <-time.After(d):
		return true
	}
}

// errands are pieces of work that are done at a pace in the order of coming, and at once when the server closes.
type errands struct {
	pace *pace

	mu      sync.Mutex
	queue   []func()
	running bool
}

func newErrands(quit <-chan struct{}, running *sync.WaitGroup) *errands {
	e := &errands{}
	e.pace = newPace(quit, running, e.run)
	return e
}

// add has work done.
func (e *errands) add(work func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.queue = append(e.queue, work)
	if !e.running {
		e.running = true
		e.pace.running.Go(e.run)
	}
}

func (e *errands) run() {
	for work := e.take(); work != nil; work = e.take() {
		if !e.pace.sleep(0) {
			e.pace.running.Go(work)
		} else if !e.pace.do(work, false) {
			return
		}
	}
}

// take returns the next piece, nil if there is none.
func (e *errands) take() func() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.queue) == 0 {
		e.queue, e.running = nil, false
		return nil
	}
	work := e.queue[0]
	e.queue[0] = nil
	e.queue = e.queue[1:]
	return work
}

// frameLists are empty lists of frames to be used again, since every write to a client needs one.
type frameLists struct{ pool sync.Pool }

// A list that is used again has room for so many frames, at least and at most.
const (
	minFrameList = 16
	maxFrameList = 256
)

// get returns an empty list.
func (l *frameLists) get() [][]byte {
	if list, ok := l.pool.Get().(*[][]byte); ok {
		return *list
	}
	return make([][]byte, 0, minFrameList)
}

// put takes a list that nobody uses any more.
func (l *frameLists) put(list [][]byte) {
	if c := cap(list); c < minFrameList || c > maxFrameList {
		return
	}
	clear(list)
	list = list[:0]
	l.pool.Put(&list)
}
