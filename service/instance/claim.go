package instance

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"vserver/service/config"
	"vserver/service/private"
)

// AlreadyRunning is the error of a second start of an instance.
type AlreadyRunning struct{ Running Running }

// Error is the sentence of /docs/commands#start.
func (e AlreadyRunning) Error() string {
	return fmt.Sprintf("Server %s is already running", e.Running.Name)
}

// Claim is the right of this process to be the server of an instance. It ends with
// Release, or with the process. The methods of a nil Claim do nothing: for servers
// that leave no record.
type Claim struct {
	file string
	mu   sync.Mutex
	r    Running
}

// Acquire leaves the record of an instance that this process is about to serve. The
// error is an AlreadyRunning when another process has done so. console is the file of
// the console output, or empty.
func Acquire(locations config.Locations, inst config.Instance, console string) (*Claim, error) {
	c := &Claim{r: NewRunning(inst)}
	c.r.PID, c.r.Birth, c.r.Started = os.Getpid(), birth(os.Getpid()), time.Now().UTC().Truncate(time.Second)
	c.r.Account, c.r.Program, c.r.Console = account(), program(), console
	c.file = c.r.stateFile(locations)
	if err := private.MakeFolder(filepath.Dir(c.file), stateDirMode); err != nil {
		return nil, fmt.Errorf("making the folder of the record of running servers: %w", private.Explain(err, filepath.Dir(c.file)))
	}
	defer guard(filepath.Dir(c.file))()
	for file := range recordFiles(locations, config.System, config.User) {
		if other, err := parseRunning(file); err == nil && other.same(c.r) && other.Alive() {
			return nil, AlreadyRunning{other}
		}
	}
	return c, c.write()
}

// write makes the record appear in one step. Where that is refused for long the record
// is written over: nobody finds a server that has none.
func (c *Claim) write() error {
	text, err := json.MarshalIndent(c.r, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the record of running servers: %w", err)
	}
	text = append(text, '\n')
	fresh := fmt.Sprintf("%s.%d", c.file, c.r.PID)
	if err = private.WriteFile(fresh, text); err == nil && replaceFile(fresh, c.file) != nil {
		err = private.WriteFile(c.file, text)
	}
	_ = os.Remove(fresh) // mostly it is in its place by now
	if err != nil {
		return fmt.Errorf("writing the record of running servers: %w", private.Explain(err, c.file))
	}
	return nil
}

// replaceFile puts a file in the place of another. Some systems refuse that while a
// third process reads the old one.
func replaceFile(fresh, file string) (err error) {
	const pause, tries = 10 * time.Millisecond, 100
	for range tries {
		if err = os.Rename(fresh, file); err == nil {
			return nil
		}
		<-time.After(pause)
	}
	return err
}

// Serving adds to the record where the server answers, and what it has warned of until
// then.
func (c *Claim) Serving(conf config.Config, at net.Addr, warnings []string) error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.r.URL, c.r.Warnings = URL(conf, at.String()), warnings
	if conf.TLS != nil {
		var err error
		if c.r.Certificate, err = filepath.Abs(conf.TLS.Cert); err != nil {
			return err
		}
	}
	defer guard(filepath.Dir(c.file))()
	return c.write()
}

// Release removes the record.
func (c *Claim) Release() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	removeStale(c.file, c.r)
	_ = os.Remove(stopFile(c.r, c.file))
}

// Context returns a context that ends when another process asks this one to end by a
// file, where there are no signals for that.
func (c *Claim) Context(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	if c != nil && askedByFile {
		go func() {
			awaitFile(ctx, stopFile(c.r, c.file))
			cancel()
		}()
	}
	return ctx, cancel
}
