package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"vserver/service/config"
	"vserver/service/terminal"
	"vserver/service/upkeep"
)

// newFlags are the options of `vserver new`.
type newFlags struct {
	name, environment string
	scope             config.Scope
	given             map[string]*string // answers beforehand, by option
	origins           []string
	yes               bool
}

// newCommand asks for the settings of a server and writes its file.
func (p *program) newCommand() *cobra.Command {
	f := newFlags{scope: config.System, given: map[string]*string{}}
	cmd := &cobra.Command{
		Use:   "new",
		Short: "Create a new server configuration file",
		Long: "Create a new server configuration file, or add an environment to an existing one. What no option\n" +
			"answers is asked: with menus on a terminal, line by line where the input is a file or a pipe.\n" +
			"With --yes nothing is asked.",
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for name := range f.given {
				if !cmd.Flags().Changed(name) {
					delete(f.given, name)
				}
			}
			return p.newConfiguration(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.name, "name", "n", "", "`NAME` of the configuration")
	flags.StringVarP(&f.environment, "environment", "e", "prod", "`ENVIRONMENT` to write: prod, acc, test, dev or application")
	scope(flags, &f.scope, config.System, "keep it in the system's folders (default)")
	scope(flags, &f.scope, config.User, "keep it in the folders of this user")
	for _, i := range items() {
		f.given[i.flag] = flags.String(i.flag, "", i.usage())
	}
	flags.StringArrayVar(&f.origins, "origin", nil, "further `ORIGIN` that web pages may come from, such as https://ui.example; can be repeated")
	flags.BoolVarP(&f.yes, "yes", "y", false, "ask nothing: take what the options say, and the usual values for the rest")
	p.jsonFlag(cmd)
	completeInstances(cmd)
	return cmd
}

// usage explains the option of a question.
func (i item) usage() string {
	value, more := "TEXT", ""
	switch {
	case i.file:
		value, more = "FILE", " (a file that holds it)"
	case i.q.Confirm:
		value, more = "yes|no", " (usually "+i.q.Standard+")"
		if i.unasked != i.q.Standard {
			more = fmt.Sprintf(" (usually %s; %s where nobody is asked)", i.q.Standard, i.unasked)
		}
	case len(i.q.Options) > 0:
		more = fmt.Sprintf(" (%s, usually %s)", strings.Join(i.q.Values(), ", "), i.q.Standard)
	case i.q.Standard != "":
		more = " (usually " + i.q.Standard + ")"
	}
	return fmt.Sprintf("`%s` for: %s%s", value, strings.TrimRight(i.q.Title, ":?"), more)
}

// newConfiguration follows /docs/commands#new.
func (p *program) newConfiguration(ctx context.Context, f newFlags) error {
	locations := config.ThisMachine(p.getenv)
	if err := p.nameNew(&f); err != nil {
		return err
	}
	folder := locations.Folders(f.scope, f.name).Config
	path := filepath.Join(folder, f.name+".yaml")
	if err := checkFree(path, f); err != nil {
		return err
	}
	if !p.writable(filepath.Dir(filepath.Dir(folder))) {
		p.Error("Your user does not have write access to all folders. Exiting")
		p.Info("Create a configuration of your own with %s", p.Good("vserver new --user"))
		return errReported
	}
	a, err := p.interview(f)
	if err != nil {
		return err
	}
	block, err := a.block(f.name, f.origins)
	if err != nil {
		return err
	}
	if err := config.WriteFile(path, f.environment, block); err != nil {
		return err
	}
	p.Info("New configuration created: %s", p.Good(path))
	if err := p.firstUser(ctx, locations, f, a[flagPassword]); err != nil {
		return err
	}
	return p.next(f, path)
}

// nameNew makes sure of a name, asking for one when none is given.
func (p *program) nameNew(f *newFlags) error {
	if err := config.CheckEnvironment(f.environment); err != nil {
		return err
	}
	if f.name == "" {
		if f.yes {
			return errors.New("give the new configuration a name with --name")
		}
		typed, err := p.in.Ask(p.Console, terminal.Question{Title: "Please enter a configuration-name:"})
		if errors.Is(err, terminal.ErrNoAnswer) {
			return errors.New("give the new configuration a name with --name")
		}
		if err != nil {
			return err
		}
		f.name = strings.ReplaceAll(typed, " ", "-")
		if f.name != typed {
			p.Info("Replaced spaces from configuration name: %s", f.name)
		}
	}
	return config.CheckName(f.name)
}

// checkFree refuses an environment that the file has already.
func checkFree(path string, f newFlags) error {
	file, err := config.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && slices.Contains(file.Environments(), f.environment) {
		return fmt.Errorf("Configuration %s with environment %s already exists!", f.name, f.environment)
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil // the check of the folders says so
	}
	return err
}

// writable reports whether files can be made in a folder, or the folder itself when only
// that is missing.
func (p *program) writable(folder string) bool {
	place := folder
	_, err := os.Stat(folder)
	missing := errors.Is(err, fs.ErrNotExist)
	if missing {
		place = filepath.Dir(folder)
	}
	probe, err := os.CreateTemp(place, ".vserver-*")
	switch {
	case err == nil:
		return errors.Join(probe.Close(), os.Remove(probe.Name())) == nil
	case missing:
		p.Warn("Target directory '%s' for configuration file does not exist.", folder)
	default:
		p.Warn("No write permissions at '%s'.", folder)
	}
	return false
}

// interview gets an answer to every question that applies.
func (p *program) interview(f newFlags) (answers, error) {
	a, asking := answers{}, !f.yes
	for _, i := range items() {
		if i.needs != "" && a[i.needs] != terminal.Yes {
			continue
		}
		answer, given, err := i.beforehand(f.given)
		if err != nil {
			return nil, err
		}
		if !given {
			answer = i.unasked
		}
		if !given && asking && (i.flag != flagPassword || p.rootPassword() == "") {
			answer, err = p.in.Ask(p.Console, i.q)
			if errors.Is(err, terminal.ErrNoAnswer) {
				p.Info("No more input: the usual values are taken for the rest")
				answer, asking, err = i.unasked, false, nil
			}
			if err == nil && i.flag == flagPassword {
				err = p.repeat(i.q, answer)
			}
		}
		if err != nil {
			return nil, err
		}
		a[i.flag] = answer
	}
	return a, nil
}

// repeat has a hidden answer typed twice where nobody sees what is typed.
func (p *program) repeat(q terminal.Question, answer string) error {
	if answer == "" || !p.in.Terminal {
		return nil
	}
	q.Title, q.Note = "The same once more:", ""
	q.Check = func(again string) error {
		if again != answer {
			return errors.New("This is not the same")
		}
		return nil
	}
	_, err := p.in.Ask(p.Console, q)
	return err
}

// beforehand returns the answer of an option.
func (i item) beforehand(given map[string]*string) (answer string, ok bool, err error) {
	value, ok := given[i.flag]
	if !ok {
		return "", false, nil
	}
	answer = *value
	if i.file {
		text, err := os.ReadFile(answer)
		if err != nil {
			return "", false, fmt.Errorf("--%s: %w", i.flag, err)
		}
		answer = strings.TrimRight(string(text), "\r\n")
	}
	switch {
	case i.q.Confirm:
		answer, err = terminal.YesOrNo(answer)
	case len(i.q.Options) > 0:
		if answer, err = i.q.Parse(answer); err != nil {
			err = fmt.Errorf("must be one of %s", strings.Join(i.q.Values(), ", "))
		}
	default:
		err = i.q.Validate(answer)
	}
	if err != nil {
		return "", false, misused("Invalid value for '--%s': %s", i.flag, err)
	}
	return answer, true, nil
}

// rootPassword is the one that the environment gives, "" for none.
func (p *program) rootPassword() string {
	if value := p.getenv("VSERVER_ROOT_PASSWORD"); value != "" {
		return value
	}
	return p.getenv("VSERVER_ROOT_PASSWORD_FILE")
}

// firstUser makes the first user at once when a password was chosen for it: so it
// stands in no file.
func (p *program) firstUser(ctx context.Context, locations config.Locations, f newFlags, password string) error {
	if password == "" && p.rootPassword() == "" {
		from := "from this machine only"
		if rootFromAnywhere(f.environment) {
			from = "FROM ANYWHERE when the server is started with --environment " + f.environment + ", else from this machine only"
		}
		p.Warn("The first start makes user root with password root; until that is changed it gets in %s", from)
		return nil
	}
	inst, err := locations.Resolve(config.Wanted{Name: f.name, Environment: f.environment, Scope: f.scope})
	if err != nil {
		return err
	}
	if password != "" {
		inst.Config.RootPassword = config.Secret(password)
	}
	made, err := upkeep.MakeFirstUser(ctx, inst, p.QuietLogger())
	switch {
	case err != nil:
		return fmt.Errorf("the password of root could not be set, give it to the first start as VSERVER_ROOT_PASSWORD: %w", err)
	case made:
		p.Info("User root can log in with the password that you have chosen")
	default:
		p.Warn("The database %s has users already: their passwords stay as they are", inst.Database)
	}
	return nil
}

// next says what to do with the new file.
func (p *program) next(f newFlags, path string) error {
	flag := ""
	if f.scope == config.User {
		flag = "--user"
	}
	p.Info("You can start the server by running %s", p.Good("vserver start "+flag))
	full := strings.Join(strings.Fields(fmt.Sprintf("vserver start %s --name %s --environment %s", flag, f.name, f.environment)), " ")
	p.Info("In full: %s", full)
	p.Info("Web pages of another address need it under cors_allowed_origins in the file")
	return p.finish(map[string]string{
		"name": f.name, "environment": f.environment, "scope": string(f.scope), "file": path, "start": full,
	}, nil)
}
