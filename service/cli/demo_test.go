package cli_test

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestDemoKeepsTheServerUp starts the demo with --keep, opens the address that it
// prints, uses the API that it names, and interrupts it: nothing of it stays.
func TestDemoKeepsTheServerUp(t *testing.T) {
	temporary := t.TempDir()
	cmd := exec.CommandContext(t.Context(), buildBinary(t), "demo", "--keep", "--nodes", "1")
	cmd.Env = append(os.Environ(), "TMPDIR="+temporary)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address := regexp.MustCompile(`stays up at (http\S+) until`)
	prefix := regexp.MustCompile(`with the API path (\S+)`)
	var page, url string
	var said strings.Builder
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		if m := address.FindStringSubmatch(lines.Text()); m != nil {
			page = m[1]
		}
		if m := prefix.FindStringSubmatch(lines.Text()); m != nil {
			url = strings.TrimSuffix(page, "/") + m[1]
		}
		if strings.Contains(lines.Text(), "researcher     researcher-") {
			break
		}
	}
	logIn := regexp.MustCompile(`administrator +root / (\S+)`).FindStringSubmatch(said.String())
	if url == "" || logIn == nil {
		t.Fatalf("no address or log-in in:\n%s", said.String())
	}
	for _, printed := range regexp.MustCompile(`https?://[^\s,]+`).FindAllString(said.String(), -1) {
		reply, err := http.Get(printed)
		if err != nil {
			t.Fatal(err)
		}
		_ = reply.Body.Close()
		if reply.StatusCode != http.StatusOK {
			t.Errorf("the printed address %s answers %d", printed, reply.StatusCode)
		}
	}
	reply, err := http.Post(url+"/token/user", "application/json", strings.NewReader(`{"username":"root","password":"`+logIn[1]+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		t.Errorf("the administrator's log-in answers %d", reply.StatusCode)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after the interrupt: %v", err)
	}
	if _, err := http.Get(url + "/version"); err == nil {
		t.Error("the server still answers")
	}
	if left, _ := os.ReadDir(temporary); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
