package daemon

import (
	"context"
	"errors"
	"testing"
)

func TestSystemdState(t *testing.T) {
	const own, template = "/etc/systemd/system/vserver@x.service", "/usr/lib/systemd/system/vserver@.service"
	for answer, want := range map[string]State{
		"LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nFragmentPath=" + own:        Active,
		"LoadState=loaded\nActiveState=activating\nUnitFileState=disabled\nFragmentPath=" + own:   Active,
		"LoadState=loaded\nActiveState=inactive\nUnitFileState=disabled\nFragmentPath=" + own:     Stopped,
		"LoadState=loaded\nActiveState=failed\nUnitFileState=enabled\nFragmentPath=" + own:        Failed,
		"LoadState=loaded\nActiveState=inactive\nUnitFileState=enabled\nFragmentPath=" + template: Stopped,
		"LoadState=loaded\nActiveState=active\nUnitFileState=disabled\nFragmentPath=" + template:  Active,
		"LoadState=loaded\nActiveState=activating\nSubState=auto-restart\nFragmentPath=" + own:    Failed,
		// The packages bring the template for every name.
		"LoadState=loaded\nActiveState=inactive\nUnitFileState=disabled\nFragmentPath=" + template: NotInstalled,
		"LoadState=not-found\nActiveState=inactive\nUnitFileState=\nFragmentPath=":                 NotInstalled,
		"LoadState=not-found\nActiveState=failed\nUnitFileState=\nFragmentPath=":                   NotInstalled,
		"LoadState=masked\nActiveState=inactive\nUnitFileState=masked\nFragmentPath=" + own:        NotInstalled,
	} {
		if got := systemdState("vserver@x", answer); got != want {
			t.Errorf("%q: %s, want %s", answer, got, want)
		}
	}
}

func TestWindowsService(t *testing.T) {
	broken := errors.New("broken")
	exits := make(chan int, 1)
	exit := func(code int) { exits <- code }
	h := &windowsService{ctx: t.Context(), exit: exit, run: func(ctx context.Context) error { <-ctx.Done(); return nil }}
	if err := errors.Join(h.Start(nil), h.Stop(nil)); err != nil {
		t.Error(err)
	}
	h.run = func(ctx context.Context) error { <-ctx.Done(); return broken }
	if err := errors.Join(h.Start(nil), h.Stop(nil)); !errors.Is(err, broken) {
		t.Error(err)
	}
	if len(exits) > 0 {
		t.Error("the process ends although it was asked to stop serving")
	}
	h.run = func(context.Context) error { return broken }
	if err := h.Start(nil); err != nil {
		t.Error(err)
	}
	if code := <-exits; code != 1 {
		t.Errorf("a server that ends by itself: %d", code)
	}
	if err := h.Stop(nil); !errors.Is(err, broken) {
		t.Error(err)
	}
}
