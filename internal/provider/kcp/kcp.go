// Package kcp speaks NHN KCP's deposit notice (공통통보, now 웹훅), which is the
// same for both of PortOne's modules: V1 ("kcp", the pp_cli era) and V2
// ("kcp_v2", REST with a service certificate). They differ in path, in the site
// key, and in the admin's label for the URL.
//
// # The notice
//
// A POST with a urlencoded form. Its charset is a setting of the site in KCP's
// admin, EUC-KR unless changed, and the request does not say which: strict
// UTF-8 is tried over the whole form, then CP949. Field tx_cd tells the kind:
//
//	TX00  virtual account: op_cd 13 is a deposit that the bank took back
//	      (망취소), every other op_cd is a deposit (seen: 50 usual, 01 resent,
//	      18 from the test admin)
//	TX01  the refund of a virtual account was paid out
//	TX02  escrow: purchase confirmed or refused    TX05  escrow: cancelled at once
//	TX03  escrow: delivery began                   TX06  escrow: cancelled
//	TX04  escrow: settlement held back             TX07  the issued account was closed
//	TX08  mobile account transfer
//
// All of them come to one URL. Issuing an account sends nothing. The amount
// paid in may be any: KCP reports and settles what came, and refunds no
// difference. A deposit made before a URL was registered is never told.
//
// tno names the payment, noti_id the deposit: a resend repeats it, and so does
// the reversal of that deposit (observed in a public receiver's tests, not on
// live traffic). The reversal may arrive before its deposit.
//
// # The answer
//
// A page with a form input called result. 0000 ends the matter, any other
// value has KCP send the notice again; how often and when is not published (a
// vendor's comment says ten times at most).
//
// # Authenticity
//
// There is no signature. A field noti_hash exists, but its formula is not
// published; it is kept and not relied on. What remains is the sender's
// address. KCP's list as of 2026-09-10 is in Info. Lists before it had, live,
// 203.238.36.58, .160, .161, .173, .178 and 103.215.145.30, and, for tests,
// 210.122.73.58; they are not trusted by default.
//
// # Calls
//
// Both modules call KCP's REST API, UTF-8 JSON, which takes the same site codes
// once a service certificate was issued. The certificate goes along in one line
// and is all that an issue needs; a cancel is signed with the private key, over
// site code, transaction and kind joined by ^, with SHA256withRSA (documented:
// developer.kcp.co.kr, 표준결제 and 거래취소).
//
//   - Issue, POST /gw/hub/v1/payment with pay_method VCNT: observed in two
//     public clients. Success is V000. Fixed accounts are issued by pp_cli only.
//   - Refund, POST /gw/mod/v1/cancel: path, signature and STSC/STPC for cards
//     are documented. For virtual accounts pp_cli has STHD and STPD with the
//     buyer's account (observed); that REST takes them too is not verified. It
//     is tried, since a kind that KCP does not know should be refused, not done.
//
// Left out: closing an account that waits. pp_cli knows that for escrow alone
// (STE5), and STSC might cancel money that came meanwhile without sending it
// back. Left out too: the inquiry /std/inquery, since neither its pay_type for
// virtual accounts nor what it answers of one is published. So an issue whose
// answer was lost stays unclear, and a refund until TX01 comes.
//
// # Sources
//
// KCP's manual of the common notice page (2021) and of the webhook in its
// developer centre (developer.kcp.co.kr, read 2026-09), the comments in KCP's
// sample receiver as shipped with gnuboard5, PortOne's guide for the admin's
// labels: documented. op_cd 01 and 18, ipgm_stat, cash_a_dt, ordr_idxx and the
// shared noti_id: observed in public receivers. Unknown: the request's
// Content-Type, the field lists of TX01 and TX04 to TX08 beyond what is read
// here, the resend interval.
package kcp

import (
	_ "embed"
	"strings"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
)

// V1 is PortOne's module "kcp". KCP's API of that era is a binary that the
// merchant installs; with a service certificate its site codes can use V2's.
var V1 = module{code: "kcp", generation: "V1", path: "/kcp_payments/notice_vbank"}

// V2 is PortOne's module "kcp_v2".
var V2 = module{code: "kcp_v2", generation: "V2", path: "/kcp-v2"}

// A module is one of KCP's two modules. It holds no state.
type module struct {
	code       string
	generation string
	path       string
}

var (
	//go:embed guide.ko.md
	guideKO string
	//go:embed guide.en.md
	guideEN string
)

