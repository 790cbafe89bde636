package notice

import (
	"encoding/json"
	"time"

	"github.com/tongbo/tongbo/internal/payment"
)

// shown is a notice as `tongbo decode` prints it. Absent fields are left out.
type shown struct {
	Event       payment.Event     `json:"event"`
	Kind        string            `json:"kind,omitempty"`
	Merchant    string            `json:"merchant,omitempty"`
	Order       string            `json:"order,omitempty"`
	Key         string            `json:"key,omitempty"`
	Deposit     string            `json:"deposit,omitempty"`
	Amount      *int64            `json:"amount,omitempty"`
	Currency    payment.Currency  `json:"currency,omitempty"`
	Account     string            `json:"account,omitempty"`
	Bank        payment.Bank      `json:"bank,omitempty"`
	BankCode    string            `json:"bank_code,omitempty"`
	BankName    string            `json:"bank_name,omitempty"`
	Depositor   string            `json:"depositor,omitempty"`
	Holder      string            `json:"holder,omitempty"`
	At          string            `json:"at,omitempty"`
	ExpiresAt   string            `json:"expires_at,omitempty"`
	PGTx        string            `json:"pg_tx,omitempty"`
	PGCancel    string            `json:"pg_cancel,omitempty"`
	CashReceipt *shownReceipt     `json:"cash_receipt,omitempty"`
	Form        string            `json:"form,omitempty"`
	Charset     string            `json:"charset,omitempty"`
	Test        bool              `json:"test,omitempty"`
	Damaged     []string          `json:"damaged,omitempty"`
	Fields      map[string]string `json:"fields,omitempty"`
}

type shownReceipt struct {
	Number string `json:"number,omitempty"`
	Type   string `json:"type,omitempty"`
	At     string `json:"at,omitempty"`
}

// MarshalJSON writes the notice in our words: amounts as numbers in minor
// units, times as RFC 3339 in the zone they were told in, absent fields left
// out. The account number is in clear; the proof never is written.
func (n Notice) MarshalJSON() ([]byte, error) {
	out := shown{
		Event: n.Event, Kind: n.Kind, Merchant: n.Merchant, Order: n.Order, Key: n.Key,
		Deposit: n.Deposit, Account: n.Account.Reveal(), Bank: n.Bank, BankCode: n.BankCode,
		BankName: n.BankName, Depositor: n.Depositor, Holder: n.Holder, At: rfc3339(n.At),
		ExpiresAt: rfc3339(n.ExpiresAt), PGTx: n.PGTx, PGCancel: n.PGCancel, Form: n.Form,
		Charset: n.Charset, Test: n.Test, Damaged: n.Damaged, Fields: n.Fields,
	}
	if n.HasAmount {
		out.Amount, out.Currency = &n.Amount.Amount, n.Amount.Currency
	}
	if r := n.CashReceipt; r != nil {
		out.CashReceipt = &shownReceipt{r.Number, r.Type, rfc3339(r.At)}
	}
	return json.Marshal(out)
}

func rfc3339(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}
