package nice

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/books"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

var refundTo = &provider.RefundAccount{Bank: "KOOKMIN", Number: "123-456-789012", Holder: "홍길동", Phone: "01012345678"}

func npgChannel() merchant.Channel {
	return merchant.Channel{Key: "channel-key-1", Mode: merchant.Test, MID: "nictest00m", Credentials: merchant.Credentials{merchantKey: key}}
}

// order is one that npg takes.
func order() provider.Order {
	o := providertest.Won1000("SHINHAN")
	o.TaxFree = 0
	return o
}

func TestCallsOfNPG(t *testing.T) {
	t.Parallel()
	for _, m := range []module{V1, V2} {
		t.Run(m.code, func(t *testing.T) {
			// trans_status.jsp tells nothing of parts: they are tried below.
			providertest.Calls(t, m, providertest.Bench{Channel: npgChannel(), Order: order(), Refund: refundTo, WholeOnly: true})
		})
	}
}

// played is a simulated NICE that knows one channel.
func played(t *testing.T, m module, c merchant.Channel) (provider.Access, *books.Ledger) {
	t.Helper()
	l := &books.Ledger{Channels: func() []merchant.Channel { return []merchant.Channel{c} }}
	srv := httptest.NewServer(m.API(l))
	t.Cleanup(srv.Close)
	c.BaseURL = srv.URL
	return provider.Access{HTTP: srv.Client(), Channel: c, Now: time.Now()}, l
}

// answering is a NICE that answers everything with one body, and keeps what it
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
	return provider.Access{HTTP: srv.Client(), Channel: c, Now: time.Date(2019, 12, 19, 14, 4, 4, 0, wire.Seoul)}, asked
}

