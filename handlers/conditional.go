package handlers

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"vserver/service/access"
)

// leastZipped is how long an answer is, in bytes, before it is compressed: a shorter one
// fits into a packet or two anyway.
const leastZipped = 1 << 10

// noStore is the Cache-Control of what no cache may keep.
const noStore = "no-store"

// askedFor tells how what a call asks for may be sent (/docs/wire#conditional).
type askedFor struct {
	// tagged: the answer has an ETag, and one that the caller has already is not sent again.
	tagged bool
	// zippable: it may be compressed. What holds texts of results may not, because they are
	// encrypted or meant to be; nor what repeats words of the request beside data, whose
	// length would tell who tries words what the data is.
	zippable bool
}

// askedFor judges a request of a route.
func (r route) askedFor(k *call) askedFor {
	if r.method != http.MethodGet || r.who == anyone {
		return askedFor{}
	}
	return askedFor{tagged: true, zippable: !r.texts && !k.includes("metadata", "result", "results")}
}

// send sends encoded JSON.
func (k *call) send(status int, body []byte) error {
	k.markReplayed()
	return k.sendMade(status, body, func() []byte { return body })
}

// sendMade sends JSON that is made of a source, and of nothing else, when the caller does not have it already.
func (k *call) sendMade(status int, source []byte, made func() []byte) error {
	h := k.echo.Response().Header()
	if status != http.StatusOK || !k.asks.tagged || h.Get("Cache-Control") == noStore {
		return sendJSON(k.echo, status, made())
	}
	a := &madeAnswer{zip: k.zips() && len(source) >= leastZipped, total: h["total-count"], links: h["Link"]} //nolint:staticcheck // as its name is sent
	a.tag = tagOf(h, source, a.zip)
	if !hasAlready(k.echo.Request().Header, a.tag) {
		a.content = made()
		if a.zip {
			var b bytes.Buffer
			if err := k.s.zippers.copy(&b, a.content); err != nil {
				return err
			}
			a.content = b.Bytes()
		}
	}
	if k.keep != nil {
		k.keep(a, len(k.echo.Request().RequestURI)+len(a.content))
	}
	return k.sendAnswer(a)
}

// madeAnswer is a tagged answer as it is sent.
type madeAnswer struct {
	tag          string
	total, links []string // headers of a page
	zip          bool
	content      []byte // nil: it was not made, since the caller had it
}

func (k *call) sendAnswer(a *madeAnswer) error {
	h := k.echo.Response().Header()
	h.Set("ETag", a.tag)
	if hasAlready(k.echo.Request().Header, a.tag) {
		return k.echo.NoContent(http.StatusNotModified)
	}
	if a.zip {
		h.Set("Content-Encoding", "gzip")
	}
	return sendJSON(k.echo, http.StatusOK, a.content)
}

// question is what a lasting answer follows from, beside who asks and the database.
type question struct {
	uri  string
	zips bool
}

// giveAgain sends a lasting answer that was made for the same caller, with the same rights, since anybody has committed
// something. Without one the call keeps that which it is about to send.
func (k *call) giveAgain(g access.AnyGrant) (given bool, err error) {
	r := k.echo.Request()
	if !k.lasting || !k.asks.tagged || r.Body != http.NoBody {
		return false, nil
	}
	kept, keep := k.s.core.LastAnswer(k.ctx, g, question{r.URL.RequestURI(), takesGzip(r.Header)})
	a, _ := kept.(*madeAnswer)
	if a == nil || a.content == nil && !hasAlready(r.Header, a.tag) {
		k.keep = keep
		return false, nil
	}
	h := k.echo.Response().Header()
	k.zips() // which tells caches
	for name, values := range map[string][]string{"total-count": a.total, "Link": a.links} {
		if values != nil {
			h[name] = values
		}
	}
	return true, k.sendAnswer(a)
}

// zips reports whether an answer is compressed if it is long enough, and says that this
// depends on who asks.
func (k *call) zips() bool {
	h := k.echo.Response().Header()
	if !k.asks.zippable || h.Get("Cache-Control") == noStore {
		return false
	}
	h.Add("Vary", "Accept-Encoding")
	return takesGzip(k.echo.Request().Header)
}

// tagOf is the entity tag of an answer: of every byte that is sent or that it is made of, and of the headers that
// tell about a page, so that it cannot be the same for two different ones.
func tagOf(h http.Header, source []byte, zip bool) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%q %q\n", h["total-count"], h["Link"]) //nolint:staticcheck // as its name is sent
	sum.Write(source)
	tag := base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:16])
	if zip {
		tag += "-gzip" // other bytes than without
	}
	return `"` + tag + `"`
}

// hasAlready reports whether the caller has the answer of a tag.
func hasAlready(h http.Header, tag string) bool {
	asked := strings.Split(strings.Join(h.Values("If-None-Match"), ","), ",")
	return slices.ContainsFunc(asked, func(has string) bool {
		has = strings.TrimSpace(has)
		return has == "*" || strings.TrimPrefix(has, "W/") == tag
	})
}

// zippers are the writers that compress; each needs so much memory that it is used again.
type zippers struct{ pool sync.Pool }

// take returns one that writes to out. Whoever takes it gives it back.
func (z *zippers) take(out io.Writer) (*gzip.Writer, error) {
	if w, ok := z.pool.Get().(*gzip.Writer); ok {
		w.Reset(out)
		return w, nil
	}
	w, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
	if err != nil {
		return nil, fmt.Errorf("preparing to compress: %w", err)
	}
	return w, nil
}

func (z *zippers) giveBack(w *gzip.Writer) { z.pool.Put(w) }

// copy compresses a whole answer.
func (z *zippers) copy(out io.Writer, body []byte) error {
	w, err := z.take(out)
	if err != nil {
		return err
	}
	defer z.giveBack(w)
	if _, err := w.Write(body); err != nil {
		return fmt.Errorf("compressing an answer: %w", err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("compressing an answer: %w", err)
	}
	return nil
}

// partsWriter sends an answer that comes in parts, compressed for who may have it so.
type partsWriter struct {
	io.Writer
	zip  *gzip.Writer // nil: as it is
	done func()
}

// sendParts begins an answer of unknown length. The end of the writer has to be called.
func (k *call) sendParts(status int) (*partsWriter, error) {
	reply := k.echo.Response()
	w := &partsWriter{Writer: reply, done: func() {}}
	if k.asks.tagged && k.zips() {
		zip, err := k.s.zippers.take(reply)
		if err != nil {
			return nil, err
		}
		w.Writer, w.zip, w.done = zip, zip, func() { k.s.zippers.giveBack(zip) }
		reply.Header().Set("Content-Encoding", "gzip")
	}
	reply.Header().Set("Content-Type", "application/json")
	reply.WriteHeader(status)
	return w, nil
}

// pass hands on what was written so far.
func (w *partsWriter) pass() error {
	if w.zip == nil {
		return nil
	}
	return w.zip.Flush()
}

// end sends the last of it, when all went well.
func (w *partsWriter) end(err error) error {
	defer w.done()
	if err != nil || w.zip == nil {
		return err
	}
	return w.zip.Close()
}
