package cli

import (
	"strings"
	"testing"

	"vserver/embed"
)

func TestEveryCommandIsDocumented(t *testing.T) {
	pages, err := embed.Docs(nil)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pages["commands"].Text)
	for _, c := range (&program{}).root().Commands() {
		if !strings.Contains(text, "<code>vserver "+c.Name()) {
			t.Errorf("the page of the command line does not have vserver %s", c.Name())
		}
	}
}
