package demo

import (
	"encoding/base64"
	"encoding/json"
	"sync"
)

// audit looks at everything that the node of one hospital sends: how many numbers
// leave as results, and whether the age of a patient is among what is sent.
type audit struct {
	ages map[float64]bool

	mu                   sync.Mutex
	bytes, numbers, aged int
}

func newAudit(h *hospital) *audit {
	a := &audit{ages: make(map[float64]bool, len(h.ages))}
	for _, age := range h.ages {
		a.ages[age] = true
	}
	return a
}

// look takes the body of a request or message.
func (a *audit) look(body []byte) {
	var sent any
	_ = json.Unmarshal(body, &sent) // nil when it is none: then it is only counted
	_, aged := a.count(sent)
	numbers := 0
	if fields, ok := sent.(map[string]any); ok {
		if part, ok := unpacked(fields["result"]).(map[string]any); ok && part["partials"] == nil {
			numbers, _ = a.count(part) // the central answer repeats what has left already
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.bytes += len(body)
	a.numbers += numbers
	a.aged += aged
}

// count returns how many numbers a value holds, and how many of them are ages, also
// in JSON that is packed in base64 as inputs and results are.
func (a *audit) count(v any) (numbers, aged int) {
	var parts []any
	switch v := v.(type) {
	case float64:
		if a.ages[v] {
			return 1, 1
		}
		return 1, 0
	case string:
		if inner := unpacked(v); inner != nil {
			parts = append(parts, inner)
		}
	case []any:
		parts = v
	case map[string]any:
		for _, part := range v {
			parts = append(parts, part)
		}
	}
	for _, part := range parts {
		n, old := a.count(part)
		numbers, aged = numbers+n, aged+old
	}
	return numbers, aged
}

// unpacked returns the value within a text of base64, nil when there is none.
func unpacked(v any) any {
	text, _ := v.(string)
	raw, err := base64.StdEncoding.DecodeString(text)
	var inner any
	if err != nil || json.Unmarshal(raw, &inner) != nil {
		return nil
	}
	return inner
}

// total returns what was counted so far.
func (a *audit) total() (bytes, numbers, aged int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.bytes, a.numbers, a.aged
}
