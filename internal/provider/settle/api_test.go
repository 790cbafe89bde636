package settle

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

func bench() providertest.Bench {
	o := providertest.Won1000("NONGHYUP")
	o.NoticeURL = "https://shop.example.com/settle_payments/notice_vbank"
	return providertest.Bench{
		Channel: merchant.Channel{Key: "channel-key-1", Mode: merchant.Test, MID: testMID, Credentials: merchant.Credentials{
			hashKey: testHashKey, aesKey: testAESKey,
		}},
		Order:  o,
		Refund: &provider.RefundAccount{Bank: "KOOKMIN", Number: "123-456-789012", Holder: "홍길동", Phone: "01012345678"},
	}
}

func TestCalls(t *testing.T) {
	t.Parallel()
	providertest.Calls(t, Module, bench())
}

// access leads to a PG that answers as told and keeps what it was asked.
func access(t *testing.T, answer func(asked message) any) (provider.Access, *message) {
	t.Helper()
	asked := &message{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil || json.Unmarshal(b, asked) != nil {
			t.Errorf("the request is no message: %s", b)
		}
		_ = json.NewEncoder(w).Encode(answer(*asked))
	}))
	t.Cleanup(srv.Close)
	a := provider.Access{HTTP: srv.Client(), Channel: bench().Channel, Now: time.Date(2021, 12, 31, 10, 0, 0, 0, wire.Seoul)}
	a.Channel.BaseURL = srv.URL
	return a, asked
}

// TestIssueRequest: the head, the sealed values and the hash of a request are
// those of the document. Its hash over these values is the one that it prints
// for a request with another merchant id.
func TestIssueRequest(t *testing.T) {
	t.Parallel()
	if got := hash("20211231100000nxca_jt_ilORDER202112311000001000", testHashKey); got != requestHash {
		t.Errorf("hash = %s, want the document's %s", got, requestHash)
	}
	a, asked := access(t, func(message) any {
		return map[string]string{"outStatCd": "0031", "outRsltCd": "ST50", "outRsltMsg": "%EC%A4%91%EB%B3%B5"}
	})
	o := bench().Order
	o.ID, o.Amount, o.TaxFree, o.VAT = "ORDER20211231100000", payment.Won(1000), 100, 82
	o.ExpiresAt = time.Date(2022, 1, 10, 23, 59, 59, 0, wire.Seoul)
	o.Receipt = &provider.ReceiptOrder{Identity: "010-1234-5678"}
	o.Name = `"<시험> & ` + strings.Repeat("상품", 40)
	_, err := Module.Issue(t.Context(), a, o)
	no, ok := errors.AsType[*provider.DeclinedError](err)
	if !ok || no.Code != "ST50" || no.Message != "중복" {
		t.Errorf("Issue: %v, want the PG's no in its words", err)
	}
	want := map[string]string{
		"mchtId": "nx_mid_il", "ver": "0A19", "method": "VA", "bizType": "A0", "encCd": "23", "mchtTrdNo": "ORDER20211231100000",
		"trdDt": "20211231", "trdTm": "100000",
	}
	if d := cmp.Diff(want, asked.Params); d != "" {
		t.Errorf("params (-want +sent):\n%s", d)
	}
	for name, want := range map[string]string{
		"trdAmt": "AntV/eDpxIaKF0hJiePDKA==", "taxFreeAmt": "B7FLbSKbvqm5sY0FRNFmJw==", "taxTypeCd": "G", "bankCd": "011", "acntType": "1",
		"expireDate": "20220110235959", "csrcIssReqYn": "Y", "cashRcptPrposDivCd": "0", "csrcRegNoDivCd": "4",
		"pktHash": hash("20211231100000nx_mid_ilORDER202112311000001000", testHashKey),
	} {
		if asked.Data[name] != want {
			t.Errorf("%s = %q, want %q", name, asked.Data[name], want)
		}
	}
	if name := asked.Data["prdtNm"]; len(name) > maxProduct || !strings.HasPrefix(name, "시험 상품") {
		t.Errorf("prdtNm = %q (%d bytes)", name, len(name))
	}
	if number, err := open(testAESKey, asked.Data["csrcRegNo"]); err != nil || number != "01012345678" {
		t.Errorf("csrcRegNo opens as %q, %v", number, err)
	}
}

