// Package smartro speaks the notices of 스마트로 (Smartro): module smartro_v2
// ([V2]), the one of smartropay.co.kr.
//
// # One URL, two settings
//
// The admin site smilebiz.co.kr sends a form by POST (method and form:
// observed) for each row of 결제 데이터 통보 in which the merchant has entered a
// URL. PortOne's guide has the same URL entered in the rows 가상계좌 and 환불
// (documented), so deposits and refund transfers arrive side by side. Each row
// has a type and a charset of its own, and all four combinations are read:
//
//	신통보  names such as Mid, Tid, Moid; what PortOne's guide asks for
//	구통보  names such as MID, TID, OID, state_cd; the admin site's default
//
// Text is UTF-8 as PortOne's guide asks, or EUC-KR, the default. Whether the
// request says which is unknown: the bytes of the whole form tell
// (wire.Form.Charset).
//
// Of 신통보 only the first seven names are documented (PayMethod to GoodsName).
// The others are inferred from the answers of the module's API, so names are
// matched in any case and under both types' spellings. No real body was found
// in public sources. What ResultCode means is documented for 구통보 and for the
// API:
//
//	4100  an account was issued (채번); this is told too and is no deposit
//	4110  deposited
//	2001  cancelled: an account that nobody paid was closed
//	      (of a part if PartialCancelCode is 1, which the API's requests have:
//	      inferred, and a person sees it; without it a CancelAmt that is not Amt
//	      is the sum)
//	2211  refunded: the transfer that gives a deposit back is done
//	2013  was cancelled before
//
// StateCd is 0, or 1 or 2 for a cancel before or after purchase. That 2211 is
// what row 환불 sends, with the deposit's transaction in OTid, is inferred; the
// other fields of that notice are unknown and are kept as they come. Rows of
// other methods may come to the same URL.
//
// Nobody publishes whether a deposit repeats the transaction id of its issue or
// has its own with the in OTid: the notice names OTid where there is
// one, else Tid. The depositor's name is in no source, and none is read:
// BuyerName is who ordered. Expiry is not told.
//
// # Proof
//
// Payment answers of the API carry SignValue, a hash over transaction id,
// result code and the merchant's key: Base64 of SHA-256, in the old module
// Base64 of MD5 in hex (observed). Whether 신통보 has it, and in which form, is
// not confirmed; a notice without it is not refused. It never covers amount,
// order or account.
//
// # Acknowledgement
//
// Status 200 and a body with "OK" (the PG's own sample prints it in a page, an
// intermediary answers the two bytes alone). Else the notice is sent again as
// often as the merchant has set; a daemon that wakes each minute sends it.
//
// # Calls
//
// The API takes JSON whose content is encrypted with the merchant's key
// (documented; AES-256 in CBC: observed in the PG's sample code). An account is
// issued by vacct.do, with names that are documented but for those of a cash
// receipt's parts (observed); a number that Smartro handed over is asked for as
// 일괄채번. cancel.do closes an account that nobody paid: documented, its hash
// observed. It wants the password that the admin site has for cancels. Refunds
// of deposits are a service of their own whose fields nobody publishes, and an
// inquiry wants a TrAuthKey that only a payment window hands out: neither is
// here. So an issue or a close whose answer was lost is settled by its notice.
//
// # Sources
//
// manual.smartropay.co.kr in excerpts, PortOne's guide for the admin site, the
// PG's sample receivers of 2017 and 2018: documented. Public integrations:
// observed. Unknown besides the above: the API of refunds, the table of bank
// codes (PortOne maps them to KFTC's), and an inquiry that a notice gives
// enough for.
package smartro

import (
	_ "embed" // for the guides
	"net/http"
	"time"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
)

// V2 is smartro_v2, 신모듈. The old module is not spoken here, but its type of
// notice is, since the admin site has it as the default.
var V2 = module{}

// A module is Smartro's module. It holds no state.
type module struct{}

var _ provider.Provider = module{}

// merchantKey is the name of the credential that notices and calls share.
const merchantKey = "merchant_key"

