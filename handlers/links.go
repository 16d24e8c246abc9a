package handlers

import (
	"strconv"
	"time"
)

// link is how another object is named within one (/docs/wire#links).
type link struct {
	ID      int64    `json:"id"`
	Link    string   `json:"link"`
	Methods []string `json:"methods"`
}

// methodsOf are the methods of an object's own route, whoever asks.
var methodsOf = map[string][]string{
	"organization":  {"GET", "PATCH"},
	"collaboration": {"DELETE", "GET", "PATCH"},
	"node":          {"DELETE", "GET", "PATCH"},
	"user":          {"DELETE", "GET", "PATCH"},
	"role":          {"DELETE", "GET", "PATCH"},
	"rule":          {"GET"},
	"task":          {"DELETE", "GET"},
	"result":        {"GET", "PATCH"},
	"port":          {"GET"},
}

// link names one object; nil names none.
func (s *Server) link(kind string, id *int64) *link {
	if id == nil {
		return nil
	}
	return &link{ID: *id, Link: s.url(kind, *id), Methods: methodsOf[kind]}
}

// links names several; an empty list is null on the wire.
func (s *Server) links(kind string, ids []int64) []link {
	var list []link
	for _, id := range ids {
		list = append(list, *s.link(kind, &id))
	}
	return list
}

// url is the path of an object.
func (s *Server) url(kind string, id int64) string {
	return s.opt.APIPath + "/" + kind + "/" + strconv.FormatInt(id, 10)
}

// plain returns ids as they are; an empty list stays a list.
func plain(ids []int64) []int64 {
	if ids == nil {
		return []int64{}
	}
	return ids
}

// moment writes a time as the wire has it: UTC with an explicit offset, and a
// fraction only when there is one (/docs/wire#dates).
func moment(t *time.Time) *string {
	if t == nil {
		return nil
	}
	form := "2006-01-02T15:04:05.000000+00:00"
	if t.Nanosecond()/1000 == 0 {
		form = "2006-01-02T15:04:05+00:00"
	}
	s := t.UTC().Format(form)
	return &s
}
