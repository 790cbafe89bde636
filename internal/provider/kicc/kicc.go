// Package kicc speaks the notices (노티) of 이지페이, the gateway of KICC
// 한국정보통신: PortOne's module "kicc" ([Module]).
//
// # Two notices under one URL
//
// The old form, "easypay_noti" of the EP7 to EP9 modules, is what kicc's
// merchants get: a urlencoded form in EUC-KR by POST (one that is plainly UTF-8
// is read as that), its names in lower case with underscores. Its names and kinds are observed in KICC's sample page and
// in receivers in production; no complete capture is public, and its lengths
// are not known for certain.
//
// The new form belongs to the REST API ("webpay"): a flat JSON object in UTF-8
// by POST, its names in camel case, its values strings (documented:
// docs.kicc.co.kr, page "노티(웹훅)", renewed 2025-10). A body that begins with a
// brace, or says that it is JSON, is of the new form.
//
// Both say the same under different names. What happened is a number of two
// digits:
//
//	10  approved; of a virtual account: issued
//	20  changed: cancelled or refunded, in whole or in part
//	30  money came in
//	31  the bank took the money back; merchants must handle it
//	40  escrow: the state changed; ES04 is a deposit
//	50  the refund transfer (지결환불) is done
//	51  the refund transfer is impossible; the one notice of a failure
//	70  a UnionPay card payment
//
// 31, 50, 51 and 70 are documented for the new form only. Whether the old one
// has them is unknown: there they move nothing and are shown to a person. So
// is a notice whose number and state contradict each other, and one of 20 that
// does not tell the whole from a part. The escrow states besides ES04 move
// nothing; those of cancels and refunds are shown to a person.
//
// # Names
//
// In a deposit's notice the transaction number (cno, pgCno) is the deposit's
// own and tlf_sno, tlfSno the (documented for the new form). Observed:
// a receiver of the old form compares cno with the number. So a number
// that may be the names no deposit, and neither does that of an old
// form without tlf_sno: account, amount and time then tell which deposit it is,
// as they do when the same deposit is told in the other form.
//
// In a cancel's or refund's notice the number is the original's, and cancelPgCno
// names the cancellation; the old form has a sequence number, mgr_seqno. Since
// one cancellation has another number in each form, whether it is of all or of a
// part, its time (canc_date, cancelDate) and its sum name the message. mgr_seqno
// is not the number that the REST API answers with either: amount and time tell
// whether a part is the one that was asked for there. A part
// whose time is not told to the second is named by its number, and shown to a
// person. Two of the same sum in the same second are taken for one.
//
// Banks are KFTC's codes, of three digits by the documents and of two in their
// samples. Accounts that Shinhan issues carry 026.
//
// # Acknowledgement
//
// The old form wants res_cd=0000, the byte 0x1F and res_msg=SUCCESS; receivers
// in production are seen to send "^" for the byte. The new one wants a JSON
// object with resCd 0000. Anything else makes KICC send again: documented for
// the new form as every three minutes, ten times; unknown for the old.
//
// # Authenticity
//
// There is no signature in either form. What remains is the sender's address.
// The list of the documents is in Info; an older mall also has 203.233.72.14
// and .158, which are not trusted by default.
//
// KICC answers inquiries (POST /api/trades/retrieveTransaction), but they
// confirm no deposit: they ask by the merchant's own number of the request
// that issued the account, which no notice has, on that day and the next only.
// They need no key either. So no credential is marked as an inquiry's.
//
// # Calls
//
// With the secret key of the REST API, revise closes accounts that wait
// (reviseTypeCode 40) and asks for refunds (지결환불: 60 for all of it, 62 for a
// part, 61 with ES05 for escrow), named by the number, which notices
// tell; all of it is documented (docs.kicc.co.kr, 결제취소, 결제환불, 에스크로
// 상태변경). msgAuthValue is the hex HMAC-SHA-256 of pgCno, "|" and the request's
// own number, which is KICC's key for repeated requests. A refund is made on the
// next business day, and a notice (50, 51) tells its end. Refunds at once (63)
// are another contract and are not asked for. Accounts are issued in KICC's
// window alone. What the test server does is disputed (observed: notes of an
// integrator say that it wants another path and no signature).
package kicc

