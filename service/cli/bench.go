package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"vserver/service"
	"vserver/service/bench"
	"vserver/service/config"
	"vserver/service/instance"
	"vserver/service/terminal"
	"vserver/service/yaml"
)

// benchFlags are the options of `vserver bench`.
type benchFlags struct {
	bench.Options
	list         bool
	size, uri    string
	passwordFile string
}

// benchCommand measures. It is not among the commands of the short help: who runs a server
// does not need it.
func (p *program) benchCommand() *cobra.Command {
	var f benchFlags
	cmd := &cobra.Command{
		Use:    "bench [NAME]...",
		Hidden: true,
		Short:  "Measure a server under load: large results, slow clients, floods, crowds",
		Long: "Measure a server under load: large results, slow clients, floods, crowds.\n\n" +
			"Every scenario, or those that are named, is done on a server of its own: a process of this\n" +
			"program with a database in a temporary folder. With --against another program is measured\n" +
			"beside it, in turns. With --address a server that runs on this machine is measured: use one\n" +
			"for tests, since it gets organizations, tasks and a load that nobody else gets through.\n\n" +
			"Numbers are worth something on a machine that does nothing else. Memory is measured on Linux.",
		Args:              knownScenarios,
		ValidArgsFunction: completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			f.Names = args
			if err := f.check(cmd); err != nil {
				return err
			}
			if f.list {
				return p.listScenarios(f.Options)
			}
			return p.bench(cmd.Context(), f)
		},
	}
	f.add(cmd)
	p.jsonFlag(cmd)
	return cmd
}

// knownScenarios refuses other names.
func knownScenarios(_ *cobra.Command, args []string) error {
	names := scenarioNames()
	for _, name := range args {
		if slices.Contains(names, name) {
			continue
		}
		if near := yaml.Nearest(name, names); near != "" {
			return misused("No such scenario '%s'. Did you mean %s?", name, near)
		}
		return misused("No such scenario '%s'. There are %s.", name, strings.Join(names, ", "))
	}
	return nil
}

func scenarioNames() []string {
	var names []string
	for _, s := range bench.Scenarios() {
		names = append(names, s.Name)
	}
	return names
}

func (f *benchFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.list, "list", false, "only tell which scenarios there are")
	flags.BoolVar(&f.Quick, "quick", false, "small sizes, for a look in seconds")
	flags.IntVar(&f.Rounds, "rounds", 0, "how often each scenario is done; values are the middle (default 3, or 1 with --quick)")
	flags.StringVar(&f.Against, "against", "", "`PROGRAM` to compare with, an older vserver")
	flags.StringVar(&f.Plots, "plots", "", "`FOLDER` for plots, as SVG")
	flags.StringVar(&f.uri, "uri", "", "`URI` of a PostgreSQL server, where each server gets a database that is removed again (default: SQLite)")
	flags.StringVar(&f.Address, "address", "", "`URL` of a server that runs on this machine, with its API path, such as http://127.0.0.1:5000/api")
	flags.StringVar(&f.Username, "username", "root", "with --address, `NAME` of an administrator")
	flags.StringVar(&f.passwordFile, "password-file", "", "`FILE` with the password; else it is VSERVER_ROOT_PASSWORD, or asked for")
	flags.StringVar(&f.size, "size", "", "`SIZE` of results and bodies, such as 100MB, instead of each scenario's own")
	for _, n := range []struct {
		into        *int
		name, usage string
	}{
		{&f.Sizes.Nodes, "nodes", "nodes"},
		{&f.Sizes.Sockets, "sockets", "live connections"},
		{&f.Sizes.Tasks, "tasks", "tasks or requests"},
		{&f.Sizes.Clients, "clients", "clients at a time"},
		{&f.Sizes.Readers, "readers", "readers that take nothing"},
		{&f.Sizes.Writers, "writers", "slow bodies"},
		{&f.Sizes.Threads, "threads", "strangers who try to log in"},
	} {
		flags.IntVar(n.into, n.name, 0, "number of "+n.usage+", likewise")
	}
}

