package store_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

func TestRefusalsAreCapped(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		refused := func(at time.Duration) notice.Inbound {
			in := storetest.Told(storetest.Channel, "o", storetest.Deposit("o", "D"))
			in.At, in.Ruled = storetest.Noon.Add(at), &notice.Ruling{Verdict: payment.Refused, Reason: notice.ReasonAddress}
			return in
		}
		var batch []notice.Inbound
		for range store.RefusalCap + 7 {
			batch = append(batch, refused(0))
		}
		for _, r := range settle(t, s, batch...) {
			if r.Verdict != payment.Refused {
				t.Fatalf("verdict %s", r.Verdict)
			}
		}
		settle(t, s, refused(24*time.Hour))
		if n := db.Count(t, `select count(*) from notice`); n != store.RefusalCap+1 {
			t.Errorf("%d notices were kept, want %d and one of the next day", n, store.RefusalCap)
		}
		if n := db.Count(t, `select sum(dropped) from refusal`); n != 7 {
			t.Errorf("%d were counted beyond the cap, want 7", n)
		}
		// A forged notice occupies nothing: the real one counts.
		register(t, s, storetest.Registration("o"))
		if got := settle(t, s, storetest.Told(storetest.Channel, "o", storetest.Deposit("o", "D")))[0]; got.Verdict != payment.Applied {
			t.Errorf("the real notice: %+v", got)
		}
		verified(t, s)
	})
}

func TestExpire(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		for i := range 3 {
			g := storetest.Registration(fmt.Sprintf("o-%d", i))
			g.Account.ExpiresAt = storetest.Noon.Add(time.Duration(i+1) * time.Hour)
			register(t, s, g)
		}
		settle(t, s, storetest.Told(storetest.Channel, "o-0", storetest.Deposit("o-0", "D0")))
		expire := func(at time.Duration) time.Time {
			t.Helper()
			now := storetest.Noon.Add(at)
			next, err := s.Expire(t.Context(), now, 10, 0, func(p payment.Payment) (notice.Expiry, error) {
				d := p.Decide(payment.Report{Event: payment.EventExpired}, payment.Env{Now: now, NewID: storetest.NewID})
				return notice.Expiry{Payment: d.Payment, Emissions: []webhook.Emission{storetest.Emission(d.Payment, d.Transitions[0], now)}}, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return next
		}
		if next := expire(0); !next.Equal(storetest.Noon.Add(2 * time.Hour)) {
			t.Errorf("the next deadline is %v: the paid payment's is not one", next)
		}
		if next := expire(2 * time.Hour); !next.Equal(storetest.Noon.Add(3 * time.Hour)) {
			t.Errorf("the next deadline is %v", next)
		}
		if next := expire(9 * time.Hour); !next.IsZero() {
			t.Errorf("a deadline is left: %v", next)
		}
		expire(10 * time.Hour)
		if n := db.Count(t, `select count(*) from event where type = 'Transaction.VirtualAccountExpired'`); n != 2 {
			t.Errorf("%d were told, want 2", n)
		}
		if p, err := s.Payment(t.Context(), storetest.Store, "o-1", merchant.Test); err != nil || !p.Expired || p.State != payment.Issued {
			t.Errorf("the expired payment is %s, %v, %v", p.State, p.Expired, err)
		}
		verified(t, s)
	})
}

// TestNothingSealedIsClear looks for what must be sealed in the bytes of the
// database itself.
func TestNothingSealedIsClear(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		settle(t, s, storetest.Told(storetest.Channel, "", storetest.Deposit("waits", "D1")))
		register(t, s, storetest.Registration("order-in-clear"))
		settle(t, s, storetest.Told(storetest.Channel, "order-in-clear", storetest.Deposit("order-in-clear", "D2")))
		j := claim(t, s, time.Hour, 1, all).Jobs[0]
		f := outcome(j, 0, 0, webhook.Good)
		f.Attempt.ResponseBody = []byte("answer-of-the-shop")
		finish(t, s, f)
		plain := contents(t, db)
		for _, shown := range []string{"order-in-clear", "주문 서버", `"paymentId":"order-in-clear"`} { // names, and a body as bytes
			if !bytes.Contains(plain, []byte(shown)) {
				t.Fatalf("the search does not find %s, which is in clear", shown)
			}
		}
		for what, secret := range map[string]string{
			"the PG's secret": "ps_order-in-clear", "an account number": storetest.AccountOf("order-in-clear").Reveal(),
			"a held notice's account": storetest.AccountOf("waits").Reveal(), "the depositor": "홍길동",
			"a signing secret": "whsec_QUJD", "the store's secret": "whsec_c3RvcmU=", "an answer": "answer-of-the-shop",
		} {
			if bytes.Contains(plain, []byte(secret)) {
				t.Errorf("%s stands in the database in clear", what)
			}
		}
	})
}

