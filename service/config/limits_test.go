package config

import "testing"

// TestSizesOfPayloads reads sizes from both sides of what is allowed.
func TestSizesOfPayloads(t *testing.T) {
	for text, want := range map[string]int64{
		"1GiB": 1 << 30, "1MiB": 1 << 20, "256MB": 256e6, "256 MB": 256e6, "1048576": 1 << 20, "1048576B": 1 << 20, "1024KiB": 1 << 20, "2000kB": 2e6, "2000KB": 2e6,
		"1048575": 0, "1025MiB": 0, "2GB": 0, "": 0, "MB": 0, "-1MB": 0, "1.5MB": 0, "1TB": 0, "1mb": 0, "9999999999999999999": 0, "999999999GiB": 0,
	} {
		taken, must := payloadSize("", text)
		if got := (Limits{Payload: taken}).PayloadBytes(); must == "" && got != want || (must != "") != (want == 0) || must != "" && got != 1<<30 {
			t.Errorf("%q is %d (%q), want %d", text, got, must, want)
		}
	}
}
