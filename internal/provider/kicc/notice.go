package kicc

import (
	"bytes"
	"fmt"
	"mime"
	"net/http"
	"strconv"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

// formJSON is the Notice.Form of the new form. The old one leaves it empty.
const formJSON = "json"

// Decode reads a notice in either form. It reports fault.Invalid if the body
// is not wholly text of its form's charset, if it bears none of KICC's marks,
// if an amount is not a number, or if a field that decides is told twice.
func (module) Decode(r notice.Request) (notice.Notice, error) {
	m, err := parse(r.Body, isNew(r))
	if err != nil {
		return notice.Notice{}, fmt.Errorf("kicc notice: %w", err)
	}
	n, err := m.notice()
	if err != nil {
		return notice.Notice{}, fmt.Errorf("kicc notice: %w", err)
	}
	return n, nil
}

// isNew reports whether the request is of the new form. No body of the old one
// begins with a brace, so one that does is JSON whatever its header says.
func isNew(r notice.Request) bool {
	if t, _, err := mime.ParseMediaType(r.ContentType()); err == nil && t == "application/json" {
		return true
	}
	return bytes.HasPrefix(bytes.TrimLeft(r.Body, " \t\r\n"), []byte("{"))
}

// notice says what the message means.
func (m message) notice() (notice.Notice, error) {
	total, hasTotal, err := m.won(m.amount)
	if err != nil {
		return notice.Notice{}, err
	}
	part, hasPart, err := m.won(m.part)
	if err != nil {
		return notice.Notice{}, err
	}
	n := notice.Notice{
		Form: m.form, Kind: m.left[m.kind], Merchant: m.left[m.merchant], Order: m.left[m.order],
		Charset: m.read, CharsetByRule: m.form == formJSON,
	}
	n.Event, n.Listed = m.event(part, total)
	if n.Event == payment.EventPartiallyCancelled && !m.timed() {
		n.Listed = true // told in the other form, it would count again
	}
	n.OtherMethod = !m.isAccount()
	n.Closes = n.Event == payment.EventCancelled && m.left[m.state] == escrowClosed
	switch n.Event {
	case payment.EventCancelled, payment.EventPartiallyCancelled, payment.EventRefunded, payment.EventRefundFailed:
		// mgr_seqno is a number of notices alone: the REST API answers with another.
		n.PGCancel, n.CancelAlias = m.left[m.cancel], m.form == ""
		if wire.Given(m.left[m.part]) && hasPart {
			n.Amount, n.HasAmount = payment.Won(part), true
		} else if n.Event == payment.EventCancelled && hasTotal {
			n.Amount, n.HasAmount = payment.Won(total), true
		}
	default:
		n.Amount, n.HasAmount = payment.Won(total), hasTotal
	}
	if !n.HasAmount {
		n.Amount = payment.Money{}
	}
	m.name(&n)
	m.takeAll(&n)
	return n, nil
}

// won reads an amount, which may be absent.
func (m message) won(name string) (int64, bool, error) {
	text := m.left[name]
	if text == "" {
		return 0, false, nil
	}
	won, err := wire.Amount(text)
	if err != nil {
		return 0, false, fault.Errorf(fault.Invalid, "%s: %w", name, err)
	}
	return won, true, nil
}

// name gives the payment, the money and the message their names.
func (m message) name(n *notice.Notice) {
	tx, issue := m.left[m.tx], m.left[m.issue]
	if issue == "" {
		issue = m.left[m.basis]
	}
	// own: the number is that of the deposit, not that of the issue.
	own := tx != issue && (issue != "" || m.form == formJSON)
	moved := n.Event == payment.EventDeposited || n.Event == payment.EventReversed
	switch {
	case n.OtherMethod || issue == "" && (!own || !moved):
		n.PGTx = tx
	default:
		n.PGTx = issue
	}
	if moved && own {
		// A number that may be the issue's is no name: the same money, told in
		// the other form, has another one. Account, amount and time tell then.
		n.Deposit = tx
	}
	n.Key = m.key(n.Event, moved)
}

// key names the message: a resend repeats all that it is made of. The two
// forms of one notice have the same. moved says that money came or went: the
// number alone may not tell one deposit from the next.
func (m message) key(e payment.Event, moved bool) string {
	kind, tx, state := m.left[m.kind], m.left[m.tx], m.left[m.state]
	parts := []string{m.left[m.merchant], kind, tx}
	if tx == "" {
		parts[2] = "none-" + wire.JoinedDigest(m.left[m.order], m.left[m.account], m.left[m.amount], m.left[m.part])[:16]
	}
	if moved || tx == "" {
		parts = append(parts, m.moment(m.at))
	}
	switch kind {
	case kindEscrow:
		parts = append(parts, state)
	case kindChanged, kindRefunded, kindRefundFailed:
		// Several cancellations of one payment differ in time and sum. Their
		// numbers differ too, but each form has its own for one cancellation.
		id := m.left[m.cancel]
		switch changed := e == payment.EventCancelled || e == payment.EventPartiallyCancelled; {
		case changed && m.timed():
			// Not its state: the forms may word one cancellation differently.
			parts = append(parts, changeWord(e, state), m.cancelTime(), m.partText())
		case id != "":
			parts = append(parts, id)
		case changed:
			parts = append(parts, changeWord(e, state), m.cancelTime(), m.partText())
		default:
			parts = append(parts, state, m.left[m.code], m.cancelTime(), m.partText())
		}
	}
	switch {
	// What moves nothing must not occupy the key of what does.
	case e == payment.EventOther:
		parts = append(parts, "other", state, m.left[m.code], m.left[m.method])
	case !m.isAccount():
		parts = append(parts, "other", m.left[m.method])
	}
	return wire.Name(parts...)
}

// changeWord is what names call a cancellation. An account that is closed is
// not money that goes back, even in the same second.
func changeWord(e payment.Event, state string) string {
	if state == escrowClosed {
		return "closed"
	}
	return string(e)
}

// partText is the sum of a cancellation without padding.
func (m message) partText() string {
	won, told, err := m.won(m.part)
	if err != nil || !told {
		return ""
	}
	return strconv.FormatInt(won, 10)
}

// takeAll takes what the notice has a place for, and keeps the rest.
func (m message) takeAll(n *notice.Notice) {
	for _, name := range []string{m.kind, m.merchant, m.order, m.tx, m.issue} {
		delete(m.left, name)
	}
	// A time that cannot be read stays among the fields.
	n.At = m.left.TakeTime(exactTime, m.timeOf(n.Event))
	// The documents don't say whose account a failed refund names. It is most
	// likely the customer's, to which the money could not go.
	if !n.OtherMethod && n.Kind != kindRefundFailed {
		n.Account = secret.Account(wire.PlainAccount(m.left.Take(m.account)))
		n.BankCode, n.BankName = m.left.Take(m.bankCode), m.left.Take(m.bankName)
		n.Bank, n.Depositor = bankOf(n.BankCode), m.left.Take(m.depositor)
		n.ExpiresAt = m.left.TakeTime(wire.Deadline, m.expires)
	}
	m.takeReceipt(n)
	m.takeFields(n)
}

// receiptTypes are PortOne's words for KICC's purposes of a cash receipt. A
// receipt that nobody asked for (자진발급, 03) has none.
var receiptTypes = map[string]string{
	"01": "PERSONAL",  // 소득공제
	"02": "CORPORATE", // 지출증빙
}

// takeReceipt reads the cash receipt, if one was issued.
func (m message) takeReceipt(n *notice.Notice) {
	number, code := m.left[m.receipt], m.left[m.receiptCode]
	if !wire.Given(number) || code != "" && code != success || m.left[m.receiptUsed] == "0" {
		return
	}
	n.CashReceipt = &payment.CashReceipt{
		Number: m.left.Take(m.receipt), Type: receiptTypes[m.left[m.receiptType]],
		At: m.left.TakeTime(wire.Time, m.receiptAt),
	}
}

// withheld are numbers by which a person is known: they are in the stored body
// alone. cashAuthValue is whom the tax office credits with a cash receipt.
var withheld = []string{
	"cashAuthValue", "cash_auth_value", "mobileNo", "mobile_no", "cardNo", "card_no", "cardnoHash", "cardno_hash",
}

// takeFields keeps what is left. An account that is left is a customer's own,
// from which a transfer came or to which a refund goes.
func (m message) takeFields(n *notice.Notice) {
	delete(m.left, m.account)
	if n.HasAmount {
		for _, name := range []string{m.amount, m.part} {
			if won, ok, err := m.won(name); err == nil && ok && won == n.Amount.Amount {
				delete(m.left, name)
			}
		}
	}
	if n.PGCancel != "" {
		delete(m.left, m.cancel)
	}
	n.Fields = m.left.Rest(withheld...)
}

// bankOf reads a bank code. Accounts that Shinhan issues carry the old 026
// (KICC's page of common codes), and samples lack leading zeros.
func bankOf(code string) payment.Bank {
	if len(code) == 2 {
		code = "0" + code
	}
	if code == shinhanIssued {
		return "SHINHAN"
	}
	return payment.BankByCode(code)
}

const shinhanIssued = "026"

// Verify has nothing to check: KICC gives no proof.
func (module) Verify(notice.Request, notice.Notice, merchant.Channel, payment.Payment) error {
	return nil
}

// Ack answers in the form of the request. KICC reads the body, and no document
// demands a status for a failure, so a refusal has 400 besides: whatever stands
// in between shall not take it for success.
func (module) Ack(r notice.Request, o provider.Outcome) provider.Reply {
	// The old form's type is not specified; KICC's sample page is a PHP page.
	a := provider.Reply{Status: http.StatusOK, ContentType: "text/html", Body: []byte("res_cd=0000\x1fres_msg=SUCCESS")}
	if isNew(r) {
		a.ContentType, a.Body = "application/json", []byte(`{"resCd":"0000","resMsg":"정상"}`)
	}
	if o == provider.Received {
		return a
	}
	a.Status, a.Body = http.StatusBadRequest, []byte("res_cd=5001\x1fres_msg=FAIL")
	if isNew(r) {
		a.Body = []byte(`{"resCd":"5001","resMsg":"처리실패"}`)
	}
	return a
}
