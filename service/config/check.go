package config

import (
	"crypto/tls"
	"errors"
	"os"
	"slices"
	"strings"

	"vserver/service/yaml"
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
	r := form.NewReader(path)
	r.Warnings = slices.Clone(file.notes)
	for _, name := range EnvironmentNames {
		if file.checkBlock(r, name, p.Getenv, format) {
			report.Usable = append(report.Usable, name)
		}
	}
	if len(file.blocks) == 0 {
		r.Fault(0, "", "has no environment: write a block under application, or under environments.prod")
	}
	checkRights(r)
	r.Sort()
	report.Faults, report.Warnings = r.Faults, r.Warnings
	return report, nil
}

// checkBlock reads one block and reports whether a start would accept it.
func (f *File) checkBlock(r *yaml.Reader, environment string, getenv func(string) string, format func(Logging) error) bool {
	v := f.blocks[environment]
	if v.Empty() {
		return false
	}
	before := len(r.Faults)
	c := f.configOf(r, environment, getenv)
	lacking := f.lacking(environment)
	r.Faults = append(r.Faults[:before], slices.DeleteFunc(r.Faults[before:], func(fault Fault) bool {
		return slices.Contains(lacking, strings.TrimPrefix(fault.Key, blockPath(environment)+"."))
	})...)
	for _, key := range lacking {
		r.Fault(v.Line, blockPath(environment)+"."+key, "is missing, so this environment does not count")
	}
	b := form.NewReader(f.Path).Block(blockPath(environment), v)
	if b == nil {
		return false
	}
	v, _ = b.Ask("logging")
	if logging := b.Block(b.Key("logging"), v); logging != nil {
		if err := format(c.Logging); err != nil {
			r.Fault(logging.LineOf("format"), logging.Key("format"), "%s", strings.TrimPrefix(err.Error(), "logging.format: "))
		}
	}
	if len(r.Faults) == before && c.TLS != nil {
		if _, err := tls.LoadX509KeyPair(c.TLS.Cert, c.TLS.Key); err != nil {
			r.Fault(b.LineOf("tls"), b.Key("tls"), "cannot be used: %s", err)
		}
	}
	return len(r.Faults) == before
}

// checkRights warns when everybody on the machine can read the secrets of the file.
func checkRights(r *yaml.Reader) {
	info, err := os.Stat(r.File)
	if err == nil && info.Mode().Perm()&0o004 != 0 && os.PathSeparator == '/' {
		r.Warn(0, "", "can be read by everybody on this machine (mode %04o); it holds secrets", info.Mode().Perm())
	}
}
