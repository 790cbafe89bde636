// Package wallet has the modules of easy-pay services with a channel of their own (간편결제사
// 직접 연동): 네이버페이 (Naver Pay), 토스페이 (Toss Pay) and 페이팔 (PayPal).
//
// None of them sends deposit notices, and no call of their APIs is made: there is nothing of
// their protocols here. A channel of theirs is a test channel with the merchant's own test
// credentials, since none publishes a test merchant, and its payments are played by package
// trial: approved, declined, or with the answer lost, as whoever pays chooses. So a shop tries
// its whole path, window, webhook, API and cancellation, without the service.
//
// Codes, names of credentials and what payMethod is called are those of PortOne's console and
// developer pages (2026-08; pg/v2/naver, pg/v2/tosspay, pg/v2/paypal-v2).
package wallet

import (
	_ "embed" // for the guides
	"slices"
	"strings"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
)

// The modules.
var (
	NaverPay = module{of: naverPay}
	TossPay  = module{of: tossPay}
	PayPal   = module{of: payPal}
)

type module struct {
	of service
	provider.Silent
}

var _ provider.Provider = module{}

// A service is what tells one module from another.
type service struct {
	info  provider.Info
	mid   provider.Text // what the service calls its mid
	where provider.Text // where its test credentials come from
}

//go:embed guide.ko.md
var guideKO string

//go:embed guide.en.md
var guideEN string

// walletOf is a wallet for windows of payMethod EASY_PAY that takes won alone.
func walletOf(w payment.Wallet) *provider.Wallet {
	return &provider.Wallet{Name: w, Method: payment.ByWallet, Currencies: []payment.Currency{payment.KRW}}
}

var naverPay = service{
	info: provider.Info{
		Code: "naverpay", Name: provider.Text{KO: "네이버페이", EN: "Naver Pay"}, Admin: "https://admin.pay.naver.com", Modules: "V1+V2",
		Fields: []provider.Field{
			{Name: "client_id", Label: provider.Text{KO: "클라이언트 ID", EN: "Client ID"}},
			{Name: "client_secret", Label: provider.Text{KO: "클라이언트 시크릿", EN: "Client secret"}, Secret: true},
			{Name: "chain_id", Label: provider.Text{KO: "체인 ID", EN: "Chain ID"}},
		},
		Wallet: walletOf(payment.NaverPay),
	},
	mid:   provider.Text{KO: "파트너 ID", EN: "partner ID"},
	where: provider.Text{KO: "네이버페이 결제형 가맹 뒤에 받은 검수(테스트) 정보", EN: "the test credentials that Naver Pay gave with the contract"},
}

var tossPay = service{
	info: provider.Info{
		Code: "tosspay", Name: provider.Text{KO: "토스페이", EN: "Toss Pay"}, Admin: "https://pay.toss.im", Modules: "V1+V2",
		Fields: []provider.Field{{Name: "api_key", Label: provider.Text{KO: "API 키", EN: "API key"}, Secret: true}},
		Wallet: walletOf(payment.TossPay),
	},
	mid:   provider.Text{KO: "MID", EN: "MID"},
	where: provider.Text{KO: "토스페이 가맹점 관리자의 테스트 키", EN: "the test key of Toss Pay's merchant pages"},
}

var payPal = service{
	info: provider.Info{
		Code: "paypal_v2", Name: provider.Text{KO: "페이팔", EN: "PayPal"}, Admin: "https://www.sandbox.paypal.com", Modules: "V1+V2",
		Wallet: &provider.Wallet{Name: payment.PayPal, Method: payment.ByPayPal, Currencies: payPalCurrencies()},
	},
	mid:   provider.Text{KO: "판매자 ID (PayPal Merchant ID)", EN: "merchant ID"},
	where: provider.Text{KO: "페이팔 샌드박스 비즈니스 계정의 판매자 ID", EN: "the merchant ID of a business account in PayPal's sandbox"},
}

// payPalCurrencies are those of PayPal's developer pages (reference/currency-codes, 2026).
// Won is none of them. CNY and MYR are left out, which only accounts of those countries take.
func payPalCurrencies() (out []payment.Currency) {
	for c := range strings.FieldsSeq("USD EUR JPY GBP AUD BRL CAD CHF CZK DKK HKD HUF ILS MXN NOK NZD PHP PLN SEK SGD THB TWD") {
		out = append(out, payment.Currency(c))
	}
	return out
}

// Info describes the module. It has no paths, senders and events: there are no notices.
func (m module) Info() provider.Info {
	i := m.of.info
	i.Fields = slices.Clone(i.Fields)
	i.Proves = provider.Text{KO: "통보가 없어서 증명할 것도 없어요.", EN: "Nothing: there are no notices."}
	i.ResendNote = provider.Text{KO: "통보를 보내지 않아요.", EN: "No notices are sent."}
	own := *i.Wallet
	own.Currencies = slices.Clone(own.Currencies)
	i.Wallet = &own
	return i
}

// Guide says what a channel needs, and what it is for.
func (m module) Guide(lang string) string {
	text, by := guideKO, func(t provider.Text) string { return t.KO }
	if lang == "en" {
		text, by = guideEN, func(t provider.Text) string { return t.EN }
	}
	i := m.Info()
	var rows strings.Builder
	for _, f := range i.Fields {
		rows.WriteString("| `" + f.Name + "` | " + by(f.Label) + " |\n")
	}
	var currencies []string
	for _, c := range i.Wallet.Currencies {
		currencies = append(currencies, string(c))
	}
	return strings.NewReplacer(
		"{{.Name}}", by(i.Name), provider.CodeMark, i.Code, "{{.MID}}", by(m.of.mid), "{{.Where}}", by(m.of.where), "{{.Fields}}\n", rows.String(),
		"{{.Method}}", string(i.Wallet.Method), "{{.Currencies}}", strings.Join(currencies, ", "),
	).Replace(text)
}
