// Package inicis speaks KG Inicis (KG이니시스), as html5_inicis of PortOne V1
// and inicis_v2 of V2. The two modules differ in their path only: the merchant
// ids, the admin site and the bytes are the same.
//
// # Two forms on one URL
//
// Form A is the notice of the merchant admin ("URL수신사용(일반)"), for
// accounts issued in the PC window or by API. It tells of deposits (type_msg
// 0200) and of deposits that the bank took back (0400). Its fields are no_tid,
// no_oid and so on; the first one, len, counts the bytes that follow it. Text
// is EUC-KR in percent escapes; UTF-8 is read as well, told by the bytes of the
// whole form. Values that are empty are one raw space; bank codes are padded with zeros to eight characters, amounts sometimes to
// thirteen. Sizes and meanings are from the PG's manual as quoted by public
// receivers; spaces, padding and len are from logged bodies (observed).
//
// Form B goes to the P_NOTI_URL that a mobile payment names. Its fields are
// P_STATUS, P_TID and so on, in EUC-KR unless the payment asked for UTF-8.
// P_STATUS 00 says that an account was issued (or that a card or another
// method was approved), 02 that money came in, 01 that it failed. Meanings are
// from the PG's sample code as published with gnuboard5; no complete logged
// notice of an account was found, so order and escapes of form B are less
// certain than those of form A.
//
// The forms are told apart by their fields. Whether V2 of PortOne ever sees
// form B for accounts is unknown; both modules read both.
//
// # Trust
//
// Neither form is signed: the sender's address is all there is. What a notice
// says can be checked with the PG's inquiry call (/v2/pg/inquiry).
//
// # Calls
//
// INIAPI v1 (forms, hashed with SHA-512) issues accounts, refunds them whole or
// in parts, and takes back an account that waits; v2 (JSON, likewise hashed)
// tells where a payment stands. Both modules make the same calls.
//
//   - Issue, /api/v1/formpay, and refunds, /api/v1/refund with paymethod Vacct:
//     fields and hashes as public clients quote the manual
//     (manual.inicis.com/iniapi); the encryption is checked with the vector of
//     the PG's FAQ. A refund needs the PG's refund service (환불특약).
//   - Close (채번취소), /api/v1/refund with paymethod GVacct, "before the deposit"
//     in the manual's list as three public clients copy it. One other sends Vacct
//     without a refund account; that word also refunds, so it is not used here.
//   - Inquiry, /v2/pg/inquiry: its fields are in a logged client of 2024, its words
//     for a state in clients of 2026 (manual.inicis.com/pay/etc-inquiry.html); those
//     for accounts are in one of them only. It does not name the deposit. v1's
//     inquiry (/api/v1/extra) is said to be out of service.
//
// Not known: the codes of refusals, but for 500626 of v2; which of the two TIDs a
// refund wants; whether clientIp is compared with anything; what DEPOSIT_CANCELED
// means. Accounts of escrow and fixed ones are not issued by API.
//
// # Unknown
//
// The Content-Type of notices, a live example of 0400 and whether it repeats
// the deposit's no_tid, and how form B tells of a deposit taken back.
package inicis

import (
	_ "embed" // the guides
	"net/http"
	"time"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
)

var (
	//go:embed guide.ko.md
	guideKO string
	//go:embed guide.en.md
	guideEN string
)

// V1 is html5_inicis, the module of PortOne V1. V2 is inicis_v2, the one of
// PortOne V2.
var (
	V1 = module{code: "html5_inicis", version: "V1", path: "/inicis_payments/notice_vbank"}
	V2 = module{code: "inicis_v2", version: "V2", path: "/inicis-v2"}
)

// A module is one of the PG's two names at PortOne.
type module struct{ code, version, path string }

var (
	_ provider.Provider = V1
	_ provider.Provider = V2
)

