package v1

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/api"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
)

// An envelope is every answer.
type envelope struct {
	Code     int     `json:"code"`
	Message  *string `json:"message"`
	Response any     `json:"response"`
}

// The codes of an envelope. PortOne tells a call that was made and came to nothing
// by 1, and one that was not let in, or whose object is not there, by -1. 2 is
// ours: the PG's answer was lost.
const (
	codeRefused = -1
	codeUndone  = 1
	codeUnclear = 2
)

// A refusal is an error with the status, the code and the text that tell of it.
type refusal struct {
	status, code int
	text         string
}

// Error returns the text.
func (r refusal) Error() string { return r.text }

// What is said of kinds of errors that have no text of their own.
const (
	sayInternal     = "서버에서 오류가 발생했습니다."
	sayUnavailable  = "지금은 처리할 수 없습니다. 잠시 후 다시 시도하세요."
	sayTooMany      = "요청이 너무 많습니다. Retry-After 초 뒤에 다시 시도하세요."
	sayForbidden    = "권한이 없습니다."
	sayUnauthorized = "Unauthorized" // as PortOne's is spelt
	sayNoPayment    = "존재하지 않는 결제정보입니다."
	sayUnreachable  = "PG사에 연결하지 못했습니다. 아무것도 처리되지 않았으니 다시 시도하세요."
	sayUnclear      = "PG사의 응답을 받지 못해 처리되었는지 확인하고 있습니다. 다시 요청하지 말고 결제 내역을 조회하세요."
	sayOtherwise    = "같은 merchant_uid의 결제가 다른 정보로 등록되어 있습니다. 금액을 확인하세요."
)

var errNoPayment = refusal{http.StatusNotFound, codeRefused, sayNoPayment}

// sentences are what is said of why the money rules, or the program's bounds,
// forbid something.
var sentences = []struct {
	err  error
	text string
}{
	{payment.ErrNotPaid, "결제되지 않은 건은 취소할 수 없습니다."},
	{payment.ErrAllCancelled, "이미 전액취소된 주문입니다."},
	{payment.ErrOtherRest, "취소 가능한 금액이 checksum과 다릅니다. 결제 내역을 다시 조회하세요."},
	{payment.ErrCancelTooMuch, "취소 요청 금액이 취소 가능한 금액보다 큽니다."},
	{payment.ErrCancelParts, "tax_free와 vat_amount의 합이 취소 요청 금액보다 큽니다."},
	{payment.ErrCancelTaxFree, "tax_free가 취소 가능한 면세 금액보다 큽니다."},
	{payment.ErrCancelTaxed, "취소 요청 금액의 과세 부분이 취소 가능한 과세 금액보다 큽니다. tax_free를 지정하세요."},
	{payment.ErrTooManyCancels, "한 결제를 취소할 수 있는 횟수를 넘었습니다."},
	{action.ErrPaidTwice, "같은 merchant_uid의 여러 가상계좌에 입금되어 이 API로는 취소할 수 없습니다."},
	{payment.ErrNotWaiting, "입금을 기다리는 가상계좌가 아닙니다."},
	{payment.ErrAlreadyPaid, "이미 결제된 merchant_uid입니다."},
	{payment.ErrTooManyTransactions, "한 merchant_uid로 결제를 시도할 수 있는 횟수를 넘었습니다."},
	{payment.ErrPinned, "사전등록된 금액과 결제 금액이 다릅니다."},
	{payment.ErrBegun, "이미 시작된 결제라서 사전등록할 수 없습니다."},
	{action.ErrParts, "tax_free와 vat_amount의 합이 결제 금액보다 큽니다."},
}

