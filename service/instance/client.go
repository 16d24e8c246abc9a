package instance

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"vserver/service/config"
)

// URL is where the REST routes of a configuration are found from this machine.
// address is that of the listener, or empty for what the configuration says.
func URL(c config.Config, address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host, port = c.IP, strconv.Itoa(c.Port)
	}
	switch ip := net.ParseIP(host); {
	case host == "":
		host = "127.0.0.1"
	case ip.IsUnspecified() && c.IP == "::":
		host = "::1"
	case ip.IsUnspecified(): // a listener for 0.0.0.0 calls itself [::]
		host = "127.0.0.1"
	}
	scheme := "http"
	if c.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, port) + c.APIPath
}

// askTime is how long a server of this machine may take to answer a small question.
const askTime = 5 * time.Second

// Client asks a server of this machine small questions.
type Client struct {
	url    string
	client *http.Client
}

// NewClient returns an asker for the REST routes at url. certificate is the file of the
// certificate that a server with TLS has to show: it was made for the name that others
// call the server by, not for the address it is asked at here.
func NewClient(url, certificate string) *Client {
	transport := &http.Transport{DisableKeepAlives: true}
	if certificate != "" {
		transport.TLSClientConfig = &tls.Config{
			MinVersion:         tls.VersionTLS12,
			InsecureSkipVerify: true, //nolint:gosec // replaced by the comparison below
			VerifyConnection:   func(s tls.ConnectionState) error { return sameCertificate(s.PeerCertificates, certificate) },
		}
	}
	return &Client{url, &http.Client{Transport: transport, Timeout: askTime}}
}

func sameCertificate(shown []*x509.Certificate, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	block, _ := pem.Decode(text)
	if block == nil || len(shown) == 0 || string(block.Bytes) != string(shown[0].Raw) {
		return errors.New("the server shows another certificate than " + file)
	}
	return nil
}

// Version is the release that the server says it is (/docs/health#version).
func (a *Client) Version(ctx context.Context) (string, error) {
	var reply struct{ Version string }
	if _, err := a.get(ctx, "/version", &reply); err != nil {
		return "", err
	}
	return reply.Version, nil
}

// Health reports whether the server works, with what it says about its parts.
func (a *Client) Health(ctx context.Context) (map[string]bool, error) {
	parts := map[string]bool{}
	status, err := a.get(ctx, "/health", &parts)
	if err == nil && status != http.StatusOK && status != http.StatusServiceUnavailable {
		err = fmt.Errorf("%s/health answers with status %d", a.url, status)
	}
	return parts, err
}

func (a *Client) get(ctx context.Context, path string, to any) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url+path, nil)
	if err != nil {
		return 0, err
	}
	reply, err := a.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = reply.Body.Close() }()
	const most = 1 << 16
	if err := json.NewDecoder(io.LimitReader(reply.Body, most)).Decode(to); err != nil {
		return reply.StatusCode, fmt.Errorf("%s%s gives no answer of this kind of server (status %d)", a.url, path, reply.StatusCode)
	}
	return reply.StatusCode, nil
}
