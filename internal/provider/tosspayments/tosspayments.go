// Package tosspayments reads and writes the webhooks of 토스페이먼츠 (Toss
// Payments, the successor of LG U+'s payment business), pg code tosspayments.
//
// # What comes
//
// Toss posts JSON in UTF-8 to an address that the merchant registers in the
// developer centre, for each MID and apart for test and live. One address
// sees three shapes (documented: docs.tosspayments.com,
// /reference/using-api/webhook-events and /guides/v2/webhook):
//
//   - DEPOSIT_CALLBACK, the deposit notice (입금통보), is flat: createdAt,
//     secret, status, transactionKey and orderId, with neither eventType nor
//     data. It has no amount, account, bank or name: those take an inquiry.
//   - The other events in capitals are {eventType, createdAt, data}. In
//     PAYMENT_STATUS_CHANGED data is a whole Payment of the API version that
//     the MID uses; for a virtual account it says again what DEPOSIT_CALLBACK
//     said, under the same transaction key.
//   - payout.changed and seller.changed are {eventType, createdAt, version,
//     eventId, entityType, entityBody}, and alone carry a signature.
//
// Toss may add fields and events without a new version, so what is unknown is
// taken and moves nothing.
//
// # What it means
//
// WAITING_FOR_DEPOSIT is the issue of an account, and after DONE that the bank
// took the deposit back (API versions up to 1.4 say CANCELED then). DONE is
// the deposit, and for other methods the approval. CANCELED and
// PARTIAL_CANCELED are cancellations. An account that expires makes no
// webhook. The bank takes no other amount than the one asked for
// (documented), hence the absent amount of a DONE counts as exact.
//
// Every change of state has a transactionKey of its own: with the status it
// names the message, so that both webhooks of one deposit are one message.
//
// # Whether it is true
//
// The body's secret is the one that Toss gave with the account; it covers
// neither amount nor state. A live notice is therefore always confirmed by
// inquiry. The signature of the third shape is HMAC-SHA256 by the security
// key over body, colon and transmission time; whether the key's 64 hexadecimal
// digits are used as text or as 32 bytes is unknown, so both are tried.
//
// # Billing keys
//
// A card is charged by POST /v1/billing/{billingKey} with the customerKey under which
// the key was issued, and answers with a Payment of type BILLING (documented). No webhook
// tells of such a payment; an inquiry by its orderId does. Keys are issued for cards by
// POST /v1/billing/authorizations/card, which needs a contract that new merchants do not
// get (documented, /guides/v2/billing/integration-api), or in a window, which is not
// here. That cardInstallmentPlan is taken with a charge is from memory.
//
// # Answer and repetition
//
// Exactly 200 within ten seconds counts; the body is ignored. Anything else is
// repeated up to seven times, over 91 hours (documented).
package tosspayments

import (
	_ "embed" // for the guides
	"time"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
)

// Module is the module tosspayments (신모듈), for PortOne's V1 and V2 alike.
var Module module

type module struct{}

var _ provider.Provider = Module

// The wire formats that one address sees, as Notice.Form tells them.
const (
	FormDeposit = "deposit" // DEPOSIT_CALLBACK, flat
	FormPayment = "payment" // PAYMENT_STATUS_CHANGED
	FormEvent   = "event"   // any other event with data
	FormEntity  = "entity"  // a signed event with an entity
)

// The names of the credentials.
const (
	clientKey   = "client_key"
	secretKey   = "secret_key"
	securityKey = "security_key"
)

// Firewall page of docs.tosspayments.com: the second line was added in
// December 2024, and there is no .124 in it. Test webhooks come from the same.
var senders = []string{
	"13.124.18.147", "13.124.108.35", "3.36.173.151", "3.38.81.32",
	"115.92.221.121", "115.92.221.122", "115.92.221.123", "115.92.221.125", "115.92.221.126", "115.92.221.127",
}

// Info describes the module. Toss publishes keys for trials, but no MID that
// they belong to.
func (module) Info() provider.Info {
	return provider.Info{
		Code:    "tosspayments",
		Name:    provider.Text{KO: "토스페이먼츠", EN: "Toss Payments"},
		Admin:   "https://developers.tosspayments.com",
		Modules: "V1+V2",
		Paths:   []string{"/virtual-account/webhook-event/tosspayments"},
		Methods: []string{"POST"},
		Charset: "UTF-8",
		Fields: []provider.Field{
			{Name: clientKey, Label: provider.Text{KO: "클라이언트 키", EN: "Client key"}},
			{Name: secretKey, Label: provider.Text{KO: "시크릿 키", EN: "Secret key"}, Secret: true, Inquiry: true},
			{Name: securityKey, Label: provider.Text{KO: "보안 키 (지급대행·셀러 이벤트 서명)", EN: "Security key (signs payout and seller events)"}, Secret: true},
		},
		LiveSenders:   provider.Prefixes(senders...),
		TestSenders:   provider.Prefixes(senders...),
		SendersAsOf:   "2024-12",
		Class:         provider.SharedSecret,
		Proves:        proves,
		Resend:        resend(),
		ResendNote:    resendNote,
		Events:        events(),
		Forms:         []string{FormDeposit, FormPayment},
		ConfirmAlways: true,
		OrderSecret:   true,
		TestKeys: &provider.TestMID{Source: provider.Same("docs.tosspayments.com"), Credentials: map[string]secret.Text{ //nolint:gosec // published for trials
			clientKey: "test_ck_D5GePWvyJnrK0W0k6q8gLzN97Eoq", secretKey: "test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R",
		}},
	}
}

var proves = provider.Text{
	KO: "가상계좌를 발급할 때 받은 결제별 secret을 보낸 쪽이 알고 있다는 것만 증명해요. 금액과 상태는 증명하지 않으므로 실 결제는 항상 조회 API로 다시 확인해요.",
	EN: "Only that the sender knows the secret that came with this payment's account. It covers neither amount nor state, so live notices are always confirmed by inquiry.",
}

var resendNote = provider.Text{
	KO: "10초 안에 200을 받지 못하면 최대 7번, 91시간에 걸쳐 다시 보내요. 개발자센터에서 '다시 시도'를 누르면 처음부터 다시 시작해요.",
	EN: "Without a 200 within 10 seconds it is sent up to 7 times more, over 91 hours. The developer centre's button \"try again\" (다시 시도) starts anew.",
}

// resend is /guides/v2/webhook: minutes from one try to the next.
func resend() []time.Duration {
	var out []time.Duration
	for d := time.Minute; len(out) < 7; d *= 4 {
		out = append(out, d)
	}
	return out
}

// events are those that a webhook says by itself. A reversal is not among
// them: Toss tells it as a second WAITING_FOR_DEPOSIT, which reads as issued
// until it meets its payment. Neither are the events without an effect, since
// they name no order.
func events() []payment.Event {
	return []payment.Event{
		payment.EventIssued, payment.EventDeposited, payment.EventCancelled, payment.EventPartiallyCancelled,
		payment.EventApproved, payment.EventFailed, payment.EventExpired,
	}
}

//go:embed guide.ko.md
var guideKO string

//go:embed guide.en.md
var guideEN string

// Guide returns the set-up guide in Markdown, in English for "en" and else in
// Korean. {{.NoticeURL}} stands where the channel's notice URL goes.
func (m module) Guide(lang string) string {
	return provider.GuideText{KO: guideKO, EN: guideEN}.For(m.Info(), lang)
}
