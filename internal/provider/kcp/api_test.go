package kcp

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/books"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

var refundTo = &provider.RefundAccount{Bank: "KOOKMIN", Number: "123-456-789012", Holder: "홍길동", Phone: "01012345678"}

func channel(t *testing.T) merchant.Channel {
	t.Helper()
	k := makeKey(t)
	return merchant.Channel{Key: "channel-key-1", Mode: merchant.Test, MID: "T0000", Credentials: merchant.Credentials{
		siteCert: secret.Text(k.cert), privateKeyText: secret.Text(sealPKCS12(t, k.der)), privateKeyPassword: password,
	}}
}

// order is one that KCP takes.
func order() provider.Order {
	o := providertest.Won1000("SHINHAN")
	o.TaxFree = 0
	return o
}

func TestCalls(t *testing.T) {
	t.Parallel()
	c := channel(t)
	for _, m := range []module{V1, V2} {
		t.Run(m.code, func(t *testing.T) {
			providertest.Calls(t, m, providertest.Bench{Channel: c, Order: order(), Refund: refundTo})
		})
	}
}

// answering is a KCP that answers everything with one body, and keeps what it
// was asked.
func answering(t *testing.T, c merchant.Channel, body string) (a provider.Access, asked *[]byte) {
	t.Helper()
	asked = new([]byte)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked, _ = io.ReadAll(r.Body)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(srv.Close)
	c.BaseURL = srv.URL
	return provider.Access{HTTP: srv.Client(), Channel: c, Now: time.Now()}, asked
}

func TestIssueRequest(t *testing.T) {
	t.Parallel()
	c := channel(t)
	a, asked := answering(t, c, `{"res_cd":"S032","res_msg":"접근권한이 없습니다"}`)
	o := order()
	o.ID, o.Name, o.Amount = "TEST1234567890", `테스트 & "상품"`, payment.Won(1000)
	o.Bank, o.ExpiresAt = "KOOKMIN", time.Date(2026, 5, 16, 23, 59, 59, 0, wire.Seoul)
	o.Receipt = &provider.ReceiptOrder{Business: true, Identity: "123-45-67890"}
	_, err := V2.Issue(t.Context(), a, o)
	if d, ok := errors.AsType[*provider.DeclinedError](err); !ok || d.Code != "S032" || d.Message != "접근권한이 없습니다" {
		t.Fatalf("Issue: %v, want the PG's no", err)
	}
	var got map[string]string
	if err := json.Unmarshal(*asked, &got); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"site_cd": "T0000", "pay_method": "VCNT", "cust_ip": "", "amount": "1000", "va_mny": "1000", "currency": "410", "ordr_idxx": "TEST1234567890",
		"good_name": "테스트 상품", "buyr_name": "홍길동", "va_name": "홍길동", "buyr_tel2": "01012345678", "buyr_mail": "hong@example.com",
		"va_txtype": "41100000", "va_bankcode": "BK04", "va_date": "20260516235959", "va_receipt_gubn": "1", "va_taxno": "1234567890",
		"kcp_cert_info": strings.ReplaceAll(c.Credentials[siteCert].Reveal(), "\n", ""),
	} {
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
	}
	if strings.ContainsAny(got["kcp_cert_info"], "\r\n") {
		t.Error("the certificate has line breaks")
	}
}

// TestIssueAnswers begins with the values that a public test has seen.
func TestIssueAnswers(t *testing.T) {
	t.Parallel()
	c := channel(t)
	o := order()
	const good = `"res_cd":"V000","res_msg":"가상계좌가 발급되었습니다.","tno":"26051312345678","bankname":"NH농협","bankcode":"BK11","account":"T1109260001455","depositor":"NHN KCP","va_date":"20260516235959","app_time":"20260513174624"`
	a, _ := answering(t, c, `{`+good+`}`)
	got, err := V2.Issue(t.Context(), a, o)
	if err != nil || got.PGTx != "26051312345678" || got.Account.Number != "T1109260001455" || got.Account.Bank != "NONGHYUP" || got.Account.Holder != "NHN KCP" ||
		!got.Account.ExpiresAt.Equal(time.Date(2026, 5, 16, 23, 59, 59, 0, wire.Seoul)) || !got.At.Equal(time.Date(2026, 5, 13, 17, 46, 24, 0, wire.Seoul)) {
		t.Errorf("Issue = %+v, %v", got, err)
	}
	for name, body := range map[string]string{
		"no account": strings.Replace(`{`+good+`}`, "T1109260001455", "", 1), "no tno": strings.Replace(`{`+good+`}`, "26051312345678", "", 1),
		"another amount": `{` + good + `,"amount":"1"}`, "a field twice": `{` + good + `,"account":"1"}`,
	} {
		a, _ := answering(t, c, body)
		if _, err := V2.Issue(t.Context(), a, o); !fault.Is(err, fault.Unclear) {
			t.Errorf("%s: %v, want unclear", name, err)
		}
	}
	// What a card's payment says for success is no issued account.
	a, _ = answering(t, c, strings.Replace(`{`+good+`}`, "V000", "0000", 1))
	if _, err := V2.Issue(t.Context(), a, o); err == nil {
		t.Error("0000 counts as an issued account")
	}
}

