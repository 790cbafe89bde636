package books_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/books"
)

var shop = merchant.Channel{Key: "channel-key-1"}

func issued(t *testing.T, l *books.Ledger) provider.Entry {
	t.Helper()
	e, err := l.Issue(shop, provider.Entry{Order: "order-1", Key: "first", Amount: payment.Won(1000)})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestIssue(t *testing.T) {
	t.Parallel()
	l := &books.Ledger{}
	e := issued(t, l)
	if e.PGTx == "" || e.Account.Number == "" || e.Secret == "" || e.State != payment.Issued || e.Account.IssuedAt.IsZero() {
		t.Errorf("the books made up too little: %+v", e)
	}
	if again := issued(t, l); again.PGTx != e.PGTx {
		t.Errorf("the same key again = %s, want %s", again.PGTx, e.PGTx)
	}
	if _, err := l.Issue(shop, provider.Entry{Order: "order-1", Key: "second", Amount: payment.Won(1000)}); !errors.Is(err, provider.ErrTaken) {
		t.Errorf("the same order again: %v, want %v", err, provider.ErrTaken)
	}
	if _, err := l.Close(shop, e.PGTx); err != nil {
		t.Fatal(err)
	}
	next, err := l.Issue(shop, provider.Entry{Order: "order-1", Key: "second", Amount: payment.Won(1000)})
	if err != nil || next.Account.Number == e.Account.Number {
		t.Errorf("after a close the order gets %v, %v, want another account", next.Account.Number, err)
	}
	other := merchant.Channel{Key: "channel-key-2"}
	if _, ok := l.Find(other, func(provider.Entry) bool { return true }); ok {
		t.Error("another merchant finds the account")
	}
}

func TestMoney(t *testing.T) {
	t.Parallel()
	l := &books.Ledger{}
	e := issued(t, l)
	if _, _, err := l.Refund(shop, e.PGTx, "a", payment.Won(1)); !errors.Is(err, provider.ErrNotPaid) {
		t.Errorf("a refund before the deposit: %v, want %v", err, provider.ErrNotPaid)
	}
	if _, err := l.Deposit(shop, e.PGTx, "홍길동"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Deposit(shop, e.PGTx, "홍길동"); !errors.Is(err, provider.ErrNotWaiting) {
		t.Errorf("a second deposit: %v, want %v", err, provider.ErrNotWaiting)
	}
	if _, err := l.Close(shop, e.PGTx); !errors.Is(err, provider.ErrNotWaiting) {
		t.Errorf("a close after the deposit: %v, want %v", err, provider.ErrNotWaiting)
	}
	for _, step := range []struct {
		key  string
		give int64
		want error
		left int64
	}{
		{"a", 300, nil, 700},
		{"a", 300, nil, 700}, // the same request
		{"b", 701, provider.ErrTooMuch, 700},
		{"b", 0, provider.ErrTooMuch, 700},
		{"c", 700, nil, 0},
		{"d", 1, provider.ErrTooMuch, 0},
	} {
		got, _, err := l.Refund(shop, e.PGTx, step.key, payment.Won(step.give))
		if !errors.Is(err, step.want) || got.Left().Amount != step.left {
			t.Errorf("refund %s of %d: %v, %d left; want %v, %d", step.key, step.give, err, got.Left().Amount, step.want, step.left)
		}
	}
}

func TestOneKeyAtOnce(t *testing.T) {
	t.Parallel()
	l := &books.Ledger{}
	e := issued(t, l)
	if _, err := l.Deposit(shop, e.PGTx, "홍길동"); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { _, _, _ = l.Refund(shop, e.PGTx, "one", payment.Won(10)) })
	}
	all.Wait()
	got, _ := l.Find(shop, func(provider.Entry) bool { return true })
	if len(got.Cancellations) != 1 {
		t.Errorf("%d refunds of one key, want 1", len(got.Cancellations))
	}
}
