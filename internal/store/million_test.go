package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// paidCrowd is what a payment leaves that was registered, paid and told of
// twice: like crowds, but such that Verify finds nothing amiss.
func paidCrowd() []crowd {
	of := func(table, where string, values map[string]string) crowd {
		return crowd{table: table, per: 1, where: where, values: values}
	}
	all := []crowd{
		of("match_key", "kind = 'order'", map[string]string{"payment_key": "{1}", "value": "'o ' || {i}"}),
		of("match_key", "kind = 'account'", map[string]string{"payment_key": "{1}", "value": "'a ' || {i}"}),
		of("notice", "", map[string]string{"id": "{2}", "order_id": "'o ' || {i}", "key": "'k ' || {i}", "payment_key": "{1}"}),
		of("notice_key", "", map[string]string{"notice_id": "{2}", "key": "'k ' || {i}"}),
		of("deposit", "", map[string]string{"payment_key": "{1}", "notice_id": "{2}", "key": "'d ' || {i}"}),
	}
	for i, paid := range []string{"<> 'Transaction.Paid'", "= 'Transaction.Paid'"} {
		id := func(kind int) string { return fmt.Sprintf("{%d}", kind+i) }
		ended := map[string]string{"id": id(5), "event_id": id(3), "payment_key": "{1}", "payment_id": "'o ' || {i}"}
		told := maps.Clone(ended)
		told["id"] = id(3)
		delete(told, "event_id")
		all = append(all, of("event", "type "+paid, told), of("delivery_end", "type "+paid, ended),
			of("attempt", "", map[string]string{"id": id(7), "delivery_id": id(5), "webhook_id": id(5)}),
			of("attempt_body", "", map[string]string{"id": id(7)}))
	}
	return all
}

// numberedID is the id that numbered is SQL for.
func numberedID(kind, i int) string {
	at := int(storetest.Noon.UnixMilli()) + i
	return fmt.Sprintf("%08x-%04x-700%d-8000-%012x", at>>16, at&65535, kind, i)
}

