package config

// Limits are what one client may have at a time; 0 turns a limit off (/docs/operating#limits).
type Limits struct {
	ConnectionsPerAddress int
	ConnectionsPerAccount int
	SocketsPerAddress     int
	SocketsPerAccount     int
	BodiesPerAddress      int
	BodiesPerAccount      int
	AnonymousPerMinute    int
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
	}
}
