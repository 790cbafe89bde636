package v2

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/merchant"
)

func TestFilters(t *testing.T) {
	every := []string{"c-sub", "b-live", "a-test"}
	search := func(field, value string) string {
		return fmt.Sprintf(`"textSearch":[{"field":%q,"value":%q}]`, field, value)
	}
	tests := []struct {
		filter string
		want   []string
	}{
		{``, every},
		{`"sortOrder":"ASC"`, []string{"a-test", "b-live", "c-sub"}},
		{`"sortBy":"REQUESTED_AT","sortOrder":"DESC"`, every},
		{`"timestampType":"CREATED_AT"`, every},
		{`"timestampType":"CREATED_AT","sortBy":"STATUS_CHANGED_AT","sortOrder":"ASC"`, []string{"a-test", "b-live", "c-sub"}},
		{`"from":"2000-01-01T00:01:00Z","until":"2000-01-01T09:01:59+09:00"`, []string{"b-live"}},
		{`"until":"1999-12-31T00:00:00Z"`, nil},
		{`"from":"2000-06-01T00:00:00Z"`, nil}, // ahead of our clock
		{`"status":["VIRTUAL_ACCOUNT_ISSUED","PENDING","PAY_PENDING"]`, every},
		{`"status":["PAID","READY"]`, nil},
		{`"status":[]`, every},
		{`"methods":["CARD","VIRTUAL_ACCOUNT"]`, every},
		{`"methods":["CARD"]`, nil},
		{`"pgProvider":["TOSSPAYMENTS"]`, []string{"b-live"}},
		{`"pgProvider":["KCP_V2","NICE_V2"]`, []string{"c-sub", "a-test"}},
		{`"pgProvider":["PAYPAL"]`, nil},
		{`"isTest":true`, []string{"c-sub", "a-test"}},
		{`"isTest":false`, []string{"b-live"}},
		{`"isEscrow":false`, every},
		{`"isEscrow":true`, nil},
		{`"escrowStatus":"DELIVERED"`, nil},
		{`"version":"V2"`, every},
		{`"version":"V1"`, nil},
		{`"platformType":"API"`, every},
		{`"platformType":"SDK_PC"`, nil},
		{`"currency":"KRW"`, every},
		{`"currency":"USD"`, nil},
		{`"giftCertificateType":"CULTUREGIFT"`, nil},
		{search("PAYMENT_ID", "a-test"), []string{"a-test"}},
		{search("PAYMENT_ID", "a-tes"), nil}, // the whole value
		{search("PG_TX_ID", "tx-b-live"), []string{"b-live"}},
		{search("PG_TX_ID", "b-live"), nil},
		{search("TX_ID", "tx-b-live"), nil},
		{search("VIRTUAL_ACCOUNT_NUMBER", "T030-926001 c"), []string{"c-sub"}},
		{search("VIRTUAL_ACCOUNT_NUMBER", " - "), nil},
		{search("PG_MERCHANT_ID", "MID-1"), []string{"c-sub", "a-test"}},
		{search("PG_MERCHANT_ID", "MID-2") + `,"pgProvider":["KCP_V2"]`, nil},
		{search("ALL", "tx-a-test"), []string{"a-test"}},
		{search("ALL", "T030926001b"), []string{"b-live"}},
		{search("ALL", "a-test") + `,"isTest":false`, nil},
		{search("TRANS_BANK", "4"), nil},
		{`"textSearch":[{"field":"PAYMENT_ID","value":"a-test"},{"field":"PG_TX_ID","value":"tx-a-test"}]`, []string{"a-test"}},
		{`"textSearch":[{"field":"PAYMENT_ID","value":"a-test"},{"field":"PG_TX_ID","value":"tx-b-live"}]`, nil},
		{`"unknown":{"a":[null]}`, every},
	}
	inBubble(t, func(b *bench) {
		b.shops()
		for _, test := range tests {
			got := b.ask("/payments", "any", `{"filter":{`+test.filter+`}}`)
			if diff := cmp.Diff(test.want, b.listed(got)); diff != "" {
				b.Errorf("%s (-want +got):\n%s", test.filter, diff)
			}
			if page := b.ok(got)["page"].(map[string]any); page["totalCount"] != float64(len(test.want)) || page["size"] != 10.0 || page["number"] != 0.0 {
				b.Errorf("%s: page is %v", test.filter, page)
			}
		}
	})
}

