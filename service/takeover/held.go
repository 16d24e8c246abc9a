package takeover

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"vserver/queries"
	"vserver/service"
	"vserver/service/config"
)

// unused refuses a file that the old server, or anybody else, still uses.
func unused(ctx context.Context, inst config.Instance, at site) error {
	if who := holderOf(at.file); who != "" {
		return fmt.Errorf("%w: %s has %s open: stop the old server, then try again", queries.ErrInUse, who, at.file)
	}
	if err := addressFree(ctx, inst); err != nil {
		return err
	}
	if at.active(ctx) {
		return fmt.Errorf("%w: %s is being written to: stop the old server, then try again", queries.ErrInUse, at.file)
	}
	return ctx.Err()
}

// addressFree refuses a takeover while something answers where the server will listen: the old one does.
func addressFree(ctx context.Context, inst config.Instance) error {
	l, err := service.Listen(ctx, inst.Config)
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the old server seems to run, stop it first: %w", err)
	}
	return l.Close()
}

const (
	// A file that was not written to for so long is not in use: nodes report every minute at least.
	idleTime = time.Minute
	// watchTime is how long one is watched that was written to since, and how often it is looked at.
	watchTime  = 3 * time.Second
	watchPause = 100 * time.Millisecond
)

// active watches a file that was written to of late.
func (s site) active(ctx context.Context) bool {
	if !s.changedSince(time.Now().Add(-idleTime)) {
		return false
	}
	before := s.state()
	for end := time.Now().Add(watchTime); time.Now().Before(end) && ctx.Err() == nil; {
		select {
		case <-time.After(watchPause):
		case <-ctx.Done():
		}
		if !slices.Equal(before, s.state()) {
			return true
		}
	}
	return false
}

func (s site) changedSince(then time.Time) bool {
	for _, ending := range append([]string{""}, logs...) {
		if info, err := os.Stat(s.file + ending); err == nil && info.ModTime().After(then) {
			return true
		}
	}
	return false
}
