package v2

import "strings"

// A tenancy is how an operation meets what is not its caller's. In texts PAYMENT,
// CHANNEL and OBJECT stand for ids, of which OBJECT is a webhook, a cancellation, a
// billing key, a schedule or a listen session.
type tenancy struct {
	body string
	// unseen is what a payment is answered that the caller does not see; empty
	// where the operation reads none, or makes the caller's own.
	unseen string
	store  string // where a storeId goes: body, payment in it, query, filter or input
	// channel is what a channel is answered that is not the caller's, and object
	// what somebody else's object is on the caller's own payment.
	channel, object string
	list            bool // answers many payments
	open            bool // takes no credential; tried by TestTenantsOfTokens
}

const (
	noSuchPayment = "404 PAYMENT_NOT_FOUND"
	noSuchChannel = "404 CHANNEL_NOT_FOUND"
	noSuchReceipt = "404 CASH_RECEIPT_NOT_FOUND"

	noSuchSession = "404 NOT_FOUND"

	noSuchKey      = "404 BILLING_KEY_NOT_FOUND"
	noSuchSchedule = "404 PAYMENT_SCHEDULE_NOT_FOUND"
)

// tenancies has a row for every route: one without fails the tests below.
var tenancies = map[string]tenancy{
	"POST /login/api-secret": {open: true},
	"POST /token/refresh":    {open: true},
	"GET /banks":             {open: true},

	"GET /payments":                 {list: true, store: "filter"},
	"GET /payments-by-cursor":       {list: true, store: "input"},
	"GET /payment-events-by-cursor": {list: true, store: "input"},

	"GET /payments/{paymentId}":              {unseen: noSuchPayment, store: "query"},
	"GET /payments/{paymentId}/transactions": {unseen: noSuchPayment, store: "query"},
	"POST /payments/{paymentId}/virtual-account": {
		body:    strings.Replace(issue, string(testChannel), "CHANNEL", 1),
		channel: noSuchChannel, store: "body",
	},
	"POST /payments/{paymentId}/pre-register": {body: `{"totalAmount":1}`, store: "body"},
	"POST /payments/{paymentId}/instant": {
		body:    strings.Replace(tossIssue, "channel-key-00000000-0000-4000-8000-000000000009", "CHANNEL", 1),
		channel: noSuchChannel, store: "body",
	},
	"POST /payments/{paymentId}/virtual-account/close": {unseen: noSuchPayment, store: "query"},
	"POST /payments/{paymentId}/cancel":                {body: tossCancel, unseen: noSuchPayment, store: "body"},
	"POST /payments/{paymentId}/cancellations/{cancellationId}/stop": {
		body: `{}`, unseen: noSuchPayment, store: "body", object: "404 PAYMENT_CANCELLATION_NOT_FOUND",
	},
	"POST /payments/{paymentId}/resend-webhook": {
		body: `{"webhookId":"OBJECT"}`, unseen: noSuchPayment, store: "body", object: "404 WEBHOOK_NOT_FOUND",
	},
	"POST /tongbo/v1/payments/{paymentId}/deposit": {body: `{}`, unseen: noSuchPayment, store: "body"},
	"POST /tongbo/v1/payments/{paymentId}/notice":  {body: `{"event":"reversed"}`, unseen: noSuchPayment, store: "body"},
	"POST /tongbo/v1/simulations": {
		body: `{"channelKey":"CHANNEL","event":"issue"}`, channel: noSuchChannel, store: "body",
	},
	"POST /tongbo/v1/listen":                    {body: `{"name":"laptop"}`, store: "body"},
	"GET /tongbo/v1/listen/{session}":           {object: noSuchSession},
	"DELETE /tongbo/v1/listen/{session}":        {object: noSuchSession},
	"POST /tongbo/v1/listen/{session}/attempts": {body: `{"item":"00000000-0000-7000-8000-000000000000","number":1}`, object: noSuchSession},
	"POST /payments/{paymentId}/billing-key":    {body: payBy("OBJECT"), object: noSuchKey, store: "body"},
	"POST /payments/{paymentId}/schedule": {
		body: `{"payment":` + payBy("OBJECT") + `,"timeToPay":"2000-02-01T00:00:00Z"}`, object: noSuchKey, store: "payment",
	},
	"GET /payment-schedules":                     {list: true, store: "filter"},
	"DELETE /payment-schedules":                  {body: `{"scheduleIds":["OBJECT"]}`, object: noSuchSchedule, store: "body"},
	"GET /payment-schedules/{paymentScheduleId}": {object: noSuchSchedule, store: "query"},
	"GET /billing-keys":                          {list: true, store: "filter"},
	"POST /billing-keys": {
		body: `{"channelKey":"CHANNEL","method":{"card":{` + credential(goodCard) + `}}}`, channel: noSuchChannel, store: "body",
	},
	"GET /billing-keys/{billingKey}":    {object: noSuchKey, store: "query"},
	"DELETE /billing-keys/{billingKey}": {object: noSuchKey, store: "query"},

	"GET /payments/{paymentId}/cash-receipt":         {unseen: noSuchReceipt, store: "query"},
	"POST /payments/{paymentId}/cash-receipt/cancel": {unseen: noSuchReceipt, store: "query"},
	"POST /cash-receipts": {
		body: `{"paymentId":"PAYMENT","channelKey":"CHANNEL"}`, unseen: "400 INVALID_REQUEST", channel: noSuchChannel, store: "body",
	},
	"GET /cash-receipts":                                {unseen: "400 INVALID_REQUEST"},
	"POST /payments/{paymentId}/confirm":                {body: `{"paymentToken":"t"}`, unseen: noSuchPayment, store: "body"},
	"POST /payments/{paymentId}/capture":                {body: `{}`, unseen: noSuchPayment, store: "body"},
	"POST /payments/{paymentId}/register-store-receipt": {body: `{}`, unseen: noSuchPayment, store: "body"},
	"POST /payments/{paymentId}/escrow/logistics":       {body: `{}`, unseen: noSuchPayment, store: "body"},
	"PATCH /payments/{paymentId}/escrow/logistics":      {body: `{}`, unseen: noSuchPayment, store: "body"},
	"POST /payments/{paymentId}/escrow/complete":        {body: `{}`, unseen: noSuchPayment, store: "body"},
}
