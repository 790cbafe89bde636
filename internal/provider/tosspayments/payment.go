package tosspayments

import (
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
)

// decodePayment reads a PAYMENT_STATUS_CHANGED. Its data is a Payment of
// whatever API version the MID uses.
func decodePayment(r notice.Request, o object) (notice.Notice, error) {
	p := o.object("data")
	if p == nil {
		return notice.Notice{}, fault.Errorf(fault.Invalid, "the event has no payment")
	}
	n := begin(o)
	n.Form, n.Kind = FormPayment, p.text("status")
	n.Merchant, n.Order, n.PGTx = p.text("mId"), p.text("orderId"), p.text("paymentKey")
	n.Proof = secret.Text(p.text("secret"))
	account := p.object("virtualAccount")
	n.Event = eventOf(n.Kind, account != nil)
	n.OtherMethod = account == nil
	n.name(r, p.transactionKey(), account != nil)
	switch n.Kind {
	case statusDone, statusCanceled, statusPartialCanceled:
		if n.OtherMethod && p.transactionKey() != "" {
			// Under such a key a DEPOSIT_CALLBACK moves a payment. One without
			// an account moves none, and must not occupy it.
			n.Key += "/other"
		}
	}
	if err := n.addMoney(p); err != nil {
		return notice.Notice{}, err
	}
	n.addAccount(account)
	n.addReceipt(p.object("cashReceipt"))
	// approvedAt stays a field: At is createdAt, as in the flat notice, so
	// that times of both kinds can be compared.
	p.collect(n.Fields, "mId", "orderId", "paymentKey", "status", "lastTransactionKey", "transactionKey")
	n.Fields["eventType"] = paymentChanged
	return n.Notice, nil
}

// transactionKey is called lastTransactionKey since API version 2022-11-16.
func (o object) transactionKey() string {
	if k := o.text("lastTransactionKey"); k != "" {
		return k
	}
	return o.text("transactionKey")
}

// addMoney takes the amount: of a partial cancellation the part that was
// cancelled last, else the payment's.
func (n *draft) addMoney(p object) error {
	currency := p.text("currency")
	if currency == "" {
		currency = string(payment.KRW) // left out by old versions
	}
	// The bank enforces won; in another currency there are no accounts.
	n.AmountEnforced = n.Deposit != "" && currency == string(payment.KRW)
	var err error
	last := p.lastCancel()
	if n.PGCancel != "" && last.text("transactionKey") != "" {
		n.PGCancel = last.text("transactionKey")
	}
	if n.Event == payment.EventPartiallyCancelled {
		n.Amount, n.HasAmount, err = last.money("cancelAmount", currency)
		return err
	}
	n.Amount, n.HasAmount, err = p.money("totalAmount", currency)
	return err
}

// lastCancel is the cancellation that made the state: the one with the
// payment's last transaction key, else the last in the list.
func (o object) lastCancel() object {
	all := o.objects("cancels")
	for _, c := range all {
		if k := c.text("transactionKey"); k != "" && k == o.transactionKey() {
			return c
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[len(all)-1]
}

func (n *draft) addAccount(a object) {
	if a == nil {
		return
	}
	n.Account = secret.Account(a.text("accountNumber"))
	n.BankCode, n.BankName = a.text("bankCode"), a.text("bank")
	n.Bank = bankOf(n.BankCode, n.BankName)
	n.Depositor, n.Holder = a.text("depositorName"), a.text("customerName")
	n.ExpiresAt = isoTime(a.text("dueDate"))
}

func (n *draft) addReceipt(c object) {
	if number := c.text("issueNumber"); number != "" {
		n.CashReceipt = &payment.CashReceipt{Number: number, Type: c.text("type")}
	}
}
