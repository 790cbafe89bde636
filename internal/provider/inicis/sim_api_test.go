package inicis_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/inicis"
	"github.com/tongbo/tongbo/internal/provider/providertest"
)

// send posts to the simulated PG, and returns its code.
func send(t *testing.T, a provider.Access, path, contentType, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.Channel.BaseURL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	resp, err := a.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ ResultCode string }
	if err := json.Unmarshal(b, &answer); err != nil {
		t.Fatalf("the PG answered %q", b)
	}
	return answer.ResultCode
}

const formType = "application/x-www-form-urlencoded;charset=utf-8"

// TestSimulatedPGChecks: what passes with the simulated PG is signed, encrypted
// and filled in as the real one wants it.
func TestSimulatedPGChecks(t *testing.T) {
	t.Parallel()
	a, ledger := providertest.Play(t, inicis.V2, channel())
	i, err := inicis.V2.Issue(t.Context(), a, order())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Deposit(a.Channel, i.PGTx, "홍길동"); err != nil {
		t.Fatal(err)
	}
	good := url.Values{
		"type": {"PartialRefund"}, "paymethod": {"Vacct"}, "timestamp": {"20260909120000"}, "clientIp": {"127.0.0.1"}, "mid": {"INIpayTest"},
		"tid": {i.PGTx}, "msg": {"x"}, "price": {"1000"}, "confirmPrice": {"9000"}, "currency": {"WON"},
		"refundAcctNum": {"qwMHVJqsmXKoR+d8wQTS4g=="}, "refundBankCode": {"04"}, "refundAcctName": {"홍길동"},
	}
	for name, change := range map[string]func(url.Values){
		"an account in clear":         func(v url.Values) { v.Set("refundAcctNum", "123456789") },
		"an account of another key":   func(v url.Values) { v.Set("refundAcctNum", "AAAAAAAAAAAAAAAAAAAAAA==") },
		"no account":                  func(v url.Values) { v.Del("refundAcctNum") },
		"an unknown bank":             func(v url.Values) { v.Set("refundBankCode", "99") },
		"no holder":                   func(v url.Values) { v.Del("refundAcctName") },
		"another rest":                func(v url.Values) { v.Set("confirmPrice", "8000") },
		"more than came in":           func(v url.Values) { v.Set("price", "10001"); v.Set("confirmPrice", "-1") },
		"another payment":             func(v url.Values) { v.Set("tid", "x") },
		"a time in milliseconds":      func(v url.Values) { v.Set("timestamp", "1788883200000") },
		"no address":                  func(v url.Values) { v.Del("clientIp") },
		"another method":              func(v url.Values) { v.Set("paymethod", "Card") },
		"a close of what has money":   func(v url.Values) { v.Set("type", "Refund"); v.Set("paymethod", "GVacct") },
		"an id that is there twice":   func(v url.Values) { v.Add("tid", "x") },
		"a merchant it does not know": func(v url.Values) { v.Set("mid", "other") },
	} {
		v := maps.Clone(good)
		change(v)
		names := []string{"tid", "price", "confirmPrice", "refundAcctNum"}
		if v.Get("paymethod") == "GVacct" {
			names = names[:1]
		}
		v.Set("hashData", hashOf(v, names...))
		if code := send(t, a, "/api/v1/refund", formType, v.Encode()); code != "01" {
			t.Errorf("%s: the PG says %s", name, code)
		}
	}
	good.Set("hashData", hashOf(good, "tid", "price", "confirmPrice", "refundAcctNum"))
	changed := maps.Clone(good)
	changed.Set("price", "1001")
	for name, code := range map[string]string{
		"a hash of something else": send(t, a, "/api/v1/refund", formType, changed.Encode()),
		"JSON for v1":              send(t, a, "/api/v1/refund", "application/json", "{}"),
		"nothing":                  send(t, a, "/api/v1/refund", formType, ""),
		"a form for v2":            send(t, a, "/v2/pg/inquiry", formType, "mid=INIpayTest"),
		"an unsigned inquiry":      send(t, a, "/v2/pg/inquiry", "application/json", `{"mid":"INIpayTest","type":"inquiry","timestamp":"20260909120000","clientIp":"127.0.0.1","data":{"tid":"`+i.PGTx+`"},"hashData":"0"}`),
	} {
		if code != "01" {
			t.Errorf("%s: the PG says %s", name, code)
		}
	}
	if code := send(t, a, "/api/v1/refund", formType, good.Encode()); code != "00" {
		t.Errorf("the good one: the PG says %s", code)
	}
	s, err := inicis.V2.Inquire(t.Context(), a, provider.Query{Order: "order-1"})
	if err != nil || s.State != payment.PartiallyCancelled || len(s.Cancellations) != 1 || s.Cancellations[0].Amount != payment.Won(1000) {
		t.Errorf("afterwards: %+v, %v", s, err)
	}
}

// What the simulated PG gives away of an account before money comes is masked,
// as the real one's (observed).
func TestSimulatedPGMasksAccounts(t *testing.T) {
	t.Parallel()
	a, _ := providertest.Play(t, inicis.V1, channel())
	i, err := inicis.V1.Issue(t.Context(), a, order())
	if err != nil {
		t.Fatal(err)
	}
	s, err := inicis.V1.Inquire(t.Context(), a, provider.Query{PGTx: i.PGTx})
	if err != nil || s.Account.Number != "" || s.Account.Bank != "SHINHAN" || s.Order != "order-1" || s.Account.ExpiresAt.Sub(i.Account.ExpiresAt) != 0 {
		t.Errorf("standing %+v, %v", s, err)
	}
}
