package v2

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/api"
	"github.com/tongbo/tongbo/internal/fault"
)

// maxBody is how much of a request is read.
const maxBody = 1 << 20

// A problem is the body of every answer but 200.
type problem struct {
	Type      string  `json:"type"`
	Message   string  `json:"message,omitempty"`
	PGCode    *string `json:"pgCode,omitempty"`    // of PG_PROVIDER
	PGMessage *string `json:"pgMessage,omitempty"` // likewise
}

// A kind of fault as clients see it. An operation may name a fault more
// closely.
type shown struct {
	status int
	name   string
}

var faults = map[fault.Kind]shown{
	fault.Internal:     {http.StatusInternalServerError, "INTERNAL"},
	fault.Invalid:      {http.StatusBadRequest, "INVALID_REQUEST"},
	fault.TooLarge:     {http.StatusBadRequest, "INVALID_REQUEST"},
	fault.Unsupported:  {http.StatusBadRequest, "INVALID_REQUEST"},
	fault.Unauthorized: {http.StatusUnauthorized, "UNAUTHORIZED"},
	fault.Forbidden:    {http.StatusForbidden, "FORBIDDEN"},
	fault.NotFound:     {http.StatusNotFound, "NOT_FOUND"},
	fault.Conflict:     {http.StatusConflict, "CONFLICT"},
	fault.Unavailable:  {http.StatusServiceUnavailable, "UNAVAILABLE"},
	fault.Unclear:      {http.StatusServiceUnavailable, "UNAVAILABLE"},
	fault.Stale:        {http.StatusServiceUnavailable, "UNAVAILABLE"},
}

// A named error bears the type that its operation lists for it.
type named struct {
	error
	name string
}

// Unwrap returns the error without the name.
func (n named) Unwrap() error { return n.error }

// noPayment gives an error for what is not there the type that operations list for a
// payment; others pass as they are.
func noPayment(err error) error {
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	return named{err, "PAYMENT_NOT_FOUND"}
}

// fail answers an error. The text of an error that is not the client's goes to
// the log alone.
func (a *API) fail(c *call, op *operation, err error) {
	kind := fault.KindOf(err)
	if kind == fault.Internal && c.ctx().Err() != nil {
		kind = fault.Unavailable // the time was too short, or the client is gone
	}
	as := faults[kind]
	if n, ok := errors.AsType[named](err); ok {
		as.name = n.name
	}
	text := err.Error()
	if pg, ok := errors.AsType[*action.PGError](err); ok {
		a.refuse(c, http.StatusBadGateway, problem{Type: "PG_PROVIDER", Message: text, PGCode: &pg.Code, PGMessage: &pg.Message})
		return
	}
	if slow, ok := errors.AsType[api.TooManyError](err); ok {
		c.w.Header().Set("Retry-After", strconv.Itoa(slow.RetryAfter()))
		a.refuse(c, http.StatusTooManyRequests, problem{Type: "TOO_MANY_REQUESTS", Message: text})
		return
	}
	switch as.status {
	case http.StatusInternalServerError:
		a.Log.ErrorContext(c.ctx(), "request failed", "route", op.method+" "+op.path, "request_id", c.watched.ID(), "err", err)
		text = "internal error"
	case http.StatusServiceUnavailable:
		a.Log.WarnContext(c.ctx(), "request not served", "route", op.method+" "+op.path, "request_id", c.watched.ID(), "err", err)
		text = "not now: try again"
		c.w.Header().Set("Retry-After", "1")
	case http.StatusUnauthorized:
		a.gate.ProvedNothing(a.clientAddr(c.r))
		c.w.Header().Set("WWW-Authenticate", `PortOne, Bearer`)
	}
	a.refuse(c, as.status, problem{Type: as.name, Message: text})
}

// refuse answers a call with a problem.
func (a *API) refuse(c *call, status int, p problem) {
	c.watched.Error = p.Type
	a.write(c.w, status, p)
}

