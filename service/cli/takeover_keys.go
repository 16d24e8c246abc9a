package cli

import (
	"context"
	"errors"

	"vserver/service"
	"vserver/service/config"
	"vserver/service/core"
	"vserver/service/takeover"
	"vserver/service/upkeep"
)

// withKeys is a report with what became of the API keys that were given.
type withKeys struct {
	*takeover.Report

	NodeKeys *core.ConvertedKeys `json:"node_keys,omitempty"`
}

// giveKeys has the API keys in files known to a database that was taken over.
func (p *program) giveKeys(ctx context.Context, inst config.Instance, given []core.GivenKey, environment string) (report *core.ConvertedKeys, err error) {
	opened, err := service.OpenInstance(ctx, inst, rootFromAnywhere(environment), p.Logger())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	p.Info("Looking for the nodes of %d API keys", len(given))
	bar := p.meter("keys")
	converted, err := opened.Core.ConvertGivenKeys(ctx, given, func(done, total int) { bar.draw("comparing", int64(done), int64(total)) })
	if err != nil {
		return nil, err
	}
	p.Info("%d API keys were converted, %d were known before", converted.Converted, converted.Known)
	for _, place := range converted.Unknown {
		p.Warn("%s: no node has this API key", place)
	}
	if converted.Left > 0 {
		p.Warn("%d nodes are left whose key was not given: each is searched for at its first log-in, about %s in all",
			converted.Left, upkeep.OldKeysTime(converted.Left))
	}
	return &converted, nil
}

// adviseKeys says before a takeover what the API keys of nodes will cost.
func (p *program) adviseKeys(r takeover.Report) {
	for _, t := range r.Tables {
		if t.Name == "node" {
			p.costOfKeys(t.Carried)
		}
	}
}

func (p *program) costOfKeys(nodes int64) {
	if nodes > 0 {
		p.Info("Nodes that log in with their API key are searched for: %d at once take about %s; --keys FILE… gives keys beforehand, of import files and configurations of nodes",
			nodes, upkeep.OldKeysTime(nodes))
	}
}

// readKeys reads the files of --keys before anything is changed.
func readKeys(files []string) ([]core.GivenKey, error) {
	if len(files) == 0 {
		return nil, nil
	}
	return upkeep.ReadNodeKeys(files)
}