// seedPaid makes payments that were paid, with all that belongs to them.
func seedPaid(b *testing.B, db *storetest.Database, s *store.Store, payments int) {
	b.Helper()
	ctx := b.Context()
	p, _, err := s.Register(ctx, storetest.Registration("t"), storetest.Registering(storetest.Noon))
	if err != nil {
		b.Fatal(err)
	}
	in := storetest.Told(storetest.Channel, "t", storetest.Deposit("t", "D"))
	in.Request.Header = map[string][]string{
		"Content-Type": {"application/x-www-form-urlencoded"}, "User-Agent": {"Mozilla/4.0 (compatible; MSIE 6.0)"}, "X-Forwarded-For": {"203.0.113.9"},
	}
	if _, err := s.Settle(ctx, []notice.Inbound{in}, storetest.Judge); err != nil {
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
	if p, err = s.Payment(ctx, storetest.Store, p.ID, merchant.Test); err != nil || p.State != payment.Paid {
		b.Fatalf("the payment is %s, %v", p.State, err)
	}
	if !db.Postgres {
		db.Raw.SetMaxOpenConns(1)
		for _, pragma := range []string{`pragma synchronous = off`, `pragma cache_size = -200000`} {
			if _, err := db.Raw.ExecContext(ctx, pragma); err != nil {
				b.Fatal(err)
			}
		}
	}
	for _, c := range paidCrowd() {
		c.multiply(b, db, payments)
	}
	putSealed(b, db, "notice_body", []string{"id", "request"}, payments, func(i int) []any {
		one := in
		one.ID, one.Notice.Deposit = notice.ID(numberedID(2, i)), fmt.Sprint("d ", i)
		return []any{string(one.ID), s.SealRequest(one)}
	})
	putSealed(b, db, "payment", []string{
		"key", "merchant_id", "store_id", "id", "mode", "state", "amount", "currency", "requested_at", "updated_at", "status_changed_at", "doc",
	}, payments, func(i int) []any {
		one := p
		one.Key, one.ID = payment.Key(numberedID(1, i)), payment.ID(fmt.Sprint("o ", i))
		one.Deposits = []payment.Deposit{p.Deposits[0]}
		one.Deposits[0].Key = fmt.Sprint("d ", i)
		at := p.UpdatedAt.UnixMicro()
		return []any{string(one.Key), string(p.Merchant), string(p.Store), string(one.ID), string(p.Mode), string(p.State),
			p.Amount.Amount, string(p.Amount.Currency), at, at, at, s.SealPayment(one)}
	})
	if _, err := db.Raw.ExecContext(ctx, map[bool]string{true: `vacuum analyze`, false: `pragma wal_checkpoint(truncate)`}[db.Postgres]); err != nil {
		b.Fatal(err)
	}
}

// putSealed puts rows into a table that are made on all processors.
func putSealed(b *testing.B, db *storetest.Database, table string, columns []string, n int, row func(i int) []any) {
	b.Helper()
	workers := runtime.GOMAXPROCS(0)
	made := make([]chan []any, workers)
	for w := range workers {
		made[w] = make(chan []any, 1000)
		go func() {
			defer close(made[w])
			for i := w + 1; i <= n; i += workers {
				made[w] <- row(i)
			}
		}()
	}
	next := 0
	take := func() ([]any, error) {
		r := <-made[next%workers]
		next++
		return r, nil
	}
	if db.Postgres {
		conn, err := db.Raw.Conn(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if err := conn.Raw(func(driver any) error {
			source := pgx.CopyFromSlice(n, func(int) ([]any, error) { return take() })
			_, err := driver.(*stdlib.Conn).Conn().CopyFrom(b.Context(), pgx.Identifier{table}, columns, source)
			return err
		}); err != nil {
			b.Fatal(err)
		}
		return
	}
	if err := putRows(b.Context(), db.Raw, table, columns, n, take); err != nil {
		b.Fatal(err)
	}
}

func putRows(ctx context.Context, db *sql.DB, table string, columns []string, n int, take func() ([]any, error)) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	query, places := "", ""
	for i, c := range columns {
		if i > 0 {
			query, places = query+", ", places+", "
		}
		query, places = query+c, places+fmt.Sprintf("$%d", i+1)
	}
	insert, err := tx.PrepareContext(ctx, "insert into "+table+" ("+query+") values ("+places+")")
	if err != nil {
		return err
	}
	defer func() { _ = insert.Close() }()
	for range n {
		row, err := take()
		if err != nil {
			return err
		}
		if _, err := insert.ExecContext(ctx, row...); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// BenchmarkVerify verifies a million payments that were paid and told of, with
// -short ten thousand: run it with -benchtime 1x.
func BenchmarkVerify(b *testing.B) {
	payments := 1_000_000
	if testing.Short() {
		payments = 10_000
	}
	for name, open := range map[string]func(testing.TB) *storetest.Database{"SQLite": storetest.OnSQLite, "PostgreSQL": storetest.OnPostgres} {
		b.Run(name, func(b *testing.B) {
			db := open(b)
			s := db.Open(b)
			at := time.Now()
			seedPaid(b, db, s, payments)
			b.Logf("seeded in %v", time.Since(at))
			before := processorTime(b)
			for b.Loop() {
				c, err := s.Verify(b.Context(), func(p store.Problem) { b.Errorf("%v", p) })
				if err != nil || c.Payments != int64(payments)+1 {
					b.Fatalf("Verify = %v, %v", c, err)
				}
			}
			b.ReportMetric((processorTime(b)-before).Seconds()/float64(b.N), "cpu-s/op")
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(m.HeapSys)/1e6, "MB-heap")
		})
	}
}

// processorTime is what this process has taken of the processors; PostgreSQL's
// own is not in it.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
