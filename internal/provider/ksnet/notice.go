package ksnet

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

// The values of deal_sele (거래구분).
const (
	kindDeposited = "20" // 입금
	kindReversed  = "51" // 입금취소
)

var events = map[string]payment.Event{
	kindDeposited: payment.EventDeposited,
	kindReversed:  payment.EventReversed,
}

// Decode reads a notice of either form, from the query of a GET or the body of
// a POST. It reports fault.Invalid if there is no telegram or it was cut before
// the time of the deposit, if it tells of anything but a deposit or a reversal,
// if its text is not EUC-KR, and if amount or date cannot be read: all of that
// is also how an encrypted telegram would look. A blank amount or date is one
// that KSNET left out.
func (m module) Decode(r notice.Request) (notice.Notice, error) {
	raw := r.Body
	if r.Method == http.MethodGet || len(raw) == 0 {
		raw = []byte(r.Query)
	}
	value, err := parameter(raw)
	if err != nil {
		return notice.Notice{}, fmt.Errorf("ksnet notice: %w", err)
	}
	form, f, err := read(value)
	if err != nil {
		return notice.Notice{}, fmt.Errorf("ksnet notice: %w", err)
	}
	n, err := f.notice()
	if err != nil {
		return notice.Notice{}, fmt.Errorf("ksnet notice: %w", err)
	}
	n.Form, n.Charset, n.CharsetByRule = form, notice.EUCKR, true
	return n, nil
}

// sane reports fault.Invalid if what moves money cannot be read.
func (f fields) sane() error {
	if _, ok := events[f.Fields["deal_sele"]]; !ok {
		return fault.Errorf(fault.Invalid, "deal_sele is neither a deposit nor a reversal")
	}
	if amount, ok := f.Fields["total_amt"]; ok {
		if _, err := wire.Amount(amount); err != nil {
			return fault.Errorf(fault.Invalid, "total_amt: %w", err)
		}
	}
	if stamp := f.stamp(); stamp != "" {
		if _, err := wire.Time(stamp); err != nil {
			return fault.Errorf(fault.Invalid, "deal_star_date: %w", err)
		}
	}
	return nil
}

// stamp is date and time of the deposit, empty if KSNET told no date.
func (f fields) stamp() string {
	date := f.Fields["deal_star_date"]
	if strings.Trim(date, "0") == "" {
		return ""
	}
	return date + f.Fields["deal_star_time"]
}

// notice says what the telegram means.
func (f fields) notice() (notice.Notice, error) {
	if err := f.sane(); err != nil {
		return notice.Notice{}, err
	}
	stamp := f.stamp()
	n := notice.Notice{Kind: f.Take("deal_sele"), Merchant: f.Take("StoreId"), Order: f.Take("OrderNumber")}
	n.Event = events[n.Kind]
	n.PGTx, n.Depositor = f.takeNumber("rVTransactionNo"), f.Take("rece_nm")
	// Observed: the account is padded with spaces behind it. Zeros in front are
	// kept: account numbers may begin with some, so nobody can say how many of
	// them are padding, and a wrong number would be another one's account. Should
	// KSNET pad with zeros after all, the deposit waits for a person.
	n.Account = secret.Account(wire.PlainAccount(f.takeNumber("cms_no")))
	if n.PGTx == "" && n.Order == "" && n.Account == "" {
		return notice.Notice{}, fault.Errorf(fault.Invalid, "the telegram names no transaction, order or account")
	}
	n.BankCode = f.Take("acco_code")
	n.Bank = bankOf(n.BankCode)
	won, told, err := f.TakeAmount("total_amt")
	if err != nil {
		return notice.Notice{}, err // sane has seen to it
	}
	if told {
		n.Amount, n.HasAmount = payment.Won(won), true
	}
	if at, err := wire.Time(stamp); err == nil && len(stamp) > len("yyyyMMdd") {
		n.At = at // a date alone says no time, and stays among the fields
		f.Take("deal_star_date")
		f.Take("deal_star_time")
	}
	name(&n, sequence(f.Fields["seq_no"]), stamp)
	// How to reach the buyer, and the resident or business registration number
	// (주민번호), are in the stored body alone.
	n.Fields = f.Rest("IdNum", "Email", "PhoneNo")
	return n, nil
}

// bankOf reads a bank code: two digits in the old form, two or three of six
// bytes in the new one. KSNET's 26 is the old Shinhan.
func bankOf(code string) payment.Bank {
	for len(code) > 3 && code[0] == '0' {
		code = code[1:]
	}
	if strings.TrimPrefix(code, "0") == "26" {
		code = "088"
	}
	return payment.BankByCode(code)
}

// sequence shortens a telegram number to the six digits that both forms have.
func sequence(s string) string {
	if s == "" {
		return ""
	}
	return wire.PadZeros(s[max(0, len(s)-6):], 6)
}

// name gives message and money their names: those of KSNET's page, made of
// account, telegram number and time of the deposit. Where one of them is
// missing the rest of the telegram tells messages apart, and the money has no
// name.
//
// Names are shown, and whoever tries all accounts finds the one of a digest. So
// the account adds sixteen bits only, and others in each deposit: enough to
// tell two deposits with one number in one second apart, and fitted by one of
// 65536 accounts.
func name(n *notice.Notice, seq, stamp string) {
	account := n.Account.Reveal()
	if account != "" && seq != "" && len(stamp) == len("yyyyMMddHHmmss") {
		who := wire.Digest(account, stamp, seq)[:4]
		n.Key = wire.Name(n.Merchant, n.Kind, stamp, seq, who)
		if n.Event == payment.EventDeposited {
			n.Deposit = wire.Name(stamp, seq, who)
		}
		return
	}
	rest := wire.Digest(account, n.PGTx, n.Amount.String(), n.Depositor)[:16]
	n.Key = wire.Name(n.Merchant, n.Kind, stamp, seq, rest)
}

// Verify has nothing to check: KSNET gives no proof.
func (m module) Verify(notice.Request, notice.Notice, merchant.Channel, payment.Payment) error {
	return nil
}

const accepted = "result=OK"

// Ack answers "result=OK", or "result=false" as KSNET's page does for what it
// does not know. The body alone decides, and no status is documented but 200,
// so a refusal has 400 besides: whatever stands in between shall not take it
// for success. The page says nothing of a content type; PHP's own is text/html.
func (m module) Ack(_ notice.Request, o provider.Outcome) provider.Reply {
	if o == provider.Received {
		return provider.Reply{Status: http.StatusOK, ContentType: "text/html", Body: []byte(accepted)}
	}
	return provider.Reply{Status: http.StatusBadRequest, ContentType: "text/html", Body: []byte("result=false")}
}
