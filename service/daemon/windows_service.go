package daemon

import (
	"context"
	"fmt"
	"os"
	"runtime"

	kardianos "github.com/kardianos/service"
)

// StartedByManager reports whether the manager of Windows started this process: then it wants to
// be answered by RunForManager, and there is no console. Others just send signals.
func StartedByManager() bool { return runtime.GOOS == "windows" && !kardianos.Interactive() }

// RunForManager runs a server as the service manager of Windows wants it: it says that it
// runs, and ends when asked to. A server that ends by itself ends the process with 1,
// which lets the manager start it anew.
func RunForManager(ctx context.Context, run func(context.Context) error) error {
	server := &windowsService{ctx: ctx, run: run, exit: os.Exit} //nolint:forbidigo // the manager's library waits for its manager alone
	// A process with one service need not know what it is called.
	s, err := kardianos.New(server, &kardianos.Config{Name: Account})
	if err != nil {
		return fmt.Errorf("answering the service manager: %w", err)
	}
	return s.Run()
}

// windowsService is a server that the service manager of Windows has started.
type windowsService struct {
	ctx  context.Context //nolint:containedctx // the library's methods have none
	run  func(context.Context) error
	exit func(int)

	cancel context.CancelFunc
	ended  chan error
}

var _ kardianos.Interface = (*windowsService)(nil)

// Start begins to serve.
func (s *windowsService) Start(kardianos.Service) error {
	ctx, cancel := context.WithCancel(s.ctx)
	s.cancel, s.ended = cancel, make(chan error, 1)
	go func() {
		err := s.run(ctx)
		if ctx.Err() == nil {
			s.exit(exitUnasked)
		}
		s.ended <- err
	}()
	return nil
}

// exitUnasked is the exit code of a server that ends by itself, as on a command line.
const exitUnasked = 1

// Stop ends serving and waits for it.
func (s *windowsService) Stop(kardianos.Service) error {
	s.cancel()
	return <-s.ended
}