// contents is everything in the database: SQLite's files, or PostgreSQL's rows
// as text, with bytes as they are.
func contents(t *testing.T, db *storetest.Database) []byte {
	t.Helper()
	var out bytes.Buffer
	if db.File != "" {
		for _, end := range []string{"", "-wal"} {
			b, err := os.ReadFile(db.File + end)
			if err != nil {
				t.Fatal(err)
			}
			out.Write(b)
		}
		return out.Bytes()
	}
	rows, err := db.Raw.QueryContext(t.Context(), `select tablename from pg_tables where schemaname = 'public'`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var tables []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		tables = append(tables, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, name := range tables {
		var text string
		if err := db.Raw.QueryRowContext(t.Context(), `select coalesce(string_agg(x::text, ' '), '') from `+name+` x`).Scan(&text); err != nil {
			t.Fatal(err)
		}
		out.WriteString(text)
	}
	return unescape(out.Bytes())
}

// unescape adds bytes that PostgreSQL's text shows as digits: a row's text has
// them as \\xABCD.
func unescape(b []byte) []byte {
	out := append([]byte(nil), b...)
	for _, part := range bytes.Split(b, []byte(`\\x`))[1:] {
		for i := 0; i+1 < len(part); i += 2 {
			var c byte
			if _, err := fmt.Sscanf(string(part[i:i+2]), "%02x", &c); err != nil {
				break
			}
			out = append(out, c)
		}
	}
	return out
}

func TestModesNeverMix(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		p := register(t, s, storetest.Registration("o-1"))
		for mode, sees := range map[merchant.Mode]bool{merchant.Test: true, merchant.Any: true, merchant.Live: false, "": false} {
			_, err := s.Payment(t.Context(), storetest.Store, "o-1", mode)
			if sees && err != nil || !sees && !fault.Is(err, fault.NotFound) {
				t.Errorf("a credential of mode %q: %v", mode, err)
			}
		}
		if _, err := s.Payment(t.Context(), "store-2", "o-1", merchant.Any); !fault.Is(err, fault.NotFound) {
			t.Errorf("another store sees it: %v", err)
		}
		if got, err := s.PaymentByKey(t.Context(), p.Key); err != nil || got.ID != "o-1" || got.Transactions[0].Secret.Reveal() != "ps_o-1" || got.Transactions[0].Account.Number != storetest.AccountOf("o-1") {
			t.Errorf("PaymentByKey = %+v, %v", got, err)
		}
		live := storetest.Registration("o-1")
		live.Channel, live.Mode = storetest.LiveChannel, merchant.Live
		if _, _, err := s.Register(t.Context(), live, storetest.Registering(storetest.Noon)); !fault.Is(err, fault.Conflict) {
			t.Errorf("registered in the other mode: %v", err)
		}
		var seen []notice.Found
		_, err := s.Settle(t.Context(), []notice.Inbound{storetest.Told(storetest.LiveChannel, "o-1", storetest.Deposit("o-1", "D1"))},
			func(in notice.Inbound, found []notice.Found) notice.Ruling {
				seen = found
				return storetest.Judge(in, found)
			})
		if err != nil || len(seen) != 1 || !seen[0].OtherMode || len(seen[0].Payments) != 0 {
			t.Errorf("a live notice for a test order finds %+v, %v", seen, err)
		}
		if state(t, s, "o-1") != payment.Issued {
			t.Error("a live notice paid a test payment")
		}
		verified(t, s)
	})
}

// TestOddText settles what databases dislike.
func TestOddText(t *testing.T) {
	t.Parallel()
	random := make([]byte, 3000) // no database can shorten it
	for i := range random {
		random[i] = byte('!' + rand.IntN(90))
	}
	odd := map[string]string{
		"emoji": "주문 🎁👩‍👩‍👧", "quotes": `o'"; drop table payment; --\`, "percent": "%_%s$1", "control characters": "a\x01\x1f\x7f\u2028",
		"200 bytes": strings.Repeat("나라", 33) + "ab", "blank": " ", "very long": string(random), "another very long": string(random) + "x",
	}
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		for name, order := range odd {
			g := storetest.Registration(name)
			g.Order = order
			settle(t, s, storetest.Told(storetest.Channel, order, storetest.Deposit(name, name))) // held: written, found and read
			if p := register(t, s, g); p.State != payment.Paid {
				t.Errorf("%s: the payment is %s", name, p.State)
			}
		}
		verified(t, s)
	})
}

// TestOddBytes settles requests whose bytes are no text.
func TestOddBytes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		for i, odd := range []string{"/a\xff\xfe", "/a\x00b", "/\xed\xa0\x80", ""} {
			in := storetest.Told(storetest.Channel, "o", storetest.Deposit("o", "D"))
			in.Request.Path, in.Request.Query, in.Request.Method, in.Request.Body = odd, odd, "POST"+odd, []byte(odd)
			in.Notice.Kind, in.Notice.Order, in.Notice.Key, in.Notice.Deposit, in.Notice.PGTx = odd, "o"+odd, "k"+odd, "d"+odd, odd
			settle(t, s, in)
			kept, err := s.Notice(t.Context(), in.ID)
			if err != nil || kept.Request.Path != odd || string(kept.Request.Body) != odd || kept.Request.Query != odd {
				t.Errorf("%d: kept %+q, %v", i, kept.Request, err)
			}
		}
		if n := db.Count(t, `select count(*) from open_case`); n != 4 {
			t.Errorf("%d cases: two odd keys became one", n)
		}
		verified(t, s)
	})
}
