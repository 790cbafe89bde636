package kicc_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/kicc"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

// decideAll lets one payment of 30 won on an account of that type hear several
// messages, as they come, each message once.
func decideAll(t *testing.T, kind payment.AccountType, bodies ...string) (payment.Payment, []payment.Verdict) {
	t.Helper()
	p := payment.Payment{
		ID: "p", State: payment.Issued, Amount: payment.Won(30),
		Transactions: []payment.Transaction{{
			ID: "t", Order: "o-1", PGTx: "9", State: payment.Issued, Account: &payment.Account{Number: "1109", Type: kind},
		}},
	}
	env := payment.Env{Now: time.Date(2025, 11, 7, 0, 0, 0, 0, wire.Seoul), NewID: func() string { return "id" }}
	claimed := map[string]bool{}
	var verdicts []payment.Verdict
	for _, body := range bodies {
		r := decode(t, body).Report
		if claimed[r.Key] {
			verdicts = append(verdicts, payment.Duplicate)
			continue
		}
		d := p.Decide(r, env)
		verdicts = append(verdicts, d.Verdict)
		if d.Changed {
			p = d.Payment
		}
		claimed[r.Key] = d.Verdict == payment.Applied || d.Verdict == payment.Recorded
	}
	return p, verdicts
}

// tellings are the ways in which one deposit may be told: with and without the
// issue's number, under its own number or that of the issue, in both forms.
func tellings(t *testing.T) map[string]string {
	t.Helper()
	const base = "memb_id=T1&order_no=o-1&amount=30&pay_type=22&noti_type=30&account_no=1109&tran_date=20251105092752"
	out := map[string]string{}
	for name, numbers := range map[string]string{
		"with the issue": "&cno=1&tlf_sno=9", "without the issue": "&cno=1", "by the issue": "&cno=9&tlf_sno=9", "by the issue alone": "&cno=9",
	} {
		out["form "+name] = base + numbers
		if numbers[5] != '9' { // documented: the new form has the deposit's own
			out["JSON "+name] = asJSON(t, base+numbers)
		}
	}
	return out
}

// TestOneDepositInTwoForms: whatever numbers the tellings of one deposit have,
// it counts once, and its reversal takes it back.
func TestOneDepositInTwoForms(t *testing.T) {
	reversal := asJSON(t, "memb_id=T1&order_no=o-1&amount=30&pay_type=22&noti_type=31&account_no=1109&tran_date=20251105103126&cno=1&tlf_sno=9")
	all := tellings(t)
	for first, a := range all {
		for second, b := range all {
			p, v := decideAll(t, payment.FixedUnlimited, a, b)
			if v[0] != payment.Applied || v[1] != payment.Duplicate || len(p.Deposits) != 1 {
				t.Errorf("%s, then %s: %s, %d deposits", first, second, v, len(p.Deposits))
			}
			p, v = decideAll(t, payment.FixedUnlimited, a, b, reversal)
			if v[2] != payment.Applied || p.State != payment.Cancelled {
				t.Errorf("%s, then %s, then its reversal: %s, %s", first, second, v, p.State)
			}
		}
		if p, v := decideAll(t, payment.Normal, reversal, a); p.State != payment.Issued || v[1] != payment.Recorded {
			t.Errorf("the reversal, then %s: %s, %s", first, v, p.State)
		}
		// A minute later it is another one.
		later := strings.Replace(a, "20251105092752", "20251105093052", 1)
		for old, fresh := range map[string]string{"cno=1": "cno=2", `"pgCno":"1"`: `"pgCno":"2"`} {
			later = strings.Replace(later, old, fresh, 1)
		}
		if p, v := decideAll(t, payment.FixedUnlimited, a, later); len(p.Deposits) != 2 {
			t.Errorf("%s and another deposit: %s, %d deposits", first, v, len(p.Deposits))
		}
	}
}

// TestOneKeyInTwoForms: what both forms tell alike has one name.
func TestOneKeyInTwoForms(t *testing.T) {
	for name, body := range tellings(t) {
		if !strings.HasPrefix(name, "form") {
			continue
		}
		if a, b := decode(t, body), decode(t, asJSON(t, body)); a.Key != b.Key {
			t.Errorf("%s has key %q, and %q as JSON", name, a.Key, b.Key)
		}
	}
}

// TestOneCancellationInTwoForms: the forms number cancellations each in its own
// way, so that time and sum name them.
func TestOneCancellationInTwoForms(t *testing.T) {
	const deposit = "memb_id=T1&order_no=o-1&amount=30&pay_type=22&noti_type=30&account_no=1109&tran_date=20251105092752&cno=1&tlf_sno=9"
	const part = "memb_id=T1&order_no=o-1&amount=30&pay_type=22&noti_type=20&stat_cd=RF02&mgr_amt=10&cno=9&canc_date=20251106100000"
	form := part + "&tran_date=20251105092752&mgr_seqno=1&res_cd=0000"
	fresh := asJSON(t, strings.Replace(part, "mgr_amt=10", "mgr_amt=000010", 1)+"&tran_date=20251106100000&mgr_seqno=25110610000010000002&tlf_sno=9")
	bare := part + "&tlf_sno=9"
	for name, pair := range map[string][2]string{
		"form, JSON": {form, fresh}, "JSON, form": {fresh, form}, "form, form without its number": {form, bare}, "JSON, form without a number": {fresh, bare},
	} {
		p, v := decideAll(t, payment.Normal, deposit, pair[0], pair[1])
		if v[2] != payment.Duplicate || p.Remaining() != payment.Won(20) {
			t.Errorf("%s: %s, %v left", name, v, p.Remaining())
		}
	}
	for name, other := range map[string]string{
		"another second": strings.NewReplacer("06100000", "06100001", "seqno=1", "seqno=2").Replace(form),
		"another sum":    strings.NewReplacer("mgr_amt=10", "mgr_amt=5", "seqno=1", "seqno=2").Replace(form),
	} {
		if p, v := decideAll(t, payment.Normal, deposit, form, other); v[2] != payment.Applied || len(p.Cancellations) != 2 {
			t.Errorf("%s: %s, %d cancellations", name, v, len(p.Cancellations))
		}
	}
	if n := decode(t, fresh); n.PGCancel != "25110610000010000002" || n.Listed {
		t.Errorf("PGCancel = %q, listed %t", n.PGCancel, n.Listed)
	}
}

