package nice

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

// An object is a part of a webhook.
type object struct{ wire.Object }

// parseObject reads one object. Nothing and the JSON null give none.
func parseObject(b []byte) (object, error) {
	if b = bytes.TrimSpace(b); len(b) == 0 || string(b) == "null" {
		return object{}, nil
	}
	o, err := wire.ParseObject(b)
	return object{o}, err
}

// parseObjects reads an array of objects. The JSON null gives none.
func parseObjects(b []byte) ([]object, error) {
	if len(b) == 0 {
		return nil, nil
	}
	var raw []json.RawMessage
	if json.Unmarshal(b, &raw) != nil {
		return nil, fault.Errorf(fault.Invalid, "not a JSON array")
	}
	list := make([]object, 0, len(raw))
	for _, r := range raw {
		o, err := parseObject(r)
		if err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	return list, nil
}

// texts removes several values. It stops at a value that is no text.
func (o object) texts(into map[string]*string) error {
	for name, to := range into {
		var err error
		if *to, err = o.Take(name); err != nil {
			return fault.Errorf(fault.Invalid, "%s: %w", name, err)
		}
	}
	return nil
}

// A webhook is a notice of form B, taken apart.
type webhook struct {
	tid, cancelledTid, orderID, status, resultCode, payMethod string
	amount, currency, ediDate, signature                      string
	paidAt, failedAt, cancelledAt                             string

	amountText string // amount as a decimal integer, as it is signed

	account  vbank
	cancel   cancel
	receipts []object
	rest     object
}

// A vbank is the account of a webhook.
type vbank struct {
	given                           bool
	code, name, number, due, holder string
}

// A cancel is the cancellation that a webhook tells of.
type cancel struct{ tid, amount, at string }

// parseWebhook takes a body apart. It reports fault.Invalid if this is not a
// webhook of NICE's.
func parseWebhook(body []byte) (webhook, error) {
	text, err := wire.Text(body, wire.UTF8)
	if err != nil {
		return webhook{}, err
	}
	var w webhook
	if w.rest, err = parseObject([]byte(text)); err != nil {
		return webhook{}, err
	}
	if err := w.rest.texts(map[string]*string{
		"tid": &w.tid, "cancelledTid": &w.cancelledTid, "orderId": &w.orderID, "status": &w.status,
		"resultCode": &w.resultCode, "payMethod": &w.payMethod, "amount": &w.amount,
		"currency": &w.currency, "ediDate": &w.ediDate, "signature": &w.signature,
		"paidAt": &w.paidAt, "failedAt": &w.failedAt, "cancelledAt": &w.cancelledAt,
	}); err != nil {
		return webhook{}, err
	}
	if w.status == "" || w.tid == "" && w.orderID == "" {
		return webhook{}, fault.Errorf(fault.Invalid, "not a webhook of NICE: it lacks status, or tid and orderId")
	}
	if w.amount != "" {
		won, err := wire.Amount(w.amount)
		if err != nil {
			return webhook{}, fault.Errorf(fault.Invalid, "amount: %w", err)
		}
		w.amountText = strconv.FormatInt(won, 10)
	}
	return w, w.takeNested()
}

// takeNested reads what is nested. The arrays stay in rest, as they came.
func (w *webhook) takeNested() error {
	v, err := parseObject(w.rest.Object["vbank"])
	if err != nil {
		return fault.Errorf(fault.Invalid, "vbank: %w", err)
	}
	delete(w.rest.Object, "vbank")
	w.account.given = v.Object != nil
	if err := v.texts(map[string]*string{
		"vbankCode": &w.account.code, "vbankName": &w.account.name, "vbankNumber": &w.account.number,
		"vbankExpDate": &w.account.due, "vbankHolder": &w.account.holder,
	}); err != nil {
		return err
	}
	if w.receipts, err = parseObjects(w.rest.Object["cashReceipts"]); err != nil {
		return fault.Errorf(fault.Invalid, "cashReceipts: %w", err)
	}
	list, err := parseObjects(w.rest.Object["cancels"])
	if err != nil {
		return fault.Errorf(fault.Invalid, "cancels: %w", err)
	}
	return w.takeCancel(list)
}

// takeCancel finds the cancellation that the webhook is about: the one it
// names, else the last.
func (w *webhook) takeCancel(list []object) error {
	for _, o := range list {
		var c cancel
		if err := o.texts(map[string]*string{"tid": &c.tid, "amount": &c.amount, "cancelledAt": &c.at}); err != nil {
			return err
		}
		w.cancel = c
		if w.cancelledTid != "" && c.tid == w.cancelledTid {
			return nil
		}
	}
	return nil
}

// signed is the signature that NICE makes of a webhook: the lower-case hex
// SHA-256 of tid, amount, ediDate as it is written, and the secret key.
func (w webhook) signed(key string) string {
	sum := sha256.Sum256([]byte(w.tid + w.amountText + w.ediDate + key))
	return hex.EncodeToString(sum[:])
}
