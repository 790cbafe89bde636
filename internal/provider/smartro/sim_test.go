package smartro_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/smartro"
)

// forms are the wire formats, by what Notice.Form calls them.
var forms = append(smartro.V2.Info().Forms, "")

func TestEncodeBytes(t *testing.T) {
	n := providertest.Sample(payment.EventDeposited)
	n.PGTx, n.Deposit = tid, ""
	has := merchant.Credentials{"merchant_key": key}
	for form, want := range map[string]string{
		"": "PayMethod=VBANK&Mid=SMTPAY001m&Tid=" + tid + "&Moid=order-1001&Amt=10000&BuyerName=%EB%98%A0%EB%B0%A9%EA%B0%81%ED%95%98" +
			"&BuyerEmail=hong%40example.com&BuyerTel=01000000000&GoodsName=%EC%83%81%ED%92%88&AuthDate=260801123015&ResultCode=4110" +
			"&ResultMsg=%EC%9E%85%EA%B8%88&StateCd=0&FnCd=088&FnName=%EC%8B%A0%ED%95%9C%EC%9D%80%ED%96%89&VbankNum=56211992494252" +
			"&VbankName=%EC%8B%A0%ED%95%9C%EC%9D%80%ED%96%89&SignValue=RthD%2BGSSb4CvDfdEZ970Irc%2BV5a8IQ3BlMSti%2BKhi10%3D",
		"old-euc-kr": "PayMethod=VBANK&MID=SMTPAY001m&TID=" + tid + "&OID=order-1001&Amt=10000&name=%8Cc%B9%E6%B0%A2%C7%CF" +
			"&BuyerEmail=hong%40example.com&BuyerTel=01000000000&GoodsName=%BB%F3%C7%B0&AuthDate=260801123015&ResultCode=4110" +
			"&ResultMsg=%C0%D4%B1%DD&state_cd=0&fn_cd=088&fn_name=%BD%C5%C7%D1%C0%BA%C7%E0&VbankNum=56211992494252" +
			"&VbankName=%BD%C5%C7%D1%C0%BA%C7%E0&SignValue=MTgzN2ZkMGJjNGNlNjliYzM1NWMzMjhjODcwNzkwMjE%3D",
	} {
		n.Form = form
		r := smartro.V2.Encode(n, has)
		if d := cmp.Diff(strings.Split(want, "&"), strings.Split(string(r.Body), "&")); d != "" {
			t.Errorf("form %q (-want +got):\n%s", form, d)
		}
		if r.Method != "POST" || r.Path != "/smartro-v2" || r.ContentType() != "application/x-www-form-urlencoded" {
			t.Errorf("request line %s %s, type %q", r.Method, r.Path, r.ContentType())
		}
	}
}

// TestEncodeSigns: what is encoded with a key is proved by it, and by no other.
func TestEncodeSigns(t *testing.T) {
	has, other := merchant.Credentials{"merchant_key": key}, merchant.Credentials{"merchant_key": "x"}
	for _, e := range smartro.V2.Info().Events {
		for _, form := range forms {
			n := providertest.Sample(e)
			n.Form = form
			for _, c := range []struct {
				with, by merchant.Credentials
				want     string
			}{{has, has, "ok"}, {has, other, "refused"}, {has, nil, "unproved"}, {nil, has, "unproved"}} {
				r := smartro.V2.Encode(n, c.with)
				got := verdict(smartro.V2.Verify(r, decode(t, string(r.Body)), merchant.Channel{Credentials: c.by}, payment.Payment{}))
				if got != c.want {
					t.Errorf("%s in %q: Verify = %s, want %s", e, form, got, c.want)
				}
			}
		}
	}
}

// TestRandomRoundTrip encodes notices of all events in all forms: what the wire
// carries comes back, and the same notice is the same message.
func TestRandomRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	info := smartro.V2.Info()
	for i := range 2000 {
		n := providertest.Random(r, info.Events[i%len(info.Events)])
		n.Merchant, n.Form = info.TestMIDs[r.IntN(2)].MID, forms[r.IntN(len(forms))]
		req := smartro.V2.Encode(n, nil)
		got := decode(t, string(req.Body))
		want := notice.Notice{
			Report: payment.Report{
				Event: n.Event, Key: got.Key, Amount: n.Amount, HasAmount: true, At: n.At,
				Account: n.Account, Bank: n.Bank,
			},
			Merchant: n.Merchant, Order: n.Order, Form: n.Form,
		}
		if n.Event == payment.EventApproved || n.Event == payment.EventOther { // a card, a cash receipt
			want.Account, want.Bank = "", ""
		}
		want.Listed, want.Charset = n.Event == payment.EventPartiallyCancelled, got.Charset
		if d := cmp.Diff(want, carried(got)); d != "" {
			t.Fatalf("(-want +got):\n%s\n%s", d, req.Body)
		}
		if (n.Event == payment.EventDeposited) != (got.Deposit != "") {
			t.Fatalf("%s has deposit %q", n.Event, got.Deposit)
		}
		// Encoding what was decoded gives the same message again.
		again := decode(t, string(smartro.V2.Encode(got, nil).Body))
		if d := cmp.Diff(got, again); d != "" {
			t.Fatalf("encoded again (-got +again):\n%s", d)
		}
	}
}

// carried leaves out what a notice has from the encoder.
func carried(n notice.Notice) notice.Notice {
	n.Kind, n.BankCode, n.BankName, n.Fields = "", "", "", nil
	n.PGTx, n.PGCancel, n.Deposit, n.OtherMethod = "", "", "", false
	return n
}

