package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vserver/service"
	"vserver/service/batch"
	"vserver/service/config"
	"vserver/service/instance"
	"vserver/service/upkeep"
)

// importFlags are the options of `vserver import`.
type importFlags struct {
	instanceFlags
	dropAll, dryRun, yes, noBackup bool
}

// importCommand adds the entities of a file to an instance's database.
func (p *program) importCommand() *cobra.Command {
	var f importFlags
	cmd := p.onInstance(&cobra.Command{
		Use:   "import FILE_",
		Short: "Add organizations, users, collaborations, nodes and tasks from a YAML file",
		Long: "Add organizations, users, collaborations, nodes and tasks from a YAML file.\n\n" +
			"What the database has already is left alone; when it differs from the file, every\n" +
			"difference is named with its line and nothing is changed. The server may run meanwhile;\n" +
			"--drop-all then ends all its connections, and asks first.",
		Args: oneFile,
	}, &f.instanceFlags, func(ctx context.Context, inst config.Instance, args []string) (any, error) {
		return p.importFile(ctx, inst, args[0], f)
	})
	forContainers(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&f.dropAll, "drop-all", false, "remove all data first; the configuration has to allow it (allow_drop_all)")
	flags.BoolVar(&f.noBackup, "no-backup", false, "with --drop-all: keep no copy of the data")
	yesFlag(cmd, &f.yes)
	flags.BoolVar(&f.dryRun, "dry-run", false, "only show what would be done")
	return cmd
}

// oneFile wants one argument that names a file.
func oneFile(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return misused("Missing argument 'FILE_'.")
	}
	if len(args) > 1 {
		return misused("Got unexpected extra argument (%s)", strings.Join(args[1:], " "))
	}
	switch info, err := os.Stat(args[0]); {
	case err != nil:
		return misused("Invalid value for 'FILE_': Path '%s' does not exist.", args[0])
	case info.IsDir():
		return misused("Invalid value for 'FILE_': Path '%s' is a directory.", args[0])
	}
	return nil
}

func (p *program) importFile(ctx context.Context, inst config.Instance, path string, f importFlags) (result any, err error) {
	if f.dropAll && !inst.Config.AllowDropAll {
		return nil, batch.ErrNotAllowed // before a database is made
	}
	p.Info("Reading %s", path)
	file, err := batch.Read(path)
	if err != nil {
		return nil, err
	}
	for _, w := range file.Warnings {
		p.Warn("%s", w)
	}
	if f.dropAll && !f.dryRun {
		if err := service.RefuseForeign(ctx, inst); err != nil {
			return nil, err
		}
		if err := p.giveUpData(ctx, inst, f); err != nil {
			return nil, err
		}
	}
	opened, err := service.OpenInstance(ctx, inst, rootFromAnywhere(f.environment), p.Logger())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	p.Info("Comparing with the database %s", inst.Database)
	report, err := file.Apply(ctx, opened.Core, batch.Options{
		DropAll: f.dropAll, AllowDropAll: inst.Config.AllowDropAll, DryRun: f.dryRun, Progress: p.progress(),
	})
	p.differences(path, report)
	if f.dryRun {
		p.additions(report)
	}
	if err != nil {
		return nil, err
	}
	return imported(report, f.dryRun), p.summary(report, f)
}

// giveUpData asks before the data of an environment that is no trial, or of a server that
// runs, is removed; of what is no trial it keeps a copy.
func (p *program) giveUpData(ctx context.Context, inst config.Instance, f importFlags) error {
	e, server := inst.Config.Environment, p.serverOn(inst)
	trial := e == "test" || e == "dev"
	if trial && server == "" {
		return nil
	}
	what := fmt.Sprintf("remove all data of the %s database %s", e, inst.Database)
	if server != "" {
		what += " and end all connections of " + server
	}
	if err := p.consent(f.yes, what); err != nil {
		return err
	}
	if trial || f.noBackup {
		return nil
	}
	kept, err := upkeep.KeepData(ctx, inst, time.Now(), p.running)
	if err != nil {
		return fmt.Errorf("keeping a copy of the data (--no-backup goes without): %w", err)
	}
	if kept != "" {
		p.Info("What the database held is kept in %s", kept)
	}
	return nil
}

// serverOn names the server that runs on the database of an instance, if one does.
func (p *program) serverOn(inst config.Instance) string {
	if by := service.ServerOf(inst); by != "" {
		return by
	}
	if r, ok := instance.Find(config.ThisMachine(p.getenv), inst); ok {
		return fmt.Sprintf("server %s (process %d)", r.Name, r.PID)
	}
	return ""
}

// outcome is what an import did, or would do, as programs read it.
type outcome struct {
	DryRun    bool               `json:"dry_run"`
	Created   map[batch.Kind]int `json:"created"` // to be created, where nothing was done
	Unchanged int                `json:"unchanged"`
	Differing []batch.Change     `json:"differing"`
}

func imported(r batch.Report, dryRun bool) outcome {
	o := outcome{DryRun: dryRun, Created: map[batch.Kind]int{}, Differing: []batch.Change{}}
	for _, c := range r.Changes {
		switch c.Verdict {
		case batch.Created:
			o.Created[c.Kind]++
		case batch.Differs:
			o.Differing = append(o.Differing, c)
		case batch.Unchanged:
			o.Unchanged++
		}
	}
	return o
}

// differences names every row that keeps the import from being done.
func (p *program) differences(path string, r batch.Report) {
	for _, c := range r.Changes {
		if c.Verdict == batch.Differs {
			p.Error(fmt.Sprintf("%s:%d: %s %s: %s", path, c.Line, c.Kind, c.Name, c.Text))
		}
	}
}

// additions lists what an import would add.
func (p *program) additions(r batch.Report) {
	for _, c := range r.Changes {
		if c.Verdict == batch.Created {
			p.Info("+ %s %s", c.Kind, c.Name)
		}
	}
}

// summary counts; rows that differ make the command fail.
func (p *program) summary(r batch.Report, f importFlags) error {
	var kinds []string
	for _, k := range batch.Kinds() {
		if n := r.Count(batch.Created, k); n > 0 {
			kinds = append(kinds, fmt.Sprintf("%s %d", k, n))
		}
	}
	differ := r.Count(batch.Differs, "")
	done := "created"
	switch {
	case differ > 0:
		done = "to create"
		p.Error("The database differs from the file, so nothing was changed")
	case f.dryRun:
		done = "to create"
		p.Info("Nothing was changed, as asked")
	case f.dropAll:
		p.Info("All data was removed first")
	}
	if len(kinds) > 0 {
		p.Info("%s: %s", done, strings.Join(kinds, ", "))
	}
	p.Info("%d %s, %d unchanged, %d differing", r.Count(batch.Created, ""), done, r.Count(batch.Unchanged, ""), differ)
	if differ > 0 {
		return errReported
	}
	return nil
}

// progress shows how far a long import is: a line for each stage, and on a terminal
// a bar.
func (p *program) progress() func(batch.Stage, int, int) {
	var current batch.Stage
	bar := p.meter("users")
	return func(stage batch.Stage, done, total int) {
		if stage != current {
			current = stage
			switch stage {
			case batch.Hashing:
				p.Info("Hashing the passwords of %d new users, one at a time on each of %d cores", total, runtime.GOMAXPROCS(0))
			case batch.Writing:
				p.Info("Writing %d users", total)
			}
		}
		bar.draw(string(stage), int64(done), int64(total))
	}
}
