// Package welcome speaks 웰컴페이먼츠 (Welcome Payments), as welcome of PortOne
// V1 ([Module]).
//
// # Three notices
//
// Form A is the notice of the merchant admin ("URL수신사용(일반)"), for accounts
// issued in the PC window. It tells of deposits (type_msg 0200) and of deposits
// that the bank took back (0400). Its fields are no_tid, no_oid and so on, as
// the PG's manual lists them in 2.6.1 (documented, 2022-01). No logged body was
// ever found: that bank codes are padded with zeros to eight characters, and
// that id_merchant, no_req_tid, amt_check and len may come along, is known of
// the PG whose window this one's derives from (inferred). None is required.
//
// Form B goes to the P_NOTI_URL that a mobile payment names. Its fields are
// P_STATUS, P_TID and so on (manual, mobile 2.8). P_STATUS 00 says that an
// account was issued (or that a card or another method was approved), 02 that
// money came in, 01 that it failed.
//
// Form C is the newer 거래알림 of any method, a form or JSON as the merchant
// chose. Its page is a draft that describes a single field, transType: 00
// approval, 01 cancel, 11 partial cancel, 02 deposit, 03 issue. What names its
// order, money or account is not published. So it is read as far as that, names
// no payment, moves nothing, and a person sees all its fields.
//
// The forms are told apart by their fields. New fields may come and move about
// (manual). The escrow notice (mobile 2.7.3) has no_tid too, but no type_msg:
// it is kept as another message. It is registered elsewhere and wants another
// answer.
//
// # Charset
//
// B is EUC-KR, and UTF-8 where the window was opened with P_CHARSET=utf8; C is
// what the merchant chose; of A nothing is said. No request tells which it is:
// package wire tells them apart by the bytes of the whole body.
//
// # The answer
//
// The two bytes "OK" and nothing around them (manual, for A and B). All else,
// or a status of 404 or 500, has the PG send the notice again: A ten times, at
// an unknown interval, B for a day about every ten minutes. C's answer is not
// published; resent up to twenty times.
//
// # Trust
//
// A and B are not signed: the sender's address is all there is, and which
// addresses send them is not published either. C's draft lists 118.130.130.26
// for tests and 118.129.171.152 and .153 for live; that A and B come from there
// is a guess. C has a Signature whose formula is not published. There is no
// public call that asks about a payment.
//
// # Calls
//
// PAYAPI's /cancel/cancel cancels the whole of a payment (manual, payapi 2.1),
// accounts among the methods that it names. Here it closes an account that waits;
// that it does so is inferred from the table and a sample with the TID of an
// issue. The signature is that of the sample page.
//
// Refunds are left out. PortOne wants bank, number, holder and phone for them,
// and the manual has no field for any, neither in the call above nor in
// /cancel/repay. Accounts are issued by API through PortOne, but by which call is
// not published.
//
// # Unknown
//
// The charset, the Content-Type and the extra fields of A, whether 0400 repeats
// the deposit's no_tid, how B tells of a deposit taken back, whether P_TID of B
// is the same for issue and deposit, the words of P_CSHR_TYPE, and of C all but
// transType.
package welcome

import (
	_ "embed" // the guides
	"net/http"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
)

var (
	//go:embed guide.ko.md
	guideKO string
	//go:embed guide.en.md
	guideEN string
)

// Module is PortOne's module "welcome".
var Module = module{}

// A module is the PG's one name at PortOne. It holds no state.
type module struct{}

var _ provider.Provider = Module

// testMID is the merchant id of the PG's older samples (observed).
const testMID = "welcometst"

// path is where PortOne receives the notices.
const path = "/welcome"

// Info describes the module.
func (m module) Info() provider.Info {
	return provider.Info{
		Code:    "welcome",
		Name:    provider.Text{KO: "웰컴페이먼츠", EN: "Welcome Payments"},
		Admin:   "https://wbiz.paywelcome.co.kr",
		Modules: "V1",
		Paths:   []string{path},
		Methods: []string{http.MethodPost},
		Charset: "EUC-KR / UTF-8 (mobile)",

		Fields: []provider.Field{
			{Name: signKey, Label: provider.Text{KO: "웹결제 signkey", EN: "Web payment signkey"}, Secret: true},
		},

		// No LiveSenders: the addresses of form C's draft are not known to send
		// A and B, and money must not hang on a guess. A wrong guess about the
		// test machine only has a test refused.
		TestSenders: provider.Prefixes("118.130.130.26"),

		Class: provider.AddressOnly,
		Proves: provider.Text{
			KO: "증명이 없어요. 웰컴페이먼츠의 입금통보에는 서명이 없고, 보내는 주소도 공개되어 있지 않아요. 채널의 비밀 주소(토큰)나 직접 넣은 주소 목록만 확인할 수 있어요.",
			EN: "Nothing: deposit notices are not signed, and the addresses they come from are not published. Only the channel's secret path (token) or its own address list speaks for them.",
		},

		// Form B's day of resends is documented, but form A's is what PortOne
		// has merchants set up, and of that only the count is.
		ResendNote: provider.Text{
			KO: "OK를 받을 때까지 다시 보내요. PC 통보는 10번(간격은 공개되지 않음), 모바일 통보는 24시간 동안 약 10분마다 보내요. 관리자시스템에서 직접 다시 보낼 수도 있어요.",
			EN: "Until it hears OK: PC notices 10 times (the interval is not published), mobile notices for 24 hours about every 10 minutes. The admin can also resend by hand.",
		},

		Events: []payment.Event{
			payment.EventDeposited, payment.EventReversed, payment.EventIssued,
			payment.EventApproved, payment.EventFailed,
		},
		Forms: []string{formA, formB, formBUTF8},

		// Today's are handed out on contract, keys and all.
		TestMIDs: []provider.TestMID{{MID: testMID, Source: provider.Text{
			KO: "paywelcome.github.io의 예전 예제 페이지", EN: "older sample pages of paywelcome.github.io",
		}}},
	}
}

// Guide returns the set-up guide in Korean, or in English if lang is "en". The
// notice URL stands in it as {{.NoticeURL}}.
func (m module) Guide(lang string) string {
	return provider.GuideText{KO: guideKO, EN: guideEN}.For(m.Info(), lang)
}
