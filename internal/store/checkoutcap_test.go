package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// accountFor has a window's buyer act, and the PG issue an account until a time; the
// window ends with that.
func accountFor(t *testing.T, s *store.Store, c payment.Checkout, until time.Time) payment.Checkout {
	t.Helper()
	if _, err := s.Act(t.Context(), acting(c)); err != nil {
		t.Fatal(err)
	}
	env := payment.Env{Now: c.CreatedAt.Add(2 * time.Second), NewID: storetest.NewID}
	issued := notice.Act{Payment: c.Payment, Env: env, Do: func(known *payment.Payment) (notice.Acted, error) {
		number := secret.Account(storetest.NewID())
		d, err := known.IssueDone(c.Transaction, payment.Issuance{Account: payment.Account{Bank: "IBK", Number: number, ExpiresAt: until}}, env)
		return notice.Acted{Payment: d.Payment, Changed: d.Changed}, err
	}}
	if _, err := s.Act(t.Context(), issued); err != nil {
		t.Fatal(err)
	}
	out, err := s.EndCheckout(t.Context(), c.ID, payment.Outcome{}, env.Now)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestTooManyAccounts: a live PG is asked for so many accounts within an hour in windows of
// a store, and for fewer from one address, whichever payments they are of.
func TestTooManyAccounts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		live := func(client string, after time.Duration) payment.Checkout {
			t.Helper()
			c := liveWindow(payment.ID(storetest.NewID()))
			c.Client, c.CreatedAt, c.ExpiresAt = client, storetest.Noon.Add(after), storetest.Noon.Add(after+payment.CheckoutLife)
			p, err := s.Act(t.Context(), opening(c))
			if err != nil {
				t.Fatal(err)
			}
			c.Payment, c.Begun = p.Key, p.Begun()
			return c
		}
		one := accountFor(t, s, live("bot", 0), storetest.Noon.AddDate(0, 0, 1))
		waiting, other := live("bot", 0), live("someone", 0)
		asked := func(n int, client string) {
			t.Helper()
			db.Exec(t, fmt.Sprintf(`update checkout set asked_at = %d where id = '%s'`, storetest.Noon.UnixMicro(), one.ID))
			numbers := fmt.Sprintf(`with recursive n (i) as (select 1 union all select i + 1 from n where i < %d)`, n)
			id := `printf('00000000-0000-7000-a000-%012d', n.i + (select count(*) from checkout))`
			if db.Postgres {
				numbers = fmt.Sprintf(`with n (i) as (select generate_series(1, %d))`, n)
				id = `gen_random_uuid()`
			}
			db.Exec(t, numbers+` insert into checkout (id, merchant_id, store_id, mode, payment_key, client, created_at, expires_at, code, answered, read_until, asked_at, doc)
				select `+id+`, merchant_id, store_id, mode, payment_key, '`+client+`', created_at, expires_at, code, answered, read_until, asked_at, doc
				from n, (select * from checkout where id = '`+string(one.ID)+`') as one`)
		}
		refused := func(what string, c payment.Checkout, want error) {
			t.Helper()
			if c.Payment == "" {
				if _, err := s.Act(t.Context(), opening(c)); !errors.Is(err, want) {
					t.Errorf("%s: a window opens with %v, want %v", what, err, want)
				}
				return
			}
			if _, err := s.Act(t.Context(), acting(c)); !errors.Is(err, want) {
				t.Errorf("%s: a buyer acts with %v, want %v", what, err, want)
			}
		}
		fresh := func(client string) payment.Checkout {
			c := liveWindow(payment.ID(storetest.NewID()))
			c.Client = client
			return c
		}
		asked(199, "bot")
		refused("200 of the address", waiting, payment.ErrTooManyAccounts)
		refused("200 of the address", fresh("bot"), payment.ErrTooManyAccounts)
		if p, err := s.PaymentByKey(t.Context(), waiting.Payment); err != nil || p.Begun() != 0 {
			t.Errorf("refused, it is %+v, %v", p, err)
		}
		refused("another address", other, nil)
		if n := db.Count(t, `select count(*) from checkout where id = '`+string(other.ID)+`' and asked_at is not null`); n != 1 {
			t.Error("the other's account is not counted")
		}
		refused("nobody knows from where", fresh(""), nil)
		asked(1799, "many")
		refused("2000 in all", fresh("a fourth"), payment.ErrTooManyAccounts)
		if !errors.Is(payment.ErrTooManyAccounts, payment.ErrTooManyWindows) {
			t.Error("faces do not know the answer")
		}
		// Of windows that ask no live PG there may be more; and an hour later, of all.
		refused("a test window", aWindow("test", "bot", time.Minute), nil)
		card := fresh("bot")
		card.Method = payment.ByCard
		refused("a live window without an account", card, nil)
		later := fresh("bot")
		later.CreatedAt = storetest.Noon.Add(time.Hour + time.Minute)
		refused("an hour later", later, nil)
		if later.Mode != merchant.Live {
			t.Error("the window is no live one")
		}
	})
}
