package handlers

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"vserver/service/access"
	"vserver/service/core"
)

// call is one request on its way through a handler.
type call struct {
	s     *Server
	echo  echo.Context
	ctx   context.Context //nolint:containedctx // a call lives as long as its request
	query url.Values
	asks  askedFor
	raw   []byte // the body as it came, without its long texts
	actor access.Actor
	// powerless: the caller holds the permission nowhere, so that a long body is of no use.
	powerless bool

	lasting bool                         // see route
	keep    func(answer any, length int) // the answer, for who asks the same again; nil: it is not kept

	key *keyed // nil: none was sent, or the route takes none

	texts     []*core.Text
	arriving  []*core.Arriving
	textFault error     // of a long text
	until     time.Time // how long it is held, for routes that are
	memory    int64     // that the body has taken, in bytes
}

// id returns a number of the path.
func (k *call) id(name string) int64 {
	id, err := strconv.ParseInt(k.echo.Param(name), 10, 64)
	if err != nil {
		return k.missing(k.echo.Param(name))
	}
	return id
}

// askedKey is where the context of a request keeps the ids that no number holds.
const askedKey = "asked"

// missing returns an id that no row has, for one that no number holds. Messages about it
// print what was asked (asAsked).
func (k *call) missing(text string) int64 {
	if len(text) > longestID {
		text = text[:longestID] + "…"
	}
	asked, _ := k.echo.Get(askedKey).([]string)
	at := slices.Index(asked, text)
	if at < 0 {
		at, asked = len(asked), append(asked, text)
		k.echo.Set(askedKey, asked)
	}
	return math.MinInt64 + int64(at)
}

// longestID is how much is printed of an id, in digits.
const longestID = 100

// asAsked puts ids that no number holds in place of those that stood for them.
func asAsked(c echo.Context, msg string) string {
	asked, _ := c.Get(askedKey).([]string)
	for i, text := range asked {
		msg = strings.ReplaceAll(msg, strconv.FormatInt(math.MinInt64+int64(i), 10), text)
	}
	return msg
}

// reply sends v as JSON.
func (k *call) reply(status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding a reply: %w", err)
	}
	return k.send(status, b)
}

// replySecret sends v, which no cache may keep.
func (k *call) replySecret(status int, v any) error {
	k.echo.Response().Header().Set("Cache-Control", noStore)
	return k.reply(status, v)
}

// say sends a message as the contract's `{"msg": …}`.
func (k *call) say(format string, args ...any) error {
	return k.reply(http.StatusOK, map[string]string{"msg": fmt.Sprintf(format, args...)})
}

func writeJSON(c echo.Context, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding a reply: %w", err)
	}
	return sendJSON(c, status, b)
}

// sendJSON sends an answer as it is.
func sendJSON(c echo.Context, status int, body []byte) error {
	c.Response().Header().Set("Content-Length", strconv.Itoa(len(body)))
	return c.Blob(status, "application/json", body)
}

// each turns rows into wire objects; an empty list stays a list.
func each[R, W any](rows []R, wire func(R) W) []W {
	list := make([]W, len(rows))
	for i, r := range rows {
		list[i] = wire(r)
	}
	return list
}
