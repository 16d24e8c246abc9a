package demo

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
)

// hospital has a table of patients that never leaves it.
type hospital struct {
	name         string
	organization int64
	ages         []float64
}

var hospitalNames = []string{"North Hospital", "South Hospital", "East Hospital", "West Hospital", "Lake Hospital", "Hill Hospital"}

// newHospital makes the i-th hospital, with a number of patients of its own.
func newHospital(i int) *hospital {
	h := &hospital{name: hospitalNames[i%len(hospitalNames)]}
	if i >= len(hospitalNames) {
		h.name = fmt.Sprintf("%s %d", h.name, i/len(hospitalNames)+1)
	}
	dice := rand.New(rand.NewPCG(uint64(i), 2026)) //nolint:gosec // made-up patients, the same in every run
	h.ages = make([]float64, 100+37*i+dice.IntN(400))
	for j := range h.ages {
		for h.ages[j] <= 18 || h.ages[j] >= 100 {
			h.ages[j] = dice.NormFloat64()*12 + 50 + float64(i%7)*3
		}
	}
	return h
}

func (h *hospital) sum() float64 {
	var sum float64
	for _, a := range h.ages {
		sum += a
	}
	return sum
}

// order is the input of the algorithm.
type order struct {
	Method        string  `json:"method"` // central or partial
	Organizations []int64 `json:"organizations,omitempty"`
	Kwargs        struct {
		Organizations []int64 `json:"organizations,omitempty"`
	} `json:"kwargs,omitzero"` // as Python's client and the web interface call a method
}

// partial is what one hospital gives away: no patient, two numbers.
type partial struct {
	Sum   float64 `json:"sum"`
	Count int     `json:"count"`
}

// answer is the result of the central part.
type answer struct {
	Average  float64   `json:"average"`
	Partials []partial `json:"partials"` // in the order of the organizations
}

// average is the algorithm as a node's container carries it out.
func (h *hospital) average(ctx context.Context, c *Container) (string, error) {
	var o order
	if err := decode(&c.Input, &o); err != nil {
		return "", err
	}
	o.Organizations = append(o.Organizations, o.Kwargs.Organizations...)
	switch {
	case o.Method == "partial":
		return encode(partial{h.sum(), len(h.ages)}), nil
	case o.Method != "central":
		return "", fmt.Errorf("there is no method %q: this algorithm has central and partial", o.Method)
	case len(o.Organizations) == 0:
		return "", errors.New("the method central needs organizations: a list of ids")
	}
	results, err := c.Subtask(ctx, "partial average", encode(order{Method: "partial"}), o.Organizations)
	if err != nil {
		return "", err
	}
	a := answer{Partials: make([]partial, len(o.Organizations))}
	var sum float64
	var count int
	for i, organization := range o.Organizations {
		if err := decode(results[organization], &a.Partials[i]); err != nil {
			return "", fmt.Errorf("the part of organization %d: %w", organization, err)
		}
		sum += a.Partials[i].Sum
		count += a.Partials[i].Count
	}
	a.Average = sum / float64(count)
	return encode(a), nil
}

// encode returns an input or result in the form of an unencrypted collaboration.
func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // values of this package always encode
	}
	return base64.StdEncoding.EncodeToString(b)
}

func decode(s *string, v any) error {
	if s == nil {
		return errors.New("there is no result")
	}
	b, err := base64.StdEncoding.DecodeString(*s)
	if err != nil {
		return fmt.Errorf("decoding: %w", err)
	}
	return json.Unmarshal(bytes.TrimPrefix(b, []byte("json.")), v)
}
