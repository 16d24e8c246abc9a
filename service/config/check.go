package config

import (
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
// than a start does: at blocks that lack keys and at the rights of the file. What a start
// refuses of settings that can be read is for refusals to say. The file's mistakes are
// in the report; the error says only that the file could not be read.
func (p Locations) Check(path string, refusals func(Instance) []Refusal) (Report, error) {
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
	r.Faults = slices.Clone(file.misfit)
	name := p.nameOf(path)
	if err := CheckName(name); err != nil {
		r.Fault(0, "", "%s", err)
	}
	filled := 0
	for _, environment := range EnvironmentNames {
		if !file.blocks[environment].Empty() {
			filled++
			if p.checkBlock(r, file, name, environment, refusals) {
				report.Usable = append(report.Usable, environment)
			}
		}
	}
	if filled+len(file.misfit) == 0 {
		r.Fault(0, "", "has no environment: write a block under application, or under environments.prod")
	}
	checkRights(r)
	r.Sort()
	report.Faults, report.Warnings = r.Faults, r.Warnings
	return report, nil
}

// checkBlock reads one block and reports whether a start would accept it.
func (p Locations) checkBlock(r *yaml.Reader, f *File, name, environment string, refusals func(Instance) []Refusal) bool {
	before := len(r.Faults)
	c := f.configOf(r, environment, p.Getenv)
	lacking := f.lacking(environment)
	r.Faults = append(r.Faults[:before], slices.DeleteFunc(r.Faults[before:], func(fault Fault) bool {
		return slices.Contains(lacking, strings.TrimPrefix(fault.Key, blockPath(environment)+"."))
	})...)
	for _, key := range lacking {
		r.Fault(f.blocks[environment].Line, blockPath(environment)+"."+key, "is missing, so this environment does not count")
	}
	inst, err := p.instance(name, System, c, nil)
	if err != nil {
		inst = Instance{Config: c} // the URI has its fault
	}
	for _, refusal := range refusals(inst) {
		fault := f.locateRefusal(environment, refusal, p.Getenv)
		if !slices.ContainsFunc(r.Faults[before:], func(other Fault) bool { return strings.HasPrefix(other.Key, fault.Key) }) {
			r.Faults = append(r.Faults, fault)
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