func TestCheckIssue(t *testing.T) {
	t.Parallel()
	good := channel(t)
	if err := V1.CheckIssue(good, order()); err != nil {
		t.Fatalf("a good order: %v", err)
	}
	for _, c := range []struct {
		name string
		edit func(*merchant.Channel, *provider.Order)
		want fault.Kind
	}{
		{"no certificate", func(c *merchant.Channel, _ *provider.Order) { c.Credentials = merchant.Credentials{"site_key": "k"} }, fault.Invalid},
		{"what is no certificate", func(c *merchant.Channel, _ *provider.Order) { c.Credentials = merchant.Credentials{siteCert: "MIID"} }, fault.Invalid},
		{"no site code", func(c *merchant.Channel, _ *provider.Order) { c.MID = "" }, fault.Invalid},
		{"dollars", func(_ *merchant.Channel, o *provider.Order) { o.Amount.Currency = "USD" }, fault.Unsupported},
		{"a securities company", func(_ *merchant.Channel, o *provider.Order) { o.Bank = "YUANTA_SECURITIES" }, fault.Invalid},
		{"no bank", func(_ *merchant.Channel, o *provider.Order) { o.Bank = "" }, fault.Invalid},
		{"no deadline", func(_ *merchant.Channel, o *provider.Order) { o.ExpiresAt = time.Time{} }, fault.Invalid},
		{"41 bytes", func(_ *merchant.Channel, o *provider.Order) { o.ID = strings.Repeat("a", 41) }, fault.Invalid},
		{"a sign that KCP refuses", func(_ *merchant.Channel, o *provider.Order) { o.ID = "a&b" }, fault.Invalid},
		{"fixed", func(_ *merchant.Channel, o *provider.Order) { o.Type = payment.Fixed }, fault.Unsupported},
		{"partly free of tax", func(_ *merchant.Channel, o *provider.Order) { o.TaxFree = 1 }, fault.Unsupported},
		{"escrow", func(_ *merchant.Channel, o *provider.Order) { o.Escrow = true }, fault.Unsupported},
		{"a receipt for nobody", func(_ *merchant.Channel, o *provider.Order) { o.Receipt = &provider.ReceiptOrder{} }, fault.Invalid},
	} {
		ch, o := good, order()
		c.edit(&ch, &o)
		if err := V2.CheckIssue(ch, o); !fault.Is(err, c.want) {
			t.Errorf("%s: CheckIssue = %v, want %v", c.name, err, c.want)
		}
	}
}

func TestCheckRefund(t *testing.T) {
	t.Parallel()
	good := channel(t)
	q := provider.Refund{Query: provider.Query{PGTx: "1", Amount: payment.Won(10)}, Give: payment.Won(10), Rest: payment.Won(10), TaxFree: 1, Account: refundTo}
	if err := V2.CheckRefund(good, q); err != nil {
		t.Fatalf("a good refund: %v", err)
	}
	with := func(name string, v secret.Text) func(*merchant.Channel, *provider.Refund) {
		return func(c *merchant.Channel, _ *provider.Refund) {
			all := merchant.Credentials{}
			maps.Copy(all, c.Credentials)
			all[name] = v
			c.Credentials = all
		}
	}
	for _, c := range []struct {
		name string
		edit func(*merchant.Channel, *provider.Refund)
		want fault.Kind
	}{
		{"no key", with(privateKeyText, ""), fault.Invalid},
		{"another password", with(privateKeyPassword, "x"), fault.Invalid},
		{"no certificate", with(siteCert, ""), fault.Invalid},
		{"no tno", func(_ *merchant.Channel, q *provider.Refund) { q.PGTx = "" }, fault.Unsupported},
		{"escrow", func(_ *merchant.Channel, q *provider.Refund) { q.Escrow = true }, fault.Unsupported},
		{"no account", func(_ *merchant.Channel, q *provider.Refund) { q.Account = nil }, fault.Invalid},
		{"no holder", func(_ *merchant.Channel, q *provider.Refund) {
			q.Account = &provider.RefundAccount{Bank: "KOOKMIN", Number: "1"}
		}, fault.Invalid},
		{"no bank", func(_ *merchant.Channel, q *provider.Refund) {
			q.Account = &provider.RefundAccount{Number: "1", Holder: "a"}
		}, fault.Invalid},
		{"a part, partly free of tax", func(_ *merchant.Channel, q *provider.Refund) { q.Give = payment.Won(5) }, fault.Unsupported},
	} {
		ch, r := good, q
		c.edit(&ch, &r)
		if err := V2.CheckRefund(ch, r); !fault.Is(err, c.want) {
			t.Errorf("%s: CheckRefund = %v, want %v", c.name, err, c.want)
		}
	}
}

