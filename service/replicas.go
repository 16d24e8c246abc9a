package service

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"time"

	"vserver/service/config"
	"vserver/service/core"
)

const (
	// fingerprintRounds make it slow to guess a short key by its fingerprint.
	fingerprintRounds = 50_000
	fingerprintBytes  = 16
)

// join makes this server one of those on its database, when that is of PostgreSQL (/docs/reliability#replicas).
func join(ctx context.Context, inst config.Instance, c *core.Core, lease time.Duration) error {
	if inst.Database.Engine != config.Postgres {
		return nil
	}
	machine, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("asking for the name of the machine: %w", err)
	}
	mark, err := pbkdf2.Key(sha256.New, inst.Config.JWTSecretKey.Reveal(), []byte("vserver jwt_secret_key"), fingerprintRounds, fingerprintBytes)
	if err != nil {
		return fmt.Errorf("making the fingerprint of jwt_secret_key: %w", err)
	}
	return c.Join(ctx, core.Membership{
		Place:  machine + " " + inst.File + " " + inst.Config.Environment,
		Name:   fmt.Sprintf("server %s (process %d on %s, configuration %s)", inst.Name, os.Getpid(), machine, inst.File),
		Secret: hex.EncodeToString(mark), Generated: inst.Config.JWTSecretGenerated, Lease: lease,
	})
}
