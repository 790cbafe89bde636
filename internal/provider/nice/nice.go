// Package nice speaks the notices of 나이스페이먼츠 (NICE Payments): modules
// nice ([V1]) and nice_v2 ([V2]).
//
// # Two notices under one name
//
// Form A, 결제데이터통보, is what the admin site npg.nicepay.co.kr sends: a
// urlencoded form in EUC-KR by POST, its fields in any order, some of them
// missing, any byte of a value possibly percent-encoded (documented:
// developers.nicepay.co.kr/manual-noti.php, 2025-11; the escapes are
// observed). For virtual accounts only the deposit is sent: PayMethod=VBANK,
// ResultCode=4110, StateCd=0. Cancels (StateCd 1 or 2, a CancelDate, or code
// 2001 or 2211) are documented for card rows and only prepared for on VBANK.
// Rows of other methods come to the same URL if the merchant entered it there.
//
// Form B is the JSON webhook of start.nicepay.co.kr (documented:
// nicepayments/nicepay-manual api/hook.md, 2025-07): UTF-8, signed, and sent
// for issuing, deposit, cancels and failures alike. PortOne's set-up guide
// sends nice_v2 merchants to the npg page, so nice_v2 most likely gets form A
// (inferred); V2 reads both and tells them apart by what came. nice knows only
// form A.
//
// # Proof
//
// Form A has no signature. Observed and undocumented: the body may carry the
// merchant's own API key in clear, as MerchantKey; if it does, it must be the
// channel's. Form B carries the lower-case hex SHA-256 of tid, amount, ediDate
// and the secret key, which covers neither the order id nor the status.
//
// # Acknowledgement
//
// Status 200 and the two bytes "OK". Form B also wants Content-Type text/html
// and its official samples answer "ok". Anything else makes the gateway send
// again, as often as the merchant has set (PortOne: three times, a minute
// apart). Not covered: encrypted sending, whose format is not published, and
// notices over bare TCP.
//
// # Calls
//
// A channel belongs to one of NICE's two systems, by its credentials: with
// client_key and secret_key (nice_v2 alone) to start, else, with merchant_key,
// to npg. A payment is known in the system that made it and in no other.
//
// npg's web API takes forms in EUC-KR and answers JSON (documented:
// developers.nicepay.co.kr, 가상계좌 발급, 결제 조회 and 승인 취소, copies of
// 2025-11). Requests are signed with the lower-case hex SHA-256 of some fields
// and the merchant key. The caller makes the TID (layout observed).
//
//   - get_vacount.jsp issues; bulk_vacct_regist.jsp has an account of a bulk that
//     NICE handed over wait for money.
//   - trans_status.jsp tells 0 approved, 1 cancelled, 9 no approval, and a time:
//     no amount, no account, no parts. That approved means deposited is inferred:
//     NICE's notice of a deposit calls it so, its answer to an issue does not.
//     An account that is known and has no approval counts as waiting.
//   - cancel_process.jsp closes an account, or refunds to the buyer's account,
//     which has to go along once money came. Its answer may be signed.
//
// The start API speaks JSON with Basic authorization (documented:
// nicepayments/nicepay-manual api/cancel.md and api/status-transaction.md,
// 2025-07). It issues nothing. Its answers are form B's, and are signed as that
// is.
package nice

import (
	_ "embed" // for the guides
	"net/http"
	"net/netip"
	"time"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
)

// The modules. They differ in path, acknowledgement and whether form B is
// read.
var (
	V1 = module{code: "nice"}                // nice, 구모듈
	V2 = module{code: "nice_v2", json: true} // nice_v2, 신모듈
)

// A module is one of NICE's modules at PortOne.
type module struct {
	code string
	json bool // form B comes too
}

var _ provider.Provider = module{}

// The names of the credentials.
const (
	merchantKey = "merchant_key"
	clientKey   = "client_key"
	secretKey   = "secret_key"
)

// Info describes the module.
func (m module) Info() provider.Info {
	i := provider.Info{
		Code:    m.code,
		Name:    provider.Text{KO: "나이스페이먼츠 (구모듈)", EN: "NICE Payments (old module)"},
		Admin:   "https://npg.nicepay.co.kr",
		Modules: "V1",
		Paths:   []string{"/nice_payments/notice_vbank"},
		Methods: []string{http.MethodPost},
		Charset: "EUC-KR",
		Fields:  fields(),

		LiveSenders: senders(), TestSenders: senders(), // a test MID on the same hosts
		SendersAsOf: "2025-11-29",

		Class: provider.SharedSecret,
		Proves: provider.Text{
			KO: "통보에 MerchantKey가 들어 있으면 그 값이 이 채널의 상점 키와 같다는 것만 확인해요. NICE는 이 값을 자주 빼고 보내며, 그때 증거는 발신 IP뿐이에요. 금액과 상태는 증명되지 않아요.",
			EN: "If the notice carries a MerchantKey, that it is this channel's key, and no more. NICE often leaves it out; then the sender's address is the only evidence. Amount and state are not covered.",
		},
		Resend: []time.Duration{time.Minute, time.Minute, time.Minute},
		ResendNote: provider.Text{
			KO: "관리자 화면에서 정한 간격(1~10분)과 횟수(1~10회)로 OK를 받을 때까지 다시 보내요. 여기서는 포트원 안내대로 1분 간격 3회로 봐요.",
			EN: "Until it reads OK, at the interval (1–10 min) and count (1–10) set in the admin site. PortOne's setting is assumed here: every minute, three times.",
		},
		Events: []payment.Event{
			payment.EventDeposited, payment.EventCancelled, payment.EventIssued,
			payment.EventApproved, payment.EventOther,
		},
		TestMIDs: testMIDs(),
	}
	if m.json {
		describeV2(&i)
	}
	return i
}

