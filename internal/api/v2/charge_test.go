package v2

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/provider/trial"
	"github.com/tongbo/tongbo/internal/webhook"
)

// trials has the PGs of the bench played.
func (b *bench) trials() {
	b.api.Actions.Providers = func(code string) (provider.Provider, bool) {
		p, ok := all.ByCode(code)
		return trial.PG{Provider: p, Ledger: b.store}, ok
	}
}

// Of a card nobody should see any of these again.
const (
	hiddenIdentity = "1238765432"
	goodCard       = "4242424242424242"
	declinedCard   = "4000000000009995"
	refusedCard    = "4000000000000002"
	lostCard       = "4000000000001117"
	strangeCard    = "6011000990139424"
)

func credential(number string) string {
	return `"credential":{"number":"` + number + `","expiryYear":"30","expiryMonth":"12","birthOrBusinessRegistrationNumber":"` + hiddenIdentity + `","passwordTwoDigits":"73"}`
}

const sale = `"orderName":"책","currency":"KRW","amount":{"total":11000,"taxFree":1000},"customer":{"id":"c-1","name":{"full":"홍길동"}},"customData":"{}"`

func instantBy(channel merchant.ChannelKey, number string) string {
	return `{"channelKey":"` + string(channel) + `",` + sale + `,"method":{"card":{` + credential(number) + `,"installmentMonth":3}}}`
}

func payBy(key string) string { return `{"billingKey":"` + key + `",` + sale + `}` }

func (b *bench) post(path, body string) answer {
	b.Helper()
	return b.call("POST", path, "PortOne test", body)
}

func (b *bench) get(path string) answer {
	b.Helper()
	return b.call("GET", path, "PortOne test", "")
}

// holds checks that a call succeeded, and that the answer holds some texts.
func (b *bench) holds(got answer, texts ...string) {
	b.Helper()
	b.ok(got)
	for _, text := range texts {
		if !strings.Contains(got.body, text) {
			b.Errorf("the answer lacks %s: %s", text, got.body)
		}
	}
}

// issued has a billing key issued for a card.
func (b *bench) issued(number string) string {
	b.Helper()
	out := b.ok(b.post("/billing-keys", `{"channelKey":"`+string(testChannel)+`","method":{"card":{`+credential(number)+`}},"customer":{"id":"c-1"}}`))
	return out["billingKeyInfo"].(map[string]any)["billingKey"].(string)
}

func TestInstantCard(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.trials()
		got := b.post("/payments/order-1/instant", instantBy(testChannel, goodCard))
		b.holds(got, `"pgTxId":"`, `"paidAt":"2000-01-01T00:00:00.000Z"`)
		b.holds(b.get("/payments/order-1"), `"status":"PAID"`, `"type":"PaymentMethodCard"`, `"number":"4242-42**-****-4242"`, `"approvalNumber":"`,
			`"installment":{"month":3,"isInterestFree":false}`, `"brand":"VISA"`, `"disputes":[]`, `"paid":11000`)
		b.holds(b.get("/payments/order-1/transactions"), `"paymentId":"order-1"`, `"type":"PaymentMethodCard"`)
		b.want(b.post("/payments/order-1/instant", instantBy(testChannel, goodCard)), 409, "ALREADY_PAID")
		b.holds(b.post("/payments/order-1/cancel", `{"reason":"변심","amount":3000}`), `"status":"SUCCEEDED"`, `"totalAmount":3000`)
		b.holds(b.get("/payments/order-1"), `"status":"PARTIAL_CANCELLED"`)
		b.holds(b.post("/payments/order-1/cancel", `{"reason":"변심"}`), `"totalAmount":8000`)
		b.want(b.post("/payments/order-1/cancel", `{"reason":"변심"}`), 409, "PAYMENT_ALREADY_CANCELLED")

		for number, code := range map[string]string{declinedCard: "TRIAL_INSUFFICIENT_FUNDS", strangeCard: "TRIAL_UNKNOWN_CARD", lostCard: "UNCLEAR"} {
			path := "/payments/order-" + number
			got := b.post(path+"/instant", instantBy(testChannel, number))
			if b.want(got, 502, "PG_PROVIDER"); !strings.Contains(got.body, `"pgCode":"`+code+`"`) {
				b.Errorf("%s: %s", number, got.body)
			}
			if code == "UNCLEAR" {
				b.holds(b.get(path), `"status":"PAY_PENDING"`)
				b.want(b.post(path+"/instant", instantBy(testChannel, goodCard)), 400, "INVALID_REQUEST")
				continue
			}
			b.holds(b.get(path), `"status":"FAILED"`, `"pgCode":"`+code+`"`)
			b.ok(b.post(path+"/instant", instantBy(testChannel, goodCard)))
			b.holds(b.get(path), `"status":"PAID"`)
		}
		b.holds(b.ask("/payments", "test", `{"filter":{"methods":["CARD"]}}`), `"totalCount":4`)
		b.holds(b.ask("/payments", "test", `{"filter":{"methods":["VIRTUAL_ACCOUNT"]}}`), `"totalCount":0`)
	})
}

