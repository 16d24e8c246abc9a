package config

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// foreignOptions are settings of SQLAlchemy and of drivers of Python, which no server
// of Postgres knows; none matters here.
var foreignOptions = []string{
	"async_fallback", "prepared_statement_cache_size", "prepared_statement_name_func",
	"executemany_mode", "executemany_batch_page_size", "executemany_values_page_size", "use_native_unicode", "plugin",
}

// option is one of those behind the question mark.
type option struct{ key, value string }

// postgres takes the URI apart as SQLAlchemy does, which is kinder than a URL parser to
// passwords with characters that should have been escaped, and writes it in the form
// of libpq. The password stands in one place there.
func postgres(uri Secret, rest string) (Database, error) {
	var user, password string
	if end, at := userinfo(rest); at >= 0 {
		user, password = unescaped(rest[:end]), unescaped(rest[min(end+1, at):at])
		rest = rest[at+1:]
	}
	rest, query, _ := strings.Cut(rest, "?")
	netloc, name, _ := strings.Cut(rest, "/")
	if strings.Contains(netloc+name, ":") && strings.Contains(name, "@") {
		return Database{}, errors.New("has a / before the @: write it as %2F in a user or password")
	}
	options := optionsIn(query)
	// What stands among the options comes first.
	user = cmp.Or(take(&options, "user"), user)
	password = cmp.Or(take(&options, "password"), password)
	name = cmp.Or(take(&options, "dbname"), name)
	hosts, err := hostsOf(netloc, &options)
	if err != nil {
		return Database{}, err
	}
	target := url.URL{Scheme: "postgres", Path: "/" + name}
	switch {
	case password != "":
		target.User = url.UserPassword(user, password)
	case user != "":
		target.User = url.User(user)
	}
	if one := hosts.single(); one != "" {
		target.Host = one
	} else {
		options = append(options, hosts.options()...)
	}
	target.RawQuery = encoded(options)
	return Database{Engine: Postgres, DSN: Secret(target.String()), Display: uri, Host: hosts.String(), Name: name}, nil
}

// optionsIn reads what stands behind the question mark: as in Python, what has no value
// is not there.
func optionsIn(query string) []option {
	var all []option
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if key = optionText(key); value != "" && !slices.Contains(foreignOptions, key) {
			all = append(all, option{key, optionText(value)})
		}
	}
	return all
}

// take removes an option and returns the last of its values.
func take(options *[]option, key string) (value string) {
	*options = slices.DeleteFunc(*options, func(o option) bool {
		if o.key == key {
			value = o.value
		}
		return o.key == key
	})
	return value
}

// encoded writes options without a + for a blank, which libpq would not read so.
func encoded(options []option) string {
	values := url.Values{}
	for _, o := range options {
		values.Set(o.key, o.value) // of several the last one counts
	}
	return strings.ReplaceAll(values.Encode(), "+", "%20")
}

// place is one host, or the folder of a socket, with its port.
type place struct{ host, port string }

// places are the hosts that a client tries one after the other.
type places []place

// hostsOf returns the places of a URI: those among the options, as in SQLAlchemy, else
// those behind the @, of which libpq allows several.
func hostsOf(netloc string, options *[]option) (places, error) {
	var all places
	for _, o := range *options {
		if o.key == "host" {
			all = append(all, placesIn(o.value)...)
		}
	}
	take(options, "host")
	ports := strings.Split(take(options, "port"), ",")
	if all == nil && netloc != "" {
		for one := range strings.SplitSeq(netloc, ",") {
			all = append(all, placesIn(one)...)
		}
	}
	if len(ports) > 1 && len(ports) != len(all) {
		return nil, errors.New("has not as many ports as hosts: " + uriForms)
	}
	if all == nil && ports[0] != "" {
		all = places{{}}
	}
	for i := range all {
		all[i].host = unescaped(all[i].host)
		all[i].port = cmp.Or(ports[min(i, len(ports)-1)], all[i].port)
		if err := all[i].check(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// placesIn reads hosts with commas between, each with or without a port.
func placesIn(text string) places {
	var all places
	for one := range strings.SplitSeq(text, ",") {
		p := place{host: one}
		colon := strings.LastIndexByte(one, ':')
		inner, bracket := strings.CutPrefix(one, "[")
		switch {
		case bracket && strings.HasSuffix(inner, "]"):
			p.host = strings.TrimSuffix(inner, "]")
		case bracket && colon > 0 && one[colon-1] == ']':
			p = place{one[1 : colon-1], one[colon+1:]}
		case colon >= 0 && (strings.Count(one, ":") == 1 || strings.HasPrefix(one, "/")):
			p = place{one[:colon], one[colon+1:]}
		}
		all = append(all, p)
	}
	return all
}

func (p place) check() error {
	if n, err := strconv.ParseUint(p.port, 10, 16); p.port != "" && (err != nil || n == 0) {
		return errors.New("has no valid port behind its host: " + uriForms)
	}
	if !strings.HasPrefix(p.host, "/") && strings.ContainsAny(p.host, " @\\<>\"[]/?") || strings.ContainsRune(p.host, 0) {
		return errors.New("has no valid host: " + uriForms)
	}
	return nil
}

// String is the place as people write it.
func (p place) String() string {
	host := p.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if p.port == "" {
		return host
	}
	return host + ":" + p.port
}

// single is the one place as a URI has it before its path; empty when there are
// several, none, or the folder of a socket.
func (all places) single() string {
	if len(all) != 1 || strings.HasPrefix(all[0].host, "/") || strings.Contains(all[0].host, "%") {
		return ""
	}
	return all[0].String()
}

// options are the places as libpq has them among the options.
func (all places) options() []option {
	var hosts, ports []string
	for _, p := range all {
		hosts, ports = append(hosts, p.host), append(ports, p.port)
	}
	var list []option
	if text := strings.Join(hosts, ","); text != "" {
		list = append(list, option{"host", text})
	}
	if text := strings.Join(ports, ","); strings.Trim(text, ",") != "" {
		list = append(list, option{"port", text})
	}
	return list
}

// String lists the places for people.
func (all places) String() string {
	var list []string
	for _, p := range all {
		list = append(list, p.String())
	}
	return strings.Join(list, ",")
}
