package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"vserver/service"
	"vserver/service/config"
	"vserver/service/core"
	"vserver/service/instance"
)

// Addresses under which nodes, which run in containers, reach a server on the same
// machine (contract 40 §12 rows 80 to 82).
const (
	dockerOnLinux = "http://172.17.0.1"
	dockerDesktop = "http://host.docker.internal"
)

// nodeConfigFlags are the options of `vserver node-config`.
type nodeConfigFlags struct {
	instanceFlags
	collaboration, out, server string
	force                      bool
}

// nodeConfigCommand writes configurations for the nodes of a collaboration.
func (p *program) nodeConfigCommand() *cobra.Command {
	var f nodeConfigFlags
	cmd := &cobra.Command{
		Use:   "node-config",
		Short: "Write a configuration for the node of each organization of a collaboration",
		Long: "Write a configuration for the node of each organization of a collaboration, for a test\n" +
			"set-up on one machine. Each node gets a new API key: organizations without a node get\n" +
			"one, and of the nodes that are there the former keys work no longer.\n\n" +
			"Nodes run in containers. They reach a server on the same machine at " + dockerOnLinux + "\n" +
			"on Linux, and at " + dockerDesktop + " with Docker Desktop. The server has to\n" +
			"listen there: set ip of its configuration to 0.0.0.0.",
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.collaboration == "" || f.out == "" {
				return misused("--collaboration and --out are needed")
			}
			inst, err := f.find(p)
			if err != nil {
				return err
			}
			return p.nodeConfig(cmd.Context(), inst, f)
		},
	}
	f.shared(cmd)
	p.jsonFlag(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.collaboration, "collaboration", "", "`NAME` of the collaboration")
	flags.StringVar(&f.out, "out", "", "`DIR` to write to, made when missing")
	flags.StringVar(&f.server, "server-url", "", "`URL` of the server as nodes see it, without port (default that of this machine)")
	flags.BoolVar(&f.force, "force", false, "replace files that are there")
	return cmd
}

func (p *program) nodeConfig(ctx context.Context, inst config.Instance, f nodeConfigFlags) (err error) {
	out, err := filepath.Abs(f.out)
	if err != nil {
		return fmt.Errorf("finding the folder: %w", err)
	}
	s := p.seenByNodes(inst, f.server)
	opened, err := service.Open(ctx, inst, f.openRoot(), p.logger())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	files := []nodeConfigFile{}
	err = opened.Core.NodeKeys(ctx, f.collaboration, func(keys []core.NodeKey, encrypted bool) error {
		err := forget(files) // of an attempt that the database gave up
		files = files[:0]
		for _, k := range keys {
			n := nodeConfigFile{Organization: k.Organization, Node: k.NodeID, File: filepath.Join(out, fileName(k.Organization, k.NodeID)+".yaml")}
			err = errors.Join(err, n.prepare(s.nodeConfig(k, n.File, encrypted), f.force))
			files = append(files, n)
		}
		return err
	})
	if err != nil {
		return errors.Join(err, forget(files))
	}
	if err := p.publish(files); err != nil {
		return err
	}
	if ip := inst.Config.IP; ip == "" || ip == "127.0.0.1" || ip == "localhost" {
		p.warn("The server listens on this machine only: set ip of its configuration to 0.0.0.0 for nodes in containers")
	}
	if p.forPrograms {
		return p.json(files)
	}
	return nil
}

// nodeConfigFile is the file of a node.
type nodeConfigFile struct {
	Organization string `json:"organization"`
	Node         int64  `json:"node_id"`
	File         string `json:"file"`

	// draft is the file until its key is valid: one that is replaced stays until then.
	draft string
}

// prepare writes the draft, which only its owner may read, since it holds a key.
func (n *nodeConfigFile) prepare(content nodeFile, force bool) error {
	if _, err := os.Lstat(n.File); err == nil && !force {
		return fmt.Errorf("%s exists: nothing was changed, --force replaces it", n.File)
	}
	text, err := yaml.Marshal(map[string]any{
		"application": content, "environments": map[string]any{"dev": struct{}{}, "test": struct{}{}, "acc": struct{}{}, "prod": struct{}{}},
	})
	if err != nil {
		return fmt.Errorf("writing %s: %w", n.File, err)
	}
	if err := os.MkdirAll(filepath.Dir(n.File), 0o750); err != nil {
		return fmt.Errorf("making the folder: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(n.File), ".node-*.yaml")
	if err != nil {
		return fmt.Errorf("writing %s: %w", n.File, err)
	}
	n.draft = f.Name()
	_, err = f.WriteString(nodeFileHead + string(text))
	return errors.Join(err, f.Sync(), f.Close())
}

// publish gives drafts their names, now that their keys are valid.
func (p *program) publish(files []nodeConfigFile) error {
	for _, n := range files {
		if err := os.Rename(n.draft, n.File); err != nil {
			return fmt.Errorf("the new key stands in %s: %w", n.draft, err)
		}
		p.info("Wrote %s", n.File)
	}
	return nil
}

// forget removes drafts whose keys will not be valid.
func forget(files []nodeConfigFile) error {
	var err error
	for _, n := range files {
		if n.draft != "" {
			err = errors.Join(err, os.Remove(n.draft))
		}
	}
	return err
}

// seen is where nodes find the server.
type seen struct{ server, port, path string }

// seenByNodes takes the port that a running server has, which --port may have chosen.
func (p *program) seenByNodes(inst config.Instance, server string) seen {
	s := seen{server, strconv.Itoa(inst.Config.Port), inst.Config.APIPath}
	if r, ok := instance.Find(config.ThisMachine(p.getenv), inst.Scope, inst.Name); ok {
		if u, err := url.Parse(r.URL); err == nil && u.Port() != "" {
			s.port = u.Port()
		}
	}
	if s.server == "" {
		s.server = dockerOnLinux
		if runtime.GOOS != "linux" {
			s.server = dockerDesktop
		}
		if inst.Config.TLS != nil {
			s.server = strings.Replace(s.server, "http:", "https:", 1)
		}
	}
	return s
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
func (s seen) nodeConfig(k core.NodeKey, path string, encrypted bool) nodeFile {
	base := strings.TrimSuffix(path, ".yaml")
	n := nodeFile{
		APIKey: k.APIKey, ServerURL: s.server, Port: s.port, APIPath: s.path,
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
# A node on the server's machine reaches it at ` + dockerOnLinux + ` on Linux and at
# ` + dockerDesktop + ` with Docker Desktop: adjust server_url.
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
