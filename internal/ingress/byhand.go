package ingress

import (
	"encoding/json"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// ByHand is the notice of money that a person enters (수동 입금): decided like any other,
// but for the proof, which is the person's right to say so.
func ByHand(c merchant.Channel, t payment.Transaction, w notice.HandWord) (notice.Inbound, error) {
	a := inquiryBody{
		Order: t.Order, PGTx: t.PGTx, Deposit: payment.Shorten(w.Number), Amount: w.Amount, Depositor: w.Depositor, At: w.PaidAt,
		ByHand: &w.HandDeposit,
	}
	if t.Account != nil {
		a.Account, a.Bank = t.Account.Number.Reveal(), t.Account.Bank
	}
	b, err := json.Marshal(a)
	if err != nil {
		return notice.Inbound{}, err
	}
	return notice.Inbound{
		ID: notice.ID(newID()), At: w.At, Provider: c.Provider, Channels: []merchant.ChannelKey{c.Key},
		Request: notice.Request{Method: MethodByHand, Body: b}, Notice: a.notice(),
	}, nil
}
