package trial_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/provider/trial"
	"github.com/tongbo/tongbo/internal/secret"
)

// ledger keeps books in memory.
type ledger struct {
	sync.Mutex
	rows map[string][]byte
	down error // that the next change ends with, after it was made
}

// Trial is trial.Ledger's.
func (l *ledger) Trial(_ context.Context, c merchant.ChannelKey, id string, _ time.Time, change func([]byte) ([]byte, error)) error {
	l.Lock()
	defer l.Unlock()
	key := string(c) + "/" + id
	next, err := change(l.rows[key])
	if err != nil {
		return err
	}
	if next != nil {
		l.rows[key] = next
	}
	err, l.down = l.down, nil
	return err
}

// A bench is one module on trial at noon.
type bench struct {
	*testing.T
	trial.PG
	books *ledger
	now   time.Time
}

func open(t *testing.T, code string) *bench {
	t.Helper()
	p, ok := all.ByCode(code)
	if !ok {
		t.Fatalf("there is no %s", code)
	}
	books := &ledger{rows: make(map[string][]byte)}
	return &bench{T: t, PG: trial.PG{Provider: p, Ledger: books}, books: books, now: time.Date(2026, 11, 2, 3, 0, 0, 0, time.UTC)}
}

func (b *bench) access() provider.Access {
	return provider.Access{Now: b.now, Channel: merchant.Channel{Key: "channel-key-1", Provider: b.Info().Code, Mode: merchant.Test, MID: "T0000"}}
}

func order(id string) provider.Order {
	return provider.Order{
		ID: id, Name: "책", Amount: payment.Won(10_000), Bank: "SHINHAN", Type: payment.Normal, Holder: "가나상점", Key: "key of " + id,
		ExpiresAt: time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC),
	}
}

func (b *bench) issue(o provider.Order) provider.Issue {
	b.Helper()
	if err := b.CheckIssue(b.access().Channel, o); err != nil {
		b.Fatal(err)
	}
	i, err := b.Issue(b.Context(), b.access(), o)
	if err != nil {
		b.Fatal(err)
	}
	return i
}

func (b *bench) deposit(o provider.Order, give int64) (provider.Paid, error) {
	d := provider.Deposit{Order: o.ID, Amount: o.Amount, Depositor: "김손님"}
	if give > 0 {
		d.Give = payment.Won(give)
	}
	return b.Deposit(b.Context(), b.access(), d)
}

