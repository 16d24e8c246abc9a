package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"vserver/service"
	"vserver/service/config"
	"vserver/service/shell"
)

// shellCommand opens the console on an instance's database.
func (p *program) shellCommand() *cobra.Command {
	var f instanceFlags
	var code string
	cmd := &cobra.Command{
		Use:   "shell",
		Short: "Manage all entities with statements on db.Organization, db.User and the others",
		Long: "Manage all entities with statements on db.Organization, db.User and the others.\n\n" +
			"Statements come from the terminal, from a pipe or file (vserver shell < FILE), or from\n" +
			"--command; then the exit code is 1 when one of them failed. help() lists what there is.\n\n" +
			"The shell checks nothing and announces nothing. The server may run meanwhile, or not: it\n" +
			"notices changed rights, users and nodes within a second; nodes learn of a task when they\n" +
			"connect the next time.",
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("command") && code == "" {
				return misused("Option '--command' requires an argument.")
			}
			f.inputTaken = !p.in.Terminal // statements
			inst, err := f.find(p)
			if err != nil {
				return err
			}
			return p.shell(cmd.Context(), inst, rootFromAnywhere(f.environment), code)
		},
	}
	f.shared(cmd)
	config := cmd.Flags().Lookup("config")
	config.Value = fileOrCode{&f.file, &code}
	config.Usage = "`PATH` of a configuration file; wins over --name. What is no file and no path is taken as --command"
	cmd.Flags().StringVar(&code, "command", "", "run `CODE` and end")
	return cmd
}

// fileOrCode is the option --config of the shell: both of what it may be can be given
// on one line.
type fileOrCode struct{ file, code *string }

// String is empty: there is no default.
func (v fileOrCode) String() string { return "" }

// Type is that of a text.
func (v fileOrCode) Type() string { return "string" }

// Set takes a path or statements.
func (v fileOrCode) Set(text string) error {
	if isCode(text) {
		*v.code = text
	} else {
		*v.file = text
	}
	return nil
}

// isCode reports whether a text is statements and no path of a configuration: -c is the short form of
// --config, and what everybody tries for --command.
func isCode(text string) bool {
	if _, err := os.Stat(text); err == nil || text == "" {
		return false
	}
	switch strings.ToLower(filepath.Ext(text)) {
	case ".yaml", ".yml":
		return false
	}
	return strings.ContainsAny(text, "()= \n") || !strings.ContainsAny(text, `/\`)
}

// shell opens the database, runs statements and closes it again.
func (p *program) shell(ctx context.Context, inst config.Instance, rootFromAnywhere bool, code string) (err error) {
	opened, err := service.OpenInstance(ctx, inst, rootFromAnywhere, p.Logger())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	s := shell.New(opened.Core, opened.DB, shell.Options{
		Out: p.out, Err: p.err, History: p.shellHistory(), Panicked: worded,
		Context: shell.Context{
			Name: inst.Name, Environment: inst.Config.Environment, Scope: string(inst.Scope),
			ConfigFile: inst.File, DataDir: inst.DataDir, LogFile: inst.LogFile,
		},
	})
	in, typed := p.in.Reader.(*os.File)
	var exit int
	switch {
	case code != "":
		exit, err = s.Script(ctx, strings.NewReader(code))
	case p.in.Terminal && typed:
		exit, err = p.runAtTerminal(ctx, s, shell.OpenConsole(in, p.screen(in)))
	default:
		exit, err = s.Script(ctx, p.in.Reader)
	}
	if err == nil && exit != 0 {
		err = exitCode(exit)
	}
	return err
}

// screen is where lines are edited: the terminal that is typed at, when the output
// goes elsewhere.
func (p *program) screen(in *os.File) *os.File {
	if out, ok := p.out.(*os.File); ok && p.Terminal {
		return out
	}
	return in
}

// runAtTerminal runs a session at a terminal. Ctrl-C belongs to the session, whatever else it
// would end; being asked to end still ends it.
func (p *program) runAtTerminal(ctx context.Context, s *shell.Shell, c shell.Console) (int, error) {
	ctx, stop := signal.NotifyContext(context.WithoutCancel(ctx), syscall.SIGTERM)
	defer stop()
	exit, err := s.Interact(ctx, c)
	if errors.Is(err, context.Canceled) {
		return exit, nil
	}
	return exit, err
}

// shellHistory is the file of what was typed, in the data folder of whoever types.
func (p *program) shellHistory() string {
	locations := config.ThisMachine(p.getenv)
	if locations.Home == "" {
		return ""
	}
	return filepath.Join(locations.Folders(config.User, "").Data, "shell_history")
}

// exitCode is the end of a command that has told why already.
type exitCode int

// Error returns the code.
func (e exitCode) Error() string { return "exit code " + strconv.Itoa(int(e)) }
