package v2

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

func TestIdempotencyKeyForm(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("k", 256)
	for _, c := range []struct {
		header []string
		want   string
		bad    bool
	}{
		{nil, "", false},
		{[]string{`"0123456789abcdef"`}, "0123456789abcdef", false},
		{[]string{"\t \"0123456789 ~!#[]\" "}, "0123456789 ~!#[]", false},
		{[]string{`"a \"quoted\" and \\ a slash"`}, `a "quoted" and \ a slash`, false},
		{[]string{`"` + long + `"`}, long, false},
		{[]string{`"` + long + `k"`}, "", true},
		{[]string{`"0123456789abcde"`}, "", true},
		{[]string{`"0123456789abcd\""`}, "", true}, // fifteen
		{[]string{`0123456789abcdef`}, "", true},
		{[]string{`'0123456789abcdef'`}, "", true},
		{[]string{`"0123456789abcdef`}, "", true},
		{[]string{`"0123456789abcdef\"`}, "", true},
		{[]string{`"0123456789abcdef\x"`}, "", true},
		{[]string{`"0123456789"abcdef"`}, "", true},
		{[]string{`"0123456789abcdef";a=1`}, "", true},
		{[]string{"\"0123456789\tabcdef\""}, "", true},
		{[]string{`"0123456789홍길동abcdef"`}, "", true},
		{[]string{`"`}, "", true},
		{[]string{``}, "", true},
		{[]string{`"0123456789abcdef"`, `"0123456789abcdef"`}, "", true},
	} {
		got, err := idempotencyKey(http.Header{"Idempotency-Key": c.header})
		if got != c.want || c.bad != fault.Is(err, fault.Invalid) {
			t.Errorf("%q is %q, %v", c.header, got, err)
		}
	}
}

// keyed makes a call with an Idempotency-Key.
func (b *bench) keyed(key, method, path, auth, body string) answer {
	b.Helper()
	r := httptest.NewRequestWithContext(b.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "PortOne "+auth)
	r.Header.Set("Idempotency-Key", `"`+key+`"`)
	return b.serve(r)
}

// same compares two answers.
func (b *bench) same(want, got answer) {
	b.Helper()
	if want.status != got.status || want.body != got.body {
		b.Errorf("answered %d %s, and then %d %s", want.status, want.body, got.status, got.body)
	}
	for _, name := range []string{"Content-Type", "Content-Length", "Cache-Control"} {
		if diff := cmp.Diff(want.header.Values(name), got.header.Values(name)); diff != "" {
			b.Errorf("%s: %s", name, diff)
		}
	}
}

const (
	keyA = "0123456789abcdef-a"
	keyB = "0123456789abcdef-b"
)

func TestRepeatedCalls(t *testing.T) {
	inBubble(t, func(b *bench) {
		const path = "/payments/order-1/virtual-account"
		first := b.keyed(keyA, "POST", path, "test", issue)
		b.ok(first)
		b.settle("order-1", deposit("D1", 12000))
		time.Sleep(merchant.RepeatLife - time.Minute)
		b.same(first, b.keyed(keyA, "POST", path, "test", issue)) // as it was, not as it is
		for name, got := range map[string]answer{
			"body":      b.keyed(keyA, "POST", path, "test", issue+" "),
			"path":      b.keyed(keyA, "POST", "/payments/order-2/virtual-account", "test", issue),
			"query":     b.keyed(keyA, "POST", path+"?a=1", "test", issue),
			"operation": b.keyed(keyA, "POST", "/payments/order-1/cancel", "test", issue),
		} {
			if b.want(got, 400, "INVALID_REQUEST"); !strings.Contains(got.body, "used for another request") {
				b.Errorf("another %s: %s", name, got.body)
			}
		}
		b.same(first, b.keyed(keyA, "POST", "/payments/order%2D1/virtual-account", "test", issue)) // another spelling
		b.want(b.keyed(keyA, "GET", "/payments/order-2", "test", ""), 404, "PAYMENT_NOT_FOUND")    // ignored
		time.Sleep(time.Minute)
		if got := b.keyed(keyA, "POST", path, "test", issue); got.status != 200 || got.body == first.body {
			b.Errorf("after it was forgotten: %d %s", got.status, got.body)
		}

		wrong := b.keyed(keyB, "POST", path, "test", "{")
		b.want(wrong, 400, "INVALID_REQUEST")
		b.same(wrong, b.keyed(keyB, "POST", path, "test", "{"))
		b.want(b.keyed("short", "POST", path, "test", issue), 400, "INVALID_REQUEST")
		b.want(b.keyed(keyB, "POST", path, "nobody", issue), 401, "UNAUTHORIZED")
		b.want(b.keyed("short", "POST", "/login/api-secret", "", `{"apiSecret":"nobody"}`), 401, "UNAUTHORIZED") // ignored
	})
}

