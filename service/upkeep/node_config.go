package upkeep

import (
	"context"
	"errors"
	"fmt"
	neturl "net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"vserver/service/config"
	"vserver/service/core"
	"vserver/service/instance"
	"vserver/service/private"
)

// Addresses under which nodes, which run in containers, reach a server on the same
// machine (/docs/developing#acceptance, rows 80 to 82).
const (
	ServerOnLinux         = "http://172.17.0.1"
	ServerOnDockerDesktop = "http://host.docker.internal"
)

// NodeConfigOptions are the choices for the configurations of nodes.
type NodeConfigOptions struct {
	Collaboration string
	Folder        string // made when missing
	ServerURL     string // as nodes see it, without port; empty for that of this machine
	Replace       bool   // files that are there
}

// WriteNodeConfigs writes a configuration for the node of each organization of a
// collaboration, with a new key, and returns those that it has written. Nodes that are
// missing are made.
func WriteNodeConfigs(ctx context.Context, locations config.Locations, inst config.Instance, c *core.Core, o NodeConfigOptions) ([]NodeConfigFile, error) {
	folder, err := filepath.Abs(o.Folder)
	if err != nil {
		return nil, fmt.Errorf("finding the folder: %w", err)
	}
	server := addressForNodes(locations, inst, o.ServerURL)
	files := []NodeConfigFile{}
	err = c.NodeKeys(ctx, o.Collaboration, func(keys []core.NodeKey, encrypted bool) error {
		err := forget(files) // of an attempt that the database gave up
		files = files[:0]
		for _, k := range keys {
			n := NodeConfigFile{Organization: k.Organization, Node: k.NodeID, File: filepath.Join(folder, fileName(k.Organization, k.NodeID)+".yaml")}
			err = errors.Join(err, n.prepare(server.nodeConfig(k, n.File, encrypted), o.Replace))
			files = append(files, n)
		}
		return err
	})
	if err != nil {
		return nil, errors.Join(err, forget(files))
	}
	return publish(files)
}

// NodeConfigFile is the configuration file that was written for a node.
type NodeConfigFile struct {
	Organization string `json:"organization"`
	Node         int64  `json:"node_id"`
	File         string `json:"file"`

	// draft is the file until its key is valid: one that is replaced stays until then.
	draft string
}

// prepare writes the draft, which only its owner may read, since it holds a key.
func (n *NodeConfigFile) prepare(content nodeFile, force bool) error {
	if _, err := os.Lstat(n.File); err == nil && !force {
		return fmt.Errorf("%s exists: nothing was changed, --force replaces it", n.File)
	}
	text, err := yaml.Marshal(map[string]any{
		"application": content, "environments": map[string]any{"dev": struct{}{}, "test": struct{}{}, "acc": struct{}{}, "prod": struct{}{}},
	})
	if err != nil {
		return fmt.Errorf("writing %s: %w", n.File, err)
	}
	if err := private.MakeFolder(filepath.Dir(n.File), 0o750); err != nil {
		return fmt.Errorf("making the folder: %w", err)
	}
	f, err := private.CreateTemp(filepath.Dir(n.File), ".node-*.yaml")
	if err != nil {
		return fmt.Errorf("writing %s: %w", n.File, err)
	}
	n.draft = f.Name()
	_, err = f.WriteString(nodeFileHead + string(text))
	return errors.Join(err, private.HandOver(f), f.Sync(), f.Close())
}

// publish renames drafts, now that their keys are valid, and returns those
// that have them.
func publish(files []NodeConfigFile) ([]NodeConfigFile, error) {
	for i, n := range files {
		if err := os.Rename(n.draft, n.File); err != nil {
			return files[:i], fmt.Errorf("the new key stands in %s: %w", n.draft, err)
		}
	}
	return files, nil
}

// forget removes drafts whose keys will not be valid.
func forget(files []NodeConfigFile) error {
	var err error
	for _, n := range files {
		if n.draft != "" {
			err = errors.Join(err, os.Remove(n.draft))
		}
	}
	return err
}

// serverAddress is where nodes find the server.
type serverAddress struct{ url, port, path string }

// addressForNodes takes the port that a running server has, which --port may have chosen.
func addressForNodes(locations config.Locations, inst config.Instance, url string) serverAddress {
	a := serverAddress{url, strconv.Itoa(inst.Config.Port), inst.Config.APIPath}
	if r, ok := instance.Find(locations, inst); ok {
		if u, err := neturl.Parse(r.URL); err == nil && u.Port() != "" {
			a.port = u.Port()
		}
	}
	if a.url == "" {
		a.url = ServerOnLinux
		if runtime.GOOS != "linux" {
			a.url = ServerOnDockerDesktop
		}
		if inst.Config.TLS != nil {
			a.url = strings.Replace(a.url, "http:", "https:", 1)
		}
	}
	return a
}

// nodeFile is the configuration of a node, in the order in which people read it.
type nodeFile struct {
	APIKey     string            `yaml:"api_key"`
	ServerURL  string            `yaml:"server_url"`
	Port       string            `yaml:"port"`
	APIPath    string            `yaml:"api_path"`
	TaskDir    string            `yaml:"task_dir"`
	Databases  map[string]string `yaml:"databases"`
	Encryption struct {
		Enabled    bool   `yaml:"enabled"`
		PrivateKey string `yaml:"private_key"`
	} `yaml:"encryption"`
	Logging map[string]any `yaml:"logging"`
}

// nodeConfig is the configuration of one node; its folders stand beside the file.
func (a serverAddress) nodeConfig(k core.NodeKey, path string, encrypted bool) nodeFile {
	base := strings.TrimSuffix(path, ".yaml")
	n := nodeFile{
		APIKey: k.APIKey, ServerURL: a.url, Port: a.port, APIPath: a.path,
		TaskDir: base + "-tasks", Databases: map[string]string{"default": base + "-data.csv"},
		Logging: map[string]any{
			"level": "DEBUG", "file": filepath.Base(base) + ".log", "use_console": true, "backup_count": 5, "max_size": 1024,
			"format":  "%(asctime)s - %(name)-14s - %(levelname)-8s - %(message)s",
			"datefmt": "%Y-%m-%d %H:%M:%S",
		},
	}
	if n.Encryption.Enabled = encrypted; encrypted {
		n.Encryption.PrivateKey = base + "-privkey.pem"
	}
	return n
}

const nodeFileHead = `# Configuration of a node. Put the path of its data behind "default" of databases.
# A node on the server's machine reaches it at ` + ServerOnLinux + ` on Linux and at
# ` + ServerOnDockerDesktop + ` with Docker Desktop: adjust server_url.
`

// fileName makes a name that configurations may have of an organization's; the id of
// the node keeps names apart that differ in other characters only.
func fileName(organization string, node int64) string {
	plain := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '-'
	}, organization)
	return fmt.Sprintf("%s-%d", strings.Trim(plain, "-"), node)
}
