package config

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Report is everything a check of one file found.
type Report struct {
	Usable   []string // environments that can be started, in the order of Environments
	Faults   Faults
	Warnings []Warning
}

// Check reads a file as a start would, each environment in turn, and looks further
// than a start does: at blocks that lack keys, at the rights of the file and at the
// certificate. What the format of the log is worth only the log can say: format does.
// The file's mistakes are in the report; the error says only that the file could not
// be read.
func (p Locations) Check(path string, format func(Logging) error) (Report, error) {
	var report Report
	file, err := ReadFile(path)
	if syntax, ok := errors.AsType[Faults](err); ok {
		report.Faults = syntax
		return report, nil
	}
	if err != nil {
		return report, err
	}
	r := newReader(path)
	r.warnings = slices.Clone(file.notes)
	for _, name := range environmentNames {
		if file.check(r, name, p.Getenv, format) {
			report.Usable = append(report.Usable, name)
		}
	}
	if len(file.blocks) == 0 {
		r.fault(0, "", "has no environment: write a block under application, or under environments.prod")
	}
	checkRights(r)
	r.sort()
	report.Faults, report.Warnings = r.faults, r.warnings
	return report, nil
}

// check reads one block and tells whether a start would accept it.
func (f *File) check(r *reader, environment string, getenv func(string) string, format func(Logging) error) bool {
	e, there := f.blocks[environment]
	if !there || len(e.node.Content) == 0 {
		return false
	}
	before := len(r.faults)
	c := f.settings(r, environment, getenv)
	lacking := f.lacking(environment)
	r.faults = append(r.faults[:before], slices.DeleteFunc(r.faults[before:], func(fault Fault) bool {
		return slices.Contains(lacking, strings.TrimPrefix(fault.Key, blockPath(environment)+"."))
	})...)
	for _, key := range lacking {
		r.fault(e.line, blockPath(environment)+"."+key, "is missing, so this environment does not count")
	}
	b := newReader(f.Path).mapping(blockPath(environment), e.line, e.node)
	if logging := b.block("logging"); logging != nil {
		if err := format(c.Logging); err != nil {
			r.fault(cmp.Or(logging.entries["format"].line, logging.line), logging.key("format"),
				"%s", strings.TrimPrefix(err.Error(), "logging.format: "))
		}
	}
	if len(r.faults) == before && c.TLS != nil {
		if _, err := tls.LoadX509KeyPair(c.TLS.Cert, c.TLS.Key); err != nil {
			r.fault(b.entries["tls"].line, b.key("tls"), "cannot be used: %s", err)
		}
	}
	return len(r.faults) == before
}

// checkRights warns when everybody on the machine can read the secrets of the file.
func checkRights(r *reader) {
	info, err := os.Stat(r.file)
	if err == nil && info.Mode().Perm()&0o004 != 0 && os.PathSeparator == '/' {
		r.warn(0, "", "can be read by everybody on this machine (mode %s); it holds secrets", fmt.Sprintf("%04o", info.Mode().Perm()))
	}
}

// sort puts findings into the order of the file.
func (r *reader) sort() {
	slices.SortStableFunc(r.faults, func(a, b Fault) int { return a.Line - b.Line })
	slices.SortStableFunc(r.warnings, func(a, b Warning) int { return a.Line - b.Line })
}
