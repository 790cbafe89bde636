package inicis

import (
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

// The words of type_msg.
const (
	msgDeposit  = "0200"
	msgReversal = "0400"
)

// testBank is what the merchant admin's test tool (입금통보 테스트) puts where
// the paying bank's name belongs. Observed in a logged body of 2020.
const testBank = "__테스트__"

func decodeA(form wire.Form) (notice.Notice, error) {
	r, err := read(form, "no_tid", "no_oid", "id_merchant", "type_msg", "no_vacct",
		"amt_input", "amt_check", "dt_trans", "tm_trans", "no_req_tid", "nm_inputbank")
	if err != nil {
		return notice.Notice{}, err
	}
	// len may be wrong or gone: it guards nothing that HTTP does not.
	r.Take("len")

	n := notice.Notice{Form: formA, Charset: r.Charset()}
	if n.Amount, n.HasAmount, err = r.takeWon("amt_input"); err != nil {
		return notice.Notice{}, err
	}
	n.Merchant, n.Order, n.Kind = r.Take("id_merchant"), r.Take("no_oid"), r.Take("type_msg")
	n.PGTx = r.Take("no_req_tid")
	n.Account = secret.Account(wire.PlainAccount(r.Take("no_vacct")))
	n.BankCode = wire.ShortCode(r.Take("cd_bank"))
	n.Bank = bankOf(n.BankCode)
	n.Depositor = r.Take("nm_input")
	n.Test = r.Get("nm_inputbank") == testBank
	n.CashReceipt = r.receiptA()
	r.tellA(&n)
	n.Fields = r.Rest()
	return n, nil
}

// tellA fills in what happened, when, and what names it.
func (r reader) tellA(n *notice.Notice) {
	tid := r.Get("no_tid")
	n.Key = key(n.Merchant, tid, n.Kind, n.Order, n.Account.Reveal(), r.Get("amt_input"),
		r.Get("dt_trans"), r.Get("tm_trans"), r.Get("no_msgseq"))
	at, exact := r.moment("dt_trans", "tm_trans")
	if exact {
		// Midnight would look earlier than what it undoes, and another time
		// than the one that form B tells of the same money.
		n.At = at
	}
	switch n.Kind {
	case msgDeposit:
		n.Event, n.Deposit = payment.EventDeposited, r.Take("no_tid")
	case msgReversal:
		// Whether a reversal repeats the no_tid of its deposit is told neither
		// by the manual that public receivers quote nor by any logged body. So
		// it names no deposit: payment finds that by account and amount.
		n.Event = payment.EventReversed
	default:
		// The manual has no third word. It may be about money all the same, and
		// several such messages may bear one id, as escrow's do.
		n.Event, n.Listed = payment.EventOther, true
		n.Key += "/" + wire.FieldsDigest(r.Map())
	}
	// 미결제 타점권 is the part paid by a cheque that the other bank has not
	// honoured yet: money that may still go.
	if check := r.Get("amt_check"); strings.Trim(check, "0") == "" {
		r.Take("amt_check")
	} else {
		n.Listed = true
	}
}

// receiptA is the cash receipt that was issued on deposit, nil if none was.
func (r reader) receiptA() *payment.CashReceipt {
	if r.Get("no_cshr_appl") == "" {
		return nil
	}
	at, _ := r.moment("dt_cshr", "tm_cshr")
	return &payment.CashReceipt{Number: r.Take("no_cshr_appl"), At: at}
}

// moment reads a date and a time of day in Seoul. Without a readable time of
// day it is the date's midnight, not exact; without a date it is zero. Unless
// exact, both stay among the notice's other fields as they were sent.
func (r reader) moment(day, clock string) (at time.Time, exact bool) {
	if at, err := wire.Time(r.Get(day) + r.Get(clock)); err == nil {
		exact = len(r.Get(day)+r.Get(clock)) > len("yyyyMMdd")
		if exact {
			r.Take(day)
			r.Take(clock)
		}
		return at, exact
	}
	at, err := wire.Time(r.Get(day))
	if err != nil {
		return time.Time{}, false
	}
	return at, false
}
