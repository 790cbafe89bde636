package welcome_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/welcome"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

// The keys of test merchants are not published: this one is made up.
const key = "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="

func channel() merchant.Channel {
	return merchant.Channel{Key: "channel-key-1", Mode: merchant.Test, MID: "welcometst", Credentials: merchant.Credentials{"signkey": key}}
}

func closing(tid string) provider.Closing {
	return provider.Closing{Query: provider.Query{PGTx: tid, Amount: payment.Won(10_000)}, Reason: "주문 취소"}
}

const tid = "StdpayVBNKwelcometst20260909110000000001"

func entry() provider.Entry {
	return provider.Entry{Order: "order-1", PGTx: tid, Amount: payment.Won(10_000), Account: payment.Account{Bank: "NONGHYUP"}}
}

func TestCalls(t *testing.T) {
	t.Parallel()
	providertest.Calls(t, welcome.Module, providertest.Bench{Channel: channel(), Order: providertest.Won1000("NONGHYUP")})
}

// TestNoRefunder: the names of a refund account's fields are not published, and
// a cancel call without one must not be tried on a deposit.
func TestNoRefunder(t *testing.T) {
	t.Parallel()
	if _, ok := any(welcome.Module).(provider.Refunder); ok {
		t.Error("the module refunds: where does the PG say how?")
	}
	a, ledger := providertest.Play(t, welcome.Module, channel())
	if _, err := ledger.Issue(a.Channel, entry()); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Deposit(a.Channel, tid, "홍길동"); err != nil {
		t.Fatal(err)
	}
	if _, err := welcome.Module.Close(t.Context(), a, closing(tid)); !isNo(err) {
		t.Errorf("Close of what has money: %v, want the PG's no", err)
	}
}

func isNo(err error) bool {
	_, ok := errors.AsType[*provider.DeclinedError](err)
	return ok
}

func hexOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func TestCloseRequest(t *testing.T) {
	t.Parallel()
	const good = `{"ResultCode":"00","ResultMsg":"ok","Mid":"welcometst","Tid":"` + tid + `","Moid":"order-1","Price":"10000","CancelDate":"20260909","CancelTime":"030001"}`
	var body, answer, contentType string
	status := 200
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		body, contentType = r.Method+" "+r.URL.Path+" "+string(b), r.Header.Get("Content-Type")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	defer srv.Close()
	a := provider.Access{HTTP: srv.Client(), Channel: channel(), Now: time.Date(2026, 9, 8, 18, 0, 0, 0, time.UTC)}
	a.Channel.BaseURL = srv.URL + "/"
	answer = good
	at, err := welcome.Module.Close(t.Context(), a, closing(tid))
	if err != nil || !at.Equal(time.Date(2026, 9, 9, 3, 0, 1, 0, wire.Seoul)) {
		t.Errorf("Close = %v, %v", at, err)
	}
	want := "POST /cancel/cancel payType=vbank&mid=welcometst&tid=" + tid + "&price=10000&currency=WON&timestamp=20260909030000&signature=" +
		hexOf("mid=welcometst&mkey="+hexOf(key)+"&timestamp=20260909030000")
	if body != want || contentType != "application/x-www-form-urlencoded; charset=utf-8" {
		t.Errorf("sent %s as %s, want %s", body, contentType, want)
	}
	for name, c := range map[string]struct {
		status int
		answer string
		no     bool
	}{
		"a no":                {200, `{"ResultCode":"9999","ResultMsg":"안 돼요"}`, true},
		"another payment":     {200, strings.Replace(good, tid, "other", 1), false},
		"another merchant":    {200, strings.Replace(good, "welcometst", "other", 1), false},
		"another amount":      {200, strings.Replace(good, "10000", "1000", 1), false},
		"no amount":           {200, strings.Replace(good, "10000", "", 1), false},
		"a yes and no fields": {200, `{"ResultCode":"00"}`, false},
		"a broken machine":    {500, `{"ResultCode":"9999"}`, false},
		"a page":              {404, "<html>Not Found", false},
	} {
		status, answer = c.status, c.answer
		_, err := welcome.Module.Close(t.Context(), a, closing(tid))
		if c.no != isNo(err) || !c.no && !fault.Is(err, fault.Unclear) {
			t.Errorf("%s: Close: %v", name, err)
		}
	}
	status, answer = 200, strings.Replace(good, "030001", "", 1)
	if at, err := welcome.Module.Close(t.Context(), a, closing(tid)); err != nil || !at.IsZero() {
		t.Errorf("without a time of day: Close = %v, %v", at, err)
	}
}

