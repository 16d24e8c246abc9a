package config

import (
	"fmt"
	"strconv"
	"strings"
)

// Limits are what one client may have at a time; 0 turns a limit off (/docs/operating#limits).
type Limits struct {
	ConnectionsPerAddress int
	ConnectionsPerAccount int
	SocketsPerAddress     int
	SocketsPerAccount     int
	BodiesPerAddress      int
	BodiesPerAccount      int
	AnonymousPerMinute    int
	BodyMemory            string // as written; BodyBytes reads it
	BodyMemoryPerAccount  string // likewise
	Payload               string // as written; PayloadBytes reads it
}

// mostOfPayload is how long an input, a result or a log may be at most.
const mostOfPayload = 1 << 30

// PayloadBytes is how many bytes an input, a result or a log may have.
func (l Limits) PayloadBytes() int64 {
	n, _ := ParseSize(l.Payload)
	return n
}

// BodyBytes is how much memory the bodies of requests may take, all together and those of one account; 0: any number.
func (l Limits) BodyBytes() (all, each int64) {
	all, _ = ParseSize(l.BodyMemory)
	each, _ = ParseSize(l.BodyMemoryPerAccount)
	return all, each
}

// sizeUnits are the units of a size, longer names first where one ends as another.
func sizeUnits() []struct {
	name  string
	bytes int64
} {
	return []struct {
		name  string
		bytes int64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1}}
}

// mostOfSize is the largest size that is read.
const mostOfSize = 1 << 40

// ParseSize reads a size like 256MB, 1 GiB or 5000.
func ParseSize(text string) (int64, bool) {
	for _, u := range sizeUnits() {
		if number, ok := strings.CutSuffix(text, u.name); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
			return n * u.bytes, err == nil && n > 0 && n <= mostOfSize/u.bytes
		}
	}
	return 0, false
}

func payloadSize(_, text string) (taken, must string) {
	if n, ok := ParseSize(text); !ok || n < 1<<20 || n > mostOfPayload {
		return "1GiB", "must be a size from 1MiB to 1GiB, as 256MB"
	}
	return text, ""
}

// Sizes of the memory for bodies. The least have room for the largest body several times, see /docs/operating#memory.
const (
	normalMemory, leastMemory                     = "256MiB", 128 << 20
	normalMemoryPerAccount, leastMemoryPerAccount = "64MiB", 64 << 20
)

func memoryOfBodies(_, text string) (taken, must string) {
	return memorySize(text, normalMemory, leastMemory)
}

func memoryOfAccount(_, text string) (taken, must string) {
	return memorySize(text, normalMemoryPerAccount, leastMemoryPerAccount)
}

// memorySize takes a size of at least so many bytes, or 0.
func memorySize(text, normal string, least int64) (taken, must string) {
	if n, ok := ParseSize(text); text != "0" && (!ok || n < least) {
		return normal, fmt.Sprintf("must be 0 or a size of at least %dMiB, as %s", least>>20, normal)
	}
	return text, ""
}

// mostOfLimit is the largest number that a limit may have.
const mostOfLimit = 1_000_000

func limitSettings() []Setting {
	return []Setting{
		{
			Key:  "limits",
			Help: "What one address or one account may have at a time, so that nobody takes it from\nthe others. 0 means any number.",
			at:   always,
		},
		{
			Key: "limits.connections_per_address", Default: 10_000, Least: 1, Most: mostOfLimit, OrZero: true,
			Help: "Connections, those of the live channel too. Behind a proxy the limits by address\napply to clients when `trusted_proxies` names it, and not at all when it does not.",
			at:   func(c *Config) any { return &c.Limits.ConnectionsPerAddress },
		},
		{Key: "limits.connections_per_account", Default: 5_000, Least: 1, Most: mostOfLimit, OrZero: true, at: func(c *Config) any { return &c.Limits.ConnectionsPerAccount }},
		{
			Key: "limits.sockets_per_address", Default: 10_000, Least: 1, Most: mostOfLimit, OrZero: true,
			Help: "Sessions of the live channel. Nodes are not counted by address.",
			at:   func(c *Config) any { return &c.Limits.SocketsPerAddress },
		},
		{Key: "limits.sockets_per_account", Default: 2_500, Least: 1, Most: mostOfLimit, OrZero: true, at: func(c *Config) any { return &c.Limits.SocketsPerAccount }},
		{
			Key: "limits.bodies_per_address", Default: 1_000, Least: 1, Most: mostOfLimit, OrZero: true,
			Help: "Requests whose body is being read. Nodes are not counted by address, and wait for\ntheir turn where others are refused.",
			at:   func(c *Config) any { return &c.Limits.BodiesPerAddress },
		},
		{Key: "limits.bodies_per_account", Default: 100, Least: 1, Most: mostOfLimit, OrZero: true, at: func(c *Config) any { return &c.Limits.BodiesPerAccount }},
		{
			Key: "limits.anonymous_per_minute", Default: 12_000, Least: 1, Most: mostOfLimit, OrZero: true,
			Help: "Requests of one address without a good token, log-ins that succeed aside.",
			at:   func(c *Config) any { return &c.Limits.AnonymousPerMinute },
		},
		{
			Key: "limits.body_memory", Default: normalMemory, check: memoryOfBodies,
			Help: "The memory for bodies of more than 64 KiB, from 128MiB. Beyond it bodies wait, those\nof nodes least; nobody has more than half.",
			at:   func(c *Config) any { return &c.Limits.BodyMemory },
		},
		{
			Key: "limits.body_memory_per_account", Default: normalMemoryPerAccount, check: memoryOfAccount,
			Help: "That of one account, from 64MiB.",
			at:   func(c *Config) any { return &c.Limits.BodyMemoryPerAccount },
		},
		{
			Key: "limits.payload", Default: "1GiB", Sample: "256MB", check: payloadSize,
			Help: "The longest input, result or log, from 1MiB to 1GiB.",
			at:   func(c *Config) any { return &c.Limits.Payload },
		},
	}
}
