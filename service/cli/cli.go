// Package cli is the command line of vserver: one file per command, beside what
// commands share: the options that choose an instance, and output for programs. What
// a command does stands in the room it is about. It may import every room of service;
// nothing imports it but main.
//
// It is large because there are many commands, each with its flags and its texts for
// people.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"vserver/service/config"
	"vserver/service/daemon"
	"vserver/service/fault"
	"vserver/service/terminal"
)

// Exit codes of every command.
const (
	exitFailure = 1 // reported
	exitUsage   = 2 // the command line itself is wrong
)

// Main runs the command line and returns the process's exit code: 0 for success,
// 1 for a failure that was reported, 2 for a usage error. The first interrupt ends
// the command in an orderly way, the second at once.
func Main(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	p := &program{
		in:      &terminal.Input{Reader: os.Stdin, Terminal: terminal.Is(os.Stdin), Dumb: os.Getenv("TERM") == "dumb", Interrupted: ctx.Done()},
		out:     os.Stdout,
		err:     os.Stderr,
		getenv:  os.Getenv,
		Console: terminal.Console{Out: os.Stdout, Colour: terminal.Colourful(os.Stdout, os.Getenv), Terminal: terminal.Is(os.Stdout)},

		findService: daemon.Find,
		self:        thisProgram(),
	}
	return p.main(ctx, args)
}

// program is what commands see of the process they run in.
type program struct {
	in       *terminal.Input
	out, err io.Writer
	getenv   func(string) string
	terminal.Console
	forPrograms bool // the outcome is printed as JSON
	// findService is daemon.Find; tests have a service manager of their own.
	findService func(config.Locations, config.Instance) (daemon.Manager, daemon.State, error)
	self        string // the file of this program; empty where that is another one, as in tests
}

// thisProgram returns the file of this program, empty when it cannot be found.
func thisProgram() string {
	const running = "/proc/self/exe" // also when the file was replaced since
	if _, err := os.Stat(running); err == nil {
		return running
	}
	path, _ := os.Executable()
	return path
}

func (p *program) main(ctx context.Context, args []string) int {
	if err := unfit(); err != nil {
		p.Error(err.Error())
		return exitFailure
	}
	root := p.root()
	root.SetArgs(args)
	var cmd *cobra.Command
	err := fault.Caught(func() (err error) {
		cmd, err = root.ExecuteContextC(ctx)
		return err
	})
	if err == nil {
		return 0
	}
	var usage *usageError
	if errors.As(err, &usage) {
		_, _ = fmt.Fprintf(p.err, "Usage: %s\nTry '%s --help' for help.\n\nError: %s\n", useLine(cmd), cmd.CommandPath(), usage.text)
		return exitUsage
	}
	var code exitCode
	if errors.As(err, &code) {
		return int(code)
	}
	if !errors.Is(err, errReported) {
		p.Error(worded(err))
	}
	return exitFailure
}

// errReported ends a command whose failure the user has been told of.
var errReported = errors.New("reported")

// root is the command line with all its commands.
func (p *program) root() *cobra.Command {
	root := group(&cobra.Command{
		Use:           "vserver",
		Short:         "The central server of a federated-learning network",
		SilenceErrors: true,
		SilenceUsage:  true,

		PersistentPreRun: p.makeWay,
	},
		p.accessCommand(),
		p.attachCommand(),
		p.backupCommand(),
		p.benchCommand(),
		p.compareKeysCommand(),
		p.configCommand(),
		p.copyCommand(),
		p.demoCommand(),
		p.doctorCommand(),
		p.filesCommand(),
		p.healthCommand(),
		p.importCommand(),
		p.listCommand(),
		p.mailCommand(),
		p.manCommand(),
		p.migrateCommand(),
		p.takeoverCommand(),
		p.nodeConfigCommand(),
		p.newCommand(),
		p.restoreCommand(),
		p.runCommand(),
		p.serviceCommand(),
		p.shellCommand(),
		p.startCommand(),
		p.stopCommand(),
		p.userCommand(),
		p.versionCommand(),
	)
	root.SetOut(p.out)
	root.SetErr(p.err)
	root.PersistentFlags().BoolP("help", "h", false, "show this text")
	version := root.Flags().BoolP("version", "v", false, "show the version of this program")
	root.RunE = func(cmd *cobra.Command, _ []string) error {
		if *version {
			return p.programVersion()
		}
		return cmd.Help()
	}
	root.SetFlagErrorFunc(flagError)
	strictCompletion(root)
	return root
}

// group completes a command that is there for the commands below it.
func group(cmd *cobra.Command, commands ...*cobra.Command) *cobra.Command {
	cmd.Args = noSuchCommand
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	cmd.SuggestionsMinimumDistance = 2
	cmd.AddCommand(commands...)
	return cmd
}

// usageError is a mistake in the command line.
type usageError struct{ text string }

// Error returns the text without the usage.
func (e *usageError) Error() string { return e.text }

func misused(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// noSuchCommand refuses a word after `vserver` that is no command.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := fmt.Sprintf("No such command '%s'.", args[0])
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		text += " Did you mean " + strings.Join(near, " or ") + "?"
	}
	return misused("%s", text)
}

// nothing refuses arguments after a command that takes none.
func nothing(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return misused("Got unexpected extra argument (%s)", strings.Join(args, " "))
	}
	return nil
}

// flagError words what is wrong with an option (/docs/commands#output).
func flagError(_ *cobra.Command, err error) error {
	var none *pflag.NotExistError
	var empty *pflag.ValueRequiredError
	var wrong *pflag.InvalidValueError
	switch {
	case errors.As(err, &none) && none.GetSpecifiedShortnames() != "":
		return misused("No such option: -%s", none.GetSpecifiedName())
	case errors.As(err, &none):
		return misused("No such option: --%s", none.GetSpecifiedName())
	case errors.As(err, &empty):
		return misused("Option '--%s' requires an argument.", empty.GetFlag().Name)
	case errors.As(err, &wrong):
		return misused("Invalid value for '--%s': '%s' is not a valid %s.", wrong.GetFlag().Name, wrong.GetValue(), kindOf(wrong.GetFlag()))
	}
	return misused("%s", err)
}

func kindOf(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "int", "uint16":
		return "integer"
	case "bool":
		return "truth value"
	}
	return "text"
}

// useLine is the usage of a command in one line, options before arguments.
func useLine(cmd *cobra.Command) string {
	if cmd.HasSubCommands() {
		return cmd.CommandPath() + " [OPTIONS] COMMAND [ARGS]..."
	}
	_, arguments, _ := strings.Cut(cmd.Use, " ")
	return strings.TrimSpace(cmd.CommandPath() + " [OPTIONS] " + arguments)
}
