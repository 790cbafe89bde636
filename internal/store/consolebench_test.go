package store_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// soldAt is the i-th payment of a busy merchant, made of one that was paid.
func soldAt(p payment.Payment, i int) payment.Payment {
	families, given := []string{"김", "이", "박", "최", "정", "강", "조", "윤"}, []string{"서준", "민서", "하윤", "도윤", "지우", "예준", "수아"}
	p.Key, p.ID = payment.Key(numberedID(1, i)), payment.ID(fmt.Sprintf("order-%d-%07d", i%89, i))
	p.Store = storetest.Store
	if i%10 == 0 {
		p.Store = secondStore
	}
	p.OrderName = fmt.Sprintf("상품 %d호 외 %d건", i%5000, i%4)
	p.Customer.Name = families[i%len(families)] + given[i%len(given)] + fmt.Sprint(i%100)
	p.Amount = payment.Won(int64(1000 + 100*(i%9000)))
	p.RequestedAt = storetest.Noon.Add(time.Duration(i) * time.Millisecond)
	p.StatusChangedAt, p.UpdatedAt = p.RequestedAt.Add(time.Minute), p.RequestedAt.Add(time.Minute)
	t := p.Transactions[0]
	account := *t.Account
	account.Number = secret.Account(fmt.Sprintf("56201%09d", (i*7919)%1_000_000_000))
	t.Account, t.Depositor = &account, p.Customer.Name
	p.Transactions = []payment.Transaction{t}
	switch {
	case i%33 == 0:
		p.State, p.Deposits = payment.Issued, nil
	case i%50 == 1:
		p.State = payment.Cancelled
	}
	return p
}

// consoleCrowd is what each payment of a busy merchant leaves: three notices in
// a hundred payments are told again, one webhook in 500 failed, and each third
// try was in vain.
func consoleCrowd() []crowd {
	all := slices.DeleteFunc(paidCrowd(), func(c crowd) bool { return c.table == "attempt_body" })
	for i, c := range all {
		c.values = maps.Clone(c.values)
		if c.table == "notice" {
			c.values["verdict"] = "case when {i} % 33 = 0 then 'duplicate' when {i} % 1000 = 1 then 'unmatched' else 'applied' end"
			c.values["peer"] = "'203.0.113.' || ({i} % 4)"
		}
		if c.table == "delivery_end" {
			c.values["state"] = "case when {i} % 500 = 0 then 'failed' else 'completed' end"
			c.values["store_id"] = "case when {i} % 10 = 0 then '" + string(secondStore) + "' else '" + string(storetest.Store) + "' end"
		}
		all[i] = c
	}
	return append(all, crowd{table: "attempt", per: 1, values: map[string]string{
		"id": "{9}", "delivery_id": "{6}", "webhook_id": "{6}", "outcome": "'bad_answer'", "status": "500",
	}})
}