func TestInstantCardRefused(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.trials()
		got := b.call("POST", "/payments/order-1/instant", "PortOne live", instantBy(liveChannel, goodCard))
		if b.want(got, 400, "INVALID_REQUEST"); !strings.Contains(got.body, "test channels only") {
			b.Errorf("on a live channel: %s", got.body)
		}
		got = b.call("POST", "/billing-keys", "PortOne live", `{"channelKey":"`+string(liveChannel)+`","method":{"card":{`+credential(goodCard)+`}}}`)
		if b.want(got, 400, "INVALID_REQUEST"); !strings.Contains(got.body, "test channels only") {
			b.Errorf("a key on a live channel: %s", got.body)
		}
		good := instantBy(testChannel, goodCard)
		for _, c := range []struct{ from, to string }{
			{`"expiryYear":"30"`, `"expiryYear":"2030"`}, {`"expiryMonth":"12"`, `"expiryMonth":"13"`}, {goodCard, "4242-4242"}, {goodCard, ""},
			{`"` + goodCard + `"`, goodCard}, {`"passwordTwoDigits":"73"`, `"passwordTwoDigits":"7"`}, {`"installmentMonth":3`, `"installmentMonth":99`},
			{`"total":11000`, `"total":0`}, {`{"card"`, `{"virtualAccount":{},"card"`}, {`"orderName":"책"`, `"orderName":""`},
		} {
			got := b.post("/payments/order-1/instant", strings.Replace(good, c.from, c.to, 1))
			if b.want(got, 400, "INVALID_REQUEST"); strings.Contains(got.body, "4242") {
				b.Errorf("%s: the answer quotes the card: %s", c.to, got.body)
			}
		}
		b.want(b.post("/payments/order-1/instant", strings.Replace(good, `"taxFree":1000`, `"taxFree":1000,"vat":10001`, 1)), 409, "SUM_OF_PARTS_EXCEEDS_TOTAL_AMOUNT")
		b.want(b.post("/payments/order-1/instant", strings.Replace(good, string(testChannel), "x", 1)), 404, "CHANNEL_NOT_FOUND")
		b.want(b.get("/payments/order-1"), 404, "PAYMENT_NOT_FOUND")
	})
}