// Guide returns the guide for registering the notice URL in KCP's admin, as
// Markdown: in English for "en", else in Korean. {{.NoticeURL}} stands for the
// URL.
func (m module) Guide(lang string) string {
	// PortOne's guides name the input differently for the two modules.
	label := "변경 결제결과URL"
	if m.generation == "V2" {
		label = "웹훅 URL"
	}
	guide := provider.GuideText{KO: guideKO, EN: guideEN}.For(m.Info(), lang)
	return strings.ReplaceAll(guide, "{{.URLLabel}}", label)
}

// Info describes the module.
func (m module) Info() provider.Info {
	i := provider.Info{
		Code:    m.code,
		Name:    provider.Text{KO: "NHN KCP", EN: "NHN KCP"},
		Admin:   "https://partner.kcp.co.kr",
		Modules: m.generation,
		Paths:   []string{m.path},
		Methods: []string{"POST"},
		Charset: "UTF-8 / EUC-KR",

		// Developer centre, page "Webhook" (2026-09-10).
		LiveSenders: provider.Prefixes("103.215.144.173", "103.215.144.174", "210.122.72.173"),
		TestSenders: provider.Prefixes("210.122.176.144"),
		SendersAsOf: "2026-09-10",
		Class:       provider.AddressOnly,
		Proves:      proves,
		ResendNote:  resendNote,
		Events:      events(),
		Forms:       []string{formEUCKR},
		Fields:      fieldsV1(),
		TestMIDs:    testMIDsV1(),
	}
	if m.generation == "V2" {
		i.Name = provider.Text{KO: "NHN KCP (신모듈)", EN: "NHN KCP (new module)"}
		i.Fields, i.TestMIDs = fieldsV2(), testMIDsV2()
	}
	return i
}

var proves = provider.Text{
	KO: "서명이 없는 통보라서 내용을 증명하지 못해요. 발신 IP가 KCP의 것이라는 점만 확인해요.",
	EN: "Nothing about the content: KCP signs no notices. Only the sender's address is checked.",
}

var resendNote = provider.Text{
	KO: "응답의 result가 0000이 아니면 다시 보내요. 간격은 공개되지 않았고, 최대 10번이라는 기록이 있어요.",
	EN: "Sent again until the answer's result is 0000. The interval is not published; one vendor notes ten times at most.",
}

func events() []payment.Event {
	return []payment.Event{
		payment.EventDeposited, payment.EventReversed, payment.EventRefunded,
		payment.EventCancelled, payment.EventOther,
	}
}

// The names of the credentials.
const (
	siteKey            = "site_key"
	siteCert           = "site_cert"
	privateKeyText     = "private_key"
	privateKeyPassword = "private_key_password"
)

func fieldsV1() []provider.Field {
	return append([]provider.Field{
		{Name: siteKey, Label: provider.Text{KO: "사이트 키", EN: "Site key"}, Secret: true},
	}, fieldsV2()...)
}

// fieldsV2 has no field for an inquiry, since there is none. The certificate is
// a secret: who has it issues accounts, unsigned.
func fieldsV2() []provider.Field {
	return []provider.Field{
		{Name: siteCert, Label: provider.Text{KO: "서비스 인증서 (PEM)", EN: "Service certificate (PEM)"}, Secret: true},
		{Name: privateKeyText, Label: provider.Text{KO: "개인키 (PKCS#8 PEM)", EN: "Private key (PKCS#8 PEM)"}, Secret: true},
		{Name: privateKeyPassword, Label: provider.Text{KO: "개인키 비밀번호", EN: "Private key password"}, Secret: true},
	}
}

// testMIDsV1 are the site codes and keys that KCP prints in its samples.
func testMIDsV1() []provider.TestMID {
	source := provider.Text{KO: "KCP 예제 코드", EN: "KCP's sample code"}
	escrow := provider.Text{KO: source.KO + " (에스크로)", EN: source.EN + " (escrow)"}
	return []provider.TestMID{
		{MID: "T0000", Source: source, Credentials: map[string]secret.Text{siteKey: "3grptw1.zW0GSo4PQdaGvsF__"}},
		{MID: "T0007", Source: escrow, Credentials: map[string]secret.Text{siteKey: "4Ho4YsuOZlLXUZUdOxM1Q7X__"}},
	}
}

// testMIDsV2 has the password only: certificate and key are a download in the
// developer centre.
func testMIDsV2() []provider.TestMID {
	return []provider.TestMID{{
		MID: "T0000", Source: provider.Same("developer.kcp.co.kr"),
		Credentials: map[string]secret.Text{privateKeyPassword: "changeit"},
	}}
}
