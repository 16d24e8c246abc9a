package service

import (
	"strings"
	"testing"

	"vserver/service/instance"
)

func TestClientKnowsWhatItAsked(t *testing.T) {
	inst := configured(t)
	r := start(t, inst)
	url := instance.URL(inst.Config, r.address)
	if version, err := instance.NewClient(url, "").Version(t.Context()); err != nil || version != Emulates {
		t.Errorf("version %q, %v", version, err)
	}
	if parts, err := instance.NewClient(url, "").Health(t.Context()); err != nil || !parts["database"] {
		t.Errorf("health %v, %v", parts, err)
	}
	if _, err := instance.NewClient(url+"/nothing", "").Health(t.Context()); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("another path: %v", err)
	}
	if _, err := instance.NewClient("http://127.0.0.1:1", "").Version(t.Context()); err == nil {
		t.Error("nobody answered")
	}
}
