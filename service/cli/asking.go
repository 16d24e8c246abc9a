package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"charm.land/huh/v2"
	"golang.org/x/term"
)

// question is something to ask a person.
type question struct {
	title    string
	note     string   // more about it; may be empty
	standard string   // the answer that is taken when none is given
	options  []option // answers to choose from; none for a text
	confirm  bool     // the answer is yes or no
	hidden   bool     // the answer is a secret
	check    func(string) error
}

// option is an answer to choose.
type option struct{ label, value string }

// words are options that say what they mean.
func words(list ...string) []option {
	var all []option
	for _, w := range list {
		all = append(all, option{w, w})
	}
	return all
}

// The answers to a question for yes or no.
const (
	yes = "yes"
	no  = "no"
)

// errNoAnswer says that the input ended before the question was answered.
var errNoAnswer = errors.New("no answer: the input has ended")

// errCancelled says that somebody interrupted a question.
var errCancelled = errors.New("Cancelled by user")

// ask puts a question: with menus and editing on a terminal, else line by line.
func (p *program) ask(q question) (string, error) {
	if p.terminal && p.inTerminal && p.getenv("TERM") != "dumb" {
		return p.askOnTerminal(q)
	}
	return p.askPlainly(q)
}

// askOnTerminal leaves question and answer on the screen, as a record.
func (p *program) askOnTerminal(q question) (string, error) {
	answer, agreed := q.standard, q.standard == yes
	var field huh.Field
	switch {
	case q.confirm:
		field = huh.NewConfirm().Title(q.title).Description(q.note).Value(&agreed)
	case len(q.options) > 0:
		choices := make([]huh.Option[string], len(q.options))
		for i, o := range q.options {
			choices[i] = huh.NewOption(o.label, o.value)
		}
		field = huh.NewSelect[string]().Title(q.title).Description(q.note).Options(choices...).Value(&answer)
	default:
		input := huh.NewInput().Title(q.title).Description(q.note).Validate(q.validate).Value(&answer)
		if q.hidden {
			input.EchoMode(huh.EchoModePassword)
		}
		field = input
	}
	keys, ok := p.keys()
	if !ok {
		return p.askPlainly(q)
	}
	// Room for the question is made first and cleared afterwards: the library leaves
	// parts of it behind.
	room := len(q.options) + 6
	_, _ = fmt.Fprintf(p.console.out, "%s\x1b[%dA\x1b7", strings.Repeat("\n", room), room)
	err := huh.NewForm(huh.NewGroup(field)).WithShowHelp(false).WithInput(keys).Run()
	_ = keys.Close()
	_, _ = fmt.Fprint(p.console.out, "\x1b8\x1b[J")
	if errors.Is(err, huh.ErrUserAborted) {
		return "", errCancelled
	}
	if q.confirm {
		answer = map[bool]string{true: yes, false: no}[agreed]
	}
	p.record(q, answer)
	return answer, err
}

// keys gives the keyboard to a question.
func (p *program) keys() (*turn, bool) {
	file, ok := p.in.(*os.File)
	if !ok {
		return nil, false
	}
	if p.keyboard == nil {
		p.keyboard = newKeyboard(file)
	}
	return p.keyboard.turn(), true
}

// record shows what was asked and answered.
func (p *program) record(q question, answer string) {
	if q.hidden {
		answer = strings.Repeat("*", min(len(answer), 3))
	}
	_, _ = fmt.Fprintf(p.console.out, "? %s %s\n", q.title, p.good(answer))
}

func (q question) validate(answer string) error {
	if q.check == nil {
		return nil
	}
	return q.check(answer)
}

// askPlainly asks until an answer is right or the input ends.
func (p *program) askPlainly(q question) (string, error) {
	for {
		p.pose(q)
		line, err := p.readLine(q.hidden)
		if err != nil {
			return "", err
		}
		answer, err := q.judge(line)
		if err == nil {
			return answer, nil
		}
		p.error(err.Error())
	}
}

// pose writes a question with its options and standard answer.
func (p *program) pose(q question) {
	text := "? " + q.title
	if q.standard != "" && !q.hidden {
		text += " [" + q.standard + "]"
	}
	if q.note != "" {
		text += "\n  " + q.note
	}
	for i, o := range q.options {
		text += fmt.Sprintf("\n  %d) %s", i+1, o.label)
	}
	_, _ = fmt.Fprintln(p.console.out, text)
}

// judge makes an answer of a line: of options the number, the words, or the beginning
// of one.
func (q question) judge(line string) (string, error) {
	line = strings.TrimRight(line, "\r\n")
	if strings.TrimSpace(line) == "" && q.standard != "" {
		return q.standard, nil
	}
	line = strings.TrimSpace(line)
	switch {
	case q.confirm:
		return yesOrNo(line)
	case len(q.options) == 0:
		return line, q.validate(line)
	}
	if n, err := strconv.Atoi(line); err == nil && n >= 1 && n <= len(q.options) {
		return q.options[n-1].value, nil
	}
	var near []string
	for _, o := range q.options {
		if strings.EqualFold(line, o.value) || strings.EqualFold(line, o.label) {
			return o.value, nil
		}
		if line != "" && len(line) <= len(o.value) && strings.EqualFold(line, o.value[:len(line)]) {
			near = append(near, o.value)
		}
	}
	if near = slices.Compact(near); len(near) == 1 {
		return near[0], nil
	}
	if word, err := yesOrNo(line); err == nil && q.options[0].value == "True" {
		return map[string]string{yes: "True", no: "False"}[word], nil
	}
	return "", fmt.Errorf("Please answer with a number from 1 to %d", len(q.options))
}

// yesOrNo understands the usual words.
func yesOrNo(text string) (string, error) {
	switch strings.ToLower(text) {
	case "y", yes, "true":
		return yes, nil
	case "n", no, "false":
		return no, nil
	}
	return "", errors.New("Please answer with yes or no")
}

// readLine reads one line of the input; an interrupt ends the wait.
func (p *program) readLine(hidden bool) (string, error) {
	if file, ok := p.in.(*os.File); ok && hidden && p.inTerminal {
		text, err := term.ReadPassword(int(file.Fd()))
		return string(text), err
	}
	if p.lines == nil {
		p.lines = bufio.NewReader(p.in)
	}
	type read struct {
		line string
		err  error
	}
	got := make(chan read, 1)
	go func() {
		line, err := p.lines.ReadString('\n')
		got <- read{line, err}
	}()
	select {
	case <-p.interrupted:
		return "", errCancelled
	case r := <-got:
		if errors.Is(r.err, io.EOF) && r.line != "" {
			return r.line, nil
		}
		if errors.Is(r.err, io.EOF) {
			return "", errNoAnswer
		}
		return r.line, r.err
	}
}

// values are what can be chosen.
func (q question) values() []string {
	var all []string
	for _, o := range q.options {
		all = append(all, o.value)
	}
	return all
}
