package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vserver/service"
	"vserver/service/config"
	"vserver/service/takeover"
	"vserver/service/upkeep"
)

// takeoverFlags are the options of `vserver takeover`.
type takeoverFlags struct {
	instanceFlags

	check, back, complete bool
	zone, to              string
	keys                  []string
}

// takeoverCommand makes a database of a 3.x server one of this server.
func (p *program) takeoverCommand() *cobra.Command {
	var f takeoverFlags
	cmd := p.onInstance(&cobra.Command{
		Use:   "takeover [FILE...]",
		Short: "Take over the database of a vantage6 3.x server, or undo that",
		Long: "Take over the database of a vantage6 3.x server that uri leads to, or undo that.\n\n" +
			"The new database is built beside the old one, proven, and put in its place in one step; the\n" +
			"old one is kept, an SQLite file as NAME.v3-DATE.sqlite, tables of PostgreSQL in the schema\n" +
			"v3_DATE. The old server must be stopped. Interrupted at any moment, the old database is as\n" +
			"it was, or the new one is whole; the same command then does what is left. With --check\n" +
			"nothing changes. With --back the old database gets its place again, and what was made\n" +
			"since is written to a file. A start does the same by itself, unless the setting takeover\n" +
			"is ask.\n\n" +
			"With --to the new database is made in an empty one of either engine, and the lines of the\n" +
			"configuration to change are shown. The old one is only read, and stays where it is.\n\n" +
			"Of API keys of nodes the old server left slow hashes: a node that logs in is searched for.\n" +
			"With --keys FILE..., import files and configurations of nodes, that is done beforehand, also\n" +
			"after a takeover, and while the server runs.",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(f.keys) > 0 {
				return nil
			}
			return nothing(cmd, args)
		},
	}, &f.instanceFlags, func(ctx context.Context, inst config.Instance, args []string) (any, error) {
		f.keys = append(f.keys, args...)
		return p.takeover(ctx, inst, f)
	})
	flags := cmd.Flags()
	flags.BoolVar(&f.check, "check", false, "only show what would be carried, what cannot stay as it is, and what it takes")
	flags.BoolVar(&f.back, "back", false, "put the old database in its place again")
	flags.StringVar(&f.zone, "zone", "", "`ZONE` of the old server, such as Europe/Amsterdam, for times that it wrote in its own (default: this machine's)")
	flags.BoolVar(&f.complete, "complete-roles", false, "give default roles and those of imports the rules that later releases gave them")
	flags.StringArrayVar(&f.keys, "keys", nil, "`FILE` with API keys of nodes; more of them may follow")
	flags.StringVar(&f.to, "to", "", "`URI` of an empty database to take it over into; the old one is left as it is, and where it is")
	cmd.MarkFlagsMutuallyExclusive("check", "back", "keys")
	cmd.MarkFlagsMutuallyExclusive("to", "check")
	cmd.MarkFlagsMutuallyExclusive("to", "back")
	cmd.MarkFlagsMutuallyExclusive("to", "keys")
	return cmd
}

func (p *program) takeover(ctx context.Context, inst config.Instance, f takeoverFlags) (any, error) {
	o := takeover.Options{Zone: time.Local, Complete: f.complete, Progress: p.meter("rows").draw}
	if f.zone != "" {
		var err error
		if o.Zone, err = time.LoadLocation(f.zone); err != nil {
			return nil, misused("Invalid value for '--zone': %s", err)
		}
	}
	if f.check {
		report, err := takeover.Look(ctx, inst, o)
		if err != nil {
			return nil, err
		}
		p.showReport(report)
		p.adviseKeys(report)
		return report, nil
	}
	given, err := readKeys(f.keys) // before anything is changed
	if err != nil {
		return nil, err
	}
	wanted, err := takeover.Wanted(ctx, inst)
	if err != nil {
		return nil, err
	}
	if given != nil && !wanted {
		converted, err := p.giveKeys(ctx, inst, given, f.environment)
		return withKeys{NodeKeys: converted}, err
	}
	if err := p.idle(inst); err != nil {
		return nil, err
	}
	if f.back {
		undone, err := takeover.Back(ctx, inst)
		if err != nil {
			return nil, err
		}
		p.showUndone(undone)
		return undone, nil
	}
	if !wanted {
		return nil, fmt.Errorf("%s is not the database of a 3.x server: there is nothing to take over", inst.Database)
	}
	if f.to != "" {
		return p.takeoverTo(ctx, inst, config.Secret(f.to), o)
	}
	report, err := p.carryOver(ctx, inst, o)
	if err != nil || given == nil {
		return report, err
	}
	converted, err := p.giveKeys(ctx, inst, given, f.environment)
	return withKeys{&report, converted}, err
}