func TestCheckIssue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit func(*merchant.Channel, *provider.Order)
		want fault.Kind
	}{
		"no hash key": {func(c *merchant.Channel, _ *provider.Order) { c.Credentials = merchant.Credentials{aesKey: testAESKey} }, fault.Invalid},
		"a short AES key": {func(c *merchant.Channel, _ *provider.Order) {
			c.Credentials = merchant.Credentials{hashKey: "k", aesKey: "short"}
		}, fault.Invalid},
		"no mid":                {func(c *merchant.Channel, _ *provider.Order) { c.MID = "" }, fault.Invalid},
		"dollars":               {func(_ *merchant.Channel, o *provider.Order) { o.Amount.Currency = "USD" }, fault.Unsupported},
		"no amount":             {func(_ *merchant.Channel, o *provider.Order) { o.Amount = payment.Won(0) }, fault.Invalid},
		"a long order id":       {func(_ *merchant.Channel, o *provider.Order) { o.ID = strings.Repeat("o", 101) }, fault.Invalid},
		"a Korean order id":     {func(_ *merchant.Channel, o *provider.Order) { o.ID = "주문" }, fault.Invalid},
		"the constant":          {func(_ *merchant.Channel, o *provider.Order) { o.ID = noOrder }, fault.Invalid},
		"a bank without":        {func(_ *merchant.Channel, o *provider.Order) { o.Bank = "KAKAO" }, fault.Invalid},
		"no bank":               {func(_ *merchant.Channel, o *provider.Order) { o.Bank = "" }, fault.Invalid},
		"escrow":                {func(_ *merchant.Channel, o *provider.Order) { o.Escrow = true }, fault.Unsupported},
		"fixed without number":  {func(_ *merchant.Channel, o *provider.Order) { o.Type = payment.Fixed }, fault.Invalid},
		"fixed by an id":        {func(_ *merchant.Channel, o *provider.Order) { o.Type, o.AccountID = payment.Fixed, "id" }, fault.Unsupported},
		"no name":               {func(_ *merchant.Channel, o *provider.Order) { o.Name = " <> " }, fault.Invalid},
		"a receipt for nobody":  {func(_ *merchant.Channel, o *provider.Order) { o.Receipt = &provider.ReceiptOrder{Identity: "1"} }, fault.Invalid},
		"a long notice address": {func(_ *merchant.Channel, o *provider.Order) { o.NoticeURL = "https://" + strings.Repeat("a", 250) }, fault.Invalid},
	} {
		b := bench()
		c.edit(&b.Channel, &b.Order)
		if err := Module.CheckIssue(b.Channel, b.Order); !fault.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	fixed := bench()
	fixed.Order.Type, fixed.Order.Number = payment.Fixed, "2022004000001"
	if err := Module.CheckIssue(fixed.Channel, fixed.Order); err != nil {
		t.Errorf("a fixed account: %v", err)
	}
}

func TestFixedAccount(t *testing.T) {
	t.Parallel()
	b := bench()
	b.Order.Type, b.Order.Number, b.Order.TaxFree = payment.Fixed, "2022-0040-00001", 0
	b.Order.Bank = "KOOKMIN"
	providertest.Calls(t, Module, b)
}

func TestCheckRefund(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit func(*provider.Refund)
		want fault.Kind
	}{
		"no account":      {func(r *provider.Refund) { r.Account = nil }, fault.Invalid},
		"no bank":         {func(r *provider.Refund) { r.Account.Bank = "MISC_FOREIGN" }, fault.Invalid},
		"no holder":       {func(r *provider.Refund) { r.Account.Holder = "" }, fault.Invalid},
		"no digits":       {func(r *provider.Refund) { r.Account.Number = "-" }, fault.Invalid},
		"too many digits": {func(r *provider.Refund) { r.Account.Number = "12345678901234567" }, fault.Invalid},
		"escrow":          {func(r *provider.Refund) { r.Escrow = true }, fault.Unsupported},
		"no issue":        {func(r *provider.Refund) { r.PGTx = "" }, fault.Unsupported},
		"no number":       {func(r *provider.Refund) { r.Number = 0 }, fault.Unsupported},
	} {
		r := provider.Refund{
			Query: provider.Query{PGTx: "T1", Amount: payment.Won(1000)}, Give: payment.Won(1000), Rest: payment.Won(1000), Number: 1,
			Account: &provider.RefundAccount{Bank: "KOOKMIN", Number: "1234", Holder: "홍길동"},
		}
		if err := Module.CheckRefund(bench().Channel, r); err != nil {
			t.Fatal(err)
		}
		c.edit(&r)
		if err := Module.CheckRefund(bench().Channel, r); !fault.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// TestStanding: what the inquiry's codes mean, and what is not believed.
func TestStanding(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status, code, amount, back, hash string
		state                            payment.State
		unclear                          bool
	}{
		"deposited":              {status: "0021", code: "0000", amount: "1000", back: "0", state: payment.Paid},
		"deposited, no refund":   {status: "0021", code: "0000", amount: "1000", state: payment.Paid},
		"a part refunded":        {status: "0021", code: "0001", amount: "1000", back: "300", state: payment.PartiallyCancelled},
		"a part, and deposited":  {status: "0021", code: "0000", amount: "1000", back: "300", state: payment.PartiallyCancelled},
		"refunded":               {status: "0021", code: "0001", amount: "1000", back: "1000", state: payment.Cancelled},
		"refunded, no sum":       {status: "0021", code: "0001", amount: "1000", state: payment.Cancelled},
		"waiting":                {status: "0051", code: "0000", amount: "1000", state: payment.Issued},
		"failed":                 {status: "0031", code: "0009", state: payment.Failed},
		"unknown":                {status: "0031", code: "ST06"},
		"refunded nothing":       {status: "0021", code: "0001", amount: "1000", back: "0", unclear: true},
		"no amount":              {status: "0021", code: "0000", unclear: true},
		"an amount that is none": {status: "0021", code: "0000", amount: "x", unclear: true},
		"another's hash":         {status: "0021", code: "0000", amount: "1000", hash: strings.Repeat("0", 64), unclear: true},
		"another state":          {status: "0099", code: "0000", amount: "1000", unclear: true},
		"a time-out":             {status: "0031", code: "VTIM", unclear: true},
	} {
		a, _ := access(t, func(asked message) any {
			h := strings.ToUpper(asked.Data["pktHash"]) // as in the document's sample
			if c.hash != "" {
				h = c.hash
			}
			return message{
				Params: map[string]string{"outStatCd": c.status, "outRsltCd": c.code, "outRsltMsg": "정상거래"},
				Data:   map[string]string{"pktHash": h, "trdAmt": c.amount, "cnclAmt": c.back},
			}
		})
		s, err := Module.Inquire(t.Context(), a, provider.Query{Order: "o-1", Amount: payment.Won(1000), At: a.Now})
		if c.unclear != fault.Is(err, fault.Unclear) || !c.unclear && err != nil || s.State != c.state {
			t.Errorf("%s: %q, %v; want %q", name, s.State, err, c.state)
		}
		if s.Deposit != "" || s.PGTx != "" {
			t.Errorf("%s: the standing names %q of %q, which Hecto does not tell", name, s.Deposit, s.PGTx)
		}
	}
}

