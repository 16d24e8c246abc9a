package service_test

import (
	"os/exec"
	"path/filepath"
	"testing"
)

func TestShellScriptsAreClean(t *testing.T) {
	shellcheck, err := exec.LookPath("shellcheck")
	if err != nil {
		t.Skip("shellcheck is not installed, so nobody checks the shell scripts")
	}
	findings, err := filepath.Glob("../findings/*.sh")
	if err != nil {
		t.Fatal(err)
	}
	scripts := append([]string{"../install.sh", "../.ci/test", "../.ci/run", "../.ci/tool", "../.ci/wine"}, findings...)
	out, err := exec.CommandContext(t.Context(), shellcheck, scripts...).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
