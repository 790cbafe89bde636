package providertest

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
)

// A told is a notice that went through Encode and Decode.
type told struct {
	notice.Notice
	request notice.Request
}

// tell encodes a notice in a wire format (the module's first if form is empty)
// and decodes it again. ok is false if the format has no word for its event.
func tell(t testing.TB, p provider.Provider, n notice.Notice, form string) (got told, ok bool) {
	t.Helper()
	n.Merchant = merchantOf(p)
	n.Form = form
	req := p.Encode(n, nil)
	back, err := p.Decode(req)
	if err != nil {
		t.Fatalf("Decode(Encode(%s)) in form %q: %v\n%q", n.Event, form, err, payload(req))
	}
	return told{back, req}, back.Event == n.Event && (form == "" || back.Form == form)
}

// merchantOf is a MID of the PG's: one that it publishes, else one made up.
func merchantOf(p provider.Provider) string {
	if mids := p.Info().TestMIDs; len(mids) > 0 {
		return mids[0].MID
	}
	return "MID1001001"
}

// forms are the names under which the module's wire formats are asked for.
func forms(p provider.Provider) []string { return append([]string{""}, p.Info().Forms...) }

// accountEvents are those of one virtual account, which come one after another.
var accountEvents = []payment.Event{payment.EventIssued, payment.EventDeposited, payment.EventReversed}

// checkPromises sees that a module keeps what is asked of Decode and Encode
// beyond a round trip, for each event in each wire format.
func checkPromises(t testing.TB, p provider.Provider) {
	for _, form := range forms(p) {
		keys := make(map[string]payment.Event)
		for _, e := range p.Info().Events {
			got, ok := tell(t, p, Sample(e), form)
			if !ok {
				continue
			}
			if slices.Contains(accountEvents, e) {
				if other, ok := keys[got.Key]; ok {
					t.Errorf("form %q: Key %q names two messages, one that is %s and one that is %s", form, got.Key, other, e)
				}
				keys[got.Key] = e
			}
			checkSparse(t, p, got, form)
			checkTwice(t, p, got)
		}
		checkReversal(t, p, form)
	}
	checkBank(t, p)
}

// checkNames sees that the names of message and money show no account number:
// they are kept and listed in clear.
func checkNames(t testing.TB, n notice.Notice) {
	t.Helper()
	if n.Key == "" {
		t.Error("Key is empty: every message has a name")
	}
	account := n.Account.Reveal()
	if account == "" {
		return
	}
	for what, name := range map[string]string{"Key": n.Key, "Deposit": n.Deposit} {
		if strings.Contains(strings.NewReplacer("-", "", " ", "").Replace(name), account) {
			t.Errorf("%s %q has the account number in clear: put wire.Digest of it there", what, name)
		}
	}
}

// checkSparse sees that Encode makes up whatever a notice leaves out but event,
// order and amount, and the same each time.
func checkSparse(t testing.TB, p provider.Provider, whole told, form string) {
	t.Helper()
	n := notice.Notice{Order: "order-1001", Report: payment.Report{Event: whole.Event, Amount: payment.Won(10000), HasAmount: true}}
	got, ok := tell(t, p, n, form)
	if !ok {
		t.Errorf("%s with nothing but order and amount decodes as %s in form %q", n.Event, got.Event, got.Form)
	}
	checkNames(t, got.Notice)
	if got.Order != whole.Order || amount(got.Notice) != amount(whole.Notice) {
		t.Errorf("%s with nothing but order and amount decodes with order %q and amount %q, want %q and %q",
			n.Event, got.Order, amount(got.Notice), whole.Order, amount(whole.Notice))
	}
	if again, _ := tell(t, p, n, form); !bytes.Equal(payload(again.request), payload(got.request)) {
		t.Errorf("Encode wrote the same notice in two ways (-first +second):\n%s",
			cmp.Diff(string(payload(got.request)), string(payload(again.request))))
	}
}

// checkTwice sees that a form is unreadable if it tells a field twice that
// decides what happened, to which order and about how much: who reads the first
// and who reads the last would not agree. Which fields decide is found out by
// changing each. JSON and telegrams have no such fields.
func checkTwice(t testing.TB, p provider.Provider, good told) {
	t.Helper()
	whole := payload(good.request)
	if bytes.HasPrefix(bytes.TrimSpace(whole), []byte("{")) {
		return
	}
	fields := bytes.Split(whole, []byte("&"))
	for i, field := range fields {
		other := slices.Concat(field, []byte("1"))
		changed := slices.Clone(fields)
		changed[i] = other
		n, err := p.Decode(withPayload(good.request, bytes.Join(changed, []byte("&"))))
		if err == nil && n.Event == good.Event && n.Order == good.Order && amount(n) == amount(good.Notice) {
			continue
		}
		twice := slices.Concat(whole, []byte("&"), other)
		if n, err := p.Decode(withPayload(good.request, twice)); err == nil {
			name, _, _ := bytes.Cut(field, []byte("="))
			t.Errorf("%s decodes with %s told twice, as %s of order %q: name it in wire.Form.Read\n%q", good.Event, name, n.Event, n.Order, twice)
		}
	}
}

// checkReversal sees that a reversal names the deposit that it takes back, or
// none.
func checkReversal(t testing.TB, p provider.Provider, form string) {
	t.Helper()
	events := p.Info().Events
	if !slices.Contains(events, payment.EventDeposited) || !slices.Contains(events, payment.EventReversed) {
		return
	}
	deposit, ok := tell(t, p, Sample(payment.EventDeposited), form)
	reversal, also := tell(t, p, Sample(payment.EventReversed), form)
	if ok && also && reversal.Deposit != "" && reversal.Deposit != deposit.Deposit {
		t.Errorf("form %q: the reversal has Deposit %q, want that of the deposit, %q, or none", form, reversal.Deposit, deposit.Deposit)
	}
}

// checkBank sees that the account's bank comes back from a module that tells
// it, in an issue or a deposit of at least one wire format.
func checkBank(t testing.TB, p provider.Provider) {
	t.Helper()
	tells := false
	for _, form := range forms(p) {
		for _, e := range p.Info().Events {
			if e != payment.EventIssued && e != payment.EventDeposited {
				continue
			}
			other := Sample(e)
			other.Bank = "KOOKMIN"
			got, ok := tell(t, p, Sample(e), form)
			if ok && got.Bank == Sample(e).Bank {
				return
			}
			elsewhere, _ := tell(t, p, other, form)
			tells = tells || ok && !bytes.Equal(payload(got.request), payload(elsewhere.request))
		}
	}
	if tells {
		t.Errorf("Encode tells the bank, but no issue or deposit decodes with Bank %q: fill it in by payment.BankByCode or a table of the PG's own", Sample("").Bank)
	}
}
