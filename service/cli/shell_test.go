package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// writeSnippets puts the statements of the documentation's Shell section into a
// folder. The name of the new user and the placeholder of an existing one are other
// ones, as row 153 of /docs/developing#acceptance has it.
func writeSnippets(folder string) error {
	text, err := os.ReadFile("../shell/testdata/snippets.py")
	if err != nil {
		return err
	}
	run := strings.NewReplacer(`username="root",`, `username="john",`, "some-existing-username", "root").Replace(string(text))
	return os.WriteFile(filepath.Join(folder, "snippets.py"), []byte(run), 0o600)
}

// eventually calls the server until it answers with a status.
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 || neg {
		ts.Fatalf("usage: eventually METHOD PATH STATUS")
	}
	until(ts.Fatalf, strings.Join(args, " ")+" does not come about", func() bool {
		status, _ := call(ts, args[0], args[1], nil)
		return fmt.Sprint(status) == args[2]
	})
}
