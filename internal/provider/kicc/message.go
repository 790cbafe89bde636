package kicc

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
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
	all := []string{
		n.kind, n.code, n.state, n.method, n.merchant, n.order, n.tx, n.issue, n.basis,
		n.amount, n.part, n.cancel, n.at, n.cancelled, n.acquired, n.expires,
		n.bankCode, n.bankName, n.account, n.depositor,
		n.receiptCode, n.receipt, n.receiptAt, n.receiptUsed, n.receiptType,
	}
	return slices.DeleteFunc(all, func(name string) bool { return name == "" }) // only the other form's
}

// A message is a notice taken apart. Its values are taken out one by one; what
// is left becomes Notice.Fields.
type message struct {
	names
	form string // as Notice.Form
	read string // as Notice.Charset
	left wire.Fields
}

// parse takes a body apart. It reports fault.Invalid if this is not a notice
// of KICC's: it must say what happened or to what, and name something.
func parse(body []byte, isNew bool) (message, error) {
	m := message{names: oldNames}
	var err error
	if isNew {
		m.names, m.form = newNames, formJSON
		m.read = notice.UTF8
		m.left, err = parseJSON(body)
	} else {
		m.left, m.read, err = parseForm(body)
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

func parseForm(body []byte) (f wire.Fields, charset string, err error) {
	form, err := wire.ParseForm(body)
	if err != nil {
		return nil, "", err
	}
	// Korean in UTF-8 may be other Korean in EUC-KR: a wrong name nobody sees.
	values, err := form.Read(wire.Detect, oldNames.all()...)
	return values.Fields(), values.Charset(), err
}

// parseJSON reads one flat object and nothing after it. KICC sends strings
// only; anything nested is kept as its JSON.
func parseJSON(body []byte) (wire.Fields, error) {
	text, err := wire.Text(body, wire.UTF8)
	if err != nil {
		return nil, err
	}
	o, err := wire.ParseObject([]byte(text))
	if err != nil {
		return nil, err
	}
	for _, raw := range o {
		if raw[0] != '{' && raw[0] != '[' {
			continue
		}
		var nested any
		if json.Unmarshal(raw, &nested) != nil || !allClean(nested) {
			return nil, fault.Errorf(fault.Invalid, "JSON holds what is no text")
		}
	}
	return o.TakeAll()
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
