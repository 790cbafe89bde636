package inicis

import (
	"context"
	"encoding/base64"
	"net/netip"
	"strconv"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

var (
	_ provider.Issuer   = V1
	_ provider.Inquirer = V1
	_ provider.Closer   = V1
	_ provider.Refunder = V1
)

// INIAPI's own hosts. The published test ids work on both (observed).
const (
	liveHost = "https://iniapi.inicis.com"
	testHost = "https://stginiapi.inicis.com"
)

// The credentials that calls need.
const (
	fieldKey      = "iniapi_key"
	fieldVector   = "iniapi_iv"
	fieldClientIP = "client_ip"
	fieldSite     = "site_url"
)

// The words of INIAPI v1's type and paymethod.
const (
	typePay           = "Pay"
	typeRefund        = "Refund"
	typePartialRefund = "PartialRefund"
	methodAccount     = "Vacct"
	methodWaiting     = "GVacct" // an account that no money came to
)

// codeDone is v1's resultCode of what was done.
const codeDone = "00"

const formType = "application/x-www-form-urlencoded;charset=utf-8"

// maxReason is how many bytes of msg public clients send: the limit of it is
// not in any source that we could read.
const maxReason = 80

// ready refuses a channel that lacks what every call needs.
func ready(c merchant.Channel) error {
	switch ip := c.Credentials[fieldClientIP].Reveal(); {
	case c.MID == "":
		return fault.Errorf(fault.Invalid, "the channel has no mid: enter it, and try again")
	case c.Credentials[fieldKey] == "":
		return fault.Errorf(fault.Invalid, "the channel has no %s: enter it, and try again", fieldKey)
	case ip != "" && !isIPv4(ip):
		return fault.Errorf(fault.Invalid, "the channel's %s is no IPv4 address", fieldClientIP)
	}
	return nil
}

func isIPv4(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is4()
}

// canEncrypt refuses a channel without keys for what goes out encrypted.
func canEncrypt(c merchant.Channel) error {
	if len(c.Credentials[fieldKey]) != 16 || len(c.Credentials[fieldVector]) != 16 {
		return fault.Errorf(fault.Invalid, "%s and %s of the channel need 16 characters each: copy both from the merchant admin", fieldKey, fieldVector)
	}
	return nil
}

// encrypt is what the manual marks [ENC].
func encrypt(c merchant.Channel, s string) (string, error) {
	b, err := wire.SealCBC([]byte(c.Credentials[fieldKey].Reveal()), []byte(c.Credentials[fieldVector].Reveal()), []byte(s))
	return base64.StdEncoding.EncodeToString(b), err
}

// clientIP is the caller's own address, kept by the PG for later questions (the
// manual as integrators quote it). 127.0.0.1 is that of the manual's example.
func clientIP(c merchant.Channel) string {
	if ip := c.Credentials[fieldClientIP].Reveal(); ip != "" {
		return ip
	}
	return "127.0.0.1"
}

func stamp(at time.Time) string { return at.In(wire.Seoul).Format(wire.Stamp) }

func won(m payment.Money) string { return strconv.FormatInt(m.Amount, 10) }

// A form is a request of INIAPI v1.
type form struct {
	path, kind, method string
	fields             []wire.Field
	hashed             []string // the values that the hash covers besides those that each request has
}

func (f *form) put(name, value string) {
	f.fields = append(f.fields, wire.Field{Name: name, Value: value})
}

// sign puts a value that the hash covers.
func (f *form) sign(name, value string) {
	f.put(name, value)
	f.hashed = append(f.hashed, value)
}

// send makes a call of v1, and returns the fields of an answer that says yes.
func (f *form) send(ctx context.Context, a provider.Access) (wire.Fields, error) {
	head := []wire.Field{
		{Name: "type", Value: f.kind},
		{Name: "paymethod", Value: f.method},
		{Name: "timestamp", Value: stamp(a.Now)},
		{Name: "clientIp", Value: clientIP(a.Channel)},
		{Name: "mid", Value: a.Channel.MID},
	}
	plain := []string{a.Channel.Credentials[fieldKey].Reveal()}
	for _, h := range head {
		plain = append(plain, h.Value)
	}
	all := append(append(head, f.fields...), wire.Field{Name: "hashData", Value: wire.SHA512Hex(append(plain, f.hashed...)...)})
	answer, err := wire.PostForm(ctx, a.HTTP, wire.Join(a.Base(liveHost, testHost), f.path), formType, string(wire.EncodeForm(all, wire.UTF8)))
	if err != nil {
		return nil, err
	}
	o, err := answered(answer, codeDone)
	if err != nil {
		return nil, err
	}
	fields, err := o.TakeAll()
	if err != nil {
		return nil, answer.Unclear()
	}
	return fields, nil
}

// answered reads an answer: what it says if its code is one of yes, else the
// PG's no.
func answered(a wire.Answer, yes ...string) (wire.Object, error) {
	o, no, err := a.Verdict("resultCode", "resultMsg", yes...)
	if no != nil {
		return nil, (*provider.DeclinedError)(no)
	}
	return o, err
}

// CheckClose needs the id of the issue.
func (m module) CheckClose(c merchant.Channel, q provider.Closing) error {
	if q.PGTx == "" {
		return fault.Errorf(fault.Unsupported, "the TID of the account's issue is not known, without which KG Inicis closes nothing")
	}
	return ready(c)
}

// Close takes back an account that waits (채번취소).
func (m module) Close(ctx context.Context, a provider.Access, q provider.Closing) (time.Time, error) {
	f := form{path: "/api/v1/refund", kind: typeRefund, method: methodWaiting}
	f.sign("tid", q.PGTx)
	f.put("msg", reason(q.Reason))
	r, err := f.send(ctx, a)
	if err != nil {
		return time.Time{}, err
	}
	return exactTime(r["cancelDate"], r["cancelTime"]), nil
}

func reason(s string) string {
	if s == "" {
		s = "취소"
	}
	return wire.Fit(s, wire.UTF8, maxReason, "")
}

// exactTime is zero unless both are told.
func exactTime(day, clock string) time.Time {
	if !wire.Given(day) || clock == "" {
		return time.Time{}
	}
	at, _ := wire.Time(day + clock)
	return at
}

// CheckRefund wants the account that the money goes to.
func (m module) CheckRefund(c merchant.Channel, q provider.Refund) error {
	switch {
	case tidOf(q.Query) == "":
		return fault.Errorf(fault.Unsupported, "no TID of the payment is known, without which KG Inicis refunds nothing")
	case q.Escrow:
		return fault.Errorf(fault.Unsupported, "KG Inicis refunds escrow payments in the merchant admin alone")
	case q.Account == nil:
		return fault.Errorf(fault.Invalid, "refundAccount is missing: the refund of a virtual account needs bank, number and holderName")
	case len(codeOf(q.Account.Bank)) != 2:
		return fault.Errorf(fault.Invalid, "KG Inicis does not transfer to bank %q", q.Account.Bank)
	case wire.Digits(q.Account.Number.Reveal()) == "" || q.Account.Holder == "":
		return fault.Errorf(fault.Invalid, "refundAccount needs a number of digits and the holder's name")
	case q.Give.Currency != payment.KRW:
		return fault.Errorf(fault.Unsupported, "KG Inicis refunds virtual accounts in KRW only")
	case q.Give.Amount < 1 || q.Give.Amount > q.Rest.Amount:
		return fault.Errorf(fault.Invalid, "the refund is not between 1 won and what is left")
	}
	if err := ready(c); err != nil {
		return err
	}
	return canEncrypt(c)
}

// tidOf is the id that a refund names. Public clients differ in whether it is
// that of the issue or that of the deposit; most have the former, and form A's
// notices tell the latter. With a wrong one the PG says no, and does nothing.
func tidOf(q provider.Query) string {
	if q.PGTx != "" {
		return q.PGTx
	}
	return q.Deposit
}

// Refund gives a deposit back: at once by type Refund, else by PartialRefund,
// which tells the PG what is left after it.
func (m module) Refund(ctx context.Context, a provider.Access, q provider.Refund) (provider.Refunded, error) {
	number, err := encrypt(a.Channel, wire.Digits(q.Account.Number.Reveal()))
	if err != nil {
		return provider.Refunded{}, err
	}
	tid := tidOf(q.Query)
	f := form{path: "/api/v1/refund", kind: typeRefund, method: methodAccount}
	f.sign("tid", tid)
	f.put("msg", reason(q.Reason))
	left := payment.Money{Amount: q.Rest.Amount - q.Give.Amount, Currency: q.Rest.Currency}
	if !q.Whole() {
		f.kind = typePartialRefund
		f.sign("price", won(q.Give))
		f.sign("confirmPrice", won(left))
		f.put("currency", "WON")
		f.put("tax", strconv.FormatInt(q.VAT, 10))
		f.put("taxFree", strconv.FormatInt(q.TaxFree, 10))
	}
	f.sign("refundAcctNum", number)
	f.put("refundBankCode", codeOf(q.Account.Bank))
	f.put("refundAcctName", q.Account.Holder)
	r, err := f.send(ctx, a)
	if err != nil {
		return provider.Refunded{}, err
	}
	done := provider.Refunded{At: exactTime(r["cancelDate"], r["cancelTime"]), Transfer: payment.RefundPending}
	if q.Whole() {
		return done, nil
	}
	if !tells(r["prtcPrice"], q.Give) || !tells(r["prtcRemains"], left) {
		return provider.Refunded{}, fault.Errorf(fault.Unclear, "KG Inicis answered with another refund than was asked for")
	}
	done.At = exactTime(r["prtcDate"], r["prtcTime"])
	// tid is that of the refund and prtcTid that of the payment (the manual as
	// integrators quote it); one client has them the other way round.
	for _, id := range []string{r["tid"], r["prtcTid"]} {
		if id != tid && done.PGID == "" {
			done.PGID = id
		}
	}
	return done, nil
}

// tells reports whether an answer tells this amount, or none.
func tells(text string, m payment.Money) bool {
	if text == "" {
		return true
	}
	n, err := wire.Amount(text)
	return err == nil && n == m.Amount
}