// TestRepeatTenants has others use the same key: nobody gets another's answer.
func TestRepeatTenants(t *testing.T) {
	inBubble(t, func(b *bench) {
		const path = "/payments/order-1/virtual-account"
		ours := b.keyed(keyA, "POST", path, "test", issue)
		b.ok(ours)
		theirs := strings.Replace(issue, string(testChannel), string(rivalChannel), 1)
		got := b.keyed(keyA, "POST", path, "rival", theirs)
		if b.ok(got); !strings.Contains(got.body, string(rivalStore)) {
			b.Errorf("the rival was answered %s", got.body)
		}
		b.want(b.keyed(keyA, "POST", path, "rival", issue), 400, "INVALID_REQUEST") // its own key
		b.want(b.keyed(keyA, "POST", "/payments/order-2/virtual-account", "sub", strings.Replace(issue, "12000", "x", 1)), 400, "INVALID_REQUEST")
		b.want(b.keyed(keyA, "POST", path, "live", issue), 403, "FORBIDDEN") // another mode
		b.same(ours, b.keyed(keyA, "POST", path, "test", issue))
	})
}

// TestAnswersNotKept has calls of which nothing came: the next is made for real.
func TestAnswersNotKept(t *testing.T) {
	inBubble(t, func(b *bench) {
		const path = "/payments/order-1/virtual-account"
		down := &downStore{Store: b.store}
		b.api.Actions.Store = down
		for _, kind := range []fault.Kind{fault.Unavailable, fault.Internal} {
			down.err = fault.Errorf(kind, "the disk is full")
			if got := b.keyed(keyA, "POST", path, "test", issue); got.status < 500 {
				b.Errorf("%v is answered %d", kind, got.status)
			}
		}
		down.err = nil
		b.ok(b.keyed(keyA, "POST", path, "test", issue))
	})
}

// A downStore fails to change payments while err is set.
type downStore struct {
	action.Store
	err error
}

// Register fails, or passes the call on.
func (d *downStore) Register(ctx context.Context, g payment.Registration, r notice.Registering) (payment.Payment, bool, error) {
	if d.err != nil {
		return payment.Payment{}, false, d.err
	}
	return d.Store.Register(ctx, g, r)
}

// Act fails, or passes the call on.
func (d *downStore) Act(ctx context.Context, a notice.Act) (payment.Payment, error) {
	if d.err != nil {
		return payment.Payment{}, d.err
	}
	return d.Store.Act(ctx, a)
}

// TestMadeBy checks that names differ by key, content and number, and are UUIDs.
func TestMadeBy(t *testing.T) {
	inBubble(t, func(b *bench) {
		var seen []string
		for _, q := range []merchant.Repeatable{{ID: "a", Content: "x"}, {ID: "a", Content: "y"}, {ID: "b", Content: "x"}} {
			for n := range 3 {
				id := b.api.madeBy(q)(n)
				if id != b.api.madeBy(q)(n) || len(id) != 36 || id[14] != '8' || !strings.ContainsRune("89ab", rune(id[19])) || slices.Contains(seen, id) {
					b.Error(fmt.Sprint(q, n, id))
				}
				seen = append(seen, id)
			}
		}
	})
}
