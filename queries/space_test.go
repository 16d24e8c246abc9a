package queries

import "testing"

func TestEnoughSpace(t *testing.T) {
	for _, c := range []struct {
		free, needed uint64
		ok           bool
	}{{0, 0, true}, {10, 10, true}, {9, 10, false}, {1 << 40, 5 << 30, true}} {
		if err := enough(c.free, c.needed); (err == nil) != c.ok {
			t.Errorf("%d of %d: %v", c.free, c.needed, err)
		}
	}
}
