package handlers

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"vserver/service/core"
	"vserver/service/fault"
)

// page reads which part of a list is asked for (/docs/wire#paging).
func (k *call) page() (core.Page, error) {
	p := core.Page{}
	if k.query.Get("page") == "" {
		return p, nil
	}
	var err error
	if p.Number, err = positive(k.query.Get("page"), "page"); err != nil {
		return p, err
	}
	p.Size = 10
	if v := k.query.Get("per_page"); v != "" {
		p.Size, err = positive(v, "per_page")
	}
	return p, err
}

func positive(v, name string) (int64, error) {
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 1 {
		return 0, fault.New(fault.Invalid, "%s needs to be >= 1", name)
	}
	return n, nil
}

// list replies with a part of a list: the headers that every list has, and the
// envelope when it is asked for.
func list[W any](k *call, p core.Page, items []W, total int64) error {
	envelope := k.listHeader(p, len(items), total)
	if k.includes("metadata") {
		return k.replyTexts(http.StatusOK, struct {
			Data  []W               `json:"data"`
			Links map[string]string `json:"links"`
		}{items, envelope})
	}
	return k.replyTexts(http.StatusOK, items)
}

// maxLink is how long the header Link may get: proxies refuse longer ones.
const maxLink = 8 << 10

// listHeader sets the headers of a list and returns the links of its envelope.
func (k *call) listHeader(p core.Page, shown int, total int64) map[string]string {
	var header []string
	envelope := map[string]string{}
	for _, l := range k.pageLinks(p, int64(shown), total) {
		header = append(header, "<"+l.url+">; rel="+l.rel)
		envelope[l.rel] = l.url
	}
	h := k.echo.Response().Header()
	if links := strings.Join(header, ","); len(links) <= maxLink {
		h.Set("Link", links)
	}
	h["total-count"] = []string{strconv.FormatInt(total, 10)} // lower case, as the reference sends it
	return envelope
}

// longList is list for one that may be too long to be held at once: what does not come
// with the first part is read and sent part by part.
func longList[R, W any](k *call, p core.Page, l core.List[R], wire func(R) W) error {
	if l.Rest() == nil {
		return list(k, p, each(l.First, wire), l.Total)
	}
	open, end := "[", "]"
	links, err := json.Marshal(k.listHeader(p, len(l.First), l.Total))
	if err != nil {
		return fmt.Errorf("encoding links: %w", err)
	}
	if k.includes("metadata") {
		open, end = `{"data":[`, `],"links":`+string(links)+`}`
	}
	reply, err := k.sendParts(http.StatusOK)
	if err != nil {
		return err
	}
	if k.echo.Request().Method == http.MethodHead {
		reply.done()
		return nil
	}
	return reply.end(writeParts(k, reply, l, wire, open, end))
}

// partBuffer is how much of a list is handed on at once.
const partBuffer = 32 << 10

// writeParts writes a list between the words that it begins and ends with.
func writeParts[R, W any](k *call, reply *partsWriter, l core.List[R], wire func(R) W, open, end string) error {
	out := bufio.NewWriterSize(reply, partBuffer)
	_, _ = out.WriteString(open) // a writer keeps its first error until Flush
	if err := writeItems(k, out, each(l.First, wire)); err != nil {
		return err
	}
	for part, err := range l.Rest() {
		if err != nil {
			return err
		}
		_ = out.WriteByte(',')
		err = writeItems(k, out, each(part, wire))
		if err == nil {
			err = out.Flush()
		}
		if err == nil {
			err = reply.pass()
		}
		if err != nil {
			return err
		}
	}
	_, _ = out.WriteString(end)
	return out.Flush()
}

// writeItems writes what stands between the brackets of a list.
func writeItems[W any](k *call, out *bufio.Writer, items []W) error {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	for i := range items {
		if i > 0 {
			_ = out.WriteByte(',')
		}
		b.Reset()
		if err := encoder.Encode(&items[i]); err != nil {
			return fmt.Errorf("encoding a row: %w", err)
		}
		if err := k.writeSeams(out, bytes.TrimSuffix(b.Bytes(), []byte{'\n'})); err != nil {
			return err
		}
	}
	return nil
}

type relation struct{ rel, url string }

// pageLinks returns the relations of a page that exist, in the contract's order.
func (k *call) pageLinks(p core.Page, shown, total int64) []relation {
	if p.Number == 0 {
		p = core.Page{Number: 1, Size: max(total, 1)}
	}
	at := func(n int64) string { return k.pageURL(n) }
	links := []relation{{"first", at(1)}}
	if p.Number > 1 {
		links = append(links, relation{"previous", at(p.Number - 1)})
	}
	links = append(links, relation{"self", at(p.Number)})
	last := (total-1)/p.Size + 1
	if p.Number < last && shown > 0 {
		links = append(links, relation{"next", at(p.Number + 1)})
	}
	if total > 0 {
		links = append(links, relation{"last", at(last)})
	}
	return links
}

// pageURL is the request's own path and query with another page. All values of all
// parameters stay, in their order (/docs/wire#paging).
func (k *call) pageURL(n int64) string {
	u := k.echo.Request().URL
	number := strconv.FormatInt(n, 10)
	var parts []string
	replaced := false
	for part := range strings.SplitSeq(u.RawQuery, "&") {
		name, v, _ := strings.Cut(part, "=")
		name, err1 := url.QueryUnescape(name)
		v, err2 := url.QueryUnescape(v)
		switch {
		case part == "" || err1 != nil || err2 != nil:
		case name == "page" && replaced:
		case name == "page":
			replaced = true
			parts = append(parts, "page="+number)
		default:
			parts = append(parts, url.QueryEscape(name)+"="+url.QueryEscape(v))
		}
	}
	if !replaced {
		parts = append(parts, "page="+number)
	}
	return u.EscapedPath() + "?" + strings.Join(parts, "&")
}
