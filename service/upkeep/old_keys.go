package upkeep

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"vserver/queries"
	"vserver/service/core"
)

// keyFileBytes is how long a file with API keys may be.
const keyFileBytes = 64 << 20

// ReadNodeKeys reads the API keys in import files and in configurations of nodes: each value of a key
// api_key, with the names around it.
func ReadNodeKeys(files []string) ([]core.GivenKey, error) {
	var all []core.GivenKey
	for _, file := range files {
		keys, err := nodeKeysIn(file)
		if err != nil {
			return nil, err
		}
		if len(keys) == 0 {
			return nil, fmt.Errorf("%s has no api_key: give import files, or configurations of nodes", file)
		}
		all = append(all, keys...)
	}
	return all, nil
}

func nodeKeysIn(file string) ([]core.GivenKey, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading API keys: %w", err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, keyFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading API keys: %w", err)
	}
	if len(text) > keyFileBytes {
		return nil, fmt.Errorf("%s is longer than %d MiB: it holds more than keys", file, keyFileBytes>>20)
	}
	stem := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	reading := keyReading{file: file}
	for documents := yaml.NewDecoder(strings.NewReader(string(text))); ; {
		var document yaml.Node
		err := documents.Decode(&document)
		if errors.Is(err, io.EOF) {
			return reading.keys, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s is no YAML: %s", file, strings.TrimPrefix(err.Error(), "yaml: "))
		}
		reading.walk(&document, []string{stem})
	}
}

// keyReading gathers the keys of a file.
type keyReading struct {
	file string
	keys []core.GivenKey
}

// walk looks below a value, around which these names stand. References to other values are not followed:
// those are met themselves.
func (r *keyReading) walk(n *yaml.Node, names []string) {
	switch n.Kind {
	case yaml.MappingNode:
		names = names[:len(names):len(names)]
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == "name" && n.Content[i+1].Kind == yaml.ScalarNode {
				names = append(names, n.Content[i+1].Value)
			}
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, v := n.Content[i].Value, n.Content[i+1]
			if key == "api_key" && v.Kind == yaml.ScalarNode && v.Value != "" {
				r.keys = append(r.keys, core.GivenKey{Key: v.Value, Place: fmt.Sprintf("%s:%d", r.file, v.Line), Hints: names})
			}
			r.walk(v, names)
		}
	case yaml.DocumentNode, yaml.SequenceNode:
		for _, v := range n.Content {
			r.walk(v, names)
		}
	case yaml.ScalarNode, yaml.AliasNode:
	}
}

// OldKeysTime writes about how long the search for the keys of so many nodes takes here.
func OldKeysTime(nodes int64) string {
	d := core.KeySearchTime(nodes)
	if d < time.Minute {
		return fmt.Sprintf("%d seconds", int(d.Seconds())+1)
	}
	return fmt.Sprintf("%d minutes", int(d.Minutes())+1)
}

// oldKeys counts the nodes whose API key a 3.x server has left.
func (e examination) oldKeys(ctx context.Context) (found []Finding) {
	var left int64
	err := inDatabase(ctx, e.inst, func(db *queries.DB) (err error) {
		left, err = db.CountOldKeys(ctx)
		if err != nil {
			err = fmt.Errorf("counting the API keys of a 3.x server: %w", err)
		}
		return err
	})
	switch {
	case err != nil:
		return skipped("the database cannot be read as it is, see its check")
	case left == 0:
		return sound("every node logs in by its digest")
	}
	return []Finding{{
		Verdict: Doubt,
		Text: fmt.Sprintf("%d nodes have not logged in since the takeover: their keys are searched for at their first log-in, which takes about %s in all",
			left, OldKeysTime(left)),
		Advice: "give the keys beforehand with vserver takeover --keys FILE…",
	}}
}
