// Package cli is the command line of vserver: one file per command. It reads
// configuration, starts the service and speaks to the user; it holds no rule of
// the wire protocol. It may import every package of service, nothing imports it
// but main.
package cli

import (
	"bufio"
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
	p := &program{in: os.Stdin, inTerminal: isTerminal(os.Stdin), out: os.Stdout, err: os.Stderr, getenv: os.Getenv, findService: daemon.Find}
	p.console = console{out: p.out, colour: colourful(os.Stdout, os.Getenv), terminal: isTerminal(os.Stdout)}
	return p.main(ctx, args)
}

// program is what commands see of the process they run in.
type program struct {
	in         io.Reader
	inTerminal bool          // somebody types
	lines      *bufio.Reader // of in, once a question was answered from it
	keyboard   *keyboard     // likewise, on a terminal
	out, err   io.Writer
	getenv     func(string) string
	console
	forPrograms bool            // the outcome is printed as JSON
	interrupted <-chan struct{} // closed when the command is to end
	// findService is daemon.Find; tests have a service manager of their own.
	findService func(config.Locations, config.Scope, string) (daemon.Manager, daemon.State, error)
}

func (p *program) main(ctx context.Context, args []string) int {
	p.interrupted = ctx.Done()
	root := p.root()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
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
		p.error(err.Error())
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
		p.attachCommand(),
		p.backupCommand(),
		p.configCommand(),
		p.demoCommand(),
		p.doctorCommand(),
		p.filesCommand(),
		p.healthCommand(),
		p.importCommand(),
		p.listCommand(),
		p.manCommand(),
		p.migrateCommand(),
		p.nodeConfigCommand(),
		p.newCommand(),
		p.restoreCommand(),
		p.runCommand(),
		p.serviceCommand(),
		p.shellCommand(),
		p.startCommand(),
		p.stopCommand(),
		p.versionCommand(),
	)
	root.SetOut(p.out)
	root.SetErr(p.err)
	root.PersistentFlags().Bool("help", false, "show this text") // without the short form that cobra would add
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

// Error gives the text without the usage.
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

// flagError words what is wrong with an option (contract 40 §2).
func flagError(_ *cobra.Command, err error) error {
	var none *pflag.NotExistError
	var empty *pflag.ValueRequiredError
	var wrong *pflag.InvalidValueError
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return misused("No such option: -h")
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