// seedConsole fills a database with a busy merchant's payments.
func seedConsole(b *testing.B, db *storetest.Database, s *store.Store, payments int) {
	b.Helper()
	ctx := b.Context()
	neighbours(b, s)
	p, _, err := s.Register(ctx, storetest.Registration("t"), storetest.Registering(storetest.Noon))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := s.Settle(ctx, []notice.Inbound{byOrder("t")}, storetest.Judge); err != nil {
		b.Fatal(err)
	}
	c, err := s.Claim(ctx, storetest.Noon.Add(time.Hour), lease, storetest.Room(10))
	if err != nil || len(c.Jobs) != 2 {
		b.Fatalf("%d deliveries, %v", len(c.Jobs), err)
	}
	for _, j := range c.Jobs {
		if _, err := s.Finish(ctx, []webhook.Finish{outcome(j, time.Hour, 0, webhook.Good)}); err != nil {
			b.Fatal(err)
		}
	}
	if p, err = s.PaymentByKey(ctx, p.Key); err != nil {
		b.Fatal(err)
	}
	// Partitions, as a server makes them.
	if _, err := s.MakeAhead(ctx, storetest.Noon); err != nil {
		b.Fatal(err)
	}
	if !db.Postgres {
		db.Raw.SetMaxOpenConns(1)
		for _, pragma := range []string{`pragma synchronous = off`, `pragma cache_size = -200000`} {
			if _, err := db.Raw.ExecContext(ctx, pragma); err != nil {
				b.Fatal(err)
			}
		}
	}
	for _, c := range consoleCrowd() {
		c.multiply(b, db, payments)
	}
	putSealed(b, db, "payment", []string{
		"key", "merchant_id", "store_id", "id", "mode", "state", "amount", "currency", "requested_at", "updated_at", "status_changed_at",
		"channel_key", "method", "doc",
	}, payments, func(i int) []any {
		one := soldAt(p, i)
		return []any{string(one.Key), string(one.Merchant), string(one.Store), string(one.ID), string(one.Mode), string(one.State),
			one.Amount.Amount, string(one.Amount.Currency), one.RequestedAt.UnixMicro(), one.UpdatedAt.UnixMicro(), one.StatusChangedAt.UnixMicro(),
			string(storetest.Channel), string(payment.VirtualAccount), s.SealPayment(one)}
	})
	for at := 1; at <= payments; at += 1000 {
		for range 2 { // when it was issued, and when it was paid
			s.MultiplySearch(ctx, p.Merchant, min(1000, payments-at+1), func(n int) payment.Payment { return soldAt(p, at+n) })
		}
	}
	db.Exec(b, `insert into search_upto (id, event) values (1, 'ffffffff-ffff-7fff-8fff-ffffffffffff') on conflict (id) do update set event = excluded.event`)
	if _, err := db.Raw.ExecContext(ctx, map[bool]string{true: `vacuum analyze`, false: `pragma wal_checkpoint(truncate)`}[db.Postgres]); err != nil {
		b.Fatal(err)
	}
}

// A glance is something that a page of the console reads.
type glance struct {
	name string
	do   func(ctx context.Context, i int) error
}