func TestBillingKeys(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.trials()
		key := b.issued(goodCard)
		b.holds(b.get("/billing-keys/"+key), `"status":"ISSUED"`, `"type":"BillingKeyPaymentMethodCard"`, `"number":"4242-42**-****-4242"`,
			`"pgProvider":"KCP_V2"`, `"issuedAt":"`, `"id":"c-1"`)
		b.holds(b.post("/payments/order-1/billing-key", payBy(key)), `"pgTxId":"`)
		b.holds(b.get("/payments/order-1"), `"billingKey":"`+key+`"`, `"status":"PAID"`, `"type":"PaymentMethodCard"`)
		b.want(b.post("/payments/order-1/billing-key", payBy(key)), 409, "ALREADY_PAID")
		b.want(b.post("/payments/order-2/billing-key", payBy("billing-key-none")), 404, "BILLING_KEY_NOT_FOUND")
		b.want(b.post("/payments/order-2/billing-key", strings.Replace(payBy(key), `{`, `{"channelKey":"x",`, 1)), 404, "CHANNEL_NOT_FOUND")
		poor := b.issued(declinedCard)
		b.want(b.post("/payments/order-2/billing-key", payBy(poor)), 502, "PG_PROVIDER")
		b.want(b.post("/billing-keys", `{"channelKey":"`+string(testChannel)+`","method":{"card":{`+credential(refusedCard)+`}}}`), 502, "PG_PROVIDER")
		b.want(b.post("/billing-keys", `{"channelKey":"x","method":{"card":{`+credential(goodCard)+`}}}`), 404, "CHANNEL_NOT_FOUND")
		b.want(b.post("/billing-keys", `{"channelKey":"`+string(testChannel)+`"}`), 400, "INVALID_REQUEST")
		for _, who := range []string{"rival", "live", "sub"} {
			b.want(b.call("GET", "/billing-keys/"+key, "PortOne "+who, ""), 404, "BILLING_KEY_NOT_FOUND")
			b.want(b.call("DELETE", "/billing-keys/"+key, "PortOne "+who, ""), 404, "BILLING_KEY_NOT_FOUND")
			b.want(b.call("POST", "/payments/x/billing-key", "PortOne "+who, payBy(key)), 404, "BILLING_KEY_NOT_FOUND")
			b.holds(b.ask("/billing-keys", who, `{}`), `"totalCount":0`)
		}
		b.want(b.call("DELETE", "/billing-keys/"+key+"?skipWebhook=maybe", "PortOne test", ""), 400, "INVALID_REQUEST")
		b.holds(b.call("DELETE", "/billing-keys/"+key+"?reason=x", "PortOne test", ""), `"deletedAt":"`)
		b.want(b.call("DELETE", "/billing-keys/"+key, "PortOne test", ""), 409, "BILLING_KEY_ALREADY_DELETED")
		b.want(b.post("/payments/order-3/billing-key", payBy(key)), 409, "BILLING_KEY_ALREADY_DELETED")
		b.holds(b.get("/billing-keys/"+key), `"status":"DELETED"`, `"deletedAt":"`)
		for filter, want := range map[string]int{
			`{}`: 2, `{"status":["ISSUED"]}`: 1, `{"status":["DELETED"]}`: 1, `{"timeRangeField":"DELETED_AT"}`: 1, `{"version":"V1"}`: 0,
			`{"timeRangeField":"STATUS_TIMESTAMP"}`: 2, `{"until":"1999-01-01T00:00:00Z"}`: 0, `{"storeId":"` + string(subStore) + `"}`: 0,
		} {
			b.holds(b.ask("/billing-keys", "test", `{"filter":`+filter+`}`), fmt.Sprintf(`"totalCount":%d`, want))
		}
		for _, in := range []string{
			`{"filter":{"status":["READY"]}}`, `{"filter":{"customerId":"c-1"}}`, `{"filter":{"timeRangeField":"x"}}`, `{"page":{"size":1001}}`,
			`{"sort":{"by":"DELETED_AT"}}`, `{"sort":{"order":"up"}}`,
		} {
			b.want(b.ask("/billing-keys", "test", in), 400, "INVALID_REQUEST")
		}
		told := b.told()
		for kind, want := range map[webhook.Type]int{webhook.BillingKeyIssued: 2, webhook.BillingKeyFailed: 1, webhook.BillingKeyDeleted: 1} {
			if told[kind] != want {
				b.Errorf("told %s %d times, want %d", kind, told[kind], want)
			}
		}
	})
}

// told is how many webhooks of each type wait.
func (b *bench) told() map[webhook.Type]int {
	b.Helper()
	c, err := b.store.Claim(b.Context(), time.Now(), time.Minute, webhook.Room{
		Total: 1000, Retries: 1000, Of: func(string, []webhook.Job) int { return 1000 },
	})
	if err != nil {
		b.Fatal(err)
	}
	out := make(map[webhook.Type]int)
	for _, j := range c.Jobs {
		out[j.Type]++
		if strings.HasPrefix(string(j.Type), "BillingKey.") && !strings.Contains(string(j.Body), `"data":{"storeId":"`+string(mainStore)+`","billingKey":"billing-key-`) {
			b.Errorf("%s is told as %s", j.Type, j.Body)
		}
	}
	return out
}

