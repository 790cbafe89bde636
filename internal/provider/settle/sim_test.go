package settle

import (
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

func TestAcked(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		want   bool
	}{
		{200, "OK", true}, {200, "OK\n", true}, {200, "\r\n\r\nOK\r\n", true}, {200, "ok", false}, {200, "OK ", false},
		{200, "FAIL", false}, {200, "", false}, {200, "\n", false}, {200, "OKOK", false}, {200, "\ufeffOK", false},
		{201, "OK", false}, {400, "OK", false}, {503, "", false},
	} {
		if got := Module.Acked(provider.Reply{Status: c.status, Body: []byte(c.body)}); got != c.want {
			t.Errorf("Acked(%d %q) = %t, want %t", c.status, c.body, got, c.want)
		}
	}
}

func TestEncodeBytes(t *testing.T) {
	n := providertest.Sample(payment.EventDeposited)
	n.Merchant = "nx_mid_il"
	const (
		head = "outStatCd=0021&trdNo=20260801123015000001&method=VA&bizType=B1&mchtId=nx_mid_il&mchtTrdNo=order-1001&mchtCustNm="
		// printf '002120260801123015nx_mid_ilorder-100110000key' | sha256sum
		tail = "&email=hong%40example.com&mchtCustId=HongGilDong&orgTrdNo=&orgTrdDt=&csrcIssNo=&cnclType=" +
			"&mchtParam=name%3DHongGilDong%26age%3D25&pktHash="
	)
	for form, name := range map[string]string{
		"": "&dpstrNm=%8Cc%B9%E6%B0%A2%C7%CF", "utf-8": "&dpstrNm=%EB%98%A0%EB%B0%A9%EA%B0%81%ED%95%98",
		"UTF-8": "&dpstrNm=%EB%98%A0%EB%B0%A9%EA%B0%81%ED%95%98",
	} {
		n.Form = form
		r := Module.Encode(n, merchant.Credentials{hashKey: "key"})
		body := string(r.Body)
		want := name + tail + sampleHash
		if !strings.HasPrefix(body, head) || !strings.HasSuffix(body, want) {
			t.Errorf("form %q:\n%s\nwant\n%s…%s", form, body, head, want)
		}
		if r.Method != http.MethodPost || r.Path != "/settle_payments/notice_vbank" || r.ContentType() != "application/x-www-form-urlencoded" {
			t.Errorf("request line %s %s, type %q", r.Method, r.Path, r.ContentType())
		}
	}
}

const sampleHash = "7e99ea57b0da0d2671d91908a503a8baed524a12deb70ec1a7a829fda03f4139"

// TestEncodeSigns: with the channel's key, else as on the test servers.
func TestEncodeSigns(t *testing.T) {
	published := merchant.Credentials{hashKey: testHashKey}
	own := merchant.Credentials{hashKey: "own", aesKey: "other"}
	for _, e := range Module.Info().Events {
		n := providertest.Sample(e)
		for _, c := range []struct {
			encode, verify merchant.Credentials
			want           string
		}{
			{own, own, "ok"}, {own, published, "refused"}, {nil, published, "ok"}, {nil, own, "refused"},
		} {
			r := Module.Encode(n, c.encode)
			if got := verdict(Module.Verify(r, notice.Notice{}, merchant.Channel{Credentials: c.verify}, payment.Payment{})); got != c.want {
				t.Errorf("%s: Verify = %s, want %s", e, got, c.want)
			}
		}
	}
}

// TestEncodeEmpty: what the notice leaves empty is made up, the same each time.
func TestEncodeEmpty(t *testing.T) {
	for _, e := range Module.Info().Events {
		n := notice.Notice{Report: payment.Report{Event: e}}
		a, b := Module.Encode(n, nil), Module.Encode(n, nil)
		if string(a.Body) != string(b.Body) {
			t.Errorf("%s is told in two ways:\n%s\n%s", e, a.Body, b.Body)
		}
		got := decode(t, string(a.Body))
		if got.Event != e || got.Merchant == "" || got.Order == "" || len(got.PGTx) != 40 || got.At.IsZero() || !got.HasAmount {
			t.Errorf("%s decodes as %+v", e, got)
		}
		if !got.OtherMethod && (got.Account == "" || got.Bank == "" || got.BankName == "" || got.ExpiresAt.IsZero()) {
			t.Errorf("%s decodes as %+v", e, got)
		}
		if (got.Depositor == "") != (e == payment.EventIssued || got.OtherMethod) {
			t.Errorf("%s has depositor %q", e, got.Depositor)
		}
	}
}