// glances are what pages read of so many payments, each in many variants.
func glances(s *store.Store, payments int) []glance {
	everywhere := allOfUs
	behind := func() store.Page { // somewhere in the list
		n := 1 + rand.IntN(payments)
		return store.Page{Older: numberedID(5, n)}
	}
	sold := func(i int) int64 { return int64(1000 + 100*(i*31%9000)) }
	list := func(name string, f store.PaymentFilter, scope store.Scope, at func() store.Page) glance {
		return glance{name, func(ctx context.Context, _ int) error {
			_, err := s.PaymentRows(ctx, scope, f, at())
			return err
		}}
	}
	newest := func() store.Page { return store.Page{} }
	deep := func() store.Page {
		n := 1 + rand.IntN(payments)
		return store.Page{Older: fmt.Sprintf("%d-%s", storetest.Noon.Add(time.Duration(n)*time.Millisecond).UnixMicro(), numberedID(1, n))}
	}
	notices := func(name string, f store.NoticeFilter, at func() store.Page) glance {
		return glance{name, func(ctx context.Context, _ int) error { _, err := s.NoticeRows(ctx, everywhere, f, at()); return err }}
	}
	sent := func(name string, f store.DeliveryFilter, at func() store.Page) glance {
		return glance{name, func(ctx context.Context, _ int) error {
			_, err := s.DeliveryRows(ctx, everywhere, f, at())
			return err
		}}
	}
	found := func(name string, q func(i int) store.Search) glance {
		return glance{name, func(ctx context.Context, i int) error {
			one := q(i)
			one.Merchant = storetest.Merchant
			_, err := s.Search(ctx, one)
			return err
		}}
	}
	amount := sold(7)
	return []glance{
		{"nothing", func(ctx context.Context, _ int) error { return s.Readers().PingContext(ctx) }},
		list("payments", store.PaymentFilter{}, everywhere, newest), list("payments, deep", store.PaymentFilter{}, everywhere, deep),
		list("payments of one store", store.PaymentFilter{}, ourOther, newest),
		list("payments by state", store.PaymentFilter{States: []payment.State{payment.Issued}, Changed: true}, everywhere, newest),
		list("payments by amount", store.PaymentFilter{Amount: &amount}, everywhere, deep),
		list("payments of no channel's", store.PaymentFilter{Channel: storetest.OtherOne}, everywhere, newest),
		list("payments without a notice", store.PaymentFilter{Untold: true}, everywhere, newest),
		list("payments with a failed webhook", store.PaymentFilter{WebhookFailed: true}, everywhere, newest),
		notices("notices", store.NoticeFilter{}, newest), notices("notices, deep and folded", store.NoticeFilter{Folded: true}, behind),
		notices("notices by verdict", store.NoticeFilter{Verdicts: []payment.Verdict{payment.Unmatched}}, newest),
		notices("notices by address", store.NoticeFilter{Peer: "203.0.113.2"}, behind),
		notices("notices of new addresses", store.NoticeFilter{Strange: true}, newest),
		sent("deliveries", store.DeliveryFilter{}, newest), sent("deliveries, deep", store.DeliveryFilter{}, behind),
		sent("deliveries that failed", store.DeliveryFilter{States: []webhook.DeliveryState{webhook.Undone}}, newest),
		sent("deliveries by type", store.DeliveryFilter{Type: webhook.Paid}, behind),
		found("search: digits, anywhere", func(i int) store.Search { return store.Search{Digits: fmt.Sprint(1000 + i*7919%9000)} }),
		found("search: digits, nowhere", func(int) store.Search { return store.Search{Digits: "99999999999", Within: time.Minute} }),
		found("search: an amount", func(i int) store.Search { n := sold(i); return store.Search{Amount: &n} }),
		found("search: a name", func(i int) store.Search { return store.Search{Text: fmt.Sprintf("하윤%d", i%100)} }),
		found("search: words nowhere, all pages", func(int) store.Search { return store.Search{Text: "없는 이름", Within: time.Minute} }),
		found("search: words nowhere", func(int) store.Search { return store.Search{Text: "없는 이름"} }),
		{"an id", func(ctx context.Context, i int) error {
			_, err := s.Find(ctx, storetest.Merchant, "", numberedID(5, 1+i*7919%payments), false)
			return err
		}},
		{"figures", func(ctx context.Context, _ int) error {
			_, err := s.Figures(ctx, everywhere, storetest.Noon, storetest.Noon.Add(time.Hour), 3*time.Hour)
			return err
		}},
		{"flows", func(ctx context.Context, _ int) error {
			_, err := s.Flows(ctx, everywhere, storetest.Noon)
			return err
		}},
		{"health", func(ctx context.Context, _ int) error {
			_, err := s.DeliveryHealth(ctx, everywhere, "", storetest.Noon, storetest.Noon.Add(time.Hour), time.Minute)
			return err
		}},
	}
}

// BenchmarkConsole measures what pages of the console read of a million payments
// and three million tries, with -short of a hundredth of it: run it with
// -benchtime 1x. It prints half and 95 of a hundred of 40 looks of each kind.
func BenchmarkConsole(b *testing.B) {
	payments := 1_000_000
	if testing.Short() {
		payments = 10_000
	}
	for _, engine := range []string{"SQLite", "PostgreSQL"} {
		b.Run(engine, func(b *testing.B) {
			open := map[string]func(testing.TB) *storetest.Database{"SQLite": storetest.OnSQLite, "PostgreSQL": storetest.OnPostgres}[engine]
			db := open(b)
			s := db.Open(b)
			at := time.Now()
			seedConsole(b, db, s, payments)
			b.Logf("%d payments and %d tries were made in %v", payments, db.Count(b, `select count(*) from attempt`), time.Since(at).Round(time.Second))
			for b.Loop() {
				for _, l := range glances(s, payments) {
					measure(b, l)
				}
			}
		})
	}
}

// measure does a look often and prints how long it took.
func measure(b *testing.B, l glance) {
	b.Helper()
	const times = 40
	took := make([]time.Duration, times)
	for i := range took {
		at := time.Now()
		if err := l.do(b.Context(), i); err != nil {
			b.Fatalf("%s: %v", l.name, err)
		}
		took[i] = time.Since(at)
	}
	slices.SortFunc(took, cmp.Compare[time.Duration])
	fmt.Printf("%-36s p50 %7.1f ms   p95 %7.1f ms\n", l.name, ms(took[times/2]), ms(took[times*95/100]))
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
