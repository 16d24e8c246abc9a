package terminal

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

// Question is something to ask a person.
type Question struct {
	Title    string
	Note     string   // more about it; may be empty
	Standard string   // the answer that is taken when none is given
	Options  []Option // answers to choose from; none for a text
	Confirm  bool     // the answer is yes or No
	Hidden   bool     // the answer is a secret
	Check    func(string) error
}

// Option is an answer to choose.
type Option struct{ Label, Value string }

// Words returns options that say what they mean.
func Words(list ...string) []Option {
	var all []Option
	for _, w := range list {
		all = append(all, Option{w, w})
	}
	return all
}

// The answers to a question for yes or No.
const (
	Yes = "yes"
	No  = "no"
)

// ErrNoAnswer says that the input ended before the question was answered.
var ErrNoAnswer = errors.New("no answer: the input has ended")

// ErrCancelled says that somebody interrupted a question.
var ErrCancelled = errors.New("Cancelled by user")

// Input is where answers come from.
type Input struct {
	Reader      io.Reader
	Terminal    bool            // somebody types
	Dumb        bool            // at a terminal that cannot show menus
	Interrupted <-chan struct{} // closed when nobody is to wait for an answer any more

	lines    *bufio.Reader // of Reader, once a question was answered from it
	keyboard *keyboard     // likewise, on a terminal
}

// Ask puts a question: with menus and editing on a terminal, else line by line.
func (in *Input) Ask(c Console, q Question) (string, error) {
	if c.Terminal && in.Terminal && !in.Dumb {
		return in.askByMenu(c, q)
	}
	return in.askByLine(c, q)
}

// askByMenu leaves question and answer on the screen, as a record.
func (in *Input) askByMenu(c Console, q Question) (string, error) {
	answer, agreed := q.Standard, q.Standard == Yes
	var field huh.Field
	switch {
	case q.Confirm:
		field = huh.NewConfirm().Title(q.Title).Description(q.Note).Value(&agreed)
	case len(q.Options) > 0:
		choices := make([]huh.Option[string], len(q.Options))
		for i, o := range q.Options {
			choices[i] = huh.NewOption(o.Label, o.Value)
		}
		field = huh.NewSelect[string]().Title(q.Title).Description(q.Note).Options(choices...).Value(&answer)
	default:
		input := huh.NewInput().Title(q.Title).Description(q.Note).Validate(q.Validate).Value(&answer)
		if q.Hidden {
			input.EchoMode(huh.EchoModePassword)
		}
		field = input
	}
	keys, ok := in.keys()
	if !ok {
		return in.askByLine(c, q)
	}
	// Room for the question is made first and cleared afterwards: the library leaves
	// parts of it behind.
	room := len(q.Options) + 6
	_, _ = fmt.Fprintf(c.Out, "%s\x1b[%dA\x1b7", strings.Repeat("\n", room), room)
	err := huh.NewForm(huh.NewGroup(field)).WithShowHelp(false).WithInput(keys).Run()
	_ = keys.Close()
	_, _ = fmt.Fprint(c.Out, "\x1b8\x1b[J")
	if errors.Is(err, huh.ErrUserAborted) {
		return "", ErrCancelled
	}
	if q.Confirm {
		answer = map[bool]string{true: Yes, false: No}[agreed]
	}
	record(c, q, answer)
	return answer, err
}

// keys returns the keyboard to a question.
func (in *Input) keys() (*turn, bool) {
	file, ok := in.Reader.(*os.File)
	if !ok {
		return nil, false
	}
	if in.keyboard == nil {
		in.keyboard = newKeyboard(file)
	}
	return in.keyboard.turn(), true
}

// record shows what was asked and answered.
func record(c Console, q Question, answer string) {
	if q.Hidden {
		answer = strings.Repeat("*", min(len(answer), 3))
	}
	_, _ = fmt.Fprintf(c.Out, "? %s %s\n", q.Title, c.Good(answer))
}

// Validate returns what is wrong with an answer.
func (q Question) Validate(answer string) error {
	if q.Check == nil {
		return nil
	}
	return q.Check(answer)
}

// askByLine asks until an answer is right or the input ends.
func (in *Input) askByLine(c Console, q Question) (string, error) {
	for {
		pose(c, q)
		line, err := in.readLine(q.Hidden)
		if err != nil {
			return "", err
		}
		answer, err := q.Parse(line)
		if err == nil {
			return answer, nil
		}
		c.Error(err.Error())
	}
}

// pose writes a question with its options and standard answer.
func pose(c Console, q Question) {
	text := "? " + q.Title
	if q.Standard != "" && !q.Hidden {
		text += " [" + q.Standard + "]"
	}
	if q.Note != "" {
		text += "\n  " + q.Note
	}
	for i, o := range q.Options {
		text += fmt.Sprintf("\n  %d) %s", i+1, o.Label)
	}
	_, _ = fmt.Fprintln(c.Out, text)
}

// Parse makes an answer of a line: of options the number, the words, or the beginning
// of one.
func (q Question) Parse(line string) (string, error) {
	line = strings.TrimRight(line, "\r\n")
	if strings.TrimSpace(line) == "" && q.Standard != "" {
		return q.Standard, nil
	}
	line = strings.TrimSpace(line)
	switch {
	case q.Confirm:
		return YesOrNo(line)
	case len(q.Options) == 0:
		return line, q.Validate(line)
	}
	if n, err := strconv.Atoi(line); err == nil && n >= 1 && n <= len(q.Options) {
		return q.Options[n-1].Value, nil
	}
	var near []string
	for _, o := range q.Options {
		if strings.EqualFold(line, o.Value) || strings.EqualFold(line, o.Label) {
			return o.Value, nil
		}
		if line != "" && len(line) <= len(o.Value) && strings.EqualFold(line, o.Value[:len(line)]) {
			near = append(near, o.Value)
		}
	}
	if near = slices.Compact(near); len(near) == 1 {
		return near[0], nil
	}
	if word, err := YesOrNo(line); err == nil && q.Options[0].Value == "True" {
		return map[string]string{Yes: "True", No: "False"}[word], nil
	}
	return "", fmt.Errorf("Please answer with a number from 1 to %d", len(q.Options))
}

// YesOrNo understands the usual words.
func YesOrNo(text string) (string, error) {
	switch strings.ToLower(text) {
	case "y", Yes, "true":
		return Yes, nil
	case "n", No, "false":
		return No, nil
	}
	return "", errors.New("Please answer with yes or no")
}

// readLine reads one line of the input; an interrupt ends the wait.
func (in *Input) readLine(hidden bool) (string, error) {
	if file, ok := in.Reader.(*os.File); ok && hidden && in.Terminal {
		text, err := term.ReadPassword(int(file.Fd()))
		return string(text), err
	}
	if in.lines == nil {
		in.lines = bufio.NewReader(in.Reader)
	}
	type read struct {
		line string
		err  error
	}
	got := make(chan read, 1)
	go func() {
		line, err := in.lines.ReadString('\n')
		got <- read{line, err}
	}()
	select {
	case <-in.Interrupted:
		return "", ErrCancelled
	case r := <-got:
		if errors.Is(r.err, io.EOF) && r.line != "" {
			return r.line, nil
		}
		if errors.Is(r.err, io.EOF) {
			return "", ErrNoAnswer
		}
		return r.line, r.err
	}
}

// Values are what can be chosen.
func (q Question) Values() []string {
	var all []string
	for _, o := range q.Options {
		all = append(all, o.Value)
	}
	return all
}
