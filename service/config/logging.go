package config

import (
	"slices"
	"strings"

	"vserver/service/yaml"
)

// Logging is the block `logging` (/docs/logging#keys).
type Logging struct {
	Level       string // DEBUG, INFO, WARNING, ERROR, CRITICAL or NOTSET (everything)
	File        string // name under the log directory, or absolute; empty for the default name
	UseConsole  bool
	BackupCount int    // old files kept; 0 for no rotation
	MaxSize     int    // kB: a file never passes 1024 × MaxSize bytes; 0 for no rotation
	Format      string // Python percent format, or the word json
	DateFormat  string // strftime; empty for `2026-11-23 08:49:01,096`
	Loggers     []LoggerLevel
}

// LoggerLevel limits one named logger, an entry of `logging.loggers`.
type LoggerLevel struct {
	Name  string
	Level string // one of the words of Logging.Level
}

// levels are the words of `logging.level`. The reference rejects NOTSET although its
// documentation names it; here it means everything.
var levels = []string{"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "NOTSET"}

// loggingSettings are those of the block `logging` (/docs/logging#keys). Its keys are
// required but for `file` and `datefmt`, which have defaults, and `loggers` of newer
// releases.
func loggingSettings() []Setting {
	return []Setting{
		{Key: "logging", Required: true, at: always, Help: "The log, in a file and on the console."},
		{
			Key: "logging.level", Required: true, Choices: levels, Sample: "INFO",
			Help:     "DEBUG, INFO, WARNING, ERROR or CRITICAL; NOTSET writes everything.",
			Question: ask("log-level", "Which level of logging would you like?", "DEBUG"), at: func(c *Config) any { return &c.Logging.Level },
		},
		{
			Key: "logging.file", Active: true, Sample: "vserver.log",
			Help: "Name in the log directory, or an absolute path; by default the name of the\ninstance with its environment.",
			at:   func(c *Config) any { return &c.Logging.File },
		},
		{
			Key: "logging.use_console", Required: true, Sample: "true",
			Help: "Also write to the console, which is what `vserver attach` shows.",
			at:   func(c *Config) any { return &c.Logging.UseConsole },
		},
		{
			Key: "logging.max_size", Required: true, Least: 17, OrZero: true, Sample: "1024",
			Help: `A file stays below max_size × 1024 bytes; backup_count older ones are kept, with
the time of their end in the name (UTC): vserver-2026-11-23T07-49-01.096.log.
With 0 of either the log is not rotated and grows without limit.`,
			at: func(c *Config) any { return &c.Logging.MaxSize }, then: noRotation,
		},
		{Key: "logging.backup_count", Required: true, Least: 1, OrZero: true, Sample: "5", at: func(c *Config) any { return &c.Logging.BackupCount }, then: noRotation},
		{
			Key: "logging.format", Required: true, Default: "%(message)s",
			Sample: `"%(asctime)s - %(name)-14s - %(levelname)-8s - %(message)s"`,
			Help:   "How a line looks, in the words of Python's logging.Formatter and strftime. The\nformat json writes one JSON object a line.",
			at:     func(c *Config) any { return &c.Logging.Format },
		},
		{
			Key: "logging.datefmt", Active: true, Sample: `"%Y-%m-%d %H:%M:%S"`,
			at: func(c *Config) any { return &c.Logging.DateFormat },
		},
		{
			Key: "logging.loggers", Sample: "- {name: websockets, level: WARNING}",
			Help: "Thresholds of single loggers.",
			at:   func(c *Config) any { return &c.Logging.Loggers }, read: loggers, show: showLoggers,
		},
	}
}

// noRotation warns of a 0, with which Python does not rotate.
func noRotation(b *yaml.Block, name string, _ *Config) {
	v, _ := b.Ask(name)
	if n, ok := v.Whole(); ok && n == 0 {
		b.Note(name, "is 0: the log is not rotated, its file grows without limit")
	}
}

// loggers reads the list of newer releases. An entry that makes no sense is passed
// over with a warning: the key is none of 3.7's.
func loggers(b *yaml.Block, name string, c *Config) {
	for _, item := range oneOrMore(b, name) {
		one := b.Block(b.Key(name), item)
		if one == nil {
			b.Warn(item.Line, b.Key(name), "must hold entries of name and level; this one is ignored")
			continue
		}
		logger, _ := one.Ask("name")
		level, _ := one.Ask("level")
		limit := LoggerLevel{Name: logger.Text(), Level: strings.ToUpper(level.Text())}
		if limit.Name == "" || !slices.Contains(levels, limit.Level) {
			b.Warn(item.Line, b.Key(name), "needs a name and a level of %s; this entry is ignored", strings.Join(levels, ", "))
			continue
		}
		c.Logging.Loggers = append(c.Logging.Loggers, limit)
	}
}

// showLoggers shows the levels by name.
func showLoggers(c *Config) any {
	pairs := yaml.Pairs{}
	for _, one := range c.Logging.Loggers {
		pairs = append(pairs, yaml.Pair{Key: one.Name, Value: one.Level})
	}
	return pairs
}

// oneOrMore reads a list; a single value is a list of one.
func oneOrMore(b *yaml.Block, name string) []yaml.Value {
	v, given := b.Given(name)
	if !given {
		return nil
	}
	if v.Single() {
		return []yaml.Value{v}
	}
	all, ok := v.Items()
	if !ok {
		b.Bad(name, v, "must be a list")
	}
	return all
}
