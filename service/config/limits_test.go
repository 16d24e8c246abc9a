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

func TestMemoryOfBodiesIsASize(t *testing.T) {
	for text, want := range map[string][2]int64{
		"0": {0, 0}, "128MiB": {128 << 20, 128 << 20}, "512 MB": {512e6, 512e6}, "1TiB": {-1, -1}, "64GiB": {64 << 30, 64 << 30}, "1024GiB": {1 << 40, 1 << 40},
		"127MiB": {-1, 127 << 20}, "64MiB": {-1, 64 << 20}, "67108863": {-1, -1}, "1025GiB": {-1, -1}, "": {-1, -1}, "-1MiB": {-1, -1}, "much": {-1, -1},
		"9999999999999999999": {-1, -1},
	} {
		for i, check := range []func(_, text string) (string, string){memoryOfBodies, memoryOfAccount} {
			taken, must := check("", text)
			l := Limits{BodyMemory: taken, BodyMemoryPerAccount: taken}
			all, each := l.BodyBytes()
			switch {
			case want[i] < 0 && (must == "" || taken == text || all == 0):
				t.Errorf("%q is taken as %d bytes", text, all)
			case want[i] >= 0 && (must != "" || all != want[i] || each != want[i]):
				t.Errorf("%q is %d bytes (%q), want %d", text, all, must, want[i])
			}
		}
	}
}
