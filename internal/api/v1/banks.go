package v1

import (
	"net/http"
	"strings"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
)

// kiwoomBanks are the two digits by which PortOne's V1 names banks to Kiwoom Pay;
// all other PGs have the common codes, whole or in part (opi/ko, 환불 은행코드,
// 2026-08).
var kiwoomBanks = map[string]payment.Bank{
	"04": "KOOKMIN", "11": "STANDARD_CHARTERED", "03": "IBK", "08": "NONGHYUP", "15": "BUSAN", "10": "SHINHAN", "05": "HANA",
	"09": "WOORI", "31": "POST", "12": "HANA",
}

// bankOf is the bank that a PG's module has a code for; empty if it is unknown. The
// common three digits name a bank to all of them.
func bankOf(module, code string) payment.Bank {
	if module == "daou" && len(code) == 2 {
		return kiwoomBanks[code]
	}
	return payment.BankByCode(code)
}

// bank reads a bank's code as a PG's module has it.
func (in *input) bank(name, module string) payment.Bank {
	code := in.text(name)
	b := bankOf(module, strings.ToUpper(code))
	switch {
	case code == "":
		in.wrong(name, "은행 코드가 필요합니다.")
	case b == "":
		in.wrong(name, "알 수 없는 은행 코드입니다. GET /banks를 참고하세요.")
	}
	return b
}

type codeAnswer struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// getBanks lists the banks that have a common code.
func (a *API) getBanks(*call) (any, error) {
	out := []codeAnswer{}
	for _, b := range payment.Banks() {
		if b.Code != "" {
			out = append(out, codeAnswer{b.Code, b.Name})
		}
	}
	return out, nil
}

// getBank answers with one bank.
func (a *API) getBank(c *call) (any, error) {
	for _, b := range payment.Banks() {
		if b.Code != "" && b.Code == c.names[0] {
			return codeAnswer{b.Code, b.Name}, nil
		}
	}
	return nil, refusal{http.StatusNotFound, codeRefused, "존재하지 않는 은행 코드입니다."}
}

// getCards lists no card companies: no payment here is made by card.
func (a *API) getCards(*call) (any, error) { return []codeAnswer{}, nil }

func (a *API) getCard(*call) (any, error) {
	return nil, refusal{http.StatusNotFound, codeRefused, "존재하지 않는 카드사 코드입니다."}
}

type channelAnswer struct {
	PGProvider  string `json:"pg_provider"`
	PGID        string `json:"pg_id"`
	Sandbox     bool   `json:"sandbox"`
	Type        string `json:"type"`
	ChannelName string `json:"channel_name"`
	ChannelKey  string `json:"channel_key"`
}

// getChannels lists the channels that the caller's payments may go through.
func (a *API) getChannels(c *call) (any, error) {
	v, err := a.settings(c.ctx())
	if err != nil {
		return nil, err
	}
	out := []channelAnswer{}
	for _, ch := range v.usable(c) {
		kind := "payment"
		if ch.PaymentType == merchant.APIKeyin || ch.PaymentType == merchant.APISubscription {
			kind = "api_payment"
		}
		out = append(out, channelAnswer{ch.Provider, ch.MID, ch.Mode == merchant.Test, kind, ch.Name, string(ch.Key)})
	}
	return out, nil
}

// usable are the channels of the caller's store and mode that are in use.
func (v *view) usable(c *call) (out []merchant.Channel) {
	for _, ch := range v.channels {
		if ch.Merchant == c.caller.Merchant && ch.UsedBy(c.caller.Store) && c.caller.Mode.Sees(ch.Mode) && !ch.Disabled {
			out = append(out, ch)
		}
	}
	return out
}

// getTier answers with a sub-store, to the key of its representative store or its
// own.
func (a *API) getTier(c *call) (any, error) {
	v, err := a.settings(c.ctx())
	if err != nil {
		return nil, err
	}
	own, _ := v.directory.Store(c.key.Store)
	s, found := v.tier(c.key.Merchant, c.names[0])
	if !found || s.ID != own.ID && !own.Representative {
		return nil, refusal{http.StatusNotFound, codeRefused, "존재하지 않는 Tier 코드입니다."}
	}
	return struct {
		Code string `json:"tier_code"`
		Name string `json:"tier_name"`
	}{s.TierCode, s.Name}, nil
}

// A receiptAnswer is PortOne's ExternalReceipt.
type receiptAnswer struct {
	ImpUID      string  `json:"imp_uid"`
	ReceiptTID  *string `json:"receipt_tid"`
	ApplyNum    string  `json:"apply_num"`
	Type        *string `json:"type"`
	Amount      int64   `json:"amount"`
	VAT         int64   `json:"vat"`
	ReceiptURL  *string `json:"receipt_url"`
	AppliedAt   int64   `json:"applied_at"`
	CancelledAt int64   `json:"cancelled_at"`
}

// receiptTypes are V1's kinds of cash receipt, by what PGs call them.
var receiptTypes = map[string]string{"PERSONAL": "person", "CORPORATE": "company", "소득공제": "person", "지출증빙": "company"}

// getReceipt answers with the cash receipt that the PG issued with the deposit.
func (a *API) getReceipt(c *call) (any, error) {
	x, err := a.byImpUID(c, c.names[0])
	if err != nil {
		return nil, err
	}
	r, parts := x.p.CashReceipt, x.p.Parts()
	if !x.current || r == nil || r.Number == "" {
		return nil, refusal{http.StatusNotFound, codeRefused, "발급된 현금영수증이 없습니다."}
	}
	at := r.At
	if at.IsZero() {
		at = x.paidAt()
	}
	return receiptAnswer{
		ImpUID: string(x.t.ID), ApplyNum: r.Number, Type: textOf(receiptTypes[r.Type]), Amount: parts.Total, VAT: parts.VAT, AppliedAt: unix(at),
	}, nil
}