func (b *bench) stands(order string) provider.Standing {
	b.Helper()
	s, err := b.Inquire(b.Context(), b.access(), provider.Query{Order: order})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func refundTo() *provider.RefundAccount {
	return &provider.RefundAccount{Bank: "KOOKMIN", Number: "123-456", Holder: "홍길동"}
}

func (b *bench) refund(o provider.Order, give, rest int64, key string) (provider.Refunded, error) {
	r := provider.Refund{
		Query: provider.Query{Order: o.ID, Amount: o.Amount}, Give: payment.Won(give), Rest: payment.Won(rest), Account: refundTo(), Key: key,
	}
	if err := b.CheckRefund(b.access().Channel, r); err != nil {
		return provider.Refunded{}, err
	}
	return b.Refund(b.Context(), b.access(), r)
}

// code is why the PG said no; empty if it did not.
func code(err error) string {
	if no, ok := errors.AsType[*provider.DeclinedError](err); ok {
		return no.Code
	}
	return ""
}

// TestStory plays a payment at each PG, and reads each notice as its receiver would.
func TestStory(t *testing.T) {
	t.Parallel()
	for _, p := range all.Providers() {
		t.Run(p.Info().Code, func(t *testing.T) {
			t.Parallel()
			b, o := open(t, p.Info().Code), order("order1")
			if s := b.stands(o.ID); s.State != "" {
				t.Errorf("before the issue it stands at %q", s.State)
			}
			i := b.issue(o)
			if i.PGTx == "" || len(i.Account.Number.Reveal()) != 14 || i.Account.Bank != o.Bank || !i.Account.ExpiresAt.Equal(o.ExpiresAt) {
				t.Errorf("Issue = %+v", i)
			}
			if p.Info().OrderSecret != (i.Secret != "") {
				t.Errorf("a secret of the order: %v", i.Secret != "")
			}
			if again := b.issue(o); again.Account != i.Account || again.PGTx != i.PGTx {
				t.Errorf("the same key again = %+v, want %+v", again, i)
			}
			other := o
			other.Key = "another"
			if _, err := b.Issue(t.Context(), b.access(), other); code(err) != "TRIAL_ORDER_TAKEN" {
				t.Errorf("the order under another key = %v", err)
			}
			if next := b.issue(order("order2")); next.Account.Number == i.Account.Number || next.PGTx == i.PGTx {
				t.Errorf("another order has the same account or id: %+v", next)
			}
			b.pay(o, i)
			b.giveBack(o)
		})
	}
}

// pay pays an order, and checks the notice of it.
func (b *bench) pay(o provider.Order, i provider.Issue) {
	b.Helper()
	b.now = b.now.Add(time.Hour)
	paid, err := b.deposit(o, 0)
	if err != nil || paid.Again || paid.Amount != o.Amount {
		b.Fatalf("Deposit = %+v, %v", paid, err)
	}
	if !strings.HasSuffix(paid.Notice.Path, "/channel-key-1") {
		b.Errorf("the notice goes to %s", paid.Notice.Path)
	}
	told, err := b.Decode(paid.Notice)
	if err != nil || told.Event != payment.EventDeposited || told.Order != o.ID || told.HasAmount && told.Amount != o.Amount ||
		told.Account != "" && told.Account != i.Account.Number {
		b.Errorf("the notice says %+v, %v", told, err)
	}
	p := payment.Payment{Transactions: []payment.Transaction{{Channel: "channel-key-1", Order: o.ID, Secret: i.Secret}}}
	if err := b.Verify(paid.Notice, told, b.access().Channel, p); err != nil && !errors.Is(err, provider.ErrUnproved) {
		b.Errorf("the notice's proof: %v", err)
	}
	s := b.stands(o.ID)
	if s.State != payment.Paid || s.Amount != o.Amount || !s.HasAmount || s.Deposit != told.Deposit || !s.PaidAt.Equal(b.now) || s.Account != i.Account {
		b.Errorf("it stands at %+v", s)
	}
	again, err := b.deposit(o, 0)
	if err != nil || !again.Again {
		b.Fatalf("the same deposit again = %+v, %v", again, err)
	}
	if d := cmp.Diff(paid.Notice, again.Notice); d != "" {
		b.Errorf("the notice is not the same again:\n%s", d)
	}
	if _, err := b.deposit(o, 9000); !fault.Is(err, fault.Conflict) {
		b.Errorf("another deposit = %v, want a conflict", err)
	}
	if _, err := b.Close(b.Context(), b.access(), provider.Closing{Query: provider.Query{Order: o.ID}}); code(err) != "TRIAL_NOT_WAITING" {
		b.Errorf("a close after the deposit = %v", err)
	}
}

// giveBack refunds a paid order in two parts.
func (b *bench) giveBack(o provider.Order) {
	b.Helper()
	first, err := b.refund(o, 3000, 10_000, "r1")
	if err != nil || first.PGID == "" || first.Transfer != payment.RefundPending {
		b.Fatalf("Refund = %+v, %v", first, err)
	}
	if again, err := b.refund(o, 3000, 10_000, "r1"); err != nil || again != first {
		b.Errorf("the same refund again = %+v, %v", again, err)
	}
	if _, err := b.refund(o, 7001, 7000, "r2"); code(err) != "TRIAL_REFUND_TOO_MUCH" {
		b.Errorf("a refund of too much = %v", err)
	}
	if s := b.stands(o.ID); s.State != payment.PartiallyCancelled || !s.Lists || len(s.Cancellations) != 1 || s.Cancellations[0].PGID != first.PGID {
		b.Errorf("after a part it stands at %+v", s)
	}
	if last, err := b.refund(o, 7000, 7000, "r3"); err != nil || last.PGID == first.PGID {
		b.Errorf("the rest = %+v, %v", last, err)
	}
	if s := b.stands(o.ID); s.State != payment.Cancelled {
		b.Errorf("after all it stands at %s", s.State)
	}
	if _, err := b.deposit(o, 0); !fault.Is(err, fault.Conflict) {
		b.Errorf("a deposit after all was given back = %v", err)
	}
}

// TestLostCommit has the database confirm nothing: whether it was done is not known.
func TestLostCommit(t *testing.T) {
	t.Parallel()
	b, o := open(t, "kcp"), order("order1")
	lost := fault.Errorf(fault.Unavailable, "the connection broke")
	b.books.down = lost
	if _, err := b.Issue(t.Context(), b.access(), o); !fault.Is(err, fault.Unclear) {
		t.Errorf("Issue = %v, want it unclear", err)
	}
	if b.stands(o.ID).State != payment.Issued {
		t.Error("the inquiry does not find what was done")
	}
	if _, err := b.deposit(o, 0); err != nil {
		t.Fatal(err)
	}
	b.books.down = lost
	if _, err := b.refund(o, 1000, 10_000, "r"); !fault.Is(err, fault.Unclear) {
		t.Errorf("Refund = %v, want it unclear", err)
	}
}

func TestOneKeyAtOnce(t *testing.T) {
	t.Parallel()
	b, o := open(t, "kcp"), order("order1")
	b.issue(o)
	if _, err := b.deposit(o, 0); err != nil {
		t.Fatal(err)
	}
	var together sync.WaitGroup
	for range 50 {
		together.Go(func() {
			if _, err := b.refund(o, 100, 10_000, "one"); err != nil {
				t.Error(err)
			}
		})
	}
	together.Wait()
	if n := len(b.stands(o.ID).Cancellations); n != 1 {
		t.Errorf("%d refunds of one key, want 1", n)
	}
}

// TestSealed sees that what goes to the ledger can be read back: types of secrets do
// not marshal.
func TestSealed(t *testing.T) {
	t.Parallel()
	b, o := open(t, "tosspayments"), order("order1")
	i := b.issue(o)
	s := b.stands(o.ID)
	if s.Secret != i.Secret || s.Account.Number != i.Account.Number || strings.Contains(s.Secret.Reveal(), "[secret]") {
		t.Errorf("read back: %s", fmt.Sprint(s.Secret == i.Secret, s.Account.Number == i.Account.Number))
	}
	if secret.Text("") == i.Secret {
		t.Error("there is no secret")
	}
}