// TestEncodeEmpty: what the notice leaves empty is made up, the same each time.
func TestEncodeEmpty(t *testing.T) {
	for _, e := range smartro.V2.Info().Events {
		n := notice.Notice{Report: payment.Report{Event: e}}
		a, b := smartro.V2.Encode(n, nil), smartro.V2.Encode(n, nil)
		if string(a.Body) != string(b.Body) {
			t.Errorf("%s is told in two ways:\n%s\n%s", e, a.Body, b.Body)
		}
		got := decode(t, string(a.Body))
		if got.Event != e || got.Merchant == "" || got.Order == "" || len(got.PGTx) != 30 || got.At.IsZero() || !got.HasAmount {
			t.Errorf("%s decodes as %+v", e, got)
		}
		if !got.OtherMethod && (got.Account == "" || got.Bank == "" || got.BankName == "") {
			t.Errorf("%s has no account: %+v", e, got)
		}
	}
}

// TestEncodeKind: the PG's word is kept where it means the event.
func TestEncodeKind(t *testing.T) {
	for _, c := range []struct {
		event       payment.Event
		kind, state string
		want        string
	}{
		{payment.EventDeposited, "4110", "", "4110"},
		{payment.EventDeposited, "2001", "1", "4110"},
		{payment.EventIssued, "4110", "", "4100"},
		{payment.EventRefunded, "", "2", "2211"},
		{payment.EventCancelled, "", "2", "2001"},
		{payment.EventCancelled, "4110", "0", "4110"},
		{payment.EventCancelled, "4100", "", "4100"},
		{payment.EventCancelled, "3001", "2", "3001"},
		{payment.EventApproved, "4000", "", "4000"},
		{payment.EventApproved, "A000", "0", "A000"},
		{payment.EventOther, "", "", "7001"},
		{payment.EventOther, "2013", "1", "2013"},
		{payment.EventExpired, "", "", "7001"}, // Smartro has no word for it
	} {
		n := notice.Notice{Kind: c.kind, Fields: map[string]string{"state_cd": c.state}}
		n.Event = c.event
		got := decode(t, string(smartro.V2.Encode(n, nil).Body))
		event := c.event
		if event == payment.EventExpired {
			event = payment.EventOther
		}
		if got.Event != event || got.Kind != c.want {
			t.Errorf("%s of kind %q comes back as %s of kind %q, want %q", c.event, c.kind, got.Event, got.Kind, c.want)
		}
	}
	n := notice.Notice{Report: payment.Report{Event: payment.EventOther, Listed: true}}
	if got := decode(t, string(smartro.V2.Encode(n, nil).Body)); !got.Listed {
		t.Errorf("a listed notice comes back as %+v", got)
	}
}

// TestOneTransaction has the notices of one order, whose id nobody gave.
func TestOneTransaction(t *testing.T) {
	issues, keys := map[string]bool{}, map[string]bool{}
	for _, e := range []payment.Event{payment.EventIssued, payment.EventDeposited, payment.EventCancelled, payment.EventRefunded} {
		n := notice.Notice{Order: "o-1"}
		n.Event = e
		got := decode(t, string(smartro.V2.Encode(n, nil).Body))
		issues[got.PGTx], keys[got.Key] = true, true
		if (got.PGCancel != "") != (e == payment.EventRefunded) {
			t.Errorf("%s has the id of a cancel %q", e, got.PGCancel)
		}
	}
	if len(issues) != 1 || len(keys) != 4 {
		t.Errorf("one order has the issues %v and the keys %v", issues, keys)
	}
}

// TestSamplesComeBack encodes what the samples say: the bytes of 신통보 are the
// same again.
func TestSamplesComeBack(t *testing.T) {
	for _, name := range []string{
		"deposit", "deposit_euckr", "deposit_original", "issued", "issue_cancelled", "cancelled", "cancelled_state",
		"cancelled_before", "refunded", "deposit_unknown_bank",
	} {
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join("testdata", name+".txtar"))
			if err != nil {
				t.Fatal(err)
			}
			body := ""
			for _, f := range txtar.Parse(b).Files {
				if f.Name == "request" {
					body = strings.TrimSuffix(string(f.Data), "\n")
				}
			}
			if d := cmp.Diff(body, string(smartro.V2.Encode(decode(t, body), nil).Body)); d != "" {
				t.Errorf("(-sample +again):\n%s", d)
			}
		})
	}
}

func TestAcked(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		want   bool
	}{
		{200, "OK", true}, {200, "VBANK<br>\n<html>\n<body>\nOK\n</body>\n</html>", true}, {200, "FAIL", false},
		{200, "Fail|BOOKED", false}, {200, "", false}, {200, "ok", false}, {201, "OK", false}, {400, "OK", false},
	} {
		if got := smartro.V2.Acked(provider.Reply{Status: c.status, Body: []byte(c.body)}); got != c.want {
			t.Errorf("Acked(%d %q) = %t, want %t", c.status, c.body, got, c.want)
		}
	}
}

// TestEncodeDate: the notice's time goes before the one in its deposit's name.
func TestEncodeDate(t *testing.T) {
	n := providertest.Sample(payment.EventDeposited)
	n.Deposit = tid + "/260701090000"
	if got := decode(t, string(smartro.V2.Encode(n, nil).Body)); got.Deposit != tid+"/260801123015" || !got.At.Equal(n.At) {
		t.Errorf("deposit = %q at %v, want that of %v", got.Deposit, got.At, n.At)
	}
	n.At = time.Time{}
	if got := decode(t, string(smartro.V2.Encode(n, nil).Body)); got.Deposit != n.Deposit {
		t.Errorf("deposit = %q, want %q", got.Deposit, n.Deposit)
	}
}
