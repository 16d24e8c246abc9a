package service_test

import (
	"os/exec"
	"testing"
)

func TestShellScriptsAreClean(t *testing.T) {
	shellcheck, err := exec.LookPath("shellcheck")
	if err != nil {
		t.Skip("shellcheck is not installed, so nobody checks the shell scripts")
	}
	out, err := exec.CommandContext(t.Context(), shellcheck, "../install.sh", "../.ci/test", "../.ci/run", "../.ci/tool").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
