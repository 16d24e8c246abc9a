package config

import _ "embed" // for the example below

//go:embed example.yaml
var example string

// Example returns a configuration file that explains every key. Keys with a default
// stand there as comments without a blank behind the #.
func Example() string { return example }