func TestIssueRequest(t *testing.T) {
	a, asked := answering(t, npgChannel(), `{"ResultCode":"4117","ResultMsg":"가상계좌 발급 실패"}`)
	o := order()
	o.Name = strings.Repeat("가", 19) + "a힣b" // 38, 39, 41 bytes
	o.ExpiresAt = time.Date(2019, 12, 31, 23, 59, 59, 0, wire.Seoul)
	o.Receipt = &provider.ReceiptOrder{Identity: "010-1234-5678"}
	_, err := V1.Issue(t.Context(), a, o)
	if d, ok := errors.AsType[*provider.DeclinedError](err); !ok || d.Code != "4117" || d.Message != "가상계좌 발급 실패" {
		t.Fatalf("Issue: %v, want the PG's no", err)
	}
	form, err := wire.ParseForm(*asked)
	if err != nil {
		t.Fatal(err)
	}
	v, err := form.Decode(wire.EUCKR)
	if err != nil {
		t.Fatalf("the request is not EUC-KR: %v", err)
	}
	for name, want := range map[string]string{
		"MID": "nictest00m", "Moid": "order-1", "Amt": "10000", "EdiDate": "20191219140404", "GoodsName": strings.Repeat("가", 19) + "a",
		"BankCode": "088", "VbankExpDate": "201912312359", "CashReceiptType": "1", "ReceiptTypeNo": "01012345678", "VbankAccountName": "통보상점",
		"BuyerName": "홍길동", "CharSet": "utf-8", "EdiType": "JSON",
		// printf 'nictest00m1000020191219140404order-133F4…7A==' | sha256sum
		"SignData": "45a9b14e019cb60312288fa27ec6841fd9b517c348ba009d8bccb1ce73a36bc6",
	} {
		if got := v.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if tid := v.Get("TID"); len(tid) != 30 || !strings.HasPrefix(tid, "nictest00m0301191219140404") {
		t.Errorf("TID = %q, want MID, 0301, time and four digits", tid)
	}
}

func TestSignatures(t *testing.T) {
	edi := "20191219133357"
	for _, c := range []struct{ call, got, want string }{
		{"trans_status: TID+MID+EdiDate+MerchantKey", wire.SHA256Hex("nicepay00m01012006221311045107", "nictest00m", edi, key), "685626643f95e8e13d990fd1e0eaa47c0dcd01592e5e113c3c70f244b7916dae"},
		{"cancel_process: MID+CancelAmt+EdiDate+MerchantKey", wire.SHA256Hex("nictest00m", "1004", edi, key), "2617f82e7ca0f5629b043857e2e5e8baf318b96e0f81fc75e1dbaa0046f2f23e"},
	} {
		if c.got != c.want { // by sha256sum
			t.Errorf("%s: %s, want %s", c.call, c.got, c.want)
		}
	}
}

func TestIssueAnswers(t *testing.T) {
	o := order()
	const good = `"ResultCode":"4100","ResultMsg":"가상계좌 발급 성공","VbankBankCode":"088","VbankBankName":"신한은행","VbankNum":"56012345678901","VbankExpDate":"20260629","VbankExpTime":"180000","AuthDate":"260622145545"`
	for _, c := range []struct {
		name, body string
		want       fault.Kind
	}{
		{"good", `{` + good + `,"Amt":"000000010000"}`, -1},
		{"without an amount", `{` + good + `}`, -1},
		{"another amount", `{` + good + `,"Amt":"000000010001"}`, fault.Unclear},
		{"another transaction", `{` + good + `,"TID":"nictest00m03012606221455320001"}`, fault.Unclear},
		{"no account", strings.Replace(`{`+good+`}`, "56012345678901", "", 1), fault.Unclear},
		{"a field twice", `{` + good + `,"VbankNum":"1"}`, fault.Unclear},
		{"broken off on the way to the bank", `{"ResultCode":"A401","ResultMsg":"대외계 전문통신 과정에서 오류가 발생하였습니다."}`, fault.Unclear},
		{"no communication", `{"ResultCode":"9999","ResultMsg":"통신실패"}`, fault.Unclear},
	} {
		a, _ := answering(t, npgChannel(), c.body)
		got, err := V1.Issue(t.Context(), a, o)
		if c.want >= 0 {
			if !fault.Is(err, c.want) || got.PGTx == "" || got.Account.Number != "" {
				t.Errorf("%s: %v, TID %q, want %v with the TID that was sent", c.name, err, got.PGTx, c.want)
			}
			continue
		}
		if err != nil || got.Account.Number != "56012345678901" || got.Account.Bank != "SHINHAN" || len(got.PGTx) != 30 ||
			!got.Account.ExpiresAt.Equal(time.Date(2026, 6, 29, 18, 0, 0, 0, wire.Seoul)) || !got.At.Equal(time.Date(2026, 6, 22, 14, 55, 45, 0, wire.Seoul)) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}

func TestAnswerInEUCKR(t *testing.T) {
	text, err := wire.ToEUCKR(`{"ResultCode":"4102","ResultMsg":"가상계좌 입금예정일 오류"}`)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := answering(t, npgChannel(), string(text))
	_, err = V1.Issue(t.Context(), a, order())
	if d, ok := errors.AsType[*provider.DeclinedError](err); !ok || d.Message != "가상계좌 입금예정일 오류" {
		t.Errorf("Issue: %v, want the message in Korean", err)
	}
}

func TestFixedAccount(t *testing.T) {
	a, l := played(t, V1, npgChannel())
	o := order()
	o.Type, o.Number = payment.Fixed, "560-123-45678901"
	got, err := V1.Issue(t.Context(), a, o)
	if err != nil || got.Account.Number != "56012345678901" || got.Account.Type != payment.Fixed {
		t.Fatalf("Issue of a fixed account: %+v, %v", got, err)
	}
	if e, ok := l.Find(a.Channel, func(e provider.Entry) bool { return e.PGTx == got.PGTx }); !ok || e.Account.Number != got.Account.Number {
		t.Errorf("the PG has account %v", e.Account.Number)
	}
}

func TestCheckIssue(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*merchant.Channel, *provider.Order)
		want fault.Kind
	}{
		{"no key", func(c *merchant.Channel, _ *provider.Order) { c.Credentials = nil }, fault.Invalid},
		{"no MID", func(c *merchant.Channel, _ *provider.Order) { c.MID = "" }, fault.Invalid},
		{"a MID too long for a TID", func(c *merchant.Channel, _ *provider.Order) { c.MID = "nictest00mm" }, fault.Invalid},
		{"dollars", func(_ *merchant.Channel, o *provider.Order) { o.Amount.Currency = "USD" }, fault.Unsupported},
		{"no bank", func(_ *merchant.Channel, o *provider.Order) { o.Bank = "" }, fault.Invalid},
		{"no deadline", func(_ *merchant.Channel, o *provider.Order) { o.ExpiresAt = time.Time{} }, fault.Invalid},
		{"65 characters", func(_ *merchant.Channel, o *provider.Order) { o.ID = strings.Repeat("a", 65) }, fault.Invalid},
		{"Korean in the order id", func(_ *merchant.Channel, o *provider.Order) { o.ID = "주문-1" }, fault.Invalid},
		{"partly free of tax", func(_ *merchant.Channel, o *provider.Order) { o.TaxFree = 1 }, fault.Unsupported},
		{"escrow", func(_ *merchant.Channel, o *provider.Order) { o.Escrow = true }, fault.Unsupported},
		{"a fixed account by id", func(_ *merchant.Channel, o *provider.Order) { o.Type, o.AccountID = payment.Fixed, "a" }, fault.Unsupported},
		{"a card's number for the receipt", func(_ *merchant.Channel, o *provider.Order) {
			o.Receipt = &provider.ReceiptOrder{Identity: "1234567890123456"}
		}, fault.Invalid},
		{"a receipt for a fixed account", func(_ *merchant.Channel, o *provider.Order) {
			o.Type, o.Number, o.Receipt = payment.Fixed, "1", &provider.ReceiptOrder{Identity: "01012345678"}
		}, fault.Unsupported},
		{"a contract with start", func(c *merchant.Channel, _ *provider.Order) { *c = startChannel() }, fault.Unsupported},
	} {
		ch, o := npgChannel(), order()
		c.edit(&ch, &o)
		if err := V2.CheckIssue(ch, o); !fault.Is(err, c.want) {
			t.Errorf("%s: CheckIssue = %v, want %v", c.name, err, c.want)
		}
	}
}

