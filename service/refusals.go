package service

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"vserver/queries"
	"vserver/service/config"
	"vserver/service/log"
)

// Refusals lists what a start would refuse of a configuration that can be read, as far
// as this machine shows it without a start: no port is taken and nothing is written.
func Refusals(inst config.Instance) []config.Refusal {
	var list []config.Refusal
	add := func(key string, err error) {
		if err != nil {
			list = append(list, config.Refusal{Key: key, Err: err})
		}
	}
	c := inst.Config
	if err := log.CheckFormat(c.Logging); err != nil {
		add("logging.format", errors.New(strings.TrimPrefix(err.Error(), "logging.format: ")))
	}
	if err := mayBeFile(inst.LogFile); err != nil {
		add("logging.file", fmt.Errorf("%w (%w)", &log.DirError{File: inst.LogFile}, err))
	}
	add("ip", isOfThisMachine(c.IP))
	if c.Metrics != nil {
		add("metrics.ip", isOfThisMachine(c.Metrics.IP))
	}
	if c.TLS != nil {
		if _, err := tls.LoadX509KeyPair(c.TLS.Cert, c.TLS.Key); err != nil {
			add("tls", fmt.Errorf("cannot be used: %w", err))
		}
	}
	if c.TwoFactorAuth {
		key, err := keyRefused(inst)
		add(key, err)
	}
	switch inst.Database.Engine {
	case config.Postgres:
		add("uri", queries.CheckPostgres(inst.Database.DSN.Reveal()))
	case config.SQLite:
		add("uri", mayBeFile(inst.Database.Path))
	}
	return list
}

// mayBeFile tells what stands in the way of a file that is written later.
func mayBeFile(path string) error {
	if path == "" {
		return nil
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("%s is a folder", path)
	}
	for above := filepath.Dir(path); ; above = filepath.Dir(above) {
		info, err := os.Stat(above)
		switch {
		case err == nil && !info.IsDir():
			return fmt.Errorf("%s is no folder", above)
		case err == nil || above == filepath.Dir(above):
			return nil
		}
	}
}

// isOfThisMachine tells why nothing can listen on an address, whatever the port.
func isOfThisMachine(ip string) error {
	l, err := net.Listen("tcp", net.JoinHostPort(cmp.Or(ip, "127.0.0.1"), "0")) //nolint:noctx // closed at once
	if err != nil {
		return fmt.Errorf("is no address that a program on this machine can listen on: %w", err)
	}
	return l.Close()
}
