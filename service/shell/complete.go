package shell

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.starlark.net/starlark"

	"vserver/service/fault"
)

// chain is names with dots between them, at the end of what was typed.
var chain = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?:[A-Za-z_]\w*\.)*(?:[A-Za-z_]\w*)?$`) })

// complete is called at every key, by a library that a panic would leave in disorder:
// nothing is completed then.
func (t *lineEditor) complete(line string, at int, key rune) (changed string, place int, ok bool) {
	err := fault.Caught(func() error {
		changed, place, ok = t.completed(line, at, key)
		return nil
	})
	if err != nil {
		t.lost = err
		return line, at, true
	}
	return changed, place, ok
}

// completed is the line after a key. Tab completes the name before it, or lists the
// names that there are; at the beginning of a line it indents.
func (t *lineEditor) completed(line string, at int, key rune) (string, int, bool) {
	if key != '\t' {
		return "", 0, false
	}
	before := line[:at]
	if strings.TrimSpace(before) == "" {
		return before + "    " + line[at:], at + 4, true
	}
	path := chain().FindString(before)
	if path == "" || strings.HasSuffix(strings.TrimSuffix(before, path), ".") {
		return line, at, true
	}
	word := path[strings.LastIndexByte(path, '.')+1:]
	candidates := t.shell.candidates(strings.TrimSuffix(path, word), word)
	longer := commonPrefix(candidates)
	if len(longer) <= len(word) {
		if len(candidates) > 1 {
			_, _ = fmt.Fprintln(t.terminal, strings.Join(candidates, "  "))
		}
		return line, at, true
	}
	return before + longer[len(word):] + line[at:], at + len(longer) - len(word), true
}

// candidates are the names that begin with a word, behind a path that is empty or
// ends in a dot. Nothing is called to find them.
func (sh *Shell) candidates(path, word string) []string {
	names := slices.Concat(slices.Collect(maps.Keys(sh.globals)), slices.Collect(maps.Keys(starlark.Universe)), keywords)
	if path != "" {
		names = sh.behind(strings.Split(strings.TrimSuffix(path, "."), "."))
	}
	var list []string
	for _, name := range names {
		if strings.HasPrefix(name, word) && (word != "" || !strings.HasPrefix(name, "_")) {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// keywords are those that are worth completing.
var keywords = []string{"import", "from", "while", "return", "lambda", "break", "continue", "else", "elif", "not", "in", "for", "if", "def"}

// behind lists what follows the dot after a path.
func (sh *Shell) behind(path []string) []string {
	v := sh.globals[path[0]]
	for _, name := range path[1:] {
		holder, ok := v.(starlark.HasAttrs)
		if !ok {
			return nil
		}
		next, err := holder.Attr(name)
		if err != nil || next == nil {
			return nil
		}
		v = next
	}
	if holder, ok := v.(starlark.HasAttrs); ok {
		return holder.AttrNames()
	}
	return nil
}

// commonPrefix returns the longest beginning of all texts.
func commonPrefix(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	first := texts[0]
	for _, text := range texts[1:] {
		for !strings.HasPrefix(text, first) {
			first = first[:len(first)-1]
		}
	}
	return first
}