func TestWhichSystem(t *testing.T) {
	both := startChannel()
	both.Credentials[merchantKey] = key
	secretOnly := npgChannel()
	secretOnly.Credentials[secretKey] = "sk"
	for _, c := range []struct {
		name  string
		m     module
		c     merchant.Channel
		start bool
	}{
		{"the key of npg", V2, npgChannel(), false},
		{"the keys of start", V2, startChannel(), true},
		{"all keys", V2, both, true},
		{"a secret key for webhooks alone", V2, secretOnly, false},
		{"nice knows npg alone", V1, both, false},
	} {
		if got := c.m.usesStart(c.c); got != c.start {
			t.Errorf("%s: uses start = %v, want %v", c.name, got, c.start)
		}
	}
}

func TestCanInquire(t *testing.T) {
	at := time.Now()
	for _, c := range []struct {
		name string
		c    merchant.Channel
		q    provider.Query
		want fault.Kind
	}{
		{"npg by TID", npgChannel(), provider.Query{PGTx: "t"}, -1},
		{"npg by order", npgChannel(), provider.Query{Order: "o", At: at}, fault.Unsupported},
		{"start by tid", startChannel(), provider.Query{PGTx: "t"}, -1},
		{"start by order and date", startChannel(), provider.Query{Order: "o", At: at}, -1},
		{"start by order alone", startChannel(), provider.Query{Order: "o"}, fault.Unsupported},
		{"no key", merchant.Channel{}, provider.Query{PGTx: "t"}, fault.Invalid},
	} {
		if err := V2.CanInquire(c.c, c.q); c.want < 0 && err != nil || c.want >= 0 && !fault.Is(err, c.want) {
			t.Errorf("%s: CanInquire = %v, want %v", c.name, err, c.want)
		}
	}
}