func TestEncodeKind(t *testing.T) {
	for _, c := range []struct {
		event      payment.Event
		kind, want string
	}{
		{payment.EventIssued, "", "A0"}, {payment.EventIssued, "A4", "A4"}, {payment.EventIssued, "B1", "A0"},
		{payment.EventDeposited, "", "B1"}, {payment.EventDeposited, "C0", "B1"},
		{payment.EventCancelled, "", "C0"}, {payment.EventCancelled, "A2", "A2"}, {payment.EventCancelled, "B1", "C0"},
		{payment.EventPartiallyCancelled, "A2", "C0"}, {payment.EventApproved, "B1", "B0"},
		{payment.EventOther, "", "B1"}, {payment.EventOther, "A1", "A1"}, {payment.EventOther, "C0", "C0"},
	} {
		n := providertest.Sample(c.event)
		n.Kind = c.kind
		got := decode(t, string(Module.Encode(n, nil).Body))
		if got.Event != c.event || got.Kind != c.want || got.Closes != (c.want == "A2") {
			t.Errorf("%s of kind %q comes back as %s of kind %q, want %q", c.event, c.kind, got.Event, got.Kind, c.want)
		}
	}
	n := providertest.Sample(payment.EventCancelled)
	n.Closes = true
	if got := decode(t, string(Module.Encode(n, nil).Body)); got.Kind != "A2" || !got.Closes {
		t.Errorf("a closed account comes back as kind %q", got.Kind)
	}
}

// TestEncodeNumbers: a deposit, the issue before it and the cancel after it
// are told under numbers that fit each other.
func TestEncodeNumbers(t *testing.T) {
	tell := func(e payment.Event, edit func(*notice.Notice)) notice.Notice {
		n := providertest.Sample(e)
		n.Deposit = ""
		edit(&n)
		return decode(t, string(Module.Encode(n, nil).Body))
	}
	none := func(*notice.Notice) {}
	issued, paid, cancelled := tell(payment.EventIssued, none), tell(payment.EventDeposited, none), tell(payment.EventCancelled, none)
	if cancelled.PGTx != issued.PGTx || paid.Deposit == issued.PGTx || paid.PGTx != paid.Deposit || cancelled.PGCancel == cancelled.PGTx {
		t.Errorf("issue %q, deposit %q, cancel %q of %q", issued.PGTx, paid.Deposit, cancelled.PGCancel, cancelled.PGTx)
	}
	if again := tell(payment.EventDeposited, func(n *notice.Notice) { n.At = n.At.Add(1e9) }); again.Deposit == paid.Deposit {
		t.Errorf("two deposits are %q", again.Deposit)
	}
	if n := tell(payment.EventDeposited, func(n *notice.Notice) { n.PGTx = "T1" }); n.PGTx != "T1" || n.Deposit != "T1" {
		t.Errorf("a deposit of T1 is of %q under %q", n.PGTx, n.Deposit)
	}
	if n := tell(payment.EventDeposited, func(n *notice.Notice) { n.PGTx, n.Deposit = "T1", "D1" }); n.Deposit != "D1" {
		t.Errorf("deposit D1 is %q", n.Deposit)
	}
	if n := tell(payment.EventPartiallyCancelled, func(n *notice.Notice) { n.PGTx, n.PGCancel = "T1", "C1" }); n.PGTx != "T1" || n.PGCancel != "C1" {
		t.Errorf("the cancel C1 of T1 is %q of %q", n.PGCancel, n.PGTx)
	}
}

// TestSamplesComeBack encodes what the samples say. They have the document's
// fields in its order, so the very bytes must come back.
func TestSamplesComeBack(t *testing.T) {
	for _, name := range []string{"deposit", "deposit_utf8", "issued", "issued_010", "closed", "refund", "refund_part"} {
		t.Run(name, func(t *testing.T) {
			body := sample(t, name)
			again := Module.Encode(decode(t, body), merchant.Credentials{hashKey: testHashKey})
			if d := cmp.Diff(body, string(again.Body)); d != "" {
				t.Errorf("(-sample +again):\n%s", d)
			}
		})
	}
	for _, name := range []string{"deposit_unlimited", "not_deposited", "not_done", "failed", "card", "card_cancel"} {
		t.Run(name, func(t *testing.T) {
			n := decode(t, sample(t, name))
			again := decode(t, string(Module.Encode(n, nil).Body))
			for f := range again.Fields {
				if _, ok := n.Fields[f]; !ok { // made up
					delete(again.Fields, f)
				}
			}
			if d := cmp.Diff(n, again); d != "" {
				t.Errorf("(-decoded +again):\n%s", d)
			}
			if err := Module.Verify(Module.Encode(n, nil), n, merchant.Channel{Credentials: merchant.Credentials{hashKey: testHashKey}}, payment.Payment{}); err != nil {
				t.Error(err)
			}
		})
	}
}

