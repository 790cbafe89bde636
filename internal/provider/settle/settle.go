// Package settle speaks the notices (노티) of 헥토파이낸셜 (Hecto Financial,
// formerly 세틀뱅크): PortOne's module "settle".
//
// # The notice
//
// A POST with a urlencoded form, its values in clear although the API of the
// same gateway encrypts amounts and account numbers. The charset is EUC-KR
// unless the merchant asked for UTF-8, and the request does not say which: the
// bytes of the whole form tell (wire.Form.Charset). What happened is told by two
// fields together:
//
//	outStatCd 0051  bizType A0, A4  an account was issued and waits for money
//	                                (A4: one whose number is a phone's, 010)
//	outStatCd 0021  bizType B1      money came in
//	outStatCd 0021  bizType A2      the account was closed before that (채번취소)
//	outStatCd 0021  bizType C0      paid money goes back (환불); cnclType 00 is
//	                                all of it, 10 a part
//
// Any other pair is kept and shown to a person, and so is B1 or A2 under
// another method. Many receivers look at outStatCd alone and would take a cancel
// for a deposit. Cancels (A2, C0) come only if the merchant asked for them. The
// notice of the issue may come before the API's answer or after it. Cards and
// other methods are told in the same form (method other than VA, bizType B0
// approved, C0 cancelled) where they have the same URL.
//
// trdNo names the transaction; whether the one of a deposit is that of its
// issue is not documented. orgTrdNo of a cancel points to what it cancels. An
// account for any number of deposits (고정무제한, acntType 3) has no notice of
// its issue, and its deposits bear the constant order number 0000000. The bank
// refuses a deposit of another amount for rotating accounts (acntType 1) only.
//
// # Proof
//
// pktHash is the lower-case hex SHA-256 of outStatCd, trdDtm, mchtId,
// mchtTrdNo, trdAmt and the merchant's hash key, as they are sent and with
// nothing between them. It covers neither bizType nor account nor depositor,
// and since there is nothing between the values, nor where the order number
// ends and the amount begins. The hash printed with the notice in the
// document does not follow this formula: it is an API request's.
//
// # Acknowledgement
//
// Status 200 and "OK" in capitals; the gateway's own receiver ends it with a
// line break. "FAIL", anything else or nothing has it send again, as often as
// the gateway has set for the merchant.
//
// # Calls
//
// The API of the same gateway takes JSON over POST: params, the head, and data,
// in which amounts and account numbers are encrypted (AES-256, ECB) and pktHash
// is over day, time, merchant id, order number and amount. All of it is
// documented (3, 5, 15, 17, 18, 38):
//
//	issue (채번)            rotating accounts, and fixed ones by their number;
//	                        accounts without limit have no order and are left out
//	cancel of an issue      by the trdNo and the account
//	refund (환불)           in whole or in part, by the trdNo; the answer
//	                        says that it was booked, the transfer takes 3 to 5 days
//	inquiry                 by order number, day and amount
//
// Cancels and refunds have an order number of their own (the gateway's sample:
// "not that of the original"). Whether their notices bear that or the order's is
// not documented, so it begins with the order's, and Decode knows it. An inquiry
// tells of a deposit (0000), of a refund with its sum (0001) and of a failure
// (0009), and nothing of when and by whom; what it answers for an account that
// waits is not documented. 0051 is read as that, since it means that elsewhere;
// ST06 is "no such trade". A deposit that only an inquiry told of therefore has
// no name. Escrow issues need a password of the buyer's, and are left out.
//
// # Sources
//
// The online document (develop.sbsvc.online/16/onlineDocList.do, undated; it
// tells of a change of 2025): documented. The hash: documented, and seen in
// the gateway's own JSP receiver. PortOne's guide for how a URL is registered:
// documented. That C0 means a cancel rather than the end of the refund
// transfer is inferred from cnclType. Unknown: count and interval of resends,
// and whether a deposit that the bank takes back is told at all. No notice is
// sent for an account that expires.
package settle

import (
	_ "embed" // for the guides
	"net/http"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
)

// Module is PortOne's module "settle".
var Module = module{}

// A module is the gateway's one module. It holds no state.
type module struct{}

var _ provider.Provider = module{}

// The names of the credentials.
const (
	hashKey = "hash_key" // 라이센스키, 해쉬 키
	aesKey  = "aes_key"  // 암호화 키
)

// The keys that everybody may use on the test servers (document, 5.2 and 5.4).
const (
	testHashKey secret.Text = "ST1009281328226982205"
	testAESKey  secret.Text = "pgSettle30y739r82jtd709yOfZ2yK5K"
)

