package config

import (
	"errors"
	"strings"

	"go.yaml.in/yaml/v3"
)

// sound is a block without fault, in which a single answer can be judged.
func sound() map[string]any {
	return map[string]any{
		"description": "", "ip": "127.0.0.1", "port": 5000, "api_path": "/api", "uri": "sqlite:///x.sqlite", "allow_drop_all": false,
		"logging": map[string]any{"level": "INFO", "use_console": true, "backup_count": 1, "max_size": smallestLog, "format": "%(message)s"},
	}
}

// CheckAnswer judges one value before a file is written, so that a wizard can ask
// again. The key is that of an environment, below a block with a dot between, such
// as logging.level. The error is the text of the fault without file and line.
func CheckAnswer(key string, value any) error {
	block := sound()
	if outer, inner, nested := strings.Cut(key, "."); nested {
		within, ok := block[outer].(map[string]any)
		if !ok {
			within = map[string]any{}
			block[outer] = within
		}
		within[inner] = value
	} else {
		block[key] = value
	}
	var node yaml.Node
	if err := node.Encode(block); err != nil {
		return err
	}
	f := &File{Path: "answer", blocks: map[string]entry{"prod": {node: &node}}}
	r := newReader(f.Path)
	f.settings(r, "prod", bare)
	for _, fault := range r.faults {
		if strings.TrimPrefix(fault.Key, "environments.prod.") == key {
			return errors.New(fault.Text)
		}
	}
	return nil
}