func TestRefundRequest(t *testing.T) {
	t.Parallel()
	c := channel(t)
	a, asked := answering(t, c, `{"res_cd":"0000","res_msg":"정상처리","tno":"26051312345678","canc_time":"20260520101112","mod_mny":"3000","rem_mny":"7000","mod_pcan_seq_no":"1"}`)
	q := provider.Refund{
		Query: provider.Query{PGTx: "26051312345678", Amount: payment.Won(10_000)}, Give: payment.Won(3000), Rest: payment.Won(10_000),
		Account: refundTo, Reason: "변심 & <환불>",
	}
	got, err := V2.Refund(t.Context(), a, q)
	if err != nil || got.PGID != "1" || got.Transfer != payment.RefundPending || !got.At.Equal(time.Date(2026, 5, 20, 10, 11, 12, 0, wire.Seoul)) {
		t.Errorf("Refund = %+v, %v", got, err)
	}
	var sent map[string]string
	if err := json.Unmarshal(*asked, &sent); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"tno": "26051312345678", "mod_type": "STPD", "mod_sub_type": "MDSC03", "mod_comp_type": "MDCP01", "mod_bankcode": "BK04",
		"mod_account": "123456789012", "mod_depositor": "홍길동", "mod_mny": "3000", "rem_mny": "10000", "mod_desc": "변심 환불",
	} {
		if sent[name] != want {
			t.Errorf("%s = %q, want %q", name, sent[name], want)
		}
	}
	if !signedBy(sent["kcp_cert_info"], sent["kcp_sign_data"], "T0000^26051312345678^STPD") {
		t.Error("kcp_sign_data does not sign site_cd^tno^mod_type")
	}
	for name, body := range map[string]string{
		"another transaction": `{"res_cd":"0000","tno":"1"}`, "another amount": `{"res_cd":"0000","tno":"26051312345678","mod_mny":"1"}`, "no transaction": `{"res_cd":"0000"}`,
	} {
		a, _ := answering(t, c, body)
		if _, err := V2.Refund(t.Context(), a, q); !fault.Is(err, fault.Unclear) {
			t.Errorf("%s: %v, want unclear", name, err)
		}
	}
}

// TestSignatureIsChecked sees that the simulated KCP takes no other key's
// signature, nor a certificate of another site.
func TestSignatureIsChecked(t *testing.T) {
	t.Parallel()
	c, other := channel(t), makeKey(t)
	l := &books.Ledger{Channels: func() []merchant.Channel { return []merchant.Channel{c} }}
	srv := httptest.NewServer(V2.API(l))
	t.Cleanup(srv.Close)
	q := provider.Refund{Query: provider.Query{PGTx: "1", Amount: payment.Won(10)}, Give: payment.Won(10), Rest: payment.Won(10), Account: refundTo}
	for name, changed := range map[string]merchant.Credentials{
		"another key":         {siteCert: c.Credentials[siteCert], privateKeyText: secret.Text(other.plain)},
		"another certificate": {siteCert: secret.Text(other.cert), privateKeyText: secret.Text(other.plain)},
	} {
		a := provider.Access{HTTP: srv.Client(), Channel: c, Now: time.Now()}
		a.Channel.BaseURL, a.Channel.Credentials = srv.URL, changed
		_, err := V2.Refund(t.Context(), a, q)
		if d, ok := errors.AsType[*provider.DeclinedError](err); !ok || d.Code != "S032" {
			t.Errorf("%s: %v, want S032", name, err)
		}
	}
}
