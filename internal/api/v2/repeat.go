package v2

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
)

// What hashes around an Idempotency-Key are made for.
const (
	purposeKey     = "idempotency/key"
	purposeContent = "idempotency/content"
	purposeMade    = "idempotency/made"
)

const (
	// takenOver is when a run that has not ended must be dead: more than the
	// longest work with a PG's call at its end.
	takenOver = longestWork + 70*time.Second
	// endTime is how long the answer's being kept is waited for.
	endTime = 5 * time.Second

	leastKey, mostKey = 16, 256 // characters of an Idempotency-Key
)

var errKeyForm = fault.Errorf(fault.Invalid, `Idempotency-Key: want one text in double quotes, of %d to %d ASCII characters`, leastKey, mostKey)

// idempotencyKey reads the header: a string of RFC 8941. It is empty if there is
// none, and fault.Invalid if it is anything else.
func idempotencyKey(h http.Header) (string, error) {
	values := h.Values("Idempotency-Key")
	if len(values) == 0 {
		return "", nil
	}
	inner, opened := strings.CutPrefix(strings.Trim(values[0], " \t"), `"`)
	inner, closed := strings.CutSuffix(inner, `"`)
	if len(values) > 1 || !opened || !closed {
		return "", errKeyForm
	}
	var key strings.Builder
	for i := 0; i < len(inner); i++ {
		c := inner[i]
		switch {
		case c < ' ' || c > '~' || c == '"':
			return "", errKeyForm
		case c == '\\':
			if i++; i == len(inner) || inner[i] != '"' && inner[i] != '\\' {
				return "", errKeyForm
			}
			c = inner[i]
		}
		key.WriteByte(c)
	}
	if key.Len() < leastKey || key.Len() > mostKey {
		return "", errKeyForm
	}
	return key.String(), nil
}

// once does a call that bears an Idempotency-Key, and keeps its answer; or it
// answers as the call was answered before.
func (rt router) once(op *operation, c *call, key string) {
	body, err := c.read()
	if err != nil {
		rt.fail(c, op, err)
		return
	}
	c.r.Body = io.NopCloser(bytes.NewReader(body))
	q := rt.repeatable(op, c, key, body)
	kept, err := rt.Actions.BeginRepeat(c.ctx(), &q, takenOver)
	switch {
	case errors.Is(err, merchant.ErrOutstanding):
		rt.fail(c, op, named{err, "IDEMPOTENCY_OUTSTANDING_REQUEST"})
		return
	case err != nil:
		rt.fail(c, op, err)
		return
	case kept.Status != 0:
		send(c.w, kept.Status, kept.Body)
		return
	}
	c.ids = rt.madeBy(q)
	held := &heldAnswer{ResponseWriter: c.w}
	c.w = held
	err = rt.answer(op, c)
	var end *merchant.KeptAnswer
	if keeps(err) {
		end = &merchant.KeptAnswer{Status: held.status, Body: held.body.Bytes()}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx()), endTime)
	defer cancel()
	if err := rt.Actions.EndRepeat(ctx, q, end); err != nil {
		rt.Log.ErrorContext(ctx, "an answer is not kept: its request stays outstanding", "route", op.method+" "+op.path, "longest", takenOver, "err", err)
	}
	held.send()
}

// repeatable names a call by its key, within the store and the mode of its
// credential, and all that it asks.
func (a *API) repeatable(op *operation, c *call, key string, body []byte) merchant.Repeatable {
	id := strings.Join([]string{string(c.secret.Store), string(c.secret.Mode), key}, "\x00")
	content := strings.Join([]string{op.method, op.path, string(c.payment), c.part, c.r.URL.RawQuery, string(body)}, "\x00")
	return merchant.Repeatable{ID: a.Key.Hash(purposeKey, id), Content: a.Key.Hash(purposeContent, content)}
}

// madeBy are the ids of what a call makes: the same whenever it is run.
func (a *API) madeBy(q merchant.Repeatable) payment.IDs {
	return func(n int) string {
		hash := a.Key.Hash(purposeMade, q.ID+"\x00"+q.Content+"\x00"+strconv.Itoa(n))
		var id uuid.UUID
		_, _ = hex.Decode(id[:], []byte(hash[:2*len(id)])) // the hash is 64 hexadecimal digits
		id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80    // RFC 9562: version 8, whose bits are ours
		return id.String()
	}
}

// keeps reports whether an answer is kept: one of which nothing came is not, so
// that the call may be made for real again. What a PG may have done is kept.
func keeps(err error) bool {
	if pg, ok := errors.AsType[*action.PGError](err); ok {
		return pg.Unclear || !fault.Is(err, fault.Unavailable)
	}
	if err == nil {
		return true
	}
	switch fault.KindOf(err) {
	case fault.Invalid, fault.TooLarge, fault.Unsupported, fault.NotFound, fault.Conflict:
		return true
	case fault.Internal, fault.Unauthorized, fault.Forbidden, fault.Unavailable, fault.Stale, fault.Unclear:
	}
	return false
}

// A heldAnswer holds an answer back until it is kept.
type heldAnswer struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader notes the status.
func (h *heldAnswer) WriteHeader(status int) { h.status = status }

// Write notes the body.
func (h *heldAnswer) Write(b []byte) (int, error) { return h.body.Write(b) }

// send sends what was held back.
func (h *heldAnswer) send() {
	h.ResponseWriter.WriteHeader(h.status)
	_, _ = h.ResponseWriter.Write(h.body.Bytes()) // a client that is gone needs no answer
}