func TestSchedules(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.trials()
		key := b.issued(goodCard)
		plan := func(when string) string { return `{"payment":` + payBy(key) + `,"timeToPay":"` + when + `"}` }
		out := b.ok(b.post("/payments/order-1/schedule", plan("2000-01-02T09:00:00+09:00")))
		id := out["schedule"].(map[string]any)["id"].(string)
		b.holds(b.get("/payment-schedules/"+id), `"status":"SCHEDULED"`, `"paymentId":"order-1"`, `"timeToPay":"2000-01-02T00:00:00.000Z"`, `"billingKey":"`+key+`"`,
			`"totalAmount":11000`, `"taxFreeAmount":1000`, `"isEscrow":false`, `"customData":"{}"`)
		b.want(b.get("/payments/order-1"), 404, "PAYMENT_NOT_FOUND")
		b.want(b.post("/payments/order-1/schedule", plan("2000-01-03T00:00:00Z")), 409, "PAYMENT_SCHEDULE_ALREADY_EXISTS")
		b.want(b.post("/payments/order-1/billing-key", payBy(key)), 409, "PAYMENT_SCHEDULE_ALREADY_EXISTS")
		b.want(b.post("/payments/order-1/instant", instantBy(testChannel, goodCard)), 409, "PAYMENT_SCHEDULE_ALREADY_EXISTS")
		b.want(b.call("DELETE", "/billing-keys/"+key, "PortOne test", ""), 409, "PAYMENT_SCHEDULE_ALREADY_EXISTS")
		b.want(b.post("/payments/order-2/schedule", plan("1999-01-01T00:00:00Z")), 400, "INVALID_REQUEST")
		b.want(b.post("/payments/order-2/schedule", plan("tomorrow")), 400, "INVALID_REQUEST")
		b.want(b.post("/payments/order-2/schedule", strings.Replace(plan("2000-01-03T00:00:00Z"), key, "billing-key-x", 1)), 404, "BILLING_KEY_NOT_FOUND")
		b.ok(b.post("/payments/paid/billing-key", payBy(key)))
		b.want(b.post("/payments/paid/schedule", plan("2000-01-03T00:00:00Z")), 409, "ALREADY_PAID_OR_WAITING")
		b.want(b.post("/payments/order-2/schedule", strings.Replace(plan("2000-01-03T00:00:00Z"), `"taxFree":1000`, `"vat":11001`, 1)), 409, "SUM_OF_PARTS_EXCEEDS_TOTAL_AMOUNT")
		again := b.keyed(keyA, "POST", "/payments/order-2/schedule", "test", plan("2000-01-03T00:00:00Z"))
		b.same(again, b.keyed(keyA, "POST", "/payments/order-2/schedule", "test", plan("2000-01-03T00:00:00Z")))

		for in, want := range map[string]int{
			`{}`: 0, `{"filter":{"until":"2001-01-01T00:00:00Z","from":"2000-01-01T00:00:00Z"}}`: 2,
			`{"filter":{"until":"2000-01-02T00:00:00Z","billingKey":"` + key + `","status":["SCHEDULED"]},"sort":{"by":"CREATED_AT","order":"ASC"}}`: 1,
			`{"filter":{"until":"2000-01-04T00:00:00Z","status":["REVOKED"]}}`:                                                                       0, `{"filter":{"until":"2000-01-04T00:00:00Z","isForTest":false}}`: 0,
		} {
			b.holds(b.ask("/payment-schedules", "test", in), fmt.Sprintf(`"totalCount":%d`, want))
		}
		for _, in := range []string{`{"filter":{"status":["LATE"]}}`, `{"sort":{"by":"AMOUNT"}}`, `{"sort":{"order":"x"}}`, `{"filter":{"from":"x"}}`, `{"page":{"size":2000}}`} {
			b.want(b.ask("/payment-schedules", "test", in), 400, "INVALID_REQUEST")
		}
		revoke := func(who, in string) answer {
			return b.call("DELETE", "/payment-schedules?requestBody="+url.QueryEscape(in), "PortOne "+who, "")
		}
		for _, who := range []string{"rival", "live", "sub"} {
			b.want(b.call("GET", "/payment-schedules/"+id, "PortOne "+who, ""), 404, "PAYMENT_SCHEDULE_NOT_FOUND")
			b.want(revoke(who, `{"scheduleIds":["`+id+`"]}`), 404, "PAYMENT_SCHEDULE_NOT_FOUND")
			b.want(revoke(who, `{"billingKey":"`+key+`"}`), 404, "BILLING_KEY_NOT_FOUND")
			b.want(b.call("POST", "/payments/order-9/schedule", "PortOne "+who, plan("2000-01-03T00:00:00Z")), 404, "BILLING_KEY_NOT_FOUND")
		}
		b.want(revoke("test", `{}`), 400, "INVALID_REQUEST")
		b.want(revoke("test", `{"scheduleIds":["x"]}`), 404, "PAYMENT_SCHEDULE_NOT_FOUND")
		b.holds(revoke("test", `{"scheduleIds":["`+id+`"]}`), `{"revokedScheduleIds":["`+id+`"],"revokedAt":"2000-01-01T00:00:00.000Z"}`)
		b.want(revoke("test", `{"scheduleIds":["`+id+`"]}`), 409, "PAYMENT_SCHEDULE_ALREADY_REVOKED")
		b.holds(b.get("/payment-schedules/"+id), `"status":"REVOKED"`, `"revokedAt":"`)
		b.holds(b.call("DELETE", "/payment-schedules", "PortOne test", `{"billingKey":"`+key+`"}`), `"revokedAt"`)
		b.holds(b.call("DELETE", "/payment-schedules", "PortOne test", `{"billingKey":"`+key+`"}`), `{"revokedScheduleIds":[]}`)
		b.ok(b.call("DELETE", "/billing-keys/"+key, "PortOne test", ""))
		b.want(revoke("test", `{"billingKey":"`+key+`"}`), 409, "BILLING_KEY_ALREADY_DELETED")
	})
}