// caught answers a call in which the program went wrong: SDKs need JSON. It must be
// deferred.
func (a *API) caught(c *call, op *operation) {
	switch went := recover(); went {
	case nil:
	case http.ErrAbortHandler:
		panic(went) // an answer that broke off
	default:
		a.Log.Error("request panicked", "route", op.method+" "+op.path, "request_id", c.watched.ID(), "panic", went, "stack", string(debug.Stack()))
		c.w = c.watched // whatever held it back
		a.refuse(c, http.StatusInternalServerError, problem{Type: "INTERNAL", Message: "internal error"})
	}
}

// write answers with JSON, of a known length and kept by no cache.
func (a *API) write(w http.ResponseWriter, status int, v any) {
	text, err := encode(v)
	if err != nil {
		a.Log.Error("answer not written", "err", err)
		status = http.StatusInternalServerError
		text = []byte(`{"type":"INTERNAL","message":"internal error"}`)
	}
	send(w, status, append(text, '\n'))
}

// send answers with JSON as it is.
func send(w http.ResponseWriter, status int, body []byte) {
	setHeaders(w)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that is gone needs no answer
}

// body reads the JSON object that a call carries, whatever type it is said to
// be of. No body leaves into as it is, and unknown fields are ignored.
func (c *call) body(into any) error {
	b, err := c.read()
	if err != nil {
		return err
	}
	return decode(b, into)
}

// read reads the body that a call carries.
func (c *call) read() ([]byte, error) {
	b, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, fault.Errorf(fault.TooLarge, "the body is longer than %d bytes", maxBody)
	case err != nil:
		return nil, fault.Errorf(fault.Invalid, "the body ended early")
	}
	return b, nil
}

// decode reads a JSON object. It reports fault.Invalid, quoting no value: the
// body may hold secrets.
func decode(b []byte, into any) error {
	b = bytes.TrimSpace(b)
	switch {
	case len(b) == 0:
		return nil
	case b[0] != '{':
		return fault.Errorf(fault.Invalid, "the body is not a JSON object")
	case !utf8.Valid(b):
		return fault.Errorf(fault.Invalid, "the body is not UTF-8")
	}
	if name, ok := namedOnce(b); !ok {
		return fault.Errorf(fault.Invalid, "%s is given twice", name)
	}
	err := json.Unmarshal(b, into)
	var form *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &form):
		return fault.Errorf(fault.Invalid, "%s: want %s", form.Field, wanted(form))
	case fault.Is(err, fault.Invalid):
		return err
	}
	return fault.Errorf(fault.Invalid, "the body is not JSON")
}

// namedOnce reports whether no object of a document has two members of one name, by
// which a reader could see another amount than its writer. Letters that differ in
// their case alone are one name, as they are to encoding/json. What is no JSON passes.
func namedOnce(b []byte) (name string, ok bool) {
	type level struct {
		names map[string]bool // nil: a list
		value bool            // a name was read whose value comes next
	}
	levels := []level{{}}
	for dec := json.NewDecoder(bytes.NewReader(b)); ; {
		token, err := dec.Token()
		if err != nil {
			return "", true
		}
		top := &levels[len(levels)-1]
		text, isText := token.(string)
		switch delim, _ := token.(json.Delim); {
		case delim == '}' || delim == ']':
			levels = levels[:len(levels)-1]
		case top.names != nil && !top.value && isText:
			key := strings.Map(foldRune, text)
			if top.names[key] {
				return text, false
			}
			top.names[key], top.value = true, true
		case delim == '{':
			top.value = false
			levels = append(levels, level{names: map[string]bool{}})
		case delim == '[':
			top.value = false
			levels = append(levels, level{})
		default:
			top.value = false
		}
	}
}

// foldRune is the least of the letters that differ from r in their case alone.
func foldRune(r rune) rune {
	for {
		next := unicode.SimpleFold(r)
		if next <= r {
			return next
		}
		r = next
	}
}

// wanted names the form that a field should have had.
func wanted(e *json.UnmarshalTypeError) string {
	switch e.Type.Kind().String() {
	case "int64", "int":
		return "a whole number"
	case "string":
		return "a text"
	case "bool":
		return "true or false"
	case "slice":
		return "a list"
	}
	return "an object"
}
