// Package kpn speaks the deposit notice (입금통보, called 백노티) of
// 한국결제네트웍스 (KPN, once TGCORP, then First Data Korea), module kpn, which
// PortOne has in V2 only.
//
// # The notice
//
// A POST with a urlencoded form of six fields: MxIssueNO (the merchant's order
// number; note the capital NO), MxIssueDate (when the merchant says it made the
// order, yyyyMMddHHmmss, not when money came), Amount, ReplyCode, ReplyMessage
// and MxHASH256. ReplyCode tells what happened:
//
//	00003000  money came in
//	00003100  the bank took it back (입금취소)
//	00004000  an account was issued (observed; not in KPN's newest sample)
//	others    a deposit failed (입금실패); KPN's sample acknowledges it too
//
// A failed deposit changes nothing here and is shown to a person: what its
// codes are is unknown.
//
// Neither account, bank, depositor nor time of the deposit is among the six;
// whether KPN sends more is unknown. What else comes is kept by its name, but
// for vactno: KPN's API calls the account number so, and a notice that has it
// would mean the same (inferred).
//
// The older form, DBPATH, adds MSTR, MSTR2, Smode, TxNO, CcCode, Installment
// and BkCode, and has MxHASH in place of MxHASH256. It tells of every method
// under one ReplyCode: Smode 2601 is a virtual account, 0001 a cash receipt.
// Only 2601, or no Smode at all, moves a virtual account's payment here.
//
// The charset is not stated. Of the six fields only ReplyMessage can hold other
// text than ASCII: strict UTF-8 is tried over the whole form, then CP949.
//
// # What names what
//
// MxIssueNO and MxIssueDate name the order, and with ReplyCode the message.
// TxNO, which no hash covers, names a transaction only where there is no order.
//
// KPN issues accounts for one payment only and gives deposits no number, so
// order and request name the deposit: the request by its hash, since another
// date under the same hash is still the same request, and by its date where
// there is no hash. So money that comes again after 입금취소, for the same
// order, can't be told from a resend of the first and counts as one.
//
// # Proof
//
// MxHASH256 is the hexadecimal SHA-256, MxHASH the MD5, of MxID, MxOTP,
// MxIssueNO, MxIssueDate, Amount and "KRW" in a row. The merchant makes it and
// sends it with the order; KPN only echoes it. Made again with MxID and MxOTP
// it shows that order, date and amount are those of the merchant's request.
// Nothing parts the six, so one text may be that of two requests. Therefore a
// notice is proved only if its date has all fourteen digits and if its hash
// can't be read as another order, date and amount; the amount is hashed without
// zeros in front or commas. A few requests can't be proved for that reason,
// chiefly those whose order number ends in what looks like a date.
//
// A hash that was registered with a payment (pgSecret) is compared as it is. It
// shows that the notice is about that order, and nothing of date and amount:
// the amount has to be the payment's, and the deposit's name counts it once.
//
// Neither way shows that KPN sent the notice, and neither covers ReplyCode:
// whoever saw the request, the buyer's browser included, or the notice of the
// issue can forge a deposit of that order with it. MxID is not in the notice,
// so the channel has to hold it.
//
// KPN publishes no sender addresses.
//
// # The answer
//
// "ACK=200OKOK" is "stored", "ACK=400FAIL" is failure, a wrong hash included.
// Whether, when and how often KPN sends again is unknown.
//
// # No calls
//
// Nothing is asked of KPN's API. Its newer edition has a cancel (observed once,
// for cards on the test host: POST …/cancel with payMethod, mxId, mxIssueNo,
// mxIssueDate, amount and callHash), but for virtual accounts no source has the
// word for payMethod, the host for live payments, the code of success, a place
// for the account that a refund goes to, or what a cancel does to an account
// that waits. The older edition (SpecVer F100C000) answers with an account, but
// how one is asked for or cancelled there is in no source either. No inquiry is
// known.
//
// # Sources
//
// KPN's sample receivers in public code, PHP and ASP: fields, codes, hash and
// answer, documented by sample. Receivers of the DBPATH era: Smode's values,
// 00004000 and the old form, observed; one of them quotes a captured notice of
// 2008, whose MxHASH is right with the test key of that time. PortOne's guide:
// the path, and that KPN switches notices on when asked. Unknown: sender
// addresses, resends, charset, an inquiry, whether a refund is told.
package kpn

