package batch_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"vserver/service/batch"
)

// organization is a right one to put mistakes beside.
const head = "organizations:\n- {name: A, domain: , address1: , address2: , zipcode: , country: , "

func TestBadFiles(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"no YAML":          {"a: [", "x.yaml:1: is not YAML: did not find expected node content"},
		"two documents":    {"a: 1\n---\nb: 1\n", "x.yaml:2: holds a second YAML document; an import file is one"},
		"a list":           {"- a\n", "x.yaml:1: must be a block with the keys organizations and collaborations, not a list"},
		"no list":          {"organizations: A\n", "x.yaml:1: organizations: must be a list, not a single value"},
		"no block":         {"organizations:\n- A\n", "x.yaml:2: organizations[1]: must be a block of an organization, not a single value"},
		"empty item":       {"organizations:\n-\n", "x.yaml:2: organizations[1]: must be a block of an organization, not nothing"},
		"digits as name":   {strings.Replace(head, "A", "' ١٢ '", 1) + "}", "x.yaml:2: organizations[1].name: must not consist of digits only, it could be taken for an id"},
		"null name":        {strings.Replace(head, "A", "", 1) + "}", "x.yaml:2: organizations[1].name: has no value"},
		"binary":           {strings.Replace(head, "A", "!!binary aGk=", 1) + "}", "x.yaml:2: organizations[1].name: must be a text, not binary data"},
		"control":          {strings.Replace(head, "A", `"a\tb"`, 1) + "}", "x.yaml:2: organizations[1].name: holds control characters"},
		"long":             {strings.Replace(head, "A", strings.Repeat("é", 1001), 1) + "}", "x.yaml:2: organizations[1].name: is longer than 1000 characters"},
		"list as text":     {strings.Replace(head, "domain: ", "domain: [x]", 1) + "}", "x.yaml:2: organizations[1].domain: must be a text, not a list"},
		"key twice":        {head + "name: B}", "x.yaml:2: organizations[1].name: is there twice, first on line 2"},
		"bad key":          {head + "public_key: a2V}", "x.yaml:2: organizations[1].public_key: has to be a public key in PEM, or its standard base64 with padding"},
		"no username":      {head + "users: [{}]}", "x.yaml:2: organizations[1].users[1].username: is missing"},
		"digits as user":   {head + "users: [{username: 7}]}", "x.yaml:2: organizations[1].users[1].username: must not consist of digits only, it could be taken for an id"},
		"empty password":   {head + "users: [{username: u, password: ''}]}", "x.yaml:2: organizations[1].users[1].password: is empty"},
		"long password":    {head + "users: [{username: u, password: " + strings.Repeat("x", 129) + "}]}", "x.yaml:2: organizations[1].users[1].password: is longer than 128 characters"},
		"bad second":       {head + "users: [{username: u, otp_secret: '1'}]}", "x.yaml:2: organizations[1].users[1].otp_secret: must be base32"},
		"role of nodes":    {head + "users: [{username: u, roles: [node]}]}", "x.yaml:2: organizations[1].users[1].roles[1]: role node is not for users"},
		"role twice":       {head + "users: [{username: u, roles: [a, a]}]}", "x.yaml:2: organizations[1].users[1].roles[2]: role a is there twice"},
		"role without":     {head + "users: [{username: u, roles: [~]}]}", "x.yaml:2: organizations[1].users[1].roles[1]: must be a text, not nothing"},
		"encrypted":        {"collaborations:\n- {name: C, encrypted: perhaps}", "x.yaml:2: collaborations[1].encrypted: Invalid value 'perhaps': must be true or false"},
		"digits":           {"collaborations:\n- {name: 12}", "x.yaml:2: collaborations[1].name: must not consist of digits only, it could be taken for an id"},
		"old participants": {"collaborations:\n- {name: C, participants: [A]}", "x.yaml:2: collaborations[1].participants[1]: must be a block with name and api_key, not a single value"},
		"no API key":       {"collaborations:\n- {name: C, participants: [{name: A}]}", "x.yaml:2: collaborations[1].participants[1].api_key: is missing"},
		"bad API key":      {"collaborations:\n- {name: C, participants: [{name: A, api_key: x}]}", "x.yaml:2: collaborations[1].participants[1].api_key: API key 'x' is not a valid UUID!"},
		"API key in capitals": {
			"collaborations:\n- {name: C, participants: [{name: A, api_key: 123E4567-E89B-12D3-A456-426614174001}]}",
			"x.yaml:2: collaborations[1].participants[1].api_key: API key '123E4567…' is not a valid UUID!",
		},
		"tasks of nobody": {"collaborations:\n- {name: C, tasks: [i]}", "x.yaml:2: collaborations[1].tasks: need at least one participant"},
		"empty image": {
			"collaborations:\n- {name: C, participants: [{name: A, api_key: 123e4567-e89b-12d3-a456-426614174001}], tasks: ['']}",
			"x.yaml:2: collaborations[1].tasks[1]: has no value",
		},
		"organization twice":  {head + "}\n" + strings.TrimPrefix(head, "organizations:\n") + "}", "x.yaml:3: organization A is there twice, first on line 2"},
		"user twice":          {head + "users: [{username: u},\n {username: u}]}", "x.yaml:3: user u is there twice, first on line 2"},
		"e-mail twice":        {head + "users: [{username: u, email: e},\n {username: v, email: e}]}", "x.yaml:3: e-mail e is there twice, first on line 2"},
		"collaboration twice": {"collaborations:\n- {name: C}\n- {name: C}", "x.yaml:3: collaboration C is there twice, first on line 2"},
		"API key twice": {
			"collaborations:\n- name: C\n  participants:\n  - {name: A, api_key: 123e4567-e89b-12d3-a456-426614174001}\n  - {name: B, api_key: 123e4567-e89b-12d3-a456-426614174001}",
			"x.yaml:5: node B - C Node has the same api_key as the node of A on line 4",
		},
		"participant twice": {
			"collaborations:\n- name: C\n  participants:\n  - {name: A, api_key: 123e4567-e89b-12d3-a456-426614174001}\n  - {name: A, api_key: 123e4567-e89b-12d3-a456-426614174002}",
			"x.yaml:5: participant A is there twice, first on line 4",
		},
		"several": {"organizations:\n- name: A\n  domain: d\n  address1:\n  users:\n  - usernam: u\n    password: p\n", `x.yaml:2: organizations[1].address2: is missing; write the key without a value for none
x.yaml:2: organizations[1].zipcode: is missing; write the key without a value for none
x.yaml:2: organizations[1].country: is missing; write the key without a value for none
x.yaml:6: organizations[1].users[1].username: is missing
x.yaml:6: organizations[1].users[1].usernam: unknown key; did you mean username?`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := batch.Parse("x.yaml", []byte(c.text))
			if err == nil || err.Error() != c.want {
				t.Errorf("got\n%v\nwant\n%s", err, c.want)
			}
		})
	}
}

