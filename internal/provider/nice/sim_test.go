package nice

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/providertest"
)

// TestWebhookRoundTrip is what providertest does for the default form.
func TestWebhookRoundTrip(t *testing.T) {
	creds := merchant.Credentials{secretKey: "sk"}
	for _, e := range V2.Info().Events {
		t.Run(string(e), func(t *testing.T) {
			n := providertest.Sample(e)
			n.Form, n.Holder, n.ExpiresAt = formB, "통보상점", n.At.AddDate(0, 0, 7)
			n.CashReceipt = &payment.CashReceipt{Number: "123456789", Type: "CORPORATE"}
			r := V2.Encode(n, creds)
			got, err := V2.Decode(r)
			if err != nil {
				t.Fatalf("Decode: %v\n%s", err, r.Body)
			}
			if got.Event != e || got.Form != formB || got.Order != n.Order || got.Amount != n.Amount {
				t.Errorf("Decode = %+v, want %s, form B, order and amount of %+v", got, e, n)
			}
			if d := cmp.Diff(n.CashReceipt, got.CashReceipt); d != "" {
				t.Errorf("cash receipt (-want +got):\n%s", d)
			}
			if e != payment.EventApproved && (got.Account != n.Account || got.Bank != n.Bank || got.Holder != n.Holder || !got.ExpiresAt.Equal(n.ExpiresAt)) {
				t.Errorf("account of %+v, want that of %+v", got, n)
			}
			if e == payment.EventDeposited && got.Deposit != n.Deposit {
				t.Errorf("deposit = %q, want %q", got.Deposit, n.Deposit)
			}
			want := "ok"
			if e == payment.EventFailed {
				want = "unproved" // only valid transactions are signed
			}
			checkVerdict(t, V2.Verify(r, got, merchant.Channel{Credentials: creds}, payment.Payment{}), want)
			if got.Test != (e == payment.EventOther) {
				t.Errorf("test = %t", got.Test)
			}
		})
	}
}

func TestEncodeForm(t *testing.T) {
	n := providertest.Sample(payment.EventDeposited)
	n.PGTx, n.Deposit, n.Depositor = "nictest00m03012608011230150001", "", "홍길동"
	r := V1.Encode(n, merchant.Credentials{merchantKey: key})
	body := string(r.Body)
	for _, want := range []string{
		"PG=NICE&PayMethod=VBANK&MID=nicepay00m&", "&VbankInputName=%C8%AB%B1%E6%B5%BF&",
		"&ResultMsg=%BD%C2%C0%CE&", "&AuthDate=260801123015&", "&FnCd=088&",
		"&MerchantKey=33F49GnCMS1mFYlGXisbUDzVf2ATWCl9k3R%2B%2Bd5h",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("body lacks %q:\n%s", want, body)
		}
	}
	got, err := V1.Decode(r)
	if err != nil {
		t.Fatal(err)
	}
	if want := n.PGTx + "/260801123015"; got.Deposit != want || got.PGTx != n.PGTx {
		t.Errorf("deposit = %q of %q, want %q", got.Deposit, got.PGTx, want)
	}
	checkVerdict(t, V1.Verify(r, got, merchant.Channel{Credentials: merchant.Credentials{merchantKey: key}}, payment.Payment{}), "ok")
	checkVerdict(t, V1.Verify(r, got, merchant.Channel{Credentials: merchant.Credentials{merchantKey: "x"}}, payment.Payment{}), "refused")

	// What was decoded encodes to the same message.
	again, err := V1.Decode(V1.Encode(got, merchant.Credentials{merchantKey: key}))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(got, again); d != "" {
		t.Errorf("encoded again (-want +got):\n%s", d)
	}
}

func TestEncodeKinds(t *testing.T) {
	for _, c := range []struct {
		kind string
		want payment.Event
	}{
		{"4120", payment.EventIssued}, {"2001", payment.EventCancelled}, {"4110", payment.EventCancelled},
		{"A000", payment.EventApproved}, {"4123", payment.EventOther},
	} {
		n := notice.Notice{Kind: c.kind}
		n.Event = c.want
		got, err := V1.Decode(V1.Encode(n, nil))
		if err != nil || got.Event != c.want || got.Kind != c.kind {
			t.Errorf("%s of kind %s comes back as %s of kind %s (%v)", c.want, c.kind, got.Event, got.Kind, err)
		}
	}
}

// TestOneTransaction has the notices of one order, whose TID nobody gave.
func TestOneTransaction(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range []payment.Event{payment.EventIssued, payment.EventDeposited, payment.EventCancelled} {
		for _, form := range []string{formA, formB} {
			n := notice.Notice{Order: "o-1", Form: form}
			n.Event = e
			got, err := V2.Decode(V2.Encode(n, nil))
			if err != nil {
				t.Fatal(err)
			}
			seen[got.PGTx] = true
			if len(got.PGTx) != 30 {
				t.Errorf("TID %q has %d characters, want 30", got.PGTx, len(got.PGTx))
			}
		}
	}
	if len(seen) != 1 {
		t.Errorf("one order has the TIDs %v", seen)
	}
}

func TestAcked(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		v1, v2 bool
	}{
		{200, "OK", true, true}, {200, "ok", false, true}, {200, "OK\n", false, false}, {201, "OK", false, false},
		{200, "FAIL", false, false}, {200, "", false, false}, {200, "\ufeffOK", false, false},
	} {
		r := provider.Reply{Status: c.status, Body: []byte(c.body)}
		if V1.Acked(r) != c.v1 || V2.Acked(r) != c.v2 {
			t.Errorf("Acked(%d %q) = %t, %t; want %t, %t", c.status, c.body, V1.Acked(r), V2.Acked(r), c.v1, c.v2)
		}
	}
}