import (
	_ "embed" // for the guides
	"net/http"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
)

// Module is the module kpn. It has no inquiry: KPN documents none.
var Module module

// A module holds no state.
type module struct{}

var _ provider.Provider = Module

// mxOTP is the name of the one credential.
const mxOTP = "mx_otp"

var (
	//go:embed guide.ko.md
	guideKO string
	//go:embed guide.en.md
	guideEN string
)

// Guide returns the guide for having KPN send notices, as Markdown: in English
// for "en", else in Korean. {{.NoticeURL}} stands for the URL.
func (module) Guide(lang string) string {
	if lang == "en" {
		return guideEN
	}
	return guideKO
}

// Info describes the module.
func (module) Info() provider.Info {
	return provider.Info{
		Code:    "kpn",
		Name:    provider.Text{KO: "한국결제네트웍스", EN: "KPN"},
		Modules: "V2",
		Paths:   []string{"/kpn/virtual-account"},
		Methods: []string{http.MethodPost},
		Charset: "UTF-8 / EUC-KR", // not stated: both are read
		Class:   provider.PartialMAC,
		Proves: provider.Text{
			KO: "MxOTP로 계산한 해시가 맞으면 주문번호, 주문 시각, 금액이 가맹점이 요청한 그대로라는 것만 확인돼요. 결제에 등록한 해시(pgSecret)와 같으면 그 주문의 통보라는 것만 확인돼요. KPN은 받은 해시를 돌려줄 뿐이라서, KPN이 보냈다는 것과 입금·취소 상태는 증명되지 않아요.",
			EN: "With the MxOTP, that order number, order time and amount are those of the merchant's own request; with a hash registered as pgSecret, only that the notice is about that order. KPN only echoes the hash: neither the sender nor the state (deposited or taken back) is proved.",
		},
		OrderSecret: true,
		ResendNote: provider.Text{
			KO: "공개되지 않았어요. ACK=200OKOK가 아닌 답은 실패라는 것만 알려져 있어요.",
			EN: "Not published. All that is known is that any answer but ACK=200OKOK is a failure.",
		},
		Events: []payment.Event{
			payment.EventDeposited, payment.EventReversed, payment.EventIssued, payment.EventOther,
		},
		Forms:    []string{formEUCKR, formOld},
		Fields:   fields(),
		TestMIDs: testMIDs(),
		Letter: &provider.Letter{
			Subject: "[" + provider.MIDMark + "] 가상계좌 백노티 설정 요청",
			Body: `안녕하세요.

가상계좌 입금 확인을 위해 아래 MID의 가상계좌 백노티 기능을 켜고 통보 URL을 등록해 주시기 바랍니다.
통보를 보내는 서버의 IP 주소와 재전송 횟수·간격도 알려 주시면 감사하겠습니다.

- MID: ` + provider.MIDMark + `
- 통보 URL: ` + provider.NoticeURLMark + `

설정이 완료되면 회신 부탁드립니다.
`,
		},
	}
}

func fields() []provider.Field {
	return []provider.Field{
		{Name: mxOTP, Label: provider.Text{KO: "Secret OTP (MxOTP)", EN: "Secret OTP (MxOTP)"}, Secret: true, Proof: true},
	}
}

// The merchant that KPN prints in its samples.
const (
	testID  = "testcorp"
	testOTP = "6aMoJujE34XnL9gvUqdKGMqs9GzYaNo6"
)

func testMIDs() []provider.TestMID {
	return []provider.TestMID{{
		MID: testID, Source: provider.Text{KO: "KPN 예제 코드", EN: "KPN's sample code"},
		Credentials: map[string]secret.Text{mxOTP: testOTP},
	}}
}