func TestManyFaultsAreCut(t *testing.T) {
	_, err := batch.Parse("x.yaml", []byte("organizations:\n"+strings.Repeat("-\n", 1000)))
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 51 || lines[50] != "and 950 faults more" {
		t.Errorf("%d lines, the last %s", len(lines), lines[len(lines)-1])
	}
}

func TestWhatIsIgnored(t *testing.T) {
	f := parse(t, strings.TrimSuffix(head, ", ")+", color: red, users: [{username: u, password: p, status: online}, {username: v}]}\nrest: 1\n")
	var got []string
	for _, w := range f.Warnings {
		got = append(got, w.String())
	}
	want := []string{
		"x.yaml:2: organizations[1].users[1].status: is kept by the server, ignored",
		"x.yaml:2: organizations[1].users[2].password: is missing: v cannot log in before the password is reset",
		"x.yaml:2: organizations[1].color: unknown key, ignored; known here: name, domain, address1, address2, zipcode, country, public_key, users",
		"x.yaml:3: rest: unknown key, ignored; known here: organizations, collaborations",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

// A key that is misspelt stands beside the one that is missing for it.
func TestUnknownKeysAreToldWithFaults(t *testing.T) {
	_, err := batch.Parse("x.yaml", []byte("collaborations:\n- nme: C\n"))
	want := "x.yaml:2: collaborations[1].name: is missing\n" +
		"x.yaml:2: collaborations[1].nme: unknown key, ignored; did you mean name?"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	if _, err := batch.Parse("x.yaml", []byte("\nenvironments: {}\n")); err == nil || !strings.Contains(err.Error(), "x.yaml:2: is no import file") {
		t.Errorf("a configuration: %v", err)
	}
}

// Booleans are those of the configuration: what the reference takes, and words.
func TestEncrypted(t *testing.T) {
	b := newBed(t)
	for value, want := range map[string]int{
		"true": 1, "'True'": 1, "yes": 1, "y": 1, "T": 1, "1": 1, "": 1,
		"false": 0, "'no'": 0, "OFF": 0, "n": 0, "0": 0, "''": 0,
	} {
		name := "C" + strings.Trim(value, "'") + strings.Repeat("'", strings.Count(value, "'"))
		b.must("collaborations:\n- {name: \"" + name + "\", encrypted: " + value + "}\n")
		if got := b.rows("SELECT COUNT(*) FROM collaboration WHERE encrypted AND name = '" + strings.ReplaceAll(name, "'", "''") + "'"); got != fmt.Sprint(want) {
			t.Errorf("encrypted: %s became %s", value, got)
		}
	}
}

func TestNothingToImport(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "~\n", "organizations:\ncollaborations:\n", "organizations: []\n"} {
		if f := parse(t, text); len(f.Warnings) > 0 {
			t.Errorf("%q: %v", text, f.Warnings)
		}
	}
}

// Anchors and merges work; those that never end or grow without limit are refused.
func TestAliases(t *testing.T) {
	b := newBed(t)
	b.must(`
x: &rest {domain: d, address1: , address2: , zipcode: 9, country: c}
organizations:
- &a {<<: *rest, name: A, zipcode: 1}
- {<<: [*a], name: B}
`)
	b.wants(map[string]string{"SELECT name, domain, zipcode FROM organization WHERE id > 1 ORDER BY id": "A d 1, B d 1"})
	many := "a: &a {" + strings.Repeat("x: 1, ", 0) + strings.Join(numbered(2000), ", ") + "}\norganizations: &o [" + strings.TrimSuffix(strings.Repeat("*a,", 20000), ",") + "]\n"
	for name, text := range map[string]string{
		"itself":  "organizations: &a\n- &b {<<: *b, users: *a}\n",
		"endless": many,
	} {
		if _, err := batch.Parse("x.yaml", []byte(text)); err == nil {
			t.Errorf("%s: was taken", name)
		}
	}
}

func numbered(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = "k" + strings.Repeat("i", i%50) + string(rune('a'+i/50%26)) + string(rune('a'+i/1300)) + ": 1"
	}
	return keys
}

func TestUnreadableFile(t *testing.T) {
	if _, err := batch.Read(filepath.Join(t.TempDir(), "none.yaml")); err == nil {
		t.Error("a file that is not there was read")
	}
}

// FuzzParse looks for files that crash the reader.
func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte("organizations: &a\n- &b {<<: *b, users: *a}\n"))
	f.Add([]byte(head + "users: [{username: u, roles: [a]}]}\ncollaborations:\n- {name: C, tasks: [x]}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := batch.Parse("x.yaml", text)
		if (file == nil) == (err == nil) {
			t.Errorf("both or none: %v, %v", file, err)
		}
	})
}
