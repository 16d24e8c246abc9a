package cli

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/spf13/cobra"

	"vserver/service/config"
	"vserver/service/mail"
)

// mailCommand is about the mail server of a configuration.
func (p *program) mailCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "mail",
		Short: "Try the mail server of a configuration",
	}, p.mailTestCommand())
}

// testJSON is what came of a mail, as programs read it.
type testJSON struct {
	Server    string   `json:"server"`
	From      string   `json:"from"`
	To        string   `json:"to"`
	Delivered bool     `json:"delivered"` // to the mail server
	Error     *string  `json:"error"`     // null when it is delivered
	Lines     []string `json:"lines"`     // of the conversation
}

func (p *program) mailTestCommand() *cobra.Command {
	var f instanceFlags
	return p.onInstance(&cobra.Command{
		Use:   "test ADDRESS_",
		Short: "Send a mail to an address now, and show what the mail server says",
		Long: "Send a mail to an address now, with the settings under smtp, and show the conversation with\n" +
			"the mail server; passwords are not shown. The server need not run. That the mail server\n" +
			"has taken the mail does not mean that it has arrived: look into the mailbox.",
		Args: oneAddress,
	}, &f, func(ctx context.Context, inst config.Instance, args []string) (any, error) {
		if !inst.Config.SMTP.Configured {
			return nil, errors.New("smtp is not configured: no mail is sent")
		}
		s := mail.New(inst.Config)
		result := testJSON{Server: s.Place(), From: s.From(), To: args[0], Lines: []string{}}
		s.Show = func(line string) {
			result.Lines = append(result.Lines, line)
			p.Info("%s", line)
		}
		err := s.Send(ctx, mail.Letter{To: args[0], ID: rand.Text(), Text: mail.Trial(inst.Name, inst.Config.SupportEmail)})
		if err != nil {
			text := err.Error()
			result.Error = &text
			return result, err
		}
		result.Delivered = true
		p.Info("The mail server %s has taken the mail to %s", result.Server, result.To)
		return result, nil
	})
}

// oneAddress wants one argument.
func oneAddress(_ *cobra.Command, args []string) error {
	switch {
	case len(args) == 0 || args[0] == "":
		return misused("Missing argument 'ADDRESS_'.")
	case len(args) > 1:
		return misused("Got unexpected extra argument (%s)", args[1])
	}
	return nil
}
