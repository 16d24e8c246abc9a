package shell

import (
	"errors"
	"fmt"
	"strings"
)

// imports takes an import statement and writes assignments in its place, all on its
// first line; the lines that it went over follow empty.
func (r *rewriter) imports() error {
	end := importEnd(r.src, r.at)
	statement := r.src[r.at:end]
	written, err := assignments(words(statement))
	if err != nil {
		return err
	}
	r.out = append(r.out, written...)
	r.out = append(r.out, strings.Repeat("\n", strings.Count(statement, "\n"))...)
	r.at = end
	return nil
}

// importEnd gives the place after an import statement: names in parentheses may go
// over several lines.
func importEnd(s string, from int) int {
	within := false
	for i := from; i < len(s); i++ {
		switch s[i] {
		case '(':
			within = true
		case ')':
			within = false
		case '#':
			if !within {
				return i
			}
			i = lineEnd(s, i) - 1
		case '\n', ';':
			if !within && (i == from || s[i-1] != '\\') {
				return i
			}
		}
	}
	return len(s)
}

// words takes comments, parentheses and line ends out of an import statement.
func words(statement string) string {
	var lines []string
	for line := range strings.SplitSeq(statement, "\n") {
		line, _, _ = strings.Cut(line, "#")
		lines = append(lines, line)
	}
	plain := strings.NewReplacer("(", " ", ")", " ", "\\", " ").Replace(strings.Join(lines, " "))
	return strings.Join(strings.Fields(plain), " ")
}

// assignments writes what an import statement binds.
func assignments(statement string) (string, error) {
	var out []string
	if list, ok := strings.CutPrefix(statement, "import "); ok {
		for item := range strings.SplitSeq(list, ",") {
			module, name, err := renamed(item)
			if err != nil {
				return "", err
			}
			if top, _, dotted := strings.Cut(module, "."); dotted && name == module {
				module, name = top, top // `import a.b` binds a
			}
			out = append(out, fmt.Sprintf("%s = __import__(%q)", name, module))
		}
		return strings.Join(out, "; "), nil
	}
	module, list, ok := strings.Cut(strings.TrimPrefix(statement, "from "), " import ")
	if !ok {
		return "", errors.New("an import reads: from MODULE import NAME")
	}
	for item := range strings.SplitSeq(strings.TrimSuffix(strings.TrimSpace(list), ","), ",") {
		member, name, err := renamed(item)
		if err != nil {
			return "", err
		}
		out = append(out, fmt.Sprintf("%s = __import__(%q, %q)", name, module, member))
	}
	return strings.Join(out, "; "), nil
}

// renamed splits `NAME as OTHER`.
func renamed(item string) (what, name string, err error) {
	what, name, ok := strings.Cut(strings.TrimSpace(item), " as ")
	if !ok {
		name = what
	}
	if what == "*" {
		return "", "", errors.New("name what to import: * is not understood here")
	}
	for _, part := range append(strings.Split(what, "."), strings.Split(name, ".")...) {
		if part == "" || digit(part[0]) || wordEnd(part, 0) != len(part) {
			return "", "", fmt.Errorf("%q is no name that could be imported", item)
		}
	}
	return what, name, nil
}
