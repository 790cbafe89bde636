package server_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// TestASkewedNodeChargesNothing has a node's clock run ahead of the database's: what is
// scheduled waits until they agree.
func TestASkewedNodeChargesNothing(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	s := openTrial(t, database, func(*merchant.Channel) {})
	db := openRaw(t, database)
	key := s.billingKey("4242424242424242")
	execute(t, db, `create function clock_timestamp() returns timestamptz language sql volatile as 'select pg_catalog.clock_timestamp() - interval ''3s'''`)
	execute(t, db, `do $$ begin execute 'alter database ' || current_database() || ' set search_path = public, pg_catalog'; end $$`)
	execute(t, db, `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`)
	for end := time.Now().Add(time.Minute); s.server.Store.Share(1) > 0; <-time.After(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the clock is not found wrong")
		}
	}
	soon := time.Now().Add(2 * time.Second)
	plan := fmt.Sprintf(`{"payment":{"billingKey":%q,%s},"timeToPay":%q}`, key, orderOfBook, soon.UTC().Format(time.RFC3339Nano))
	// Connections that were ended above are found out one by one.
	for status := 503; status != 200; {
		if status, _ = s.call("POST", "/payments/monthly/schedule", plan, nil); status != 200 && status != 503 {
			t.Fatalf("scheduling: %d", status)
		}
	}
	<-time.After(time.Until(soon.Add(2 * time.Second)))
	s.want(404, "PAYMENT_NOT_FOUND", "GET", "/payments/monthly", "")
	execute(t, db, `drop function public.clock_timestamp()`)
	s.tells("Transaction.Paid", "monthly")
}
