package inicis_test

import (
	"context"
	"crypto/sha512"
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
	"github.com/tongbo/tongbo/internal/provider/inicis"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

const apiKey = "ItEQKi3rY7uvDS8l"

func channel() merchant.Channel {
	return merchant.Channel{Key: "channel-key-1", Mode: merchant.Test, MID: "INIpayTest", Credentials: merchant.Credentials{
		"iniapi_key": apiKey, "iniapi_iv": "HYb3yQ4f65QL89==", "site_url": "https://shop.example.com",
	}}
}

func order() provider.Order { return providertest.Won1000("SHINHAN") }

func refundTo() *provider.RefundAccount {
	return &provider.RefundAccount{Bank: "KOOKMIN", Number: "123-456-789", Holder: "홍길동", Phone: "01012345678"}
}

func TestCalls(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]provider.Provider{"V1": inicis.V1, "V2": inicis.V2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			providertest.Calls(t, m, providertest.Bench{Channel: channel(), Order: order(), Refund: refundTo()})
		})
	}
}

// A pg answers every call with the same text, and keeps what it was asked.
type pg struct {
	provider.Access
	path, contentType, body string
}

func answering(t *testing.T, status int, text string) *pg {
	t.Helper()
	g := &pg{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		g.path, g.contentType, g.body = r.URL.Path, r.Header.Get("Content-Type"), string(b)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(srv.Close)
	g.Access = provider.Access{HTTP: srv.Client(), Channel: channel(), Now: time.Date(2026, 9, 8, 18, 0, 0, 0, time.UTC)}
	g.Channel.BaseURL = srv.URL
	return g
}

func (g *pg) form(t *testing.T) url.Values {
	t.Helper()
	v, err := url.ParseQuery(g.body)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// hashOf is the manual's formula, written down once more: v1 hashes the values
// of these fields, the key before them.
func hashOf(v url.Values, names ...string) string { return hashWith(apiKey, v, names...) }

func hashWith(plain string, v url.Values, names ...string) string {
	for _, n := range append([]string{"type", "paymethod", "timestamp", "clientIp", "mid"}, names...) {
		plain += v.Get(n)
	}
	sum := sha512.Sum512([]byte(plain))
	return hex.EncodeToString(sum[:])
}

// The hash of an inquiry of v1 that a public client's test has.
func TestPublishedHash(t *testing.T) {
	t.Parallel()
	v := url.Values{"type": {"Extra"}, "paymethod": {"Inquiry"}, "timestamp": {"20260909120000"}, "clientIp": {"127.0.0.1"}, "mid": {"INIpayTest"}}
	const want = "a485509f6dcb9fa5aa27159e5823470472423b7306b3de41fb8b36fd77b6ee05ddbb5387cc9d8fea65b409b25cc098db91c907d77c3f52fa0e2ea639cf61c0cc"
	if got := hashWith("fixture-inicis-api-key", v); got != want {
		t.Errorf("hash = %s", got)
	}
}

const issued = `{"resultCode":"00","resultMsg":"ok","tid":"INIAPIVBNKINIpayTest20260909030000000001","authDate":"20260909","authTime":"030000",` +
	`"vacct":"56211992494252","vacctName":"(주)케이지이니시스","vacctBankCode":"88","validDate":"20260912","validTime":"235900","price":10000}`

func TestIssueRequest(t *testing.T) {
	t.Parallel()
	g := answering(t, 200, issued)
	o := order()
	o.Name, o.Customer.Name = strings.Repeat("가", 40), "남궁 "+strings.Repeat("선", 20)
	o.ExpiresAt = time.Date(2026, 9, 13, 0, 0, 0, 0, wire.Seoul)
	o.Receipt = &provider.ReceiptOrder{Business: true, Identity: "123-45-6789"}
	i, err := inicis.V2.Issue(t.Context(), g.Access, o)
	if err != nil {
		t.Fatal(err)
	}
	v := g.form(t)
	for name, want := range map[string]string{
		"type": "Pay", "paymethod": "Vacct", "timestamp": "20260909030000", "clientIp": "127.0.0.1", "mid": "INIpayTest", "moid": "order-1",
		"url": "https://shop.example.com", "goodName": strings.Repeat("가", 26), "price": "10000", "currency": "WON",
		"buyerName": "남궁 " + strings.Repeat("선", 7), "nmInput": "통보상점", "buyerTel": "01012345678",
		"bankCode": "88", "dtInput": "20260912", "tmInput": "2359", "tax": "818", "taxFree": "1000", "flgCash": "2",
		"cashRegNo": "qwMHVJqsmXKoR+d8wQTS4g==", // the FAQ's vector
		"hashData":  hashOf(v, "moid", "price"),
	} {
		if v.Get(name) != want {
			t.Errorf("%s = %q, want %q", name, v.Get(name), want)
		}
	}
	if g.path != "/api/v1/formpay" || g.contentType != "application/x-www-form-urlencoded;charset=utf-8" {
		t.Errorf("sent %s to %s", g.contentType, g.path)
	}
	for notices, want := range map[string]string{
		"https://hub.example.com/inicis-v2/channel-key-1": "https://hub.example.com", "": "https://localhost",
		"https://" + strings.Repeat("x", 60) + ".example/": "https://localhost",
	} {
		o.Holder, o.Receipt, o.NoticeURL, g.Channel.Credentials["site_url"] = "", nil, notices, ""
		if _, err := inicis.V2.Issue(t.Context(), g.Access, o); err != nil {
			t.Fatal(err)
		}
		if v := g.form(t); v.Get("url") != want || v.Get("nmInput") != "남궁 "+strings.Repeat("선", 4) || v.Get("flgCash") != "0" || v.Has("cashRegNo") {
			t.Errorf("with notices to %q: sent %v, want url %s", notices, v, want)
		}
	}
	at := time.Date(2026, 9, 9, 3, 0, 0, 0, wire.Seoul)
	if !i.At.Equal(at) || i.Account.Holder != "(주)케이지이니시스" || !i.Account.ExpiresAt.Equal(time.Date(2026, 9, 12, 23, 59, 0, 0, wire.Seoul)) {
		t.Errorf("Issue = %+v", i)
	}
}

func TestRefundRequest(t *testing.T) {
	t.Parallel()
	whole := provider.Refund{
		Query: provider.Query{PGTx: "tid-1", Deposit: "tid-2", Amount: payment.Won(10_000)}, Give: payment.Won(10_000), Rest: payment.Won(10_000),
		Reason: "고객 변심", Account: refundTo(), VAT: 272,
	}
	part := whole
	part.Give, part.Rest, part.TaxFree = payment.Won(3000), payment.Won(7000), 500
	g := answering(t, 200, `{"resultCode":"00","cancelDate":"20260909","cancelTime":"030001"}`)
	done, err := inicis.V1.Refund(t.Context(), g.Access, whole)
	if err != nil || done.Transfer != payment.RefundPending || !done.At.Equal(time.Date(2026, 9, 9, 3, 0, 1, 0, wire.Seoul)) {
		t.Errorf("Refund = %+v, %v", done, err)
	}
	v := g.form(t)
	if v.Get("type") != "Refund" || v.Get("tid") != "tid-1" || v.Has("price") || v.Get("hashData") != hashOf(v, "tid", "refundAcctNum") {
		t.Errorf("the whole was asked for with %v", v)
	}
	for text, id := range map[string]string{
		`"tid":"part-1","prtcTid":"tid-1","prtcPrice":"3000","prtcRemains":"4000","prtcDate":"20260909","prtcTime":"030001"`: "part-1",
		`"tid":"tid-1","prtcTid":"part-1"`: "part-1",
		`"tid":"tid-1","prtcTid":"tid-1"`:  "",
	} {
		g = answering(t, 200, `{"resultCode":"00",`+text+`}`)
		if done, err = inicis.V1.Refund(t.Context(), g.Access, part); err != nil || done.PGID != id {
			t.Errorf("%s: Refund = %+v, %v, want id %q", text, done, err, id)
		}
	}
	v = g.form(t)
	for name, want := range map[string]string{
		"type": "PartialRefund", "paymethod": "Vacct", "tid": "tid-1", "price": "3000", "confirmPrice": "4000", "tax": "272", "taxFree": "500",
		"refundAcctNum": "qwMHVJqsmXKoR+d8wQTS4g==", "refundBankCode": "04", "refundAcctName": "홍길동", "msg": "고객 변심",
		"hashData": hashOf(v, "tid", "price", "confirmPrice", "refundAcctNum"),
	} {
		if v.Get(name) != want {
			t.Errorf("%s = %q, want %q", name, v.Get(name), want)
		}
	}
	part.PGTx = ""
	if _, err := inicis.V1.Refund(t.Context(), g.Access, part); err != nil || g.form(t).Get("tid") != "tid-2" {
		t.Errorf("without the issue's id: %v, tid %q", err, g.form(t).Get("tid"))
	}
}

func TestCloseRequest(t *testing.T) {
	t.Parallel()
	g := answering(t, 200, `{"resultCode":"00","cancelDate":"20260909","cancelTime":"030001"}`)
	at, err := inicis.V1.Close(t.Context(), g.Access, provider.Closing{Query: provider.Query{PGTx: "tid-1"}, Reason: strings.Repeat("취", 50)})
	v := g.form(t)
	if err != nil || !at.Equal(time.Date(2026, 9, 9, 3, 0, 1, 0, wire.Seoul)) {
		t.Errorf("Close = %v, %v", at, err)
	}
	if v.Get("paymethod") != "GVacct" || v.Has("refundAcctNum") || v.Get("msg") != strings.Repeat("취", 26) || v.Get("hashData") != hashOf(v, "tid") {
		t.Errorf("the close was asked for with %v", v)
	}
}

func TestInquiryRequest(t *testing.T) {
	t.Parallel()
	g := answering(t, 200, `{"resultCode":"SUCCESS","transactionStatus":"9"}`)
	g.Channel.Credentials["client_ip"] = "192.0.2.7"
	for data, q := range map[string]provider.Query{
		`{"tid":"tid-1"}`: {PGTx: "tid-1", Order: "a&b<c>/d"}, `{"oid":"a&b<c>/d"}`: {Order: "a&b<c>/d"},
	} {
		s, err := inicis.V2.Inquire(t.Context(), g.Access, q)
		if err != nil || s.State != "" || s.HasAmount {
			t.Errorf("Inquire = %+v, %v, want nothing known", s, err)
		}
		sum := sha512.Sum512([]byte(apiKey + "INIpayTest" + "inquiry" + "20260909030000" + data))
		if want := `{"mid":"INIpayTest","type":"inquiry","timestamp":"20260909030000","clientIp":"192.0.2.7","data":` + data + `,"hashData":"` + hex.EncodeToString(sum[:]) + `"}`; g.body != want {
			t.Errorf("sent\n%s, want\n%s", g.body, want)
		}
	}
}

// What is no clear yes or no leaves it open what the PG did.
func TestAnswers(t *testing.T) {
	t.Parallel()
	issue := func(ctx context.Context, a provider.Access) error {
		_, err := inicis.V1.Issue(ctx, a, order())
		return err
	}
	part := func(ctx context.Context, a provider.Access) error {
		_, err := inicis.V1.Refund(ctx, a, provider.Refund{
			Query: provider.Query{PGTx: "t", Amount: payment.Won(9)}, Give: payment.Won(3), Rest: payment.Won(9), Account: refundTo(),
		})
		return err
	}
	inquire := func(ctx context.Context, a provider.Access) error {
		_, err := inicis.V1.Inquire(ctx, a, provider.Query{PGTx: "t"})
		return err
	}
	for _, c := range []struct {
		name     string
		call     func(context.Context, provider.Access) error
		status   int
		text     string
		declined string
	}{
		{"a no", issue, 200, `{"resultCode":"01","resultMsg":"안 돼요","tid":null}`, "01"},
		{"a no with status 400", issue, 400, `{"resultCode":"ERR101","resultMsg":"Length"}`, "ERR101"},
		{"a no of the inquiry", inquire, 200, `{"resultCode":"FAIL"}`, "FAIL"},
		{"a no with status 500", issue, 500, `{"resultCode":"01"}`, ""},
		{"a no with status 302", issue, 302, `{"resultCode":"01"}`, ""},
		{"a yes with status 400", issue, 400, issued, ""},
		{"a yes without an account", issue, 200, `{"resultCode":"00","tid":"t"}`, ""},
		{"a yes without an id", issue, 200, `{"resultCode":"00","vacct":"1"}`, ""},
		{"a yes to another amount", issue, 200, strings.Replace(issued, `"price":10000`, `"price":"9999"`, 1), ""},
		{"no code", issue, 200, `{"resultMsg":"x"}`, ""},
		{"two codes", issue, 200, `{"resultCode":"01","resultCode":"00"}`, ""},
		{"a refund of another amount", part, 200, `{"resultCode":"00","prtcPrice":"4"}`, ""},
		{"a refund that leaves another amount", part, 200, `{"resultCode":"00","prtcPrice":"3","prtcRemains":"0"}`, ""},
		{"a state nobody knows", inquire, 200, `{"resultCode":"SUCCESS","price":"1","transactionStatus":"DEPOSIT_CANCELED"}`, ""},
		{"no state", inquire, 200, `{"resultCode":"SUCCESS","price":"1"}`, ""},
		{"no amount", inquire, 200, `{"resultCode":"SUCCESS","transactionStatus":"Y"}`, ""},
		{"another merchant's", inquire, 200, `{"resultCode":"SUCCESS","price":"1","transactionStatus":"Y","mid":"other"}`, ""},
		{"another payment", inquire, 200, `{"resultCode":"SUCCESS","price":"1","transactionStatus":"Y","tid":"other"}`, ""},
		{"a card", inquire, 200, `{"resultCode":"SUCCESS","price":"1","transactionStatus":"APPROVAL","paymethod":"Card","vacctInfo":{}}`, ""},
		{"an approval without an account", inquire, 200, `{"resultCode":"SUCCESS","price":"1","transactionStatus":"APPROVAL"}`, ""},
		{"a refund of a part nobody names", inquire, 200, `{"resultCode":"SUCCESS","price":"1","transactionStatus":"PART_CANCEL"}`, ""},
		{"a part of more than all", inquire, 200, `{"resultCode":"SUCCESS","price":"1","transactionStatus":"PART_CANCEL","partCancelTransInfo":[{"requestPrice":"2"}]}`, ""},
		{"parts that are none", inquire, 200, `{"resultCode":"SUCCESS","price":"1","transactionStatus":"PART_CANCEL","partCancelTransInfo":{}}`, ""},
		{"a waiting refund of who knows how much", inquire, 200, `{"resultCode":"SUCCESS","price":"1","transactionStatus":"WAITING_FOR_REFUND"}`, ""},
		{"a deposit of nonsense", inquire, 200, `{"resultCode":"SUCCESS","price":"1","transactionStatus":"Y","vacctInfo":{"depositAmount":"x"}}`, ""},
		{"an account that is none", inquire, 200, `{"resultCode":"SUCCESS","price":"1","transactionStatus":"Y","vacctInfo":[]}`, ""},
	} {
		err := c.call(t.Context(), answering(t, c.status, c.text).Access)
		if d, ok := errors.AsType[*provider.DeclinedError](err); c.declined != "" {
			if !ok || d.Code != c.declined {
				t.Errorf("%s: %v, want the PG's no %s", c.name, err, c.declined)
			}
		} else if !fault.Is(err, fault.Unclear) {
			t.Errorf("%s: %v, want fault.Unclear", c.name, err)
		}
	}
}

func TestStandings(t *testing.T) {
	t.Parallel()
	const waiting = `"vacctInfo":{"accountNumber":"5621199*******","bankCode":"88","validDate":"20260908235959"}`
	const paid = `"vacctInfo":{"accountNumber":"56211992494252","bankCode":"88","accountName":"통보","validDate":"20260910","depositName":"홍길동","depositAmount":"9000","depositDate":"20260909","depositTime":"010203"}`
	const part = `"partCancelTransInfo":[{"tid":"p","requestDate":"20260909","requestTime":"020000","requestPrice":"3000"}]`
	for _, c := range []struct {
		text  string
		state payment.State
		won   int64
		gone  int // cancellations
		ok    func(provider.Standing) bool
	}{
		{`"NON_DEPOSIT",` + waiting, payment.Issued, 9000, 0, func(s provider.Standing) bool { return s.Account.Number == "" && s.Expired }},
		{`"N"`, payment.Issued, 9000, 0, func(s provider.Standing) bool { return !s.Expired }},
		{`"APPROVAL",` + waiting, payment.Issued, 9000, 0, nil},
		{`"0",` + paid, payment.Paid, 9000, 0, nil},
		{`"Y"`, payment.Paid, 9000, 0, func(s provider.Standing) bool { return s.PaidAt.IsZero() }},
		{`"DEPOSIT_COMPLETED","paymethod":"VBank",` + paid, payment.Paid, 9000, 0, func(s provider.Standing) bool {
			return s.Depositor == "홍길동" && s.Deposit == "" && s.Account.Number == "56211992494252" && s.Account.Bank == "SHINHAN" && !s.Expired &&
				s.PaidAt.Equal(time.Date(2026, 9, 9, 1, 2, 3, 0, wire.Seoul)) && s.Account.ExpiresAt.Equal(time.Date(2026, 9, 10, 23, 59, 59, 0, wire.Seoul))
		}},
		{`"Y",` + strings.Replace(paid, "9000", "8000", 1), payment.Paid, 8000, 0, nil},
		{`"PART_CANCEL",` + paid + "," + part, payment.PartiallyCancelled, 9000, 1, func(s provider.Standing) bool {
			return s.Cancellations[0].PGID == "p" && s.Cancellations[0].Amount == payment.Won(3000) && s.Refund == payment.RefundPending
		}},
		{`"WAITING_FOR_REFUND",` + paid + "," + part, payment.PartiallyCancelled, 9000, 1, nil},
		{`"WAITING_FOR_REFUND","availablePartCancelPrice":"0",` + paid, payment.Cancelled, 9000, 1, nil},
		{`"PART_CANCEL",` + paid + "," + strings.Replace(part, "3000", "9000", 1), payment.Cancelled, 9000, 1, nil},
		{`"REFUND_COMPLETED","refundDate":"20260909","refundTime":"040000",` + paid + "," + part, payment.Cancelled, 9000, 2, func(s provider.Standing) bool {
			last := s.Cancellations[1]
			return s.Refund == payment.RefundCompleted && last.Amount == payment.Won(6000) && last.At.Equal(time.Date(2026, 9, 9, 4, 0, 0, 0, wire.Seoul))
		}},
		{`"CANCEL",` + paid, payment.Cancelled, 9000, 1, nil},
		{`"1",` + waiting, payment.Failed, 9000, 0, nil},
		{`"C"`, payment.Failed, 9000, 0, nil},
	} {
		g := answering(t, 200, `{"resultCode":"SUCCESS","tid":"t","oid":"o","price":"9000","transactionStatus":`+c.text+`}`)
		s, err := inicis.V2.Inquire(t.Context(), g.Access, provider.Query{PGTx: "t"})
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if s.State != c.state || !s.HasAmount || s.Amount != payment.Won(c.won) || len(s.Cancellations) != c.gone || s.Order != "o" || c.ok != nil && !c.ok(s) {
			t.Errorf("%s: standing %+v", c.text, s)
		}
	}
}
