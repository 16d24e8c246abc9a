package limits

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"vserver/service/config"
	"vserver/service/promise"
)

func network(text string) netip.Prefix { return NetworkOf(netip.MustParseAddr(text)) }

// reached checks that an error names a limit; "" for none.
func reached(t *testing.T, err error, want string) {
	t.Helper()
	var over *Excess
	if want == "" && err != nil || want != "" && (!errors.As(err, &over) || over.Limit != want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestCounterBoundsAddressAndAccount(t *testing.T) {
	c := New(Options{Settings: config.Limits{BodiesPerAddress: 2, BodiesPerAccount: 1}}).Bodies
	at := func(account int64) Who { return Who{Network: network("192.0.2.1"), Account: account} }
	reached(t, c.Acquire(at(0)), "")
	reached(t, c.Acquire(at(7)), "")
	reached(t, c.Acquire(at(7)), bodiesPerAccount)
	reached(t, c.Acquire(at(8)), bodiesPerAddress)
	reached(t, c.Acquire(Who{Network: network("192.0.2.2"), Account: 7}), bodiesPerAccount)
	reached(t, c.Acquire(Who{Account: 8}), "")
	node := Who{Network: network("192.0.2.1"), Account: 9, Node: true}
	reached(t, c.Acquire(node), "") // whatever goes on at its address
	c.Release(at(7))
	reached(t, c.Acquire(at(7)), "")
	if n := c.Len(); n != 4 {
		t.Errorf("%d are under way", n)
	}
	for _, who := range []Who{at(0), at(7), {Account: 8}, node} {
		c.Release(who)
	}
	if c.Len() != 0 || len(c.networks)+len(c.accounts) != 0 {
		t.Errorf("%d are left, of %v and %v", c.Len(), c.networks, c.accounts)
	}
}

func TestWaitingGetsTheNextRoom(t *testing.T) {
	c := New(Options{Settings: config.Limits{BodiesPerAccount: 1}}).Bodies
	node := Who{Account: 9, Node: true}
	reached(t, c.Acquire(node), "")
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Wait(over, node); !errors.Is(err, context.Canceled) {
		t.Fatalf("without room: %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- c.Wait(t.Context(), node) }()
	c.Release(node)
	select {
	case err := <-done:
		reached(t, err, "")
	case <-time.After(promise.Patience):
		t.Fatal("it still waits")
	}
}

func TestRateBoundsAnAddress(t *testing.T) {
	r := New(Options{Settings: config.Limits{AnonymousPerMinute: 60}}).Anonymous
	at, now := network("192.0.2.1"), time.Now()
	for range 60 {
		reached(t, r.takeAt(at, now), "")
	}
	reached(t, r.takeAt(at, now), anonymousPerMinute)
	reached(t, r.takeAt(network("192.0.2.2"), now), "")
	reached(t, r.takeAt(netip.Prefix{}, now), "")
	reached(t, r.takeAt(at, now.Add(time.Second)), "")
	reached(t, r.takeAt(at, now.Add(time.Second)), anonymousPerMinute)
	r.Return(at)
	reached(t, r.takeAt(at, now.Add(time.Second)), "")
}

// One IPv6 host has 2^64 addresses, and an IPv4 address may be written as one of IPv6.
func TestNetworkOfAnAddress(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1": "192.0.2.1/32", "::ffff:192.0.2.1": "192.0.2.1/32", "2001:db8::1": "2001:db8::/64", "fe80::1%eth0": "fe80::/64",
	} {
		if got := network(in).String(); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	if NetworkOf(netip.Addr{}).IsValid() {
		t.Error("no address has a network")
	}
}
