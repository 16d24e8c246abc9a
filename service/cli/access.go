package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"vserver/handlers"
	"vserver/service/config"
	"vserver/service/core"
	"vserver/service/fault"
	"vserver/service/yaml"
)

// accessCommand says who may do what.
func (p *program) accessCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "access",
		Short: "Say who may make a request, and why",
	}, p.accessExplainCommand(), p.accessWhoCommand())
}

func (p *program) accessExplainCommand() *cobra.Command {
	f := instanceFlags{userLevel: "user-level"}
	var user string
	cmd := p.onInstance(&cobra.Command{
		Use:   "explain METHOD_ PATH_",
		Short: "Say why a user may make a request or may not, by rule, role and scope",
		Long: "Say why a user may make a request or may not: by which rules, from which roles, or which rules\n" +
			"are lacking and which default roles have them.\n\n" +
			"The path is that of the API, such as /task/1, with api_path in front of it or without. Where\n" +
			"the body decides, the answer says what it may be about. Nothing is changed, and the server may\n" +
			"run meanwhile, or not.",
		Example: "  vserver access explain --user alice GET /task/1\n  vserver access explain --user alice POST /task",
		Args:    aRequest,

		ValidArgsFunction: completeMethods,
	}, &f, func(ctx context.Context, inst config.Instance, args []string) (any, error) {
		if user == "" {
			return nil, misused("Missing option '--user'.")
		}
		var e handlers.Explained
		err := p.withCore(ctx, inst, f, func(c *core.Core) (err error) {
			e, err = handlers.ExplainRequest(ctx, c, inst.Config.APIPath, user, args[0], args[1])
			return orNearest(ctx, c, user, err)
		})
		if err != nil {
			return nil, err
		}
		p.Info("%s", e.Reason)
		return e, nil
	})
	cmd.Flags().StringVar(&user, "user", "", "`NAME` of the user who is asked about")
	return cmd
}

func (p *program) accessWhoCommand() *cobra.Command {
	var f instanceFlags
	return p.onInstance(&cobra.Command{
		Use:   "who METHOD_ PATH_",
		Short: "List the users, nodes and containers who may make a request",
		Long: "List the users, nodes and containers who may make a request, each with the rule and role.\n\n" +
			"The path is that of the API, such as /task/1, with api_path in front of it or without. A\n" +
			"container is named by its node: those that it starts in the run that the request is about.",
		Example: "  vserver access who DELETE /collaboration/2",
		Args:    aRequest,

		ValidArgsFunction: completeMethods,
	}, &f, func(ctx context.Context, inst config.Instance, args []string) (any, error) {
		var h handlers.Holders
		err := p.withCore(ctx, inst, f, func(c *core.Core) (err error) {
			h, err = handlers.ListHolders(ctx, c, inst.Config.APIPath, args[0], args[1])
			return err
		})
		if err != nil {
			return nil, err
		}
		p.Info("%s", h.Reason)
		for _, c := range h.Callers {
			p.Info("  %s %s: %s", c.Type, c.Name, c.Through)
		}
		return h, nil
	})
}

// aRequest wants a method and a path.
func aRequest(_ *cobra.Command, args []string) error {
	switch len(args) {
	case 0:
		return misused("Missing argument 'METHOD_'.")
	case 1:
		return misused("Missing argument 'PATH_'.")
	case 2:
		return nil
	}
	return misused("Got unexpected extra argument (%s)", args[2])
}

// completeMethods offers the methods of routes.
func completeMethods(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []string{"DELETE", "GET", "PATCH", "POST"}, cobra.ShellCompDirectiveNoFileComp
}

// orNearest names the user who was meant by a name that nobody has.
func orNearest(ctx context.Context, c *core.Core, name string, err error) error {
	if !fault.Is(err, fault.Missing) {
		return err
	}
	names, failed := c.Usernames(ctx)
	if failed != nil {
		return failed
	}
	if near := yaml.Nearest(name, names); near != "" {
		return fmt.Errorf("%w. Did you mean %s?", err, near)
	}
	return fmt.Errorf("%w: `vserver access who GET /rule` lists all users", err)
}