func TestCloseChecks(t *testing.T) {
	t.Parallel()
	if err := welcome.Module.CheckClose(channel(), closing(tid)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		edit func(*merchant.Channel, *provider.Closing)
		want fault.Kind
	}{
		"no mid":        {func(c *merchant.Channel, _ *provider.Closing) { c.MID = "" }, fault.Invalid},
		"no key":        {func(c *merchant.Channel, _ *provider.Closing) { c.Credentials = nil }, fault.Invalid},
		"no id":         {func(_ *merchant.Channel, q *provider.Closing) { q.PGTx = "" }, fault.Unsupported},
		"a long id":     {func(_ *merchant.Channel, q *provider.Closing) { q.PGTx += "1" }, fault.Unsupported},
		"a deposit":     {func(_ *merchant.Channel, q *provider.Closing) { q.Deposit = "d" }, fault.Unsupported},
		"no amount":     {func(_ *merchant.Channel, q *provider.Closing) { q.Amount = payment.Money{} }, fault.Unsupported},
		"other amounts": {func(_ *merchant.Channel, q *provider.Closing) { q.Amount.Currency = "USD" }, fault.Unsupported},
	} {
		ch, q := channel(), closing(tid)
		c.edit(&ch, &q)
		if err := welcome.Module.CheckClose(ch, q); !fault.Is(err, c.want) {
			t.Errorf("%s: CheckClose = %v, want %v", name, err, c.want)
		}
	}
}

// TestSimulatedPGChecks: what passes with the simulated PG is signed and filled
// in as the real one wants it.
func TestSimulatedPGChecks(t *testing.T) {
	t.Parallel()
	a, ledger := providertest.Play(t, welcome.Module, channel())
	if _, err := ledger.Issue(a.Channel, entry()); err != nil {
		t.Fatal(err)
	}
	signed := hexOf("mid=welcometst&mkey=" + hexOf(key) + "&timestamp=20260909030000")
	good := url.Values{
		"payType": {"vbank"}, "mid": {"welcometst"}, "tid": {tid}, "price": {"10000"}, "currency": {"WON"},
		"timestamp": {"20260909030000"}, "signature": {signed},
	}
	for _, field := range []string{"payType", "mid", "tid", "price", "currency", "timestamp", "signature"} {
		v := url.Values{}
		for name := range good {
			v.Set(name, good.Get(name))
		}
		v.Set(field, "1")
		if got := post(t, a, v.Encode()); strings.Contains(got, `"00"`) {
			t.Errorf("with another %s the PG says %s", field, got)
		}
	}
	if got := post(t, a, ""); !strings.HasPrefix(got, "400") {
		t.Errorf("to nothing the PG says %s", got)
	}
	if got := post(t, a, good.Encode()+"&tid=x"); !strings.HasPrefix(got, "400") {
		t.Errorf("to two ids the PG says %s", got)
	}
	if got := post(t, a, good.Encode()); !strings.Contains(got, `"ResultCode":"00"`) {
		t.Errorf("to the good one the PG says %s", got)
	}
}

func post(t *testing.T, a provider.Access, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.Channel.BaseURL+"/cancel/cancel", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := a.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Status + string(b)
}