func TestFiltersRefused(t *testing.T) {
	filters := []string{
		`"timestampType":"PAID_AT"`, `"sortBy":"AMOUNT"`, `"sortOrder":"desc"`, `"version":"V3"`, `"platformType":"TV"`, `"escrowStatus":"LOST"`,
		`"isScheduled":true`, `"isScheduled":false`, `"cardBrand":"VISA"`, `"cardType":"GIFT"`, `"cardOwnerType":"CORPORATE"`,
		`"cardBrand":"MIR"`, `"cardType":"BLACK"`, `"cardOwnerType":"NOBODY"`, `"giftCertificateType":"SOCKS"`, `"methods":["CASH"]`, `"methods":[""]`,
		`"methods":"CARD"`, `"pgProvider":["kcp_v2"]`, `"currency":"KRX"`, `"status":["EXPIRED"]`, `"status":[1]`, `"isTest":"yes"`,
		`"from":"yesterday"`, `"from":"2000-01-01"`, `"until":"2000-13-01T00:00:00Z"`, `"from":"2000-01-02T00:00:00Z","until":"2000-01-01T00:00:00Z"`,
		`"webhookStatus":"SUCCEEDED"`, `"webhookStatus":"x"`, `"cashReceiptType":"PERSONAL"`, `"cashReceiptStatus":"ISSUED"`,
		`"cashReceiptIssuedAtRange":{"from":"x"}`, `"cashReceiptCancelledAtRange":{}`,
		`"textSearch":[{"field":"SHOE_SIZE","value":"1"}]`, `"textSearch":[{"value":"1"}]`, `"textSearch":[{"field":"ALL"}]`,
		`"textSearch":[{"field":"ALL","value":"a\u0000b"}]`, `"textSearch":[{"field":"ORDER_NAME","value":"사과"}]`,
		`"textSearch":[{"field":"CARD_NUMBER","value":"4"}]`, `"textSearch":[{"field":"SCHEDULE_ID","value":"x"}]`,
		`"textSearch":[{"field":"CUSTOMER_NAME","value":"김"}]`,
		`"textSearch":[{"field":"ALL","value":"` + strings.Repeat("x", 1001) + `"}]`,
		`"textSearch":[{"field":"ALL","value":"x"}` + strings.Repeat(`,{"field":"ALL","value":"x"}`, 10) + `]`,
	}
	inBubble(t, func(b *bench) {
		for _, f := range filters {
			b.want(b.ask("/payments", "any", `{"filter":{`+f+`}}`), 400, "INVALID_REQUEST")
		}
		for _, in := range []string{
			`{"page":{"number":-1}}`, `{"page":{"size":0}}`, `{"page":{"size":-1}}`, `{"page":{"size":60001}}`, `{"page":{"number":6000}}`,
			`{"page":{"number":9223372036854775807,"size":9223372036854775807}}`, `{"page":{"number":1.5}}`, `[]`, `{`, `"x"`,
		} {
			b.want(b.ask("/payments", "any", in), 400, "INVALID_REQUEST")
		}
		b.ok(b.ask("/payments", "any", `{"page":{"number":5999}}`))
		for _, path := range []string{"/payments-by-cursor", "/payment-events-by-cursor"} {
			for _, in := range []string{
				`{"size":0}`, `{"size":1001}`, `{"size":"10"}`, `{"cursor":"x"}`, `{"cursor":"MSB4"}`, `{"from":"x"}`, `{"until":"x"}`, `[]`,
				`{"from":"2000-01-02T00:00:00Z","until":"2000-01-01T00:00:00Z"}`,
			} {
				b.want(b.ask(path, "any", in), 400, "INVALID_REQUEST")
			}
		}
		b.want(b.call("GET", "/payments?requestBody=%zz", "PortOne any", ""), 400, "INVALID_REQUEST")
		b.want(b.call("POST", "/payments", "PortOne any", "{}"), 405, "METHOD_NOT_ALLOWED")
	})
}

// FuzzFilter feeds the parser of lists: it never panics, and what it accepts
// asks for no more stores than it was given.
func FuzzFilter(f *testing.F) {
	f.Add([]byte(`{"from":"2000-01-01T00:00:00Z","status":["PENDING"],"textSearch":[{"field":"ALL","value":"x"}]}`))
	f.Add([]byte(`{"isTest":false,"methods":["VIRTUAL_ACCOUNT"],"pgProvider":["KCP"],"currency":"KRW"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var in paymentFilter
		if json.Unmarshal(body, &in) != nil || in.check() != nil {
			return
		}
		covered := reach{[]merchant.StoreID{mainStore}, []merchant.Mode{merchant.Test}}
		l, err := in.list(covered, []merchant.Channel{{Key: testChannel, Provider: "kcp", Mode: merchant.Test}}, time.Now())
		if err == nil && (len(l.Stores) != 1 || len(l.Modes) > 1 || l.From.After(l.Until) && in.Until != "") {
			t.Errorf("%s asks for %+v", body, l)
		}
	})
}

// TestTransactionsAreFound finds payments by the ids of their attempts.
func TestTransactionsAreFound(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.shops()
		id := func(secret, payment string) string {
			tx, _ := b.ok(b.call("GET", "/payments/"+payment, "PortOne "+secret, ""))["transactionId"].(string)
			return tx
		}
		search := func(field, value string) string {
			return `{"filter":{"textSearch":[{"field":"` + field + `","value":"` + value + `"}]}}`
		}
		tx := id("any", "b-live")
		for _, field := range []string{"TX_ID", "ALL"} {
			if got := b.listed(b.ask("/payments", "any", search(field, tx))); len(got) != 1 || got[0] != "b-live" {
				b.Errorf("by %s there are %v", field, got)
			}
			for _, secret := range []string{"test", "sub", "rival"} {
				if got := b.listed(b.ask("/payments", secret, search(field, tx))); got != nil {
					b.Errorf("%s finds %v by %s", secret, got, field)
				}
			}
		}
	})
}