// TestStatus reads the answers of trans_status.jsp.
func TestStatus(t *testing.T) {
	const tid = "nictest00m03012606221455320001"
	waits := provider.Query{PGTx: tid, Account: "56012345678901"}
	for _, c := range []struct {
		name, body string
		q          provider.Query
		want       payment.State
		deposit    string
	}{
		{"approved, a short date", `"Status":"0","AuthDate":"260623101112"`, waits, payment.Paid, tid + "/260623101112"},
		{"approved, a long date", `"Status":"0","AuthDate":"20260623101112"`, waits, payment.Paid, tid + "/260623101112"},
		{"approved without a date", `"Status":"0"`, waits, payment.Paid, ""},
		{"cancelled after an approval", `"Status":"1","AuthDate":"260623101112"`, waits, payment.Cancelled, tid + "/260623101112"},
		{"cancelled, and the deposit is known", `"Status":"1"`, provider.Query{PGTx: tid, Deposit: "d"}, payment.Cancelled, ""},
		{"cancelled before money came", `"Status":"1"`, waits, payment.Failed, ""},
		{"no approval of a known account", `"Status":"9"`, waits, payment.Issued, ""},
		{"no approval, and no account known", `"Status":"9"`, provider.Query{PGTx: tid}, "", ""},
	} {
		a, _ := answering(t, npgChannel(), `{"ResultCode":"0000","ResultMsg":"성공","TID":"`+tid+`",`+c.body+`}`)
		s, err := V1.Inquire(t.Context(), a, c.q)
		if err != nil || s.State != c.want || s.Deposit != c.deposit || s.HasAmount {
			t.Errorf("%s: %+v, %v, want %q with deposit %q and no amount", c.name, s, err, c.want, c.deposit)
		}
	}
	for body, want := range map[string]fault.Kind{
		`{"ResultCode":"0000","Status":"7"}`:               fault.Unclear,
		`{"ResultCode":"0000"}`:                            fault.Unclear,
		`{"ResultCode":"0000","Status":"0","TID":"other"}`: fault.Unclear,
		`{"ResultCode":"A299","ResultMsg":"API 지연처리 발생."}`: fault.Unclear,
	} {
		a, _ := answering(t, npgChannel(), body)
		if _, err := V1.Inquire(t.Context(), a, waits); !fault.Is(err, want) {
			t.Errorf("%s: %v, want %v", body, err, want)
		}
	}
	a, _ := answering(t, npgChannel(), `{"ResultCode":"A217","ResultMsg":"해당하는 가상계좌거래가 없습니다"}`)
	if s, err := V1.Inquire(t.Context(), a, provider.Query{PGTx: tid}); err != nil || s.State != "" {
		t.Errorf("an unknown transaction: %+v, %v, want nothing", s, err)
	}
}

// TestDepositName sees that an inquiry and the notice name one deposit alike.
func TestDepositName(t *testing.T) {
	for _, x := range []struct {
		m    module
		c    merchant.Channel
		form string
	}{{V1, npgChannel(), ""}, {V2, npgChannel(), formA}, {V2, startChannel(), formB}} {
		a, l := played(t, x.m, x.c)
		e, err := l.Issue(a.Channel, provider.Entry{Order: "order-1", Amount: payment.Won(1000), PGTx: "nictest00m03012606221455320001", Account: payment.Account{Bank: "SHINHAN"}})
		if err != nil {
			t.Fatal(err)
		}
		paid, err := l.Deposit(a.Channel, e.PGTx, "홍길동")
		if err != nil {
			t.Fatal(err)
		}
		s, err := x.m.Inquire(t.Context(), a, provider.Query{Order: e.Order, PGTx: e.PGTx, Account: e.Account.Number, Amount: e.Amount})
		if err != nil {
			t.Fatal(err)
		}
		told := notice.Notice{Form: x.form, Merchant: a.Channel.MID, Order: e.Order}
		told.Event, told.PGTx, told.Amount, told.HasAmount, told.At = payment.EventDeposited, e.PGTx, e.Amount, true, paid.PaidAt
		n, err := x.m.Decode(x.m.Encode(told, x.c.Credentials))
		if err != nil || n.Deposit == "" || s.Deposit != n.Deposit {
			t.Errorf("%s %s: the inquiry names deposit %q, the notice %q, %v", x.m.code, x.form, s.Deposit, n.Deposit, err)
		}
	}
}

