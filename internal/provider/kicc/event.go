package kicc

import (
	"strings"

	"github.com/tongbo/tongbo/internal/payment"
)

// The kinds of notices (noti_type, notiType).
const (
	kindApproved     = "10" // 승인
	kindChanged      = "20" // 변경: 취소, 환불
	kindDeposited    = "30" // 입금
	kindReversed     = "31" // 입금취소
	kindEscrow       = "40" // 에스크로 상태변경
	kindRefunded     = "50" // 환불완료
	kindRefundFailed = "51" // 이체불능
	kindUnionPay     = "70" // 은련카드 결제
)

// The means of payment that are read further than their number.
const (
	methodCard    = "11"
	methodAccount = "22" // 가상계좌
)

// success is the result code of all notices but those of 51.
const success = "0000"

// The states that decide (KICC's page of common codes).
const (
	stateCancelled   = "TS02" // 승인취소: all of it
	stateRecalled    = "TS05" // 매입취소: all of it
	statePart        = "TS06" // 부분매입취소
	stateWaiting     = "TS07" // 입금대기
	stateDeposited   = "TS08" // 입금완료
	stateRefunded    = "RF02" // 환불완료
	escrowApproved   = "ES01"
	escrowCancelled  = "ES02"
	escrowWaiting    = "ES03"
	escrowDeposited  = "ES04"
	escrowRefunded   = "ES06"
	escrowDelivering = "ES07"
	escrowConfirmed  = "ES12"
	escrowClosed     = "ES17" // 계좌발급 취소
)

// isAccount reports whether the message is about a virtual account. The means
// of payment may be missing; notices of 51 never have it.
func (m message) isAccount() bool {
	if method := m.left[m.method]; method != "" {
		return method == methodAccount
	}
	switch m.left[m.kind] {
	case kindDeposited, kindReversed, kindEscrow, kindRefunded, kindRefundFailed:
		return true
	case kindUnionPay:
		return false
	}
	return m.left[m.account] != "" || m.left[m.issue] != ""
}

// event says what happened, and whether a person should look at it. part and
// total are the sums of a cancellation, zero if they are not told.
func (m message) event(part, total int64) (e payment.Event, listed bool) {
	kind, state, account := m.left[m.kind], m.left[m.state], m.isAccount()
	if m.form == "" && (kind == kindReversed || kind == kindRefunded || kind == kindRefundFailed || kind == kindUnionPay) {
		return payment.EventOther, true // not known of the old form
	}
	if kind == kindRefundFailed {
		return payment.EventRefundFailed, false
	}
	if code := m.left[m.code]; code != success && code != "" {
		return payment.EventOther, true // failures are never told, but for 51
	}
	switch kind {
	case kindApproved:
		return approved(state, account)
	case kindChanged:
		return changed(state, part, total)
	case kindDeposited:
		if account && !denies(state) {
			return payment.EventDeposited, false
		}
	case kindReversed:
		// The state is empty in the documents; none is known that would mean
		// anything else.
		if account {
			return payment.EventReversed, false
		}
	case kindEscrow:
		return escrow(state, account)
	case kindRefunded:
		if state == "" || state == stateRefunded || state == escrowRefunded {
			return payment.EventRefunded, false
		}
	case kindUnionPay:
		return payment.EventApproved, false
	}
	return payment.EventOther, true
}

// denies reports whether a state says that the money of a deposit has not come
// or has gone again. A notice that is resent by hand may carry a later state.
func denies(state string) bool {
	switch state {
	case stateCancelled, stateRecalled, statePart, stateWaiting, escrowCancelled, escrowWaiting, escrowRefunded, escrowClosed,
		"ES05", "ES08", "ES09", "ES10", "ES11", "ES13", "ES14", "ES15", "ES16", "ES19":
		return true
	}
	return strings.HasPrefix(state, "RF")
}

// approved is the event of 10. Of a virtual account it is the issue, whose
// state can't be one that comes later.
func approved(state string, account bool) (payment.Event, bool) {
	if !account {
		return payment.EventApproved, false
	}
	switch state {
	case "", "TS01", stateWaiting, escrowApproved, escrowWaiting:
		return payment.EventIssued, false
	}
	return payment.EventOther, true
}

// changed is the event of 20. Some states say that all was cancelled; else the
// sums tell the whole from a part. Neither told, a person decides. A refund
// that is only requested (RF01) or was refused (RF03) moves nothing.
func changed(state string, part, total int64) (payment.Event, bool) {
	switch state {
	case stateCancelled, stateRecalled, escrowCancelled, escrowClosed:
		return payment.EventCancelled, false
	case "", statePart, stateRefunded, escrowRefunded, "ES09", "ES11", "ES15", "ES19":
	default:
		return payment.EventOther, true
	}
	switch {
	case part == 0:
		return payment.EventOther, true
	case part == total && state != statePart:
		return payment.EventCancelled, false
	}
	return payment.EventPartiallyCancelled, false
}

// escrow is the event of 40. Only the deposit moves a payment; a person is
// shown what gives money back or refuses the purchase.
func escrow(state string, account bool) (payment.Event, bool) {
	switch state {
	case escrowDeposited:
		if account {
			return payment.EventDeposited, false
		}
	case escrowApproved, escrowWaiting, escrowDelivering, escrowConfirmed:
		return payment.EventOther, false
	}
	return payment.EventOther, true
}