// Info describes the module.
func (m module) Info() provider.Info {
	return provider.Info{
		Code:    m.code,
		Name:    provider.Text{KO: "KG이니시스", EN: "KG Inicis"},
		Admin:   "https://iniweb.inicis.com",
		Modules: m.version,
		Paths:   []string{m.path},
		Methods: []string{http.MethodPost},
		Charset: "EUC-KR / UTF-8 (form B)",

		Fields: []provider.Field{
			{Name: "signkey", Label: provider.Text{KO: "웹결제 signkey", EN: "Web payment signkey"}, Secret: true},
			{Name: fieldKey, Label: provider.Text{KO: "INIAPI key", EN: "INIAPI key"}, Secret: true, Inquiry: true},
			// The vector is for refund accounts and receipts: an inquiry encrypts nothing.
			{Name: fieldVector, Label: provider.Text{KO: "INIAPI IV", EN: "INIAPI IV"}, Secret: true},
			{Name: fieldClientIP, Label: provider.Text{KO: "INIAPI를 부르는 서버 IP", EN: "Address that INIAPI is called from"}},
			{Name: fieldSite, Label: provider.Text{KO: "쇼핑몰 주소", EN: "The shop's address"}},
			{Name: "hash_key", Label: provider.Text{KO: "모바일 hashKey", EN: "Mobile hashKey"}, Secret: true},
		},

		// The PG runs its test merchant ids on the machines of the live ones.
		LiveSenders: provider.Prefixes(senders[:]...),
		TestSenders: provider.Prefixes(senders[:]...),
		SendersAsOf: "2026",

		Class: provider.AddressOnly,
		Proves: provider.Text{
			KO: "증명이 없어요. 이니시스 통보에는 서명이 없어서 발신 IP만 확인할 수 있어요. 금액과 상태는 INIAPI 조회로 확인하세요.",
			EN: "Nothing: notices are not signed, so only the sender's address speaks for them. Confirm amount and state with the INIAPI inquiry.",
		},

		Resend: resend(),
		ResendNote: provider.Text{
			KO: "OK를 받을 때까지 약 10분 간격으로 10번, 24시간 안에 다시 보내요(관찰). 가맹점관리자에서 직접 다시 보낼 수도 있어요.",
			EN: "Until it hears OK: about every 10 minutes, 10 times, within 24 hours (observed). The merchant admin can also resend by hand.",
		},

		Events: []payment.Event{
			payment.EventDeposited, payment.EventReversed, payment.EventIssued,
			payment.EventApproved, payment.EventFailed,
		},
		Forms:    []string{formA, formB},
		TestMIDs: testMIDs(),
	}
}

// Guide returns the set-up guide in Korean, or in English if lang is "en". The
// notice URL stands in it as {{.NoticeURL}}.
func (m module) Guide(lang string) string {
	return provider.GuideText{KO: guideKO, EN: guideEN}.For(m.Info(), lang)
}

// senders are the addresses of PC and mobile notices. Lists by gnuboard5
// (settle_inicis_common.php with labels, INIpay PRO noti.php of 2026) and by
// the PG's plugin vendors differ; these are in the current ones. Left out,
// since only older lists have them: 211.219.96.165 (mobile), 203.238.37.32
// (escrow), 203.238.37.3, .16 and .25 (TX servers). Some sample code compared
// no more than the networks 203.238.37, 39.115.212 and 183.109.71. A channel
// may set its own list.
var senders = [...]string{"203.238.37.15", "39.115.212.9", "183.109.71.153", "118.129.210.25"}

// resend is the schedule that integrators quote from the PG's manual
// (manual.inicis.com/pay/etc-noti.html), which we have not read ourselves.
func resend() []time.Duration {
	out := make([]time.Duration, 10)
	for i := range out {
		out[i] = 10 * time.Minute
	}
	return out
}

// testMIDs are published in the PG's INIAPI manual; the mobile key is in
// public integrations.
func testMIDs() []provider.TestMID {
	source := provider.Same("https://manual.inicis.com/iniapi/")
	return []provider.TestMID{
		{MID: "INIpayTest", Source: source, Credentials: map[string]secret.Text{
			"signkey":   "SU5JTElURV9UUklQTEVERVNfS0VZU1RS",
			fieldKey:    "ItEQKi3rY7uvDS8l",
			fieldVector: "HYb3yQ4f65QL89==",
			"hash_key":  "3CB8183A4BE283555ACC8363C0360223",
		}},
		{MID: "iniescrow0", Source: source, Credentials: map[string]secret.Text{
			"signkey":   "SU5JTElURV9UUklQTEVERVNfS0VZU1RS",
			fieldKey:    "yERbIlJ3NhTeObsA",
			fieldVector: "tOGDXbfoajk2DQ==",
		}},
	}
}
