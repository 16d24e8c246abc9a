package config

import "slices"

// KnownKeys lists every key that reading an environment asks for, without its block.
func KnownKeys() []string {
	text := "logging: {}, smtp: {}, password_policy: {}, vpn_server: {}, directories: {}, tls: {}, metrics: {}"
	for _, key := range requiredKeys[:len(requiredKeys)-1] {
		text += ", " + key + ": ''"
	}
	f, err := Parse("keys.yaml", []byte("environments: {prod: {"+text+"}}"))
	if err != nil {
		panic(err)
	}
	r := newReader("keys.yaml")
	f.settings(r, "prod", bare)
	var keys []string
	for _, asked := range r.asked {
		keys = append(keys, asked...)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
