// Package ksnet speaks the deposit notice (입금통보) of KSNET's KSPAY: module
// ksnet ([Module]), of PortOne's V1 and V2 alike.
//
// # One telegram in two forms
//
// A notice is a record of fixed width in EUC-KR, sent as the parameter data: by
// GET to a URL with http, by POST to one with https (documented: the comments
// of KSNET's own noty_url.php, 2005-10-04). Text is padded with spaces, numbers
// with zeros in front (observed: an amount with spaces). All offsets are in
// bytes, so a name may end in half a character.
//
//	old  "VR" and 312 bytes more. It has no order number.
//	new  four digits that say how many bytes follow (inferred from a public
//	     receiver's code), a header to byte 300 with the order number, and a
//	     body whose columns are the old form's, some of them wider.
//
// The widths of the old form are confirmed by a sample in a public receiver's
// tests (leafriend/kspay), those of the new form come from the source of that
// receiver and of KSNET's page alone, its header also from a sample. Which of
// the two forms a merchant gets is not published; both are read. The header
// says how the telegram is encrypted; no receiver minds, and a public header
// that says SEED is in clear. So the text is read in clear, and what makes no
// sense that way is no notice. KSNET's page decodes data a second time after
// PHP did; what still looks encoded is therefore decoded again.
//
// Field deal_sele says what happened: 20 a deposit, 51 a deposit taken back
// (입금취소). KSNET's page answers everything else with a failure, and so do we:
// another deal_sele, and the new form's telegrams about cards, transfers and
// points. The approval type in front of the new form's body begins with 50 or
// 61 for virtual accounts; which of them means what the page's comment leaves
// open, so deal_sele decides there too. No notice of issuing, refunds or expiry
// is known.
//
// # Names
//
// KSNET's page tells resends by deal_sele, account, telegram number, date and
// time of the deposit, the telegram number shortened to its last six digits
// where the new form has ten: so a notice has one Key in both forms. The same
// without deal_sele names the deposit. Instead of the account, names hold a few
// bits that depend on it.
//
// How a 51 names the deposit that it takes back is not documented; that its
// telegram number and time are the deposit's would be a guess. It therefore
// names none, and finds it by the payment (order, transaction or account) and
// by account and amount.
//
// # Acknowledgement and authenticity
//
// The nine bytes "result=OK". Anything else has KSNET send again; how often is
// not published. There is no signature: what remains is the sender's address,
// of which KSNET's page names two.
//
// # Calls
//
// Of KSPAY's API one call about virtual accounts is published, the issue of a
// permanent one (영구 가상계좌 발급) whose number KSNET handed over (documented:
// KSPAY API Reference, its example answers among the tests). Its table also has
// virtAccountType 0 for an ordinary account, for which no number is needed: that
// is asked for with the same call. Neither a cancel, a refund nor an inquiry is
// published for virtual accounts, so an issue whose answer was lost is settled by
// nothing but its deposit.
//
// # Not covered
//
// KSNET can send the telegram over bare TCP and take one byte (0x06 or 0x15)
// for an answer; this package knows HTTP only. A reseller (GSM, 2011) sends the
// same facts as a plain form with a hash of its own; that is not KSNET's. No
// inquiry is published for virtual accounts.
package ksnet

import (
	_ "embed" // for the guides
	"net/http"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
)

// Module is PortOne's module "ksnet". It holds no state.
var Module = module{}

type module struct{}

var _ provider.Provider = module{}

// path is ours: PortOne publishes none, since KSNET registers PortOne's URL
// itself with every merchant id that PortOne orders.
const path = "/ksnet_payments/notice_vbank"

var (
	//go:embed guide.ko.md
	guideKO string
	//go:embed guide.en.md
	guideEN string
)

// Guide tells in Markdown how a merchant has the notice URL registered, which
// it calls {{.NoticeURL}}: in English for "en", else in Korean.
func (m module) Guide(lang string) string {
	if lang == "en" {
		return guideEN
	}
	return guideKO
}

// Info describes the module.
func (m module) Info() provider.Info {
	return provider.Info{
		Code:    "ksnet",
		Name:    provider.Text{KO: "KSNET", EN: "KSNET"},
		Admin:   "https://ksta.ksnet.co.kr",
		Modules: "V1+V2",
		Paths:   []string{path},
		Methods: []string{http.MethodGet, http.MethodPost},
		Charset: "EUC-KR",
		Fields: []provider.Field{
			{Name: apiKey, Label: provider.Text{KO: "API 키", EN: "API key"}, Secret: true},
		},

		// The two that KSNET's page takes notices from, as a public mall has
		// it, with the page's date.
		// The page does not say which are for tests: none is listed as such.
		LiveSenders: provider.Prefixes("210.181.28.114", "210.181.29.130"),
		SendersAsOf: "2005-10-04",

		Class: provider.AddressOnly,
		Proves: provider.Text{
			KO: "서명이 없는 통보라서 내용을 증명하지 못해요. 발신 IP가 KSNET의 것이라는 것만 확인해요.",
			EN: "Nothing about the content: KSNET signs no notices. Only the sender's address is checked.",
		},
		ResendNote: provider.Text{
			KO: "응답이 result=OK가 아니면 다시 보내요. 간격과 횟수는 공개되지 않았어요.",
			EN: "Sent again until the answer is result=OK. Neither the interval nor the number of tries is published.",
		},
		Events:   []payment.Event{payment.EventDeposited, payment.EventReversed},
		Forms:    []string{formNew, formOld},
		TestMIDs: testMIDs(),
		Letter: &provider.Letter{
			To:      []string{"pgmodule@ksnet.co.kr", "ksnet001@ksnet.co.kr"},
			Subject: "[" + provider.MIDMark + "] 가상계좌 입금통보(노티) 주소 등록 요청",
			Body: `안녕하세요.

가상계좌 입금통보(노티)를 받을 주소를 아래와 같이 등록해 주세요.

- 상점아이디(MID): ` + provider.MIDMark + `
- 입금통보 주소: ` + provider.NoticeURLMark + `
- 통보 방식: HTTP 또는 HTTPS (TCP 소켓 아님)

통보를 보내는 서버의 IP 주소도 함께 알려 주시고, 등록이 끝나면 회신 부탁드립니다.
`,
		},
	}
}

// testMIDs are the ids of KSNET's developer site. The key is the one that its
// API document prints; notices need none.
func testMIDs() []provider.TestMID {
	source := provider.Same("paydev.ksnet.co.kr")
	return []provider.TestMID{
		{MID: "2999199999", Source: source, Credentials: map[string]secret.Text{ //nolint:gosec // published for trials
			apiKey: "Mjk5OTE5OTk5OTpNQTAxOkE0RTc2QkRBMzM3RENDQTk1Mjk4RkI0OTVBODREMzY5",
		}},
		{MID: "2999199990", Source: source},
		{MID: "2999199994", Source: source},
	}
}