// TestUntimedCancellation: a part whose time is not told can't be recognised in
// the other form, so that a person sees it. Their numbers tell two apart.
func TestUntimedCancellation(t *testing.T) {
	const part = "memb_id=T1&order_no=o-1&amount=30&pay_type=22&noti_type=20&stat_cd=RF02&mgr_amt=10&cno=9&mgr_seqno=1"
	for _, body := range []string{part, asJSON(t, part), part + "&canc_date=00000000000000"} {
		n := decode(t, body)
		if !n.Listed || n.Event != payment.EventPartiallyCancelled {
			t.Errorf("%s: %s, listed %t", body, n.Event, n.Listed)
		}
		if other := decode(t, strings.Replace(strings.Replace(body, "seqno=1", "seqno=2", 1), `PgCno":"1"`, `PgCno":"2"`, 1)); other.Key == n.Key {
			t.Errorf("two cancellations have key %q", n.Key)
		}
	}
}

// TestFormInUTF8: a form that is UTF-8 is read as that, never as other syllables
// that the same bytes spell in EUC-KR.
func TestFormInUTF8(t *testing.T) {
	for _, name := range []string{"박박", "홍길동", "똠방각하", "홍", "박", "뷁"} {
		fields := []wire.Field{{Name: "noti_type", Value: "30"}, {Name: "cno", Value: "1"}, {Name: "deposit_nm", Value: name}}
		for _, c := range []wire.Charset{wire.UTF8, wire.EUCKR} {
			n, err := kicc.Module.Decode(notice.Request{Method: "POST", Body: wire.EncodeForm(fields, c)})
			if err != nil || n.Depositor != name {
				t.Errorf("%s in %s is read as %q, %v", name, c, n.Depositor, err)
			}
		}
	}
}

// TestRefundByAPI: a part that the REST API was asked for is told by notices of
// either form, of which the old one calls it otherwise. It counts once, and one
// that was made in KICC's pages beside it counts, too.
func TestRefundByAPI(t *testing.T) {
	t.Parallel()
	env := payment.Env{Now: time.Date(2025, 11, 6, 10, 0, 0, 0, wire.Seoul), NewID: func() string { return "c" }}
	paid := payment.Payment{
		ID: "p", State: payment.Paid, Amount: payment.Won(30),
		Transactions: []payment.Transaction{{
			ID: "t", Order: "o-1", PGTx: "9", State: payment.Paid, Account: &payment.Account{Number: "1109", Type: payment.Normal},
		}},
	}
	asked, c, err := paid.RequestCancel(payment.CancelRequest{Amount: new(int64(10))}, env)
	if err != nil {
		t.Fatal(err)
	}
	d, err := asked.CancelDone(c.ID, payment.Cancellation{PGID: "25110610000200000001", CancelledAt: env.Now}, env)
	if err != nil {
		t.Fatal(err)
	}
	const base = "memb_id=T1&order_no=o-1&amount=30&pay_type=22&noti_type=20&stat_cd=TS06&cno=9&mgr_amt=10"
	ours := base + "&canc_date=20251106100002&mgr_seqno=25110610000277777777"
	pages := base + "&canc_date=20251106113000&mgr_seqno=25110611300088888888"
	for name, c := range map[string]struct {
		bodies []string
		want   int64
	}{
		"old form":                      {[]string{ours}, 10},
		"new form":                      {[]string{asJSON(t, strings.Replace(ours, "25110610000277777777", "25110610000200000001", 1))}, 10},
		"both forms":                    {[]string{ours, asJSON(t, strings.Replace(ours, "25110610000277777777", "25110610000200000001", 1))}, 10},
		"and one in KICC's pages":       {[]string{ours, pages}, 20},
		"and one in KICC's pages first": {[]string{pages, ours}, 20},
	} {
		p, claimed := d.Payment, map[string]bool{}
		for _, body := range c.bodies {
			r := decode(t, body).Report
			if claimed[r.Key] {
				continue
			}
			out := p.Decide(r, env)
			claimed[r.Key] = out.Verdict == payment.Applied || out.Verdict == payment.Recorded
			p = out.Payment
		}
		if got := p.CancelledAmount(); got != c.want {
			t.Errorf("%s: %d won given back, want %d: %+v", name, got, c.want, p.Cancellations)
		}
	}
}