// TestAnswerWithoutHash: a good answer that is not of this request is not
// believed, and a refusal needs no hash.
func TestAnswerWithoutHash(t *testing.T) {
	t.Parallel()
	r := provider.Refund{
		Query: provider.Query{Order: "o-1", PGTx: "T1", Amount: payment.Won(1000)}, Give: payment.Won(1000), Rest: payment.Won(1000), Number: 1,
		Account: bench().Refund, Key: "k",
	}
	for _, h := range []string{"", strings.Repeat("0", 64)} {
		a, _ := access(t, func(message) any {
			return message{
				Params: map[string]string{"outStatCd": "0021", "outRsltCd": "0000", "trdNo": "R1"}, Data: map[string]string{"pktHash": h},
			}
		})
		if _, err := Module.Refund(t.Context(), a, r); !fault.Is(err, fault.Unclear) {
			t.Errorf("an answer with hash %q: %v, want fault.Unclear", h, err)
		}
	}
}

// TestCancelNumbers: a refund has a number of its own, and a notice that bears
// it is about the order.
func TestCancelNumbers(t *testing.T) {
	t.Parallel()
	a, asked := access(t, func(m message) any {
		return message{Params: map[string]string{"outStatCd": "0021", "outRsltCd": "0000", "trdNo": "R1"}, Data: m.Data}
	})
	for _, order := range []string{"o-1", strings.Repeat("o", 81), strings.Repeat("o", 82), strings.Repeat("o", 100), "a b"} {
		q := provider.Closing{Query: provider.Query{Order: order, PGTx: "T1", Account: "79012345678901"}, Key: "k-1"}
		if _, err := Module.Close(t.Context(), a, q); err != nil {
			t.Fatal(err)
		}
		number := asked.Params["mchtTrdNo"]
		if number == order || len(number) > maxOrder || cancelNumber(order, "k-1") != number || cancelNumber(order, "k-2") == number {
			t.Errorf("the close of %q is %q", order, number)
		}
		want := order
		if len(order) > 81 || order == "a b" {
			want = ""
		}
		n := decode(t, with("bizType=B1", "bizType=A2", "mchtTrdNo=ORDER20211231100000", "mchtTrdNo="+number)+"&orgTrdNo=T1")
		if n.Order != want {
			t.Errorf("a notice of %q is about %q, want %q", number, n.Order, want)
		}
	}
	for _, order := range []string{"", "o-1", "cx", "_cx0123456789abcdef", "o_cx0123456789ABCDEF", "o_cx123"} {
		if got := orderOf(order); got != order {
			t.Errorf("orderOf(%q) = %q", order, got)
		}
	}
	n := decode(t, with("mchtTrdNo=ORDER20211231100000", "mchtTrdNo="+cancelNumber("o-1", "k")))
	if n.Order != cancelNumber("o-1", "k") {
		t.Errorf("a deposit's number was cut to %q", n.Order)
	}
}

func TestReceiptKind(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		business bool
		identity secret.Text
		want     string
	}{
		{false, "010-1234-5678", "4"}, {true, "123-45-67890", "3"}, {false, "1234-5678-9012-3456", "1"},
		{true, "1234567890123456", "1"}, {false, "1234567890", ""}, {false, "9001011234567", ""}, {false, "", ""},
	} {
		if got := receiptKind(provider.ReceiptOrder{Business: c.business, Identity: c.identity}); got != c.want {
			t.Errorf("receiptKind(%t, %s) = %q, want %q", c.business, c.identity.Reveal(), got, c.want)
		}
	}
}