// TestChargeOnce submits a charge twice under one Idempotency-Key, and once more after
// the server died in it.
func TestChargeOnce(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.trials()
		body := instantBy(testChannel, goodCard)
		first := b.keyed(keyA, "POST", "/payments/order-1/instant", "test", body)
		b.ok(first)
		b.same(first, b.keyed(keyA, "POST", "/payments/order-1/instant", "test", body))
		b.want(b.keyed(keyB, "POST", "/payments/order-1/instant", "test", body), 409, "ALREADY_PAID")
		key := b.issued(goodCard)
		charged := b.keyed(keyA+"k", "POST", "/payments/order-2/billing-key", "test", payBy(key))
		b.same(charged, b.keyed(keyA+"k", "POST", "/payments/order-2/billing-key", "test", payBy(key)))
		issue := `{"channelKey":"` + string(testChannel) + `","method":{"card":{` + credential(goodCard) + `}}}`
		b.same(b.keyed(keyA+"i", "POST", "/billing-keys", "test", issue), b.keyed(keyA+"i", "POST", "/billing-keys", "test", issue))
		no := b.keyed(keyA+"d", "POST", "/payments/order-3/instant", "test", instantBy(testChannel, declinedCard))
		b.same(no, b.keyed(keyA+"d", "POST", "/payments/order-3/instant", "test", instantBy(testChannel, declinedCard)))
		p, err := b.store.Payment(b.Context(), mainStore, "order-3", merchant.Any)
		if err != nil || len(p.Transactions) != 1 {
			b.Errorf("%d attempts, %v", len(p.Transactions), err)
		}
	})
}

// TestCardsLeakNothing looks for what came with cards wherever it could be kept.
func TestCardsLeakNothing(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.trials()
		numbers := append(trial.Cards(), strangeCard)
		var answers strings.Builder
		for i, n := range numbers {
			for _, path := range []string{fmt.Sprintf("/payments/o-%d/instant", i), "/billing-keys"} {
				body := instantBy(testChannel, n)
				answers.WriteString(b.keyed(fmt.Sprintf("%s-%d-%d", keyA, i, len(path)), "POST", path, "test", body).body)
				answers.WriteString(b.post(path+"x", body).body)
				answers.WriteString(b.call("POST", path, "PortOne live", strings.Replace(body, string(testChannel), string(liveChannel), 1)).body)
				answers.WriteString(b.post(path, strings.Replace(body, `"`+n+`"`, n, 1)).body)
			}
			answers.WriteString(b.get(fmt.Sprintf("/payments/o-%d", i)).body)
		}
		time.Sleep(time.Second)
		kept := map[string][]byte{"an answer": []byte(answers.String()), "the log": b.log.Bytes()}
		for _, ending := range []string{"", "-wal"} {
			file, err := os.ReadFile(b.file + ending)
			if err != nil {
				b.Fatal(err)
			}
			kept["the database"+ending] = file
		}
		for where, text := range kept {
			for _, hidden := range append(numbers, hiddenIdentity, `"73"`) {
				if bytes.Contains(text, []byte(hidden)) {
					b.Errorf("%s holds %s", where, hidden)
				}
			}
		}
		if _, err := b.store.Payment(b.Context(), mainStore, payment.ID("o-0"), merchant.Test); err != nil {
			b.Error(err)
		}
	})
}