// Info describes the module.
func (module) Info() provider.Info {
	return provider.Info{
		Code:    "smartro_v2",
		Name:    provider.Text{KO: "스마트로 (신모듈)", EN: "Smartro (new module)"},
		Admin:   "https://www.smilebiz.co.kr",
		Modules: "V1+V2",
		Paths:   []string{"/smartro-v2"},
		Methods: []string{http.MethodPost},
		Charset: "UTF-8 / EUC-KR",

		Fields: []provider.Field{{
			Name:   merchantKey,
			Label:  provider.Text{KO: "상점 키 (MerchantKey)", EN: "Merchant key (MerchantKey)"},
			Secret: true, Proof: true,
		}, {
			Name:   cancelPassword,
			Label:  provider.Text{KO: "취소 비밀번호 (CancelPwd)", EN: "Cancel password (CancelPwd)"},
			Secret: true,
		}},

		// The manual has two editions, neither dated: one names .215, the other
		// .216 and .217.
		LiveSenders: provider.Prefixes("211.193.35.215", "211.193.35.216", "211.193.35.217"),
		TestSenders: provider.Prefixes("211.193.35.11"),
		SendersIn:   "manual.smartropay.co.kr",

		Class: provider.PartialMAC,
		Proves: provider.Text{
			KO: "통보에 SignValue가 있으면 거래번호와 결과 코드가 상점 키로 서명되었다는 것만 확인해요. 금액, 주문번호, 계좌, 상태는 증명되지 않아요. 신통보에 SignValue가 오는지는 확인되지 않았고, 없으면 증거는 발신 IP뿐이에요.",
			EN: "If the notice carries a SignValue, that transaction id and result code were signed with the merchant key. Amount, order id, account and state are not covered. Whether notices carry it is not confirmed; without it the sender's address is the only evidence.",
		},
		Resend: []time.Duration{time.Minute, time.Minute, time.Minute, time.Minute, time.Minute},
		ResendNote: provider.Text{
			KO: "관리자 화면에서 정한 간격과 횟수(1~10회)로 OK를 받을 때까지 다시 보내고, 매번 1분까지 더 늦을 수 있어요. 여기서는 포트원 안내대로 1분 간격 5회로 봐요.",
			EN: "Until it reads OK, at the interval and count (1–10) set in the admin site, each time up to a minute later. PortOne's setting is assumed here: every minute, five times.",
		},
		Events: []payment.Event{
			payment.EventDeposited, payment.EventIssued, payment.EventRefunded,
			payment.EventCancelled, payment.EventPartiallyCancelled, payment.EventApproved, payment.EventOther,
		},
		Forms:    []string{formEUCKR, formOld, formOldEUCKR},
		TestMIDs: testMIDs(),
	}
}

// testMIDs are ids whose keys anyone may use.
func testMIDs() []provider.TestMID {
	mid := func(mid, key string) provider.TestMID {
		return provider.TestMID{
			MID: mid, Source: provider.Text{KO: "공개된 곳이 많은 스마트로 예제 코드", EN: "Smartro's sample code, in many public copies"},
			Credentials: map[string]secret.Text{merchantKey: secret.Text(key)},
		}
	}
	return []provider.TestMID{
		mid("SMTPAY001m", "0/4GFsSd7ERVRGX9WHOzJ96GyeMTwvIaKSWUCKmN3fDklNRGw3CualCFoMPZaS99YiFGOuwtzTkrLo4bR4V+Ow=="),
		mid("SMTPAY002m", "nja3kmcUhyD8hQIS51wxFYCYXEWP530/qWB1/LjLPGNch9KeOPtnWYgLghLBUFOUShq4g3uYTMwL9f8164XLOw=="),
	}
}

//go:embed guide.ko.md
var guideKO string

//go:embed guide.en.md
var guideEN string

// Guide tells in Markdown how a merchant registers the notice URL, which it
// calls {{.NoticeURL}}: in English for "en", else in Korean.
func (m module) Guide(lang string) string {
	return provider.GuideText{KO: guideKO, EN: guideEN}.For(m.Info(), lang)
}
