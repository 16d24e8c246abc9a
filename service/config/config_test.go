package config_test

import (
	"testing"
	"time"

	"vserver/service/config"
)

// nothing is an empty environment.
func nothing(string) string { return "" }

func load(t *testing.T, file, environment string) (config.Config, []config.Warning) {
	t.Helper()
	f, err := config.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c, warnings, err := f.Load(environment, nothing)
	if err != nil {
		t.Fatal(err)
	}
	return c, warnings
}

func TestDocumentationExampleLoads(t *testing.T) {
	c, _ := load(t, "testdata/documentation.yaml", "test")
	if c.Port != 5000 || c.IP != "0.0.0.0" || c.APIPath != "/api" || !c.AllowDropAll {
		t.Errorf("server settings differ: %+v", c)
	}
	if c.Logging.Format != "%(asctime)s - %(name)-14s - %(levelname)-8s - %(message)s" || c.Logging.MaxSize != 1024 {
		t.Errorf("logging differs: %+v", c.Logging)
	}
	if c.AccessTokenLife != 24*time.Hour || c.EmailTokenLife != time.Hour || c.SupportEmail != "your-support@email.com" {
		t.Errorf("lives differ: %v %v %q", c.AccessTokenLife, c.EmailTokenLife, c.SupportEmail)
	}
	if c.VPN == nil || !c.VPN.Complete() || c.JWTSecretKey.Reveal() != "super-secret-key!" {
		t.Errorf("vpn or key differ: %+v", c.VPN)
	}
}

func TestWizardFileLoads(t *testing.T) {
	c, warnings := load(t, "testdata/wizard.yaml", "prod")
	if c.Port != 5000 || !c.AllowDropAll || !c.TwoFactorAuth || c.AccessTokenLife != 6*time.Hour {
		t.Errorf("settings differ: %+v", c)
	}
	for _, w := range warnings {
		if w.Key != "environments.prod.cors_allowed_origins" {
			t.Errorf("unexpected warning: %s", w)
		}
	}
}
