package cli

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// command is a line of an example in the documentation that runs this program.
var command = regexp.MustCompile(`(?m)^    (?:sudo (?:-u \w+ )?)?vserver (.*)$`)

// TestCommandsInTheDocumentationExist, with the options that they have there.
func TestCommandsInTheDocumentationExist(t *testing.T) {
	files, err := filepath.Glob("../../embed/docs/*.md")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	seen := 0
	for _, file := range append(files, "../../README.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range command.FindAllStringSubmatch(string(text), -1) {
			line, _, _ := strings.Cut(m[1], " #")
			line, _, _ = strings.Cut(line, "   ") // an explanation beside it
			words := strings.Fields(line)
			root := (&program{}).root()
			found, rest, err := root.Find(words)
			switch {
			case err == nil && found == root && !strings.HasPrefix(words[0], "-"):
				err = errors.New("no such command")
			case err == nil:
				err = found.ParseFlags(rest)
			}
			if seen++; err != nil {
				t.Errorf("%s: vserver %s: %v", filepath.Base(file), line, err)
			}
		}
	}
	const least = 20
	if seen < least {
		t.Errorf("only %d commands were found", seen)
	}
}