// describeV2 changes what is different with nice_v2.
func describeV2(i *provider.Info) {
	i.Name = provider.Text{KO: "나이스페이먼츠 (신모듈)", EN: "NICE Payments (new module)"}
	i.Modules = "V1+V2"
	i.Forms = []string{formA, formB}
	i.Paths = []string{"/nicepay-v2"}
	i.Charset = "EUC-KR (form), UTF-8 (JSON)"
	i.Fields[0].Or = secretKey // npg has the one key, start the other
	i.Fields = append(i.Fields,
		provider.Field{Name: clientKey, Label: provider.Text{KO: "클라이언트 키 (start.nicepay API)", EN: "Client key (start.nicepay API)"}},
		provider.Field{Name: secretKey, Label: provider.Text{KO: "시크릿 키 (start.nicepay API, JSON 웹훅)", EN: "Secret key (start.nicepay API, JSON webhook)"}, Secret: true, Proof: true, Or: merchantKey},
	)
	// Documented for form B: common/preparations.md, 2025-07.
	webhooks := provider.Prefixes("121.133.126.86", "121.133.126.87")
	i.LiveSenders = append(i.LiveSenders, webhooks...)
	i.TestSenders = append(i.TestSenders, webhooks...)
	i.SendersAsOf = "2025-07-21"
	i.Proves = provider.Text{
		KO: "폼 통보: " + i.Proves.KO + " JSON 웹훅: 서명이 거래번호, 금액, 만든 시각을 증명하고, 주문번호와 상태는 증명하지 못해요.",
		EN: "Form notice: " + i.Proves.EN + " JSON webhook: the signature covers transaction id, amount and time of making, but neither the order id nor the status.",
	}
	i.ResendNote = provider.Text{
		KO: i.ResendNote.KO + " JSON 웹훅의 자동 재전송 주기는 공개되어 있지 않아요.",
		EN: i.ResendNote.EN + " How JSON webhooks are repeated is not published.",
	}
	i.Events = append(i.Events, payment.EventPartiallyCancelled, payment.EventFailed, payment.EventExpired)
}

func fields() []provider.Field {
	return []provider.Field{{
		Name:   merchantKey,
		Label:  provider.Text{KO: "상점 키 (MerchantKey)", EN: "Merchant key (MerchantKey)"},
		Secret: true, Inquiry: true, Proof: true,
	}}
}

// senders are the addresses of form A. Observed: gnuboard5 and the g7 plugin
// list the same three; the plugin takes them from the manual.
func senders() []netip.Prefix {
	return provider.Prefixes("121.133.126.10", "121.133.126.11", "211.33.136.39")
}

// testMIDs are ids whose keys anyone may use.
func testMIDs() []provider.TestMID {
	mid := func(mid, key string, source provider.Text) provider.TestMID {
		return provider.TestMID{MID: mid, Source: source, Credentials: map[string]secret.Text{merchantKey: secret.Text(key)}}
	}
	return []provider.TestMID{
		mid("nicepay00m", "EYzu8jGGMfqaDEp76gSckuvnaHHu+bC4opsSN6lHv3b2lurNYkVXrZ7Z1AoqQnXI3eLuaUFyoRNC6FkrzVjceg==",
			provider.Text{
				KO: "gnuboard/gnuboard5 shop/settle_nicepay.inc.php, MID는 나이스페이 매뉴얼",
				EN: "gnuboard/gnuboard5 shop/settle_nicepay.inc.php; the MID is in NICE's manual",
			}),
		mid("nictest00m", "33F49GnCMS1mFYlGXisbUDzVf2ATWCl9k3R++d5hDd3Frmuos/XLx8XhXpe+LDYAbpGKZYSwtlyyLOtS/8aD7A==",
			provider.Text{KO: "common-repository/woopay-nicepay의 테스트 모드", EN: "common-repository/woopay-nicepay, test mode"}),
		mid("nictest04m", "b+zhZ4yOZ7FsH8pm5lhDfHZEb79tIwnjsdA0FBXh86yLc6BJeFVrZFXhAoJ3gEWgrWwN+lJMV0W4hvDdbe4Sjw==",
			provider.Text{KO: "공개된 예제", EN: "public samples"}),
	}
}

//go:embed guide.ko.md
var guideKO string

//go:embed guide.en.md
var guideEN string

//go:embed webhook.ko.md
var webhookKO string

//go:embed webhook.en.md
var webhookEN string

// Guide tells in Markdown how a merchant registers the notice URL, which it
// calls {{.NoticeURL}}: in English for "en", else in Korean.
func (m module) Guide(lang string) string {
	guide := provider.GuideText{KO: guideKO, EN: guideEN}
	if m.json {
		guide.KO += "\n" + webhookKO
		guide.EN += "\n" + webhookEN
	}
	return guide.For(m.Info(), lang)
}