func sample(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range txtar.Parse(b).Files {
		if f.Name == "request" {
			return strings.TrimSuffix(string(f.Data), "\n")
		}
	}
	t.Fatalf("%s has no plain request", name)
	return ""
}

// TestEncodeUnlimited: a deposit on an account without limit has no order, and
// each is another one.
func TestEncodeUnlimited(t *testing.T) {
	n := providertest.Sample(payment.EventDeposited)
	n.Order, n.Deposit, n.Fields = "", "", map[string]string{"acntType": "3"}
	r := Module.Encode(n, nil)
	got := decode(t, string(r.Body))
	if got.Order != "" || got.Merchant != "nxva_fix2" || got.Account != n.Account || !strings.Contains(string(r.Body), "&mchtTrdNo=0000000&") {
		t.Errorf("%s\ndecodes as %+v", r.Body, got)
	}
	n.Account = "2022011000056"
	if other := decode(t, string(Module.Encode(n, nil).Body)); other.Key == got.Key {
		t.Errorf("deposits on two accounts are both %q", other.Key)
	}
}

func TestBankCodes(t *testing.T) {
	for _, b := range payment.Banks() {
		n := providertest.Sample(payment.EventDeposited)
		n.Bank = b.Bank
		got := decode(t, string(Module.Encode(n, nil).Body))
		want := b.Bank
		if b.Code == "" {
			want = ""
		}
		if got.Bank != want || got.BankCode != b.Code || got.BankName != b.Name {
			t.Errorf("%s is read as %q, code %q, name %q", b.Bank, got.Bank, got.BankCode, got.BankName)
		}
	}
}

// TestRandomNotices sends notices of every kind in both charsets: all that the
// form has a place for comes back, and the hash holds.
func TestRandomNotices(t *testing.T) {
	r := rand.New(rand.NewPCG(2026, 8)) // the same notices on every run
	key := merchant.Credentials{hashKey: "k"}
	type told struct {
		Event                                         payment.Event
		Order, Merchant, Deposit, PGTx, Name, Account string
		Amount                                        payment.Money
		Bank                                          payment.Bank
		At, Expires                                   int64
		Receipt                                       any
	}
	kinds := map[payment.Event][]string{
		payment.EventDeposited: {"B1"}, payment.EventIssued: {"A0", "A4"},
		payment.EventCancelled: {"C0", "A2"}, payment.EventPartiallyCancelled: {"C0"}, payment.EventOther: {"B1", "A1"},
	}
	what := func(n notice.Notice) told {
		return told{
			n.Event, n.Order, n.Merchant, n.Deposit, n.PGTx, n.Depositor, n.Account.Reveal(),
			n.Amount, n.Bank, n.At.Unix(), n.ExpiresAt.Unix(), receipt(n),
		}
	}
	for range 300 {
		for event, list := range kinds {
			n := random(r, event, list[r.IntN(len(list))])
			req := Module.Encode(n, key)
			got, err := Module.Decode(req)
			if err != nil {
				t.Fatalf("%v\n%s", err, req.Body)
			}
			if d := cmp.Diff(what(n), what(got)); d != "" || got.Kind != n.Kind || got.Form != n.Form {
				t.Fatalf("kind %q form %q comes back as %q, %q (-sent +read):\n%s\n%s", n.Kind, n.Form, got.Kind, got.Form, d, req.Body)
			}
			if err := Module.Verify(req, got, merchant.Channel{Credentials: key}, payment.Payment{}); err != nil {
				t.Fatalf("%v\n%s", err, req.Body)
			}
		}
	}
}

// random is a notice of one kind, with numbers where the form has a place.
func random(r *rand.Rand, event payment.Event, kind string) notice.Notice {
	n := providertest.Sample(event)
	n.Kind, n.Merchant = kind, "nx_mid_il"
	n.Form = []string{"", formUTF8}[r.IntN(2)]
	n.Order = strings.Repeat("o", 1+r.IntN(20)) + wire.Serial(5, string(rune(r.IntN(1000))))
	n.Amount = payment.Won(1 + r.Int64N(99_999_999))
	n.Account = secret.Account(wire.Serial(10+r.IntN(5), n.Order))
	n.At = n.At.AddDate(r.IntN(15)-6, 0, r.IntN(365))
	n.ExpiresAt = n.At.AddDate(0, 0, r.IntN(30))
	n.PGTx, n.Depositor = "T"+wire.Serial(9, n.Order), ""
	for range 1 + r.IntN(5) {
		n.Depositor += string('가' + rune(r.IntN('힣'-'가'+1)))
	}
	n.Deposit = ""
	if event == payment.EventDeposited {
		n.Deposit = n.PGTx
	}
	if r.IntN(2) == 0 {
		n.CashReceipt = &payment.CashReceipt{Number: "1" + wire.Serial(8, n.Order)}
	}
	return n
}
