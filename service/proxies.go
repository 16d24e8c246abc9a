package service

import (
	"bufio"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/rs/zerolog"

	"vserver/handlers"
	"vserver/service/config"
)

// UnknownProxies lists the peers that forwarded requests according to the log of an instance, and that its
// `trusted_proxies` does not name (/docs/proxy#unknown).
func UnknownProxies(inst config.Instance) []netip.Addr {
	file, err := os.Open(inst.LogFile)
	if err != nil {
		return nil // nothing ran yet
	}
	defer func() { _ = file.Close() }()
	var list []netip.Addr
	for lines := bufio.NewScanner(file); lines.Scan(); {
		_, rest, found := strings.Cut(lines.Text(), handlers.UnknownProxy)
		text, _, _ := strings.Cut(rest, ",")
		at, err := netip.ParseAddr(text)
		if !found || err != nil || slices.Contains(list, at) || trusts(inst.Config, at) {
			continue
		}
		list = append(list, at)
	}
	return list
}

// trusts reports whether the word of a peer about addresses counts.
func trusts(c config.Config, a netip.Addr) bool {
	return slices.ContainsFunc(c.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// remindOfProxies says again at a start what the log has said of proxies, for who did not look at it.
func remindOfProxies(log zerolog.Logger, inst config.Instance) {
	for _, at := range UnknownProxies(inst) {
		log.Warn().Msgf("According to the log the proxy %s forwards requests, and trusted_proxies does not list it: limits and locks by address do not "+
			"apply to what it sends. If it is yours, add this line to the environment in the configuration: trusted_proxies: [%s]", at, at)
	}
}
