package service

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"vserver/service/config"
)

// certificate is the server's certificate. Its files are read again when they have
// changed, so that a renewed one needs no restart.
type certificate struct {
	files config.TLS
	log   zerolog.Logger

	mu      sync.Mutex
	loaded  *tls.Certificate
	stamp   stamps
	checked time.Time
}

// stamps show whether the two files have changed.
type stamps [2]struct {
	at   time.Time
	size int64
}

// checkEvery is the time between two looks at the files.
const checkEvery = time.Second

func newCertificate(files config.TLS, log zerolog.Logger) (*certificate, error) {
	c := &certificate{files: files, log: log, checked: time.Now()}
	c.stamp = c.look()
	return c, c.load()
}

// settings are those of a server that shows this certificate.
func (c *certificate) settings() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.current(time.Now()), nil
		},
	}
}

func (c *certificate) load() error {
	pair, err := tls.LoadX509KeyPair(c.files.Cert, c.files.Key)
	if err != nil {
		return fmt.Errorf("reading the certificate: %w", err)
	}
	c.loaded = &pair
	return nil
}

// current returns the certificate of this moment. When new files cannot be used the
// last good one stays.
func (c *certificate) current(now time.Time) *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.checked) < checkEvery {
		return c.loaded
	}
	c.checked = now
	stamp := c.look()
	if stamp == c.stamp {
		return c.loaded
	}
	c.stamp = stamp
	if err := c.load(); err != nil {
		c.log.Error().Err(err).Msg("The new certificate cannot be used, the last one stays")
		return c.loaded
	}
	c.log.Info().Msgf("Read the certificate in %s anew", c.files.Cert)
	return c.loaded
}

func (c *certificate) look() stamps {
	var s stamps
	for i, file := range []string{c.files.Cert, c.files.Key} {
		if info, err := os.Stat(file); err == nil {
			s[i].at, s[i].size = info.ModTime(), info.Size()
		}
	}
	return s
}
