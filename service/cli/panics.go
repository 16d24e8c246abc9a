package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"vserver/service"
	"vserver/service/fault"
)

// worded is what a person is told of the error of a command. That of a panic is a sentence;
// the stack, which whoever mends it needs, is in a file.
func worded(err error) string {
	var p *fault.Panic
	if !errors.As(err, &p) {
		return err.Error()
	}
	text := strings.ReplaceAll(err.Error(), "\n", ": ")
	file, kept := keepDetails(p)
	if kept != nil {
		return fmt.Sprintf("This is a fault of the program, incident %s: %s\n%s", p.Incident, text, p.Stack)
	}
	return fmt.Sprintf("This is a fault of the program, incident %s: %s. %s has what is needed to mend it", p.Incident, text, file)
}

// keepDetails writes the stack of a panic to a file that nobody else may read.
func keepDetails(p *fault.Panic) (file string, err error) {
	file = filepath.Join(os.TempDir(), "vserver-incident-"+p.Incident+".txt")
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	version, commit := service.Version()
	_, err = fmt.Fprintf(f, "vserver %s %s\nincident %s\n%s\n\n%s", version, commit, p.Incident, p.Error(), p.Stack)
	return file, errors.Join(err, f.Close())
}
