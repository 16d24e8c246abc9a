package handlers

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
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

// replyLinked sends v with a list of links in place of the null that it has in a field: there may be so many that
// encoding them one by one takes most of the time. What a caller has already is known by the ids alone.
func (k *call) replyLinked(v any, field, kind string, ids []int64) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding a reply: %w", err)
	}
	// No text has this: quotes within texts have a backslash before them.
	before, behind, found := bytes.Cut(b, []byte(`,"`+field+`":null`))
	if !found || len(ids) == 0 {
		return k.send(http.StatusOK, b)
	}
	source := append([]byte(k.s.opt.Version+" "+k.s.opt.APIPath+" "+kind+" "), b...)
	for _, id := range ids {
		source = binary.BigEndian.AppendUint64(source, uint64(id)) //nolint:gosec // the same bits
	}
	return k.sendMade(http.StatusOK, source, func() []byte {
		body := make([]byte, 0, len(b)+len(ids)*(80+len(k.s.opt.APIPath)))
		body = append(append(body, before...), `,"`+field+`":`...)
		return append(k.s.appendLinks(body, kind, ids), behind...)
	})
}

// appendLinks adds links as JSON, as json.Marshal writes those of links.
func (s *Server) appendLinks(b []byte, kind string, ids []int64) []byte {
	sample, err := json.Marshal(s.link(kind, new(int64)))
	if err != nil {
		panic(err) // texts always encode
	}
	front, rest, _ := bytes.Cut(sample, []byte("0"))
	middle, end, _ := bytes.Cut(rest, []byte(`/0"`))
	for i, id := range ids {
		b = append(b, "[,"[min(i, 1)])
		b = strconv.AppendInt(append(b, front...), id, 10)
		b = append(append(b, middle...), '/')
		b = append(append(strconv.AppendInt(b, id, 10), '"'), end...)
	}
	return append(b, ']')
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
