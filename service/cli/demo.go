package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"vserver/service"
	"vserver/service/config"
	"vserver/service/demo"
	"vserver/service/terminal"
)

// demoOptions are the choices of `vserver demo`.
type demoOptions struct {
	nodes, tasks int
	keep         bool
}

// demoCommand plays the whole main job on a server of its own.
func (p *program) demoCommand() *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show the whole job on simulated hospitals, without any configuration",
		Long: "Starts a server on a free port with a database in a temporary directory, lets simulated hospitals join it,\n" +
			"has a researcher ask for the average age of all patients, compares it with the true one, and looks for ages\n" +
			"of single patients in everything that the nodes send. Ends with 0 only when both averages agree and there is none.",
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.nodes < 1 || o.tasks < 1 {
				return misused("--nodes and --tasks have to be at least 1")
			}
			return p.demo(cmd.Context(), o)
		},
	}
	cmd.Flags().IntVar(&o.nodes, "nodes", 3, "number of hospitals, each with a node")
	cmd.Flags().IntVar(&o.tasks, "tasks", 1, "number of tasks that the researcher sends")
	p.jsonFlag(cmd)
	cmd.Flags().BoolVar(&o.keep, "keep", false, "leave server and nodes up until interrupted, and print the address and log-ins")
	return cmd
}

func (p *program) demo(ctx context.Context, o demoOptions) error {
	dir, err := os.MkdirTemp("", "vserver-demo-")
	if err != nil {
		return fmt.Errorf("making a directory for the demo: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	password := "Demo-" + rand.Text()[:12] + "-1a"
	inst, err := p.demoInstance(dir, password)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ready, ended := make(chan net.Addr, 1), make(chan error, 1)
	go func() {
		ended <- service.Run(ctx, inst, service.RunOptions{Ready: func(at net.Addr) { ready <- at }})
	}()
	select {
	case err := <-ended:
		return err
	case at := <-ready:
		err = p.perform(ctx, o, "http://"+at.String(), inst.Config.APIPath, password)
	}
	stop()
	if end := <-ended; err == nil {
		err = end
	}
	return err
}

// perform has the demo played on a running server and prints what came of it.
func (p *program) perform(ctx context.Context, o demoOptions, origin, path, password string) error {
	show := p.Console.Out // of a JSON value, it is out of the way
	bar := &progress{out: show, terminal: p.Terminal}
	var told error
	_, played := demo.Run(ctx, demo.Options{
		URL: origin + path, RootPassword: password, Nodes: o.nodes, Tasks: o.tasks, Progress: bar.show,
		Played: func(report demo.Report, err error) {
			bar.end()
			if err == nil || len(report.Hospitals) > 0 {
				told = p.printReport(report)
			}
			if err == nil && told == nil && o.keep {
				told = p.stay(ctx, origin, path, password, report)
			}
		},
	})
	return cmp.Or(played, told)
}

// stay says where the server is, and leaves it and the nodes up until somebody interrupts.
func (p *program) stay(ctx context.Context, origin, path, password string, report demo.Report) error {
	_, err := fmt.Fprintf(p.Console.Out, "\nThe server stays up at %s/ until you interrupt it (Ctrl-C), and so do the nodes.\n"+
		"Open it in a browser; clients connect there with the API path %s\n"+
		"  administrator  root / %s\n  researcher     %s / %s\n", origin, path, password, report.Researcher.Username, report.Researcher.Password)
	if err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func (p *program) printReport(r demo.Report) error {
	if p.forPrograms {
		return p.printJSON(r)
	}
	return r.Print(p.out)
}

// demoInstance is a server that lives in one directory, on a free port of this
// machine.
func (p *program) demoInstance(dir, password string) (config.Instance, error) {
	file := filepath.Join(dir, "demo.yaml")
	text := strings.ReplaceAll(demoConfiguration, "DIR", filepath.ToSlash(dir))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return config.Instance{}, fmt.Errorf("writing the demo's configuration: %w", err)
	}
	getenv := func(name string) string {
		switch name {
		case "VSERVER_ROOT_PASSWORD":
			return password
		case "HOME", "USERPROFILE", "LOCALAPPDATA", "ProgramData":
			return p.getenv(name)
		}
		return "" // the demo's server obeys no setting of the surroundings
	}
	inst, err := config.ThisMachine(getenv).Resolve(config.Wanted{File: file, Environment: "test"})
	if err == nil {
		inst.Config.Port = 0
	}
	return inst, err
}

const demoConfiguration = `environments:
  test:
    description: A server for demonstration, gone when it ends
    type: test
    ip: 127.0.0.1
    port: 5000
    api_path: /api
    uri: sqlite:///demo.sqlite
    allow_drop_all: false
    directories: {data: "DIR/data", log: "DIR"}
    logging:
      level: INFO
      file: demo.log
      use_console: false
      backup_count: 1
      max_size: 10240
      format: "%(asctime)s - %(name)-14s - %(levelname)-8s - %(message)s"
      datefmt: "%Y-%m-%d %H:%M:%S"
`

// progress shows how far the demo is: one line that is written over on a terminal,
// a line for each step elsewhere.
type progress struct {
	out      io.Writer
	terminal bool
	last     string
}

func (b *progress) show(s demo.Progress) {
	if b.terminal {
		_, _ = fmt.Fprintf(b.out, "\r\x1b[K%s %3d%% %s", terminal.Bar(s.Done, s.Total, "."), 100*s.Done/s.Total, s.Step)
		return
	}
	if s.Step != b.last {
		_, _ = fmt.Fprintln(b.out, s.Step)
	}
	b.last = s.Step
}

// end leaves the bar's line.
func (b *progress) end() {
	if b.terminal {
		_, _ = fmt.Fprintln(b.out)
	}
}