// takenTo is a report with where the new database is.
type takenTo struct {
	takeover.Report

	Copy upkeep.Moved `json:"copy"`
}

// takeoverTo does it into another place.
func (p *program) takeoverTo(ctx context.Context, inst config.Instance, to config.Secret, o takeover.Options) (any, error) {
	p.Info("Taking over the database %s of a 3.x server, which stays as it is", inst.Database)
	report, moved, err := takeover.To(ctx, config.ThisMachine(p.getenv), inst, to, o)
	if err != nil {
		return nil, err
	}
	p.showChanges(report)
	p.showMoved(inst, moved)
	return takenTo{report, moved}, nil
}

// carryOver does it and says what it did.
func (p *program) carryOver(ctx context.Context, inst config.Instance, o takeover.Options) (takeover.Report, error) {
	p.Info("Taking over the database %s of a 3.x server", inst.Database)
	report, err := takeover.Do(ctx, inst, o)
	if err != nil {
		return report, err
	}
	p.showReport(report)
	p.Info("Taken over and proven in %.1f s; the old one is kept: %s", report.Seconds, report.Kept)
	p.Info("To undo it: vserver takeover --back")
	return report, nil
}

// showReport prints what is carried and what becomes something else, and before a takeover what it takes.
func (p *program) showReport(r takeover.Report) {
	p.showChanges(r)
	if r.Kept != "" {
		return
	}
	free := ""
	if r.Needs.Free > 0 {
		free = fmt.Sprintf(" of %d MiB that are free", r.Needs.Free>>20)
	}
	p.Info("A takeover needs about %d MiB%s and %s", r.Needs.Bytes>>20+1, free, time.Duration(r.Needs.Seconds)*time.Second)
	if r.Holder != "" {
		p.Warn("It is in use, which has to end before: %s", r.Holder)
	}
}

func (p *program) showChanges(r takeover.Report) {
	if r.Generation != "" {
		p.Info("Release %s by its tables; local times are taken for those of %s", r.Generation, r.Zone)
	}
	for _, t := range r.Tables {
		p.Info("%-22s %9d rows, %9d carried", t.Name, t.Rows, t.Carried)
	}
	for _, c := range r.Changes {
		p.Info("%d: %s -> %s (%s%s)", c.Count, c.What, c.Becomes, strings.Join(c.First, ", "), more(c))
	}
	for _, l := range r.Lacking {
		p.Warn("Role %d %q lacks rules of later releases, which --complete-roles adds: %s", l.ID, l.Name, few(l.Lacks))
	}
}

// few writes a list, or how long it is.
func few(list []string) string {
	const most = 8
	if len(list) > most {
		return fmt.Sprintf("%d of them, %s …", len(list), strings.Join(list[:most], ", "))
	}
	return strings.Join(list, ", ")
}

// more tells that not all are named.
func more(c takeover.Change) string {
	if int64(len(c.First)) < c.Count {
		return ", …"
	}
	return ""
}

// showUndone prints what a way back left out.
func (p *program) showUndone(u takeover.Undone) {
	for _, t := range u.Left {
		p.Warn("Made or changed since the takeover, and not in the old database: %d rows of %s", t.Rows, t.Name)
	}
	if u.File != "" {
		p.Info("They are written to %s", u.File)
	}
	if u.Kept == "" {
		p.Info("The old database is in its place; the takeover had not ended")
		return
	}
	p.Info("The old database is in its place again, the other one is kept: %s", u.Kept)
}

// takeOverFirst takes a 3.x database over before a server starts on it, as the setting takeover says. It returns
// what else the database was seen to be.
func (p *program) takeOverFirst(ctx context.Context, inst config.Instance) (*service.Sighting, error) {
	wanted, seen, err := takeover.WantedBefore(ctx, inst)
	if err != nil || !wanted {
		return seen, nil //nolint:nilerr // whoever opens it says so, too
	}
	if inst.Config.Takeover == config.TakeoverAsk {
		return nil, errors.New("the database is that of a vantage6 3.x server, and the setting takeover is ask: " +
			"vserver takeover --check shows what would become of it, vserver takeover takes it over")
	}
	_, err = p.carryOver(ctx, inst, takeover.Options{Zone: time.Local, Progress: p.meter("rows").draw})
	return nil, err
}