// check looks at what is given.
func (f *benchFlags) check(cmd *cobra.Command) error {
	for _, name := range []string{"rounds", "nodes", "sockets", "tasks", "clients", "readers", "writers", "threads"} {
		if n, err := cmd.Flags().GetInt(name); err == nil && cmd.Flags().Changed(name) && (n < 1 || n > mostOfBench) {
			return misused("Invalid value for '--%s': must be from 1 to %d.", name, mostOfBench)
		}
	}
	if f.size != "" {
		n, ok := config.ParseSize(f.size)
		if !ok || n < leastSize || n > mostSize {
			return misused("Invalid value for '--size': must be a size from 1KiB to 1GiB, such as 100MB.")
		}
		f.Sizes.Size = n
	}
	if f.Address == "" {
		return f.checkOwn()
	}
	if f.Against != "" || f.uri != "" {
		return misused("--against and --uri are for servers that the command starts, not for one that runs.")
	}
	if err := bench.CheckAddress(f.Address); err != nil {
		return misused("Invalid value for '--address': %s.", err)
	}
	return nil
}

// The bounds of options.
const (
	mostOfBench = 100_000
	leastSize   = 1 << 10
	mostSize    = 1 << 30
)

// checkOwn looks at what is given for servers of our own.
func (f *benchFlags) checkOwn() error {
	if f.Against != "" {
		program, err := filepath.Abs(f.Against) // its servers run in folders of their own
		if info, lost := os.Stat(program); cmp.Or(err, lost) != nil || info.IsDir() {
			return misused("Invalid value for '--against': '%s' is no program.", f.Against)
		}
		f.Against = program
	}
	if f.uri == "" {
		return nil
	}
	at, err := config.ThisMachine(os.Getenv).Database(config.Secret(f.uri), "")
	if err == nil && at.Engine != config.Postgres {
		err = errors.New("must be of PostgreSQL; servers with SQLite get a file of their own without it")
	}
	if err != nil {
		return misused("Invalid value for '--uri': %s", err)
	}
	f.Postgres = at.DSN.Reveal()
	return nil
}

// bench measures and prints.
func (p *program) bench(ctx context.Context, f benchFlags) (err error) {
	if f.Program, err = os.Executable(); err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	version, commit := service.Version()
	f.Version = strings.TrimSpace("vserver " + version + " " + commit)
	f.Progress = func(text string) { p.Info("%s", text) }
	if f.Address != "" {
		if f.Password, err = p.benchPassword(f); err != nil {
			return err
		}
		f.PID = p.serverAt(f.Address)
	}
	report, err := bench.Run(ctx, f.Options)
	if len(report.Rows) == 0 {
		return err
	}
	if p.forPrograms {
		return p.finish(report, err)
	}
	if report.Busy() {
		p.Warn("The machine was busy with something else before: the numbers may be wrong")
	}
	return errors.Join(report.Print(p.out), err)
}

// benchPassword is the password for a server that runs.
func (p *program) benchPassword(f benchFlags) (string, error) {
	if f.passwordFile != "" {
		text, err := os.ReadFile(f.passwordFile)
		if err != nil {
			return "", fmt.Errorf("--password-file: %w", err)
		}
		return strings.TrimRight(string(text), "\r\n"), nil
	}
	if value := p.getenv("VSERVER_ROOT_PASSWORD"); value != "" {
		return value, nil
	}
	return p.in.Ask(p.Console, terminal.Question{Title: "Password of " + f.Username + ":", Hidden: true})
}

// serverAt is the process of a server of this machine, 0 when none is known to be there.
func (p *program) serverAt(address string) int {
	at, err := url.Parse(address)
	if err != nil {
		return 0
	}
	for _, r := range instance.FindOnMachine(config.ThisMachine(p.getenv), config.System, config.User) {
		if own, err := url.Parse(r.URL); err == nil && cmp.Or(own.Port(), "80") == cmp.Or(at.Port(), "80") {
			return r.PID
		}
	}
	return 0
}

// scenarioJSON is a scenario as programs read it.
type scenarioJSON struct {
	Name  string `json:"name"`
	About string `json:"about"`
}

func (p *program) listScenarios(o bench.Options) error {
	all := []scenarioJSON{}
	for _, s := range bench.Scenarios() {
		all = append(all, scenarioJSON{s.Name, s.Description(o)})
	}
	if p.forPrograms {
		return p.printJSON(all)
	}
	for _, s := range all {
		if _, err := fmt.Fprintf(p.out, "%-12s%s\n", s.Name, s.About); err != nil {
			return err
		}
	}
	return nil
}

// completeScenarios offers the names that are not on the line yet.
func completeScenarios(_ *cobra.Command, given []string, begun string) ([]string, cobra.ShellCompDirective) {
	names := slices.DeleteFunc(scenarioNames(), func(name string) bool {
		return !strings.HasPrefix(name, begun) || slices.Contains(given, name)
	})
	return names, cobra.ShellCompDirectiveNoFileComp
}
