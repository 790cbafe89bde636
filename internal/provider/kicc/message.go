package kicc

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

// names are what one form calls the things that both forms tell.
type names struct {
	kind, code, state, method         string
	merchant, order, tx, issue, basis string
	amount, part, cancel              string
	at, cancelled, acquired, expires  string
	bankCode, bankName                string
	account, depositor                string
	receiptCode, receipt, receiptAt   string
	receiptUsed, receiptType          string
}

// The names of the old form. basis is the number of the original approval.
var oldNames = names{
	kind: "noti_type", code: "res_cd", state: "stat_cd", method: "pay_type",
	merchant: "memb_id", order: "order_no", tx: "cno", issue: "tlf_sno", basis: "auth_cno",
	amount: "amount", part: "mgr_amt", cancel: "mgr_seqno",
	at: "tran_date", cancelled: "canc_date", acquired: "canc_acq_date", expires: "expire_date",
	bankCode: "bank_cd", bankName: "bank_nm", account: "account_no", depositor: "deposit_nm",
	receiptCode: "cash_res_cd", receipt: "cash_auth_no", receiptAt: "cash_tran_date",
}

// The names of the new form.
var newNames = names{
	kind: "notiType", code: "resCd", state: "statusCode", method: "payMethodTypeCode",
	merchant: "mallId", order: "shopOrderNo", tx: "pgCno", issue: "tlfSno",
	amount: "amount", part: "cancelAmount", cancel: "cancelPgCno",
	at: "transactionDate", cancelled: "cancelDate", acquired: "cancelAcqDate", expires: "expiryDate",
	bankCode: "bankCode", bankName: "bankName", account: "accountNo", depositor: "depositName",
	receiptCode: "cashResCd", receipt: "cashAuthNo", receiptAt: "cashTranDate",
	receiptUsed: "cashUsed", receiptType: "cashIssueType",
}

// all lists the names, none of which may come twice: two readers could see two
// notices.
func (n names) all() []string {
	return []string{
		n.kind, n.code, n.state, n.method, n.merchant, n.order, n.tx, n.issue, n.basis,
		n.amount, n.part, n.cancel, n.at, n.cancelled, n.acquired, n.expires,
		n.bankCode, n.bankName, n.account, n.depositor,
		n.receiptCode, n.receipt, n.receiptAt, n.receiptUsed, n.receiptType,
	}
}

// A message is a notice taken apart. Its values are taken out one by one; what
// is left becomes Notice.Fields.
type message struct {
	names
	form string // as Notice.Form
	left map[string]string
}

// parse takes a body apart. It reports fault.Invalid if this is not a notice
// of KICC's: it must say what happened or to what, and name something.
func parse(body []byte, isNew bool) (message, error) {
	m := message{names: oldNames}
	var err error
	if isNew {
		m.names, m.form = newNames, formJSON
		m.left, err = parseJSON(body)
	} else {
		m.left, err = parseForm(body)
	}
	if err != nil {
		return message{}, err
	}
	delete(m.left, "") // the name of what only the other form has
	if m.left[m.kind] == "" && m.left[m.tx] == "" {
		return message{}, fault.Errorf(fault.Invalid, "neither %s nor %s", m.kind, m.tx)
	}
	if m.left[m.tx] == "" && m.left[m.order] == "" && m.left[m.account] == "" {
		return message{}, fault.Errorf(fault.Invalid, "none of %s, %s and %s", m.tx, m.order, m.account)
	}
	return m, nil
}

func parseForm(body []byte) (map[string]string, error) {
	form, err := wire.ParseForm(body)
	if err != nil {
		return nil, err
	}
	values, err := form.Decode(wire.EUCKR)
	if err != nil {
		return nil, err
	}
	for _, name := range oldNames.all() {
		if name != "" && values.Duplicated(name) {
			return nil, fault.Errorf(fault.Invalid, "%s is told twice", name)
		}
	}
	return values.Map(), nil
}

// parseJSON reads one flat object and nothing after it. Package json would
// match names in any case and let a later one win, so names are read one by
// one. No error quotes the body.
func parseJSON(body []byte) (map[string]string, error) {
	text, err := wire.Text(body, wire.UTF8)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(strings.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fault.Errorf(fault.Invalid, "body is not a JSON object")
	}
	values := map[string]string{}
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		if err != nil || !ok || !clean(name) {
			return nil, fault.Errorf(fault.Invalid, "body is broken JSON")
		}
		var raw json.RawMessage
		if d.Decode(&raw) != nil {
			return nil, fault.Errorf(fault.Invalid, "body is broken JSON")
		}
		if _, twice := values[name]; twice {
			return nil, fault.Errorf(fault.Invalid, "JSON has a name twice")
		}
		if values[name], err = scalar(raw); err != nil {
			return nil, err
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, fault.Errorf(fault.Invalid, "body is broken JSON")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fault.Errorf(fault.Invalid, "body goes on after its JSON")
	}
	return values, nil
}

// scalar is a value as text: a string's content, the characters of a number or
// boolean, "" for null, and the JSON itself of anything nested. KICC sends
// strings only.
func scalar(raw json.RawMessage) (string, error) {
	raw = bytes.TrimSpace(raw)
	text := string(raw)
	switch {
	case text == "null":
		return "", nil
	case raw[0] == '"':
		if json.Unmarshal(raw, &text) != nil {
			return "", fault.Errorf(fault.Invalid, "broken JSON string")
		}
	case raw[0] == '{' || raw[0] == '[':
		var nested any
		if json.Unmarshal(raw, &nested) != nil || !allClean(nested) {
			return "", fault.Errorf(fault.Invalid, "JSON holds what is no text")
		}
	}
	if !clean(text) {
		return "", fault.Errorf(fault.Invalid, "JSON holds what is no text")
	}
	return strings.TrimSpace(text), nil
}

// clean reports whether a text is free of NUL, which databases cannot keep. It
// may come as an escape.
func clean(s string) bool { return !strings.Contains(s, "\x00") }

func allClean(v any) bool {
	switch v := v.(type) {
	case string:
		return clean(v)
	case []any:
		return !slices.ContainsFunc(v, func(e any) bool { return !allClean(e) })
	case map[string]any:
		for k, e := range v {
			if !clean(k) || !allClean(e) {
				return false
			}
		}
	}
	return true
}

// take removes a value and returns it.
func (m message) take(name string) string {
	v := m.left[name]
	delete(m.left, name)
	return v
}

// given reports whether a number or date is there: none is empty or all zeros.
func given(s string) bool { return strings.Trim(s, "0 ") != "" }
