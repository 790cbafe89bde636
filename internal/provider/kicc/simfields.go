package kicc

import (
	"cmp"

	"github.com/tongbo/tongbo/internal/provider/wire"
)

// oldFields are the old form's fields in the order of KICC's sample page.
func (t telling) oldFields() []wire.Field {
	code, bank, account, depositor, expires, kind := "", "", "", "", "", ""
	if t.method == methodAccount {
		code, bank, account, depositor = t.bankCode(), t.BankName, t.Account.Reveal(), t.Depositor
		expires, kind = t.ExpiresAt.Format(wire.Stamp), "V"
	}
	escrow, cancelled, tlf := "N", "", t.issue
	if t.kind == kindEscrow {
		escrow = "Y"
	}
	if t.method != methodAccount {
		tlf = ""
	}
	if t.part != "" {
		cancelled = t.at
	}
	result, text, receipt, receiptAt, _ := t.receipt()
	list := []wire.Field{
		{Name: "res_cd", Value: t.code}, {Name: "res_msg", Value: t.message}, {Name: "cno", Value: t.tx},
		{Name: "memb_id", Value: t.Merchant}, {Name: "amount", Value: t.total},
		{Name: "order_no", Value: t.Order}, {Name: "noti_type", Value: t.kind},
		{Name: "auth_no"}, {Name: "tran_date", Value: t.at}, {Name: "card_no"},
		{Name: "issuer_cd"}, {Name: "issuer_nm"}, {Name: "acquirer_cd"}, {Name: "acquirer_nm"},
		{Name: "install_period"}, {Name: "noint"},
		{Name: "bank_cd", Value: code}, {Name: "bank_nm", Value: bank}, {Name: "account_no", Value: account},
		{Name: "deposit_nm", Value: depositor}, {Name: "expire_date", Value: expires},
		{Name: "cash_res_cd", Value: result}, {Name: "cash_res_msg", Value: text},
		{Name: "cash_auth_no", Value: receipt}, {Name: "cash_tran_date", Value: receiptAt},
		{Name: "escrow_yn", Value: escrow}, {Name: "canc_date", Value: cancelled}, {Name: "canc_acq_date"},
		{Name: "refund_date"}, {Name: "pay_type", Value: t.method}, {Name: "auth_cno"},
		{Name: "tlf_sno", Value: tlf}, {Name: "account_type", Value: kind},
		{Name: "stat_cd", Value: t.state}, {Name: "stat_msg", Value: t.stateText},
	}
	if t.method == methodCard {
		list = set(list, card("auth_no", "card_no", "issuer_cd", "issuer_nm", "acquirer_cd", "acquirer_nm", "install_period", "noint"))
	}
	if t.part != "" {
		list = append(list, wire.Field{Name: "mgr_amt", Value: t.part}, wire.Field{Name: "mgr_seqno", Value: t.PGCancel})
	}
	return list
}

// card pairs a form's names with the values of some card payment, in the order
// approval, number, issuer, acquirer, months, interest.
func card(names ...string) map[string]string {
	values := []string{"01230000", "49000000****050*", "027", "현대비자개인", "027", "현대카드사", "00", "00"}
	out := make(map[string]string, len(names))
	for i, name := range names {
		out[name] = values[i]
	}
	return out
}

func set(list []wire.Field, values map[string]string) []wire.Field {
	for i, f := range list {
		if v, ok := values[f.Name]; ok {
			list[i].Value = v
		}
	}
	return list
}

// receipt is what the notice's cash receipt looks like; all is empty if there
// is none.
func (t telling) receipt() (code, message, no, at, kind string) {
	r := t.CashReceipt
	if r == nil {
		return "", "", "", "", ""
	}
	at, kind = t.at, "01"
	if !r.At.IsZero() {
		at = r.At.In(wire.Seoul).Format(wire.Stamp)
	}
	switch r.Type {
	case "CORPORATE":
		kind = "02"
	case "":
		kind = "03"
	}
	return success, "정상", cmp.Or(r.Number, "128170000"), at, kind
}

