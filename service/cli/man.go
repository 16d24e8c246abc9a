package cli

import (
	"github.com/spf13/cobra"

	"vserver/service"
	"vserver/service/manual"
)

// manCommand writes the manual pages.
func (p *program) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages of all commands to a folder",
		Long: "Write the manual pages of all commands to a folder, which is made when missing: one for vserver and\n" +
			"one for each command, such as vserver-start.1.",
		Args: oneArgument("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			version, _ := service.Version()
			written, err := manual.Write(args[0], cmd.Root(), manual.Options{
				Release: "vserver " + version, UseLine: useLine, Sections: manualSections(),
			})
			if err == nil {
				p.Info("Wrote %d manual pages to %s", written, args[0])
			}
			return err
		},
	}
}

// manualSections tell where things are on a system with the usual folders.
func manualSections() []manual.Section {
	return []manual.Section{
		{Title: "FILES", Paths: true, Entries: []manual.Entry{
			{Name: "/etc/xdg/vantage6/server/NAME.yaml", Text: "configuration of an instance of the system"},
			{Name: "~/.config/vantage6/server/NAME.yaml", Text: "configuration of an instance of a user"},
			{Name: "/usr/local/share/vantage6/server/NAME/", Text: "data of an instance of the system; the logs are beside it"},
			{Name: "~/.local/share/vantage6/server/NAME/", Text: "data of an instance of a user"},
			{Name: "~/.cache/vantage6/log/server/", Text: "logs of the instances of a user"},
		}},
		{Title: "ENVIRONMENT", Entries: []manual.Entry{
			{Name: "VANTAGE6_DB_URI", Text: "comes before uri of the configuration"},
			{Name: "VSERVER_JWT_SECRET_KEY", Text: "comes before jwt_secret_key of the configuration"},
			{Name: "VSERVER_ROOT_PASSWORD", Text: "password of the first user, when there is none yet"},
			{Name: "NO_COLOR", Text: "when set, nothing is coloured"},
		}, Note: "The second and third also with _FILE behind, as the path of a file that holds the value."},
	}
}
