// Package daou speaks the notices of 키움페이 (Kiwoom Pay; before that 다우데이타,
// 다우페이 and 페이조아): PortOne's module daou ([Module]).
//
// # The notice
//
// A GET whose query string holds everything, percent-encoded EUC-KR, with names
// in upper case; one integration takes the same fields by POST, and so does
// this. UTF-8 is read as well, told by the bytes (wire.Form.Charset), so that
// it can't become a wrong name if it ever comes. There are two URLs for each
// shop id (CPID), set in the admin: 발행 통지 for issues and 결과 통지 for
// deposits. Which one a notice comes to says nothing that its PAYMETHOD does
// not say, so any kind is read on either:
//
//	VACCOUNTISSUE     an account was issued
//	VACCOUNT          money came in; without SETTDATE but with ACCOUNTNO it is
//	                  an issue (a comment in a public module says that issues
//	                  may come so)
//	VACCOUNTCANCEL    the issue was cancelled, by the shop or by the bank
//	CARD BANK MOBILE  a payment of another method
//	…_CANCEL          입금후취소: a cancellation for which the shop first paid
//	                  the money in, such as CARD_CANCEL and BANK_CANCEL
//
// The last family is sent once, with nine seconds for the answer and no resend,
// to a URL that Kiwoom registers on request. What it says of a virtual account,
// and whether it cancels all or a part, is not known: it moves nothing here, and
// a person is shown it. So is a VACCOUNT that tells neither a time nor an
// account, which might be either. A deposit taken back by the bank and an
// expiry have no notice that we know of. The PG does not promise that the
// amount paid in is the amount asked for.
//
// DAOUTRX names the transaction. Whether a deposit has that of its issue is not
// known, so DAOUTRX and SETTDATE together name the money. One whose SETTDATE is
// a date alone, or no time, has no name.
//
// # Banks
//
// What BANKCODE means is contradictory. PortOne's table has two digits of the
// PG's own (11 is SC제일, 31 우체국), a reseller's document has the common codes
// without their first zero (88 is 신한; 11 would be 농협). The code is therefore
// kept as it came, and the bank is read from BANKNAME alone.
//
// # The answer
//
// Status 200 and a page with <RESULT>SUCCESS</RESULT>. Without it the notice
// comes again every three minutes, ten times at most.
//
// # Authenticity
//
// None: no signature, no secret, and fields that anyone can guess. The sender's
// address is all there is, and no inquiry call is known.
//
// # Calls
//
// An issue is cancelled before its deposit in two requests (observed: the PG's
// sample page for cancels, in several public shops): /pay/ready hands out TOKEN
// and RETURNURL, and the same JSON in EUC-KR goes there with the token. That
// PAYMETHOD is VACCOUNT-ISSUECAN for it is second-hand. The key goes to hosts of
// kiwoompay.co.kr alone, whatever RETURNURL says. Not here: issues by API, which
// want the buyer's address on the network and the shop's business number, under
// names that no source has; refunds after a deposit, for which the sources have
// nothing but a reseller's own way; accounts with numbers of their own.
//
// # Sources
//
// Kiwoom's manuals are not public. The admin's labels are PortOne's
// (documented). Fields, kinds, answer and addresses are those of public shop
// modules (observed) and of a reseller's integration guide of 2026-04, which
// quotes the manuals (second-hand). One card notice is a capture; no capture of
// a virtual account's notice was found. Unknown: the names of the fields about
// cash receipts, which fields a cancel has, and whether USERNAME in a deposit is
// the depositor, as the reseller's guide says, or the buyer.
package daou

import (
	_ "embed" // for the guides
	"net/http"
	"net/netip"
	"time"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
)

// Module is PortOne's module "daou".
var Module = module{}

// A module is Kiwoom's module at PortOne. It holds no state.
type module struct{}

var _ provider.Provider = module{}

// The notice paths, as PortOne has them.
const (
	resultPath = "/daou_payments/notice_vbank" // 결과 통지
	issuePath  = "/daou_payments/result"       // 발행 통지
)

// Info describes the module.
func (m module) Info() provider.Info {
	return provider.Info{
		Code:    "daou",
		Name:    provider.Text{KO: "키움페이", EN: "Kiwoom Pay"},
		Admin:   "https://agent.kiwoompay.co.kr",
		Modules: "V1",
		Paths:   []string{resultPath, issuePath},
		Methods: []string{http.MethodGet, http.MethodPost},
		Charset: "EUC-KR",
		Fields: []provider.Field{{
			Name:   authKey,
			Label:  provider.Text{KO: "결제연동키", EN: "Authorization key (결제연동키)"},
			Secret: true,
		}},

		// Observed: a reseller's guide of that day, and the lists of public
		// shop modules.
		LiveSenders: liveSenders(),
		TestSenders: provider.Prefixes("123.140.121.205"),
		SendersAsOf: "2026-04-21",

		Class: provider.AddressOnly,
		Proves: provider.Text{
			KO: "서명도 비밀값도 없는 통보라서 내용을 증명하지 못해요. 발신 IP가 키움페이의 것이라는 점만 확인해요.",
			EN: "Nothing about the content: the notice has neither a signature nor a secret. Only the sender's address is checked.",
		},
		Resend: resends(),
		ResendNote: provider.Text{
			KO: "응답에 SUCCESS가 없으면 3분 간격으로 최대 10번 다시 보내요. 입금후취소 통보는 한 번만 보내요.",
			EN: "Every three minutes, ten times at most, until the answer says SUCCESS. Notices of a cancellation that was paid in first (입금후취소) are sent only once.",
		},
		Events: []payment.Event{
			payment.EventDeposited, payment.EventIssued, payment.EventCancelled,
			payment.EventApproved, payment.EventOther,
		},
		TestMIDs: testMIDs(),
	}
}

// liveSenders are 27.102.213.200 to 27.102.213.209.
func liveSenders() []netip.Prefix {
	return provider.Prefixes(
		"27.102.213.200", "27.102.213.201", "27.102.213.202", "27.102.213.203", "27.102.213.204",
		"27.102.213.205", "27.102.213.206", "27.102.213.207", "27.102.213.208", "27.102.213.209",
	)
}

func resends() []time.Duration {
	list := make([]time.Duration, 10)
	for i := range list {
		list[i] = 3 * time.Minute
	}
	return list
}

// testMIDs are shop ids for trials. Their authorization keys are not public.
func testMIDs() []provider.TestMID {
	source := provider.Text{KO: "공개된 쇼핑몰 모듈", EN: "public shop modules"}
	return []provider.TestMID{
		{MID: "CTS10273", Source: source},
		{MID: "CTS10616", Source: source},
		{MID: "CTS16654", Source: source},
	}
}

var (
	//go:embed guide.ko.md
	guideKO string
	//go:embed guide.en.md
	guideEN string
)

// Guide tells in Markdown how a merchant registers the two notice URLs in
// Kiwoom's admin: in English for "en", else in Korean. {{.NoticeURL}} stands for
// that of deposits (결과 통지), {{.SecondURL}} for that of issues (발행 통지).
func (m module) Guide(lang string) string {
	return provider.GuideText{KO: guideKO, EN: guideEN}.For(m.Info(), lang)
}
