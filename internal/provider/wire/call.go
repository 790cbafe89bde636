package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/tongbo/tongbo/internal/fault"
)

// maxAnswer is how much of a PG's answer is read: theirs are a few kilobytes.
const maxAnswer = 1 << 20

// An Answer is what a PG's API answered.
type Answer struct {
	Status int
	Body   []byte
}

// Call sends a request to a PG's API and reads the answer, whatever its status.
// It reports fault.Unavailable if the PG was not reached, and fault.Unclear if
// the request went out and no whole answer came back. After the deadline by the clock
// on the wall no body is sent any more. Its errors name neither
// address nor body: both may hold what is secret.
func Call(c *http.Client, r *http.Request) (Answer, error) {
	var sent atomic.Bool
	ctx := httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		WroteHeaders: func() { sent.Store(true) },
	})
	once := r.WithContext(ctx)
	// With it net/http would send a request that bears an Idempotency-Key again by
	// itself, when a connection that it used before breaks.
	once.GetBody = nil
	if late(ctx) {
		return Answer{}, fault.Errorf(fault.Unavailable, "the PG was not called: %w", errLate)
	}
	inTime(once)
	resp, err := c.Do(once) //nolint:gosec // the address is the module's, or the operator's
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err
		}
		if !sent.Load() {
			return Answer{}, fault.Errorf(fault.Unavailable, "the PG was not reached: %w", err)
		}
		return Answer{}, fault.Errorf(fault.Unclear, "the PG did not answer: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // what matters was read
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return Answer{}, fault.Errorf(fault.Unclear, "the PG's answer broke off: %w", err)
	case len(body) > maxAnswer:
		return Answer{}, fault.Errorf(fault.Unclear, "the PG's answer is longer than %d bytes", maxAnswer)
	}
	return Answer{resp.StatusCode, body}, nil
}

// PostJSON sends a value as JSON, without escaping what HTML would want escaped.
// header may be nil.
func PostJSON(ctx context.Context, c *http.Client, to string, header http.Header, v any) (Answer, error) {
	b, err := MarshalJSON(v)
	if err != nil {
		return Answer{}, err
	}
	return post(ctx, c, to, header, "application/json; charset=utf-8", b)
}

// PostForm sends a form as it is encoded already.
func PostForm(ctx context.Context, c *http.Client, to, contentType, form string) (Answer, error) {
	return post(ctx, c, to, nil, contentType, []byte(form))
}

func post(ctx context.Context, c *http.Client, to string, header http.Header, contentType string, body []byte) (Answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return Answer{}, fault.Errorf(fault.Invalid, "the PG's address is none")
	}
	if header != nil {
		r.Header = header.Clone()
	}
	r.Header.Set("Content-Type", contentType)
	return Call(c, r)
}

// MarshalJSON is json.Marshal, but leaves <, > and & as they are: some PGs hash
// the text that they get.
func MarshalJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// JSON reads an answer that must be a JSON object. What is not, an error page
// say, tells nothing of what was done: fault.Unclear.
func (a Answer) JSON(into any) error {
	if b := bytes.TrimSpace(a.Body); len(b) == 0 || b[0] != '{' {
		return a.unreadable()
	}
	if err := json.Unmarshal(a.Body, into); err != nil {
		return a.unreadable()
	}
	return nil
}

func (a Answer) unreadable() error {
	return fault.Errorf(fault.Unclear, "the PG answered with status %d and what is no answer of its API", a.Status)
}

// Join puts a path behind a PG's address, which may end in a slash.
func Join(base, path string) string { return strings.TrimSuffix(base, "/") + path }

// Shorten cuts a text to so many characters.
func Shorten(s string, characters int) string {
	if utf8.RuneCountInString(s) <= characters {
		return s
	}
	return string([]rune(s)[:characters])
}
