package config

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Levels are the words of `logging.level`, most talkative first. The reference
// rejects NOTSET although its documentation names it; here it means everything.
var Levels = []string{"NOTSET", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}

// smallestLog is the least `max_size` in kB.
const smallestLog = 17

// logging reads the block `logging` (contract 40 §8). Its keys are required but for
// `file` and `datefmt`, which have defaults, and `loggers` of newer releases.
func (b *block) logging() Logging {
	sub := b.block("logging")
	if sub == nil {
		if e, ok := b.entries["logging"]; ok && e.null() {
			b.bad("logging", e, "must be a block of keys")
		}
		return Logging{}
	}
	for _, name := range []string{"level", "use_console", "format"} {
		if _, ok := sub.entries[name]; !ok {
			b.r.fault(sub.line, sub.key(name), "is missing")
		}
	}
	l := Logging{
		Level:       sub.level(),
		File:        sub.text("file", ""),
		UseConsole:  sub.flag("use_console", false),
		BackupCount: sub.rotation("backup_count", 1),
		MaxSize:     sub.rotation("max_size", smallestLog),
		Format:      sub.text("format", "%(message)s"),
		DateFormat:  sub.text("datefmt", ""),
		Loggers:     sub.loggers(),
	}
	sub.unknown()
	return l
}

// rotation reads a number from lowest on, or 0, with which Python does not rotate.
func (b *block) rotation(name string, lowest int) int {
	if e, ok := b.entries[name]; ok {
		if n, err := wholeNumber(e.node); err == nil && n == 0 {
			_, _ = b.ask(name)
			b.r.warn(e.line, b.key(name), "is 0: the log is not rotated, its file grows without limit")
			return 0
		}
	}
	return b.whole(name, noDefault, lowest, unbounded)
}

func (b *block) level() string {
	e, ok := b.ask("level")
	if !ok {
		return "INFO"
	}
	if e.node.Kind == yaml.ScalarNode && slices.Contains(Levels, e.node.Value) {
		return e.node.Value
	}
	must := "must be one of " + strings.Join(Levels, ", ")
	if e.node.Kind == yaml.ScalarNode && slices.Contains(Levels, strings.ToUpper(e.node.Value)) {
		must += " in upper case"
	}
	b.bad("level", e, must)
	return "INFO"
}

// loggers reads the list of newer releases. An entry that makes no sense is passed
// over with a warning: the key is none of 3.7's.
func (b *block) loggers() []LoggerLevel {
	_, items := b.list("loggers")
	var all []LoggerLevel
	for _, item := range items {
		one := b.r.mapping(b.key("loggers"), item.line, item.node)
		if one == nil {
			b.r.warn(item.line, b.key("loggers"), "must hold entries of name and level; this one is ignored")
			continue
		}
		limit := LoggerLevel{Name: one.text("name", ""), Level: strings.ToUpper(one.text("level", ""))}
		if limit.Name == "" || !slices.Contains(Levels, limit.Level) {
			b.r.warn(item.line, b.key("loggers"), "needs a name and a level of %s; this entry is ignored", strings.Join(Levels, ", "))
			continue
		}
		all = append(all, limit)
	}
	return all
}
