package config_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"vserver/service/config"
)

// canaries has a recognizable word in every place of a secret.
func canaries(t *testing.T) config.Config {
	t.Helper()
	text := strings.NewReplacer(
		"sqlite:///test.sqlite", "postgresql://ada:canary%40db@h/d",
		"0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a6978", "canary-jwt",
	).Replace(base) + `    smtp: {password: canary-smtp}
    vpn_server: {url: u, redirect_url: r, client_id: c, client_secret: canary-client, portal_username: p, portal_userpass: canary-portal}
    uri_listen: postgresql://ada:canary-direct@h/d
    rabbitmq_uri: amqp://u:canary-queue@h/v
    secret_key: canary-seal-0123456789abcdef01234567
`
	c, _, err := loadText(text, map[string]string{"VSERVER_ROOT_PASSWORD": "canary-root"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// /docs/security#u8: whatever prints a configuration, whole or in parts, shows no secret.
func TestSecretsArePrintedNowhere(t *testing.T) {
	c := canaries(t)
	asJSON, err1 := json.Marshal(c)
	asYAML, err2 := yaml.Marshal(c)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	shown, err := json.Marshal(c.InEffect())
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{string(asJSON), string(asYAML), string(shown), c.String()}
	for _, value := range []any{c, &c, c.SMTP, *c.VPN, c.URI, []config.Secret{c.JWTSecretKey, c.SecretKey}, struct{ C config.Config }{c}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			texts = append(texts, fmt.Sprintf(verb, value))
		}
	}
	for _, text := range texts {
		if strings.Contains(text, "canary") {
			t.Errorf("a secret shows in %s", text)
		}
	}
	for _, part := range []string{`"uri":"postgresql://ada:***@h/d"`, `"jwt_secret_key":"***"`, `"secret_key":"***"`, `"rabbitmq_uri":"amqp://u:***@h/v"`, `"password":"***"`, `"client_secret":"***"`, `"portal_userpass":"***"`} {
		if !strings.Contains(string(shown), part) {
			t.Errorf("%s is not in %s", part, shown)
		}
	}
}

func TestSecretsAreListedForTheLog(t *testing.T) {
	want := []string{"canary%40db", "canary-client", "canary-direct", "canary-jwt", "canary-portal", "canary-queue", "canary-root", "canary-seal-0123456789abcdef01234567", "canary-smtp", "canary@db"}
	if got := canaries(t).Secrets(); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if got := (config.Config{URI: "sqlite:///x"}).Secrets(); len(got) != 0 {
		t.Errorf("got %q", got)
	}
}

// Every secret of a configuration has a row, so that it is masked in the log and hidden
// where settings are shown.
func TestEverySecretHasARow(t *testing.T) {
	c := canaries(t)
	known := c.Secrets()
	var walk func(path string, v reflect.Value)
	walk = func(path string, v reflect.Value) {
		switch {
		case v.Type() == reflect.TypeFor[config.Secret]():
			text := v.Interface().(config.Secret).Reveal()
			if !strings.Contains(text, "canary") || !slices.ContainsFunc(known, func(s string) bool { return strings.Contains(text, s) }) {
				t.Errorf("%s is %q", path, text)
			}
		case v.Kind() == reflect.Struct && v.Type().PkgPath() == reflect.TypeFor[config.Config]().PkgPath():
			for i := range v.NumField() {
				walk(path+"."+v.Type().Field(i).Name, v.Field(i))
			}
		case v.Kind() == reflect.Pointer && !v.IsNil():
			walk(path, v.Elem())
		}
	}
	walk("Config", reflect.ValueOf(c))
}