import (
	_ "embed" // for the guides
	"net/http"
	"time"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
)

// Module is PortOne's module "kicc". It reads both forms.
var Module = module{}

// A module holds no state.
type module struct{}

var _ provider.Provider = module{}

var (
	//go:embed guide.ko.md
	guideKO string
	//go:embed guide.en.md
	guideEN string
)

// Guide tells in Markdown how the notice URL, which it calls {{.NoticeURL}}, is
// registered with KICC: in English for "en", else in Korean.
func (module) Guide(lang string) string {
	if lang == "en" {
		return guideEN
	}
	return guideKO
}

// Info describes the module.
func (module) Info() provider.Info {
	return provider.Info{
		Code:    "kicc",
		Name:    provider.Text{KO: "이지페이 (KICC)", EN: "EasyPay (KICC)"},
		Admin:   "https://office.easypay.co.kr",
		Modules: "V1",
		Paths:   []string{"/kicc_payments/notice_vbank"},
		Methods: []string{http.MethodPost},
		Charset: "EUC-KR (form), UTF-8 (JSON)",
		Fields: []provider.Field{{
			// For signing cancels and refunds of the REST API. Notices
			// need none, and neither does an inquiry: see the package comment.
			Name:   secretKey,
			Label:  provider.Text{KO: "시크릿 키 (REST API)", EN: "Secret key (REST API)"},
			Secret: true,
		}},

		// docs.kicc.co.kr, page "노티(웹훅)"; the date is that of its renewal.
		LiveSenders: provider.Prefixes("203.233.72.150", "203.233.72.151", "61.33.211.180"),
		TestSenders: provider.Prefixes("61.33.205.151"),
		SendersAsOf: "2025-10-15",

		Class: provider.AddressOnly,
		Proves: provider.Text{
			KO: "서명이 없는 통보라서 내용을 증명하지 못해요. 발신 IP가 KICC의 것이라는 것만 확인해요.",
			EN: "Nothing about the content: KICC signs no notices. Only the sender's address is checked.",
		},
		Resend: resend(),
		ResendNote: provider.Text{
			KO: "JSON 노티는 성공 응답을 받을 때까지 3분 간격으로 최대 10번 다시 보내요. 옛 폼 노티의 주기는 공개되지 않아 같다고 봐요. 그 뒤에는 관리자 화면에서 직접 다시 보낼 수 있어요.",
			EN: "JSON notices are sent again every 3 minutes until one is answered with success, ten times at most. For the old form nothing is published; the same is assumed. After that they can be resent by hand in the admin site.",
		},
		Events: []payment.Event{
			payment.EventDeposited, payment.EventReversed, payment.EventIssued, payment.EventCancelled,
			payment.EventPartiallyCancelled, payment.EventRefunded, payment.EventRefundFailed,
			payment.EventApproved, payment.EventOther,
		},
		Forms: []string{formJSON},
		// The secret keys of the test MIDs are not published.
		Letter: &provider.Letter{
			To:      []string{"easypay_cs@kicc.co.kr"},
			Subject: "[" + provider.MIDMark + "] 가상계좌 입금통보(노티) URL 등록 요청",
			Body: `안녕하세요.

아래 가맹점 ID에 가상계좌 입금통보(노티) URL을 등록해 주세요.

- 가맹점 ID: ` + provider.MIDMark + `
- 입금통보 URL: ` + provider.NoticeURLMark + `
- 받을 통보: 승인(10), 변경(20), 입금(30), 입금취소(31), 에스크로(40), 환불완료(50), 이체불능(51)

저장된 주소를 회신으로 확인해 주시면 감사하겠습니다.
`,
		},
		TestMIDs: []provider.TestMID{
			{MID: "T5102001", Source: provider.Same("docs.kicc.co.kr (REST)")},
			{MID: "T0010143", Source: provider.Text{KO: "KICC의 예전 모듈 예제", EN: "KICC's sample of the old module"}},
		},
	}
}

func resend() []time.Duration {
	delays := make([]time.Duration, 10)
	for i := range delays {
		delays[i] = 3 * time.Minute
	}
	return delays
}
