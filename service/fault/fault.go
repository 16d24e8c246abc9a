// Package fault names what went wrong: a kind for machines, a message that is safe
// to show, and the cause for the log. It is a leaf: everybody may use it, it
// imports nothing of ours. Package handlers alone turns a fault into a status.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind classifies a fault; the status that it becomes is the handlers' business.
type Kind uint8

// The kinds, with the status they end as.
const (
	Internal     Kind = iota // 500: unknown cause, fixed text
	Invalid                  // 400: the request is wrong
	Unparsed                 // 400: the body is no JSON (/docs/wire#unparsed)
	Broken                   // 400: the body broke off or came too slowly
	Field                    // 400: one field is wrong (/docs/wire#field)
	Unauthorized             // 401: no, wrong or dead credentials
	Denied                   // 401: a permission is missing (never 403, /docs/wire#errors)
	WrongKind                // 403: this kind of token is not for this route
	Missing                  // 404: no such row
	TooLarge                 // 413: the body passes its limit
	BadToken                 // 422: a malformed token
	Reused                   // 422: the key of another request (/docs/wire#repeat)
	TooMany                  // 429: a limit of requests is reached
	Upstream                 // 500: another server that this one asks is of no use; the message says so
	Unsupported              // 501: not configured on this server
	Busy                     // 503: try again later
	Full                     // 507: no room in the storage
	Unknown                  // 500: nobody knows whether it was stored (/docs/wire#unknown)
)

// Standard is the text of a missing permission wherever the contract names no other.
const Standard = "You lack the permission to do that!"

// Error is a fault on its way to a reply.
type Error struct {
	Kind  Kind
	Msg   string // shown to the caller
	Field string // the faulty field, for kind Field
	Cause error  // logged, never shown
	// RetryAfter is when it is worth to try again; 0 says nothing about it.
	RetryAfter time.Duration
}

// Error returns the message with its cause, for logs.
func (e *Error) Error() string {
	if e.Cause != nil {
		return e.Msg + ": " + e.Cause.Error()
	}
	return e.Msg
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// New makes a fault; the format and its arguments are shown to the caller.
func New(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Msg: fmt.Sprintf(format, args...)}
}

// Wrap makes a fault with a cause that only the log sees.
func Wrap(k Kind, cause error, format string, args ...any) *Error {
	return &Error{Kind: k, Msg: fmt.Sprintf(format, args...), Cause: cause}
}

// OfField makes the 400 that names one field (/docs/wire#field).
func OfField(field, reason string) *Error {
	return &Error{Kind: Field, Msg: reason, Field: field}
}

// Deny is the fault of a missing permission with the standard text.
func Deny() *Error { return New(Denied, Standard) }

// As finds the fault in an error chain.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// Is reports whether the error chain holds a fault of kind k.
func Is(err error, k Kind) bool {
	e, ok := As(err)
	return ok && e.Kind == k
}