// TestParts refunds in parts, which npg's inquiry does not tell.
func TestParts(t *testing.T) {
	a, l := played(t, V1, npgChannel())
	i, err := V1.Issue(t.Context(), a, order())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Deposit(a.Channel, i.PGTx, "홍길동"); err != nil {
		t.Fatal(err)
	}
	q := provider.Refund{
		Query: provider.Query{Order: "order-1", PGTx: i.PGTx, Amount: payment.Won(10_000)}, Account: refundTo, Reason: strings.Repeat("사유", 60),
	}
	for _, step := range []struct {
		give, rest int64
		key        string
		code       string
		want       payment.State
	}{
		{3000, 10_000, "a", "", payment.PartiallyCancelled},
		{3000, 10_000, "a", "", payment.PartiallyCancelled}, // the same once more
		{8000, 7000, "b", "2032", payment.PartiallyCancelled},
		{7000, 7000, "c", "", payment.Cancelled},
		{1, 1, "d", "2013", payment.Cancelled},
	} {
		q.Give, q.Rest, q.Key = payment.Won(step.give), payment.Won(step.rest), step.key
		if err := V1.CheckRefund(a.Channel, q); err != nil {
			t.Fatal(err)
		}
		got, err := V1.Refund(t.Context(), a, q)
		if d, _ := errors.AsType[*provider.DeclinedError](err); step.code == "" && (err != nil || got.Transfer != payment.RefundPending || got.At.IsZero()) ||
			step.code != "" && (d == nil || d.Code != step.code) {
			t.Errorf("refund %s of %d: %+v, %v, want code %q", step.key, step.give, got, err, step.code)
		}
		e, _ := l.Find(a.Channel, func(e provider.Entry) bool { return e.PGTx == i.PGTx })
		if e.State != step.want {
			t.Errorf("after refund %s of %d: %s, want %s", step.key, step.give, e.State, step.want)
		}
	}
}

// TestCancelAnswers reads answers of cancel_process.jsp.
func TestCancelAnswers(t *testing.T) {
	const tid = "nictest00m03012606221455320001"
	sign := func(amount string) string { return wire.SHA256Hex(tid, "nictest00m", amount, key) }
	good := `"ResultCode":"2211","TID":"` + tid + `","CancelDate":"20260710","CancelTime":"160001","CancelNum":"98765432"`
	q := provider.Refund{Query: provider.Query{PGTx: tid, Order: "order-1", Amount: payment.Won(10_000)}, Give: payment.Won(10_000), Rest: payment.Won(10_000), Account: refundTo, Key: "k"}
	for _, c := range []struct {
		name, body string
		unclear    bool
	}{
		{"signed with zeros", good + `,"CancelAmt":"000000010000","Signature":"` + sign("000000010000") + `"`, false},
		{"signed without", good + `,"CancelAmt":"000000010000","Signature":"` + sign("10000") + `"`, false},
		{"not signed", good + `,"CancelAmt":"000000010000"`, false},
		{"signed wrongly", good + `,"CancelAmt":"000000010000","Signature":"` + sign("10001") + `"`, true},
		{"another amount", good + `,"CancelAmt":"000000010001"`, true},
		{"still at it", `"ResultCode":"2212","ResultMsg":"환불 진행중"`, true},
	} {
		a, _ := answering(t, npgChannel(), `{`+c.body+`}`)
		got, err := V1.Refund(t.Context(), a, q)
		if c.unclear != fault.Is(err, fault.Unclear) || !c.unclear && (err != nil || got.PGID != "98765432" || !got.At.Equal(time.Date(2026, 7, 10, 16, 0, 1, 0, wire.Seoul))) {
			t.Errorf("%s: %+v, %v, want unclear = %v", c.name, got, err, c.unclear)
		}
	}
}