// The test shops of which samples and made-up notices are.
const (
	testMID          = "nx_mid_il" // 회전식
	testMIDUnlimited = "nxva_fix2" // 고정무제한
)

// Info describes the module.
func (module) Info() provider.Info {
	return provider.Info{
		Code:    "settle",
		Name:    provider.Text{KO: "헥토파이낸셜", EN: "Hecto Financial"},
		Admin:   "https://nspay.settlebank.co.kr",
		Modules: "V1",
		Paths:   []string{"/settle_payments/notice_vbank"},
		Methods: []string{http.MethodPost},
		Charset: "EUC-KR / UTF-8",
		Fields:  fields(),

		// Document, 4.2.
		LiveSenders: provider.Prefixes("14.34.14.23", "61.252.169.24"),
		TestSenders: provider.Prefixes("61.252.169.22"),
		SendersAsOf: "2025",

		Class:      provider.FullMAC,
		Proves:     proves,
		ResendNote: resendNote,
		Events: []payment.Event{
			payment.EventDeposited, payment.EventIssued, payment.EventCancelled,
			payment.EventPartiallyCancelled, payment.EventApproved, payment.EventOther,
		},
		Forms:    []string{formUTF8},
		TestMIDs: testMIDs(),
		Letter: &provider.Letter{
			To:      []string{"settle_pgdev@settlebank.co.kr"},
			Subject: "[" + provider.MIDMark + "] 가상계좌 통보(노티) URL 등록 요청",
			Body: `안녕하세요.

헥토파이낸셜의 가상계좌를 사용하려고 합니다. 입금을 확인할 수 있도록 아래 MID에 가상계좌 통보(노티) URL을 등록해 주세요.

- MID: ` + provider.MIDMark + `
- 입금통보 URL: ` + provider.NoticeURLMark + `
- 노티 인코딩: EUC-KR (기본값)
- 취소 노티: 발송

등록이 끝나면 회신 부탁드립니다.
`,
		},
	}
}

var proves = provider.Text{
	KO: "해쉬(pktHash)가 맞으면 거래상태, 거래일시, 상점아이디, 주문번호, 금액을 해쉬 키를 아는 곳에서 만들었다는 뜻이에요. 입금과 취소를 가르는 업무구분, 계좌번호, 입금자명은 증명하지 못해요. 값을 구분 없이 이어 붙인 해쉬라서 주문번호와 금액의 경계도 증명하지 못해요. 그래서 발신 IP도 함께 확인해요.",
	EN: "That status, time, merchant id, order number and amount were written by someone who knows the hash key. Not covered: the kind of business that tells a deposit from a cancel, the account, the depositor, and, since the values are joined without separators, where the order number ends and the amount begins. So the sender's address is checked as well.",
}

var resendNote = provider.Text{
	KO: "OK를 받을 때까지 헥토파이낸셜이 상점에 설정한 횟수만큼 다시 보내요. 횟수와 간격은 공개되지 않았어요.",
	EN: "Sent again until it reads OK, as often as Hecto has set for the merchant. Neither count nor interval is published.",
}

func fields() []provider.Field {
	return []provider.Field{
		// The inquiry (APITrdcheck.do) is signed with this key and encrypts nothing.
		{Name: hashKey, Label: provider.Text{KO: "해쉬 키 (라이센스키)", EN: "Hash key (license key)"}, Secret: true, Inquiry: true, Proof: true},
		{Name: aesKey, Label: provider.Text{KO: "암호화 키 (AES)", EN: "Encryption key (AES)"}, Secret: true},
	}
}

func testMIDs() []provider.TestMID {
	const source = "develop.sbsvc.online/16/onlineDocList.do"
	mid := func(mid, ko, en string) provider.TestMID {
		return provider.TestMID{
			MID: mid, Source: provider.Text{KO: source + " (" + ko + ")", EN: source + " (" + en + ")"},
			Credentials: map[string]secret.Text{hashKey: testHashKey, aesKey: testAESKey},
		}
	}
	return []provider.TestMID{
		mid(testMID, "회전식", "rotating, 회전식"), mid("nxva_sb_il", "010", "010"), mid("nxva_fix", "고정식", "fixed, 고정식"),
		mid(testMIDUnlimited, "고정무제한", "fixed without end, 고정무제한"),
	}
}

var (
	//go:embed guide.ko.md
	guideKO string
	//go:embed guide.en.md
	guideEN string
)

// Guide tells in Markdown how a merchant has the notice URL registered, which
// it calls {{.NoticeURL}}: in English for "en", else in Korean.
func (m module) Guide(lang string) string {
	return provider.GuideText{KO: guideKO, EN: guideEN}.For(m.Info(), lang)
}