// newFields are the new form's fields in the order of the documents' samples.
func (t telling) newFields() []wire.Field {
	t.Form = formJSON // for the bank's code: some kinds have no other form
	list := []wire.Field{
		{Name: "resCd", Value: t.code}, {Name: "resMsg", Value: t.message}, {Name: "mallId", Value: t.Merchant},
		{Name: "notiType", Value: t.kind}, {Name: "pgCno", Value: t.tx}, {Name: "shopOrderNo", Value: t.Order},
	}
	switch t.kind {
	case kindRefundFailed:
		// The customer's account, as in the documents' sample.
		list = append(list,
			wire.Field{Name: "bankCode", Value: "004"}, wire.Field{Name: "bankName", Value: "국민은행"},
			wire.Field{Name: "accountNo", Value: "1100" + wire.Serial(10, t.Merchant, t.Order)})
		if t.part != "" {
			list = append(list, wire.Field{Name: "cancelAmount", Value: t.part})
		}
		return list
	case kindRefunded:
		return append(list, t.refund()...)
	case kindUnionPay:
		return append(list,
			wire.Field{Name: "payMethodTypeCode", Value: t.method}, wire.Field{Name: "kvp_pgid", Value: "TEST11"},
			wire.Field{Name: "issuerCode", Value: "081"}, wire.Field{Name: "amount", Value: t.total},
			wire.Field{Name: "transactionDate", Value: t.at})
	}
	list = append(list, wire.Field{Name: "amount", Value: t.total}, wire.Field{Name: "transactionDate", Value: t.at})
	if t.method == methodCard {
		list = append(list, t.cardFields()...)
	} else {
		list = append(list, t.accountFields()...)
	}
	if t.kind == kindChanged {
		list = append(list,
			wire.Field{Name: "cancelDate", Value: t.at}, wire.Field{Name: "cancelAmount", Value: t.part},
			wire.Field{Name: "cancelPgCno", Value: t.PGCancel})
	}
	return list
}

func (t telling) refund() []wire.Field {
	list := []wire.Field{
		{Name: "transactionDate", Value: t.at}, {Name: "escrowUsed", Value: "N"},
		{Name: "statusCode", Value: t.state}, {Name: "statusMessage", Value: t.stateText},
		{Name: "payMethodTypeCode", Value: t.method}, {Name: "cancelPgCno", Value: t.PGCancel},
	}
	if t.part != "" {
		list = append(list, wire.Field{Name: "cancelAmount", Value: t.part})
	}
	return append(list, wire.Field{Name: "depositPgCno", Value: t.Deposit}, wire.Field{Name: "basketUsed", Value: "N"})
}

func (t telling) cardFields() []wire.Field {
	names := []string{
		"approvalNo", "cardNo", "issuerCode", "issuerName", "acquirerCode", "acquirerName",
		"installmentMonth", "freeInstallmentTypeCode",
	}
	list := make([]wire.Field, len(names), len(names)+4)
	for i, name := range names {
		list[i].Name = name
	}
	return append(set(list, card(names...)),
		wire.Field{Name: "escrowUsed", Value: "N"}, wire.Field{Name: "statusCode", Value: t.state},
		wire.Field{Name: "statusMessage", Value: t.stateText}, wire.Field{Name: "payMethodTypeCode", Value: t.method})
}

func (t telling) accountFields() []wire.Field {
	escrow := "N"
	if t.kind == kindEscrow {
		escrow = "Y"
	}
	list := []wire.Field{
		{Name: "bankCode", Value: t.bankCode()}, {Name: "bankName", Value: t.BankName},
		{Name: "accountNo", Value: t.Account.Reveal()}, {Name: "depositName", Value: t.Depositor},
		{Name: "escrowUsed", Value: escrow}, {Name: "payMethodTypeCode", Value: t.method},
	}
	if t.kind == kindApproved {
		list = append(list, wire.Field{Name: "expiryDate", Value: t.ExpiresAt.Format(wire.Stamp)})
	}
	if code, message, no, at, kind := t.receipt(); no != "" {
		list = append(list,
			wire.Field{Name: "cashUsed", Value: "1"}, wire.Field{Name: "cashResCd", Value: code},
			wire.Field{Name: "cashResMsg", Value: message}, wire.Field{Name: "cashTranDate", Value: at},
			wire.Field{Name: "cashAuthNo", Value: no}, wire.Field{Name: "cashIssueType", Value: kind},
			wire.Field{Name: "cashAuthType", Value: "3"}, wire.Field{Name: "cashAuthValue", Value: "0100001234"})
	}
	return append(list,
		wire.Field{Name: "statusCode", Value: t.state}, wire.Field{Name: "statusMessage", Value: t.stateText},
		wire.Field{Name: "tlfSno", Value: t.issue}, wire.Field{Name: "accountType", Value: "V"},
		wire.Field{Name: "customerId"}, wire.Field{Name: "customerName", Value: cmp.Or(t.Fields["customerName"], "홍길동")},
		wire.Field{Name: "depoBkcd", Value: "090"}, wire.Field{Name: "depoBknm", Value: "카카오뱅크"})
}