// shown is how an error is told.
func shown(how manner, err error) refusal {
	if r, ok := errors.AsType[refusal](err); ok {
		return softened(how, r)
	}
	if pg, ok := errors.AsType[*action.PGError](err); ok {
		return softened(how, ofPG(pg))
	}
	if _, ok := errors.AsType[api.TooManyError](err); ok {
		return refusal{http.StatusTooManyRequests, codeRefused, sayTooMany}
	}
	for _, s := range sentences {
		if errors.Is(err, s.err) {
			return softened(how, refusal{http.StatusBadRequest, codeUndone, s.text})
		}
	}
	switch fault.KindOf(err) {
	case fault.Unauthorized:
		return refusal{http.StatusUnauthorized, codeRefused, sayUnauthorized}
	case fault.Forbidden:
		return refusal{http.StatusForbidden, codeRefused, sayForbidden + " " + err.Error()}
	case fault.NotFound:
		return softened(how, errNoPayment)
	case fault.Conflict:
		return softened(how, refusal{http.StatusBadRequest, codeUndone, sayOtherwise})
	case fault.Invalid, fault.TooLarge, fault.Unsupported:
		return softened(how, refusal{http.StatusBadRequest, codeUndone, "요청을 처리할 수 없습니다: " + err.Error()})
	case fault.Unavailable, fault.Unclear, fault.Stale:
		return refusal{http.StatusServiceUnavailable, codeRefused, sayUnavailable}
	case fault.Internal:
	}
	return refusal{http.StatusInternalServerError, codeRefused, sayInternal}
}

// softened is a refusal as an operation tells it: that a thing is not there is told
// by its status everywhere.
func softened(how manner, r refusal) refusal {
	if how == soft && r.status != http.StatusNotFound {
		r.status = http.StatusOK
	}
	return r
}

// ofPG is what a PG said, in its own words.
func ofPG(e *action.PGError) refusal {
	switch {
	case e.Unclear:
		return refusal{http.StatusBadRequest, codeUnclear, sayUnclear}
	case fault.Is(e, fault.Unavailable):
		return refusal{http.StatusBadRequest, codeUndone, sayUnreachable}
	}
	return refusal{http.StatusBadRequest, codeUndone, e.Error()}
}

// fail answers an error. The text of an error that is not the client's goes to the
// log alone.
func (a *API) fail(c *call, how manner, err error) {
	r, route := shown(how, err), c.r.Method+" "+c.r.URL.Path
	if slow, ok := errors.AsType[api.TooManyError](err); ok {
		c.w.Header().Set("Retry-After", strconv.Itoa(slow.RetryAfter()))
	}
	switch r.status {
	case http.StatusInternalServerError:
		a.Log.ErrorContext(c.ctx(), "request failed", "route", route, "request_id", c.w.ID(), "err", err)
	case http.StatusServiceUnavailable:
		a.Log.WarnContext(c.ctx(), "request not served", "route", route, "request_id", c.w.ID(), "err", err)
		c.w.Header().Set("Retry-After", "1")
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		if how == open { // whoever sends it has proved nothing either, and made work
			a.gate.ProvedNothing(a.clientAddr(c.r))
		}
	case http.StatusUnauthorized:
		if !errors.Is(err, errSpent) {
			a.gate.ProvedNothing(a.clientAddr(c.r))
		}
		c.w.Header().Set("WWW-Authenticate", "Bearer")
	}
	a.write(c, r.status, envelope{Code: r.code, Message: textOf(r.text)})
}

// write answers with an envelope, at once and of a known length: an old client
// reads no more than what comes first.
func (a *API) write(c *call, status int, e envelope) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		a.Log.ErrorContext(c.ctx(), "answer not written", "err", err)
		status = http.StatusInternalServerError
		b.Reset()
		b.WriteString(`{"code":-1,"message":"` + sayInternal + `","response":null}` + "\n")
	}
	h := c.w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	c.written = true
	if e.Code != 0 {
		c.w.Error = "code " + strconv.Itoa(e.Code)
	}
	c.w.WriteHeader(status)
	_, _ = c.w.Write(b.Bytes()) // a client that is gone needs no answer
}

// textOf is a text, or null if it is empty.
func textOf[S ~string](s S) *string {
	if s == "" {
		return nil
	}
	t := string(s)
	return &t
}

func invalid(text string) error { return refusal{http.StatusBadRequest, codeUndone, text} }
