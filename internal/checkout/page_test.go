package checkout_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/checkout"
	"github.com/tongbo/tongbo/internal/words"
)

// TestPages sees every state of a window, in both languages. It is long because it is a
// table.
func TestPages(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	no := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(no.Close)
	card := map[string]any{"payMethod": "CARD"}
	for name, x := range map[string]struct {
		reach func(d *desk) ticket
		keys  []string // of texts that are shown
		also  []string // likewise, in any language
		not   []string
	}{
		"a form for an account": {
			func(d *desk) ticket { return d.opens("IFRAME", nil) },
			[]string{"account", "account_says", "bank", "depositor_hint", "receipt_personal", "receipt_business", "deadline", "issue", "leave", "test_mode"},
			[]string{"11,000", `value="김손님"`, `value="SHINHAN"`, `maxlength="30"`}, []string{"data-state"},
		},
		"banks of the page's choice": {
			func(d *desk) ticket {
				return d.opens("IFRAME", map[string]any{"virtualAccount": map[string]any{"bankCode": "SHINHAN_BANK"}})
			},
			[]string{"issue"}, []string{`value="SHINHAN" selected`}, []string{`value="KOOKMIN"`},
		},
		"an account": {
			func(d *desk) ticket { x := d.opens("IFRAME", nil); d.accounted(x); return x },
			[]string{"title_issued", "number", "to_pay", "exact", "waits", "reload", "deposit", "back", "copy"},
			[]string{"11,000", "data-until", "data-state", "data-version", `data-end=""`}, []string{`name="bank"`},
		},
		"an account with money in it": {
			func(d *desk) ticket { x := d.opens("IFRAME", nil); d.accounted(x); d.does(x, "", "/deposit"); return x },
			[]string{"title_paid", "paid", "paid_at", "back"}, []string{"11,000"}, []string{"data-copy", `/deposit"`},
		},
		"an account whose page was told": {
			func(d *desk) ticket { x := d.opens("IFRAME", nil); d.accounted(x); d.does(x, "", "/done"); return x },
			[]string{"title_issued", "close"}, []string{`data-end="ended"`, "data-copy"}, []string{`/done"`},
		},
		"money that went back": {
			func(d *desk) ticket {
				x := d.opens("IFRAME", nil)
				d.accounted(x)
				d.does(x, "", "/deposit")
				d.api("POST", "/payments/"+x.PaymentID+"/cancel", `{"reason":"변심","refundAccount":{"bank":"SHINHAN","number":"110123456789","holderName":"홍길동"}}`)
				return x
			},
			[]string{"title_ended", "taken_back"}, nil, []string{"110123456789", "data-copy"},
		},
		"cards": {
			func(d *desk) ticket { return d.opens("IFRAME", card) },
			[]string{"card", "card_says", "card_approve", "card_decline", "card_timeout"}, []string{"11,000"}, []string{"4242424242424242"},
		},
		"a card that was approved": {
			func(d *desk) ticket {
				x := d.opens("IFRAME", card)
				d.does(x, "", "/pay", "ending", "approve")
				return x
			},
			[]string{"title_paid", "paid_card", "close"}, []string{`data-end="ended"`}, []string{"4242"},
		},
		"a card that was declined": {
			func(d *desk) ticket {
				x := d.opens("IFRAME", card)
				d.does(x, "", "/pay", "ending", "decline")
				return x
			},
			[]string{"failed", "failed_says"}, []string{"거래거절", `data-end="ended"`}, nil,
		},
		"a PG that does not answer": {
			func(d *desk) ticket {
				x := d.opens("IFRAME", card)
				d.does(x, "", "/pay", "ending", "timeout")
				return x
			},
			[]string{"unclear", "unclear_says"}, []string{"data-state"}, []string{`/pay"`},
		},
		"a window that was left": {
			func(d *desk) ticket { x := d.opens("IFRAME", nil); d.does(x, "", "/leave"); return x },
			[]string{"title_ended", "left_says"}, []string{`data-end="left"`}, []string{`/pay"`},
		},
		"a window whose time is over": {
			func(d *desk) ticket {
				x := d.opens("IFRAME", nil)
				d.db.Exec(d, "update checkout set expires_at = created_at where id = $1", d.id(x))
				return x
			},
			[]string{"over", "over_says"}, nil, []string{`/pay"`},
		},
		"an order that went on elsewhere": {
			func(d *desk) ticket {
				order := d.wish(nil)
				x := d.ticket(d.asks("IFRAME", order))
				d.accounted(d.ticket(d.asks("IFRAME", order)))
				return x
			},
			[]string{"elsewhere", "elsewhere_says"}, nil, []string{"data-copy", `/pay"`},
		},
		"an order that was paid elsewhere": {
			func(d *desk) ticket {
				order := d.wish(nil)
				x, y := d.ticket(d.asks("IFRAME", order)), d.ticket(d.asks("IFRAME", order))
				d.accounted(y)
				d.does(y, "", "/deposit")
				return x
			},
			[]string{"already", "already_says"}, nil, []string{"data-copy", `/pay"`},
		},
		"a shop that did not confirm": {
			func(d *desk) ticket {
				x := d.ticket(d.asks("IFRAME", d.wish(map[string]any{"confirmUrl": no.URL}), "From", "127.0.0.1:1"))
				d.does(x, "", "/pay", "bank", "SHINHAN", "depositor", "김손님")
				return x
			},
			[]string{"confirm_no", "confirm_no_says"}, nil, []string{no.URL},
		},
		"another amount that the server said since": {
			func(d *desk) ticket {
				x := d.opens("IFRAME", nil)
				d.api("POST", "/payments/"+x.PaymentID+"/pre-register", `{"totalAmount":12000,"currency":"KRW"}`)
				d.does(x, "", "/pay", "bank", "SHINHAN", "depositor", "김손님")
				return x
			},
			[]string{"other_amount", "other_amount_says"}, nil, []string{"12,000", "data-copy"},
		},
		"an address that opens nothing": {
			func(*desk) ticket { return ticket{Page: "/checkout/nothing"} },
			[]string{"over", "over_says"}, nil, []string{"가나"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := d.on(t)
			at := x.reach(d)
			for _, l := range words.Langs() {
				page := d.send("GET", at.Page+"?lang="+string(l), "")
				want := http.StatusOK
				if at.TxID == "" {
					want = http.StatusNotFound
				}
				if page.Code != want || !strings.Contains(page.text, `<html lang="`+string(l)+`">`) || strings.Count(page.text, "<h1") != 1 {
					t.Errorf("%s: %d\n%s", l, page.Code, page.text)
				}
				for _, key := range x.keys {
					if says := words.Text(l, "checkout."+key); !strings.Contains(page.text, says) {
						t.Errorf("%s: the page does not say %q\n%s", l, says, page.text)
					}
				}
				for _, s := range x.also {
					if !strings.Contains(page.text, s) {
						t.Errorf("%s: the page has no %q\n%s", l, s, page.text)
					}
				}
				for _, s := range x.not {
					if strings.Contains(page.text, s) {
						t.Errorf("%s: the page has %q\n%s", l, s, page.text)
					}
				}
			}
		})
	}
}

// TestLanguage is which language the page is in.
func TestLanguage(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	for _, x := range []struct{ locale, accepts, chosen, want string }{
		{"", "", "", "ko"}, {"", "en-GB,en;q=0.9", "", "en"}, {"KO_KR", "en", "", "ko"}, {"EN_US", "ko", "", "en"}, {"FR_FR", "ko", "", "en"}, {"KO_KR", "ko", "?lang=en", "en"}, {"EN_US", "", "?lang=xx", "en"},
	} {
		at := d.opens("IFRAME", map[string]any{"locale": x.locale})
		if got := d.send("GET", at.Page+x.chosen, "", "Accept-Language", x.accepts); !strings.Contains(got.text, `<html lang="`+x.want+`">`) {
			t.Errorf("locale %q, a browser of %q, chosen %q: not in %s", x.locale, x.accepts, x.chosen, x.want)
		}
	}
	at := d.opens("IFRAME", nil)
	if got := d.send("POST", at.Page+"/pay?lang=en", "bank=SHINHAN&depositor=Kim", "Sec-Fetch-Site", "same-origin"); got.Header().Get("Location") != at.Page+"?lang=en" {
		t.Errorf("a choice of language is forgotten: %q", got.Header().Get("Location"))
	}
}

// TestFormMistakes is what a form is told that cannot be right. Nothing is done.
func TestFormMistakes(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	account, card := d.opens("IFRAME", nil), d.opens("IFRAME", map[string]any{"payMethod": "CARD"})
	for name, x := range map[string]struct {
		at    ticket
		form  []string
		field string
		key   string
		args  []any
	}{
		"no bank":               {account, []string{"depositor", "김"}, "bank", "need_bank", nil},
		"a bank nobody knows":   {account, []string{"bank", "MATTRESS", "depositor", "김"}, "bank", "need_bank", nil},
		"no name":               {account, []string{"bank", "SHINHAN", "depositor", "  "}, "depositor", "need_name", []any{"n", 30}},
		"a long name":           {account, []string{"bank", "SHINHAN", "depositor", strings.Repeat("가", 31)}, "depositor", "need_name", []any{"n", 30}},
		"a heavy name":          {account, []string{"bank", "SHINHAN", "depositor", strings.Repeat("😀", 30)}, "depositor", "need_name", []any{"n", 30}},
		"a name of two lines":   {account, []string{"bank", "SHINHAN", "depositor", "김\n손님"}, "depositor", "need_name", []any{"n", 30}},
		"a name in no encoding": {account, []string{"bank", "SHINHAN", "depositor", "\xff"}, "depositor", "need_name", []any{"n", 30}},
		"no phone":              {account, []string{"bank", "SHINHAN", "depositor", "김", "receipt", "personal"}, "identity", "need_phone", nil},
		"half a phone":          {account, []string{"bank", "SHINHAN", "depositor", "김", "receipt", "personal", "identity", "010-1234"}, "identity", "need_phone", nil},
		"a phone for a firm":    {account, []string{"bank", "SHINHAN", "depositor", "김", "receipt", "business", "identity", "01012345678"}, "identity", "need_business", nil},
		"a form too long":       {account, []string{"bank", "SHINHAN", "depositor", strings.Repeat("x", 20<<10)}, "bank", "need_bank", nil},
		"no card":               {card, nil, "ending", "need_choice", nil},
		"a card of one's own":   {card, []string{"ending", "4242424242424242"}, "ending", "need_choice", nil},
	} {
		for _, l := range words.Langs() {
			verb := "/pay?lang=" + string(l)
			got := d.post(x.at, verb, x.form...)
			text := words.Text(l, "checkout."+x.key, x.args...)
			if got.Code != http.StatusUnprocessableEntity || !strings.Contains(got.text, `<a href="#`+x.field+`">`+text+`</a>`) || !strings.Contains(got.text, `role="alert"`) || !strings.Contains(got.text, `id="`+x.field+`"`) {
				t.Errorf("%s, %s: %d, without %q at %s\n%s", name, l, got.Code, text, x.field, got.text)
			}
		}
	}
	got := d.post(account, "/pay", "depositor", "<b>이름</b>", "receipt", "business", "identity", "1234567")
	for _, s := range []string{"&lt;b&gt;이름", `value="business" checked`, `aria-invalid="true" aria-describedby="bank-wrong"`, `aria-describedby="identity-hint identity-wrong" aria-invalid="true"`, `id="identity-wrong"`} {
		if !strings.Contains(got.text, s) {
			t.Errorf("what was typed is gone: no %q\n%s", s, got.text)
		}
	}
	if strings.Contains(got.text, "1234567") {
		t.Error("the number of the receipt is shown again")
	}
	for _, at := range []ticket{account, card} {
		if state, _, _ := d.result(at); state != "open" {
			t.Errorf("after mistakes the window is %s", state)
		}
	}
}

// TestNotTaken: what a PG does not take of an order, its buyer is told in a buyer's words, and
// may choose again. What it is, is for the shop's developer, and in the log.
func TestNotTaken(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	x := d.opens("IFRAME", map[string]any{"channelKey": lively, "orderName": strings.Repeat("책", 101)})
	for _, l := range words.Langs() {
		got := d.post(x, "/pay?lang="+string(l), "bank", "SHINHAN", "depositor", "김")
		if got.Code != http.StatusUnprocessableEntity || !strings.Contains(got.text, "<li>"+words.Text(l, "checkout.not_taken")+"</li>") || strings.Contains(got.text, "order name") {
			t.Errorf("%s: %d\n%s", l, got.Code, got.text)
		}
	}
	if state, _, _ := d.result(x); state != "open" {
		t.Errorf("the window is %s", state)
	}
	if log := d.log.String(); !strings.Contains(log, "the order name is longer than the 100 characters") || !strings.Contains(log, d.id(x)) {
		t.Errorf("the log says %s", log)
	}
}

// TestBusy: a buyer who is to try again later has where to, and the window stays.
func TestBusy(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	x := d.opens("IFRAME", map[string]any{"channelKey": lively, "redirectUrl": shopOrigin + "/done"})
	d.db.Exec(t, `insert into checkout (id, merchant_id, store_id, mode, payment_key, client, created_at, expires_at, code, answered, read_until, asked_at, doc)
		with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000)
		select 'busy' || i, merchant_id, store_id, mode, payment_key, '', created_at, expires_at, code, answered, read_until, created_at, doc from checkout, n where id = $1`, d.id(x))
	got := d.post(x, "/pay?lang=ko", "bank", "SHINHAN", "depositor", "김")
	if got.Code != http.StatusTooManyRequests || got.Header().Get("Retry-After") != "600" || !strings.Contains(got.text, "지금은 가상계좌를 더 발급할 수 없어요") ||
		!strings.Contains(got.text, `href="`+x.Page+`?lang=ko"`) || !strings.Contains(got.text, `action="`+x.Page+`/leave?lang=ko"`) || strings.Contains(got.text, shopOrigin+"/done") {
		t.Errorf("%d\n%s", got.Code, got.text)
	}
	if state, _, _ := d.result(x); state != "open" {
		t.Errorf("the window is %s", state)
	}
}

// TestTrouble: what goes wrong on this side, such as a row that cannot be read, is told with
// a number to quote, and not how.
func TestTrouble(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	x := d.opens("IFRAME", nil)
	d.db.Exec(t, "update checkout set doc = $1 where id = $2", []byte("broken"), d.id(x))
	for _, l := range words.Langs() {
		got := d.send("GET", x.Page+"?lang="+string(l), "")
		number := regexp.MustCompile(`<code>([0-9a-f-]{36})</code>`).FindStringSubmatch(got.text)
		if got.Code != http.StatusInternalServerError || number == nil || !strings.Contains(got.text, words.Text(l, "checkout.trouble_says", "id", number[1])) || strings.Contains(got.text, d.id(x)) {
			t.Errorf("%s: %d\n%s", l, got.Code, got.text)
		}
		// It may go better: a buyer in a frame sees so, and can go on or leave.
		if csp := got.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors http: https:;") ||
			!strings.Contains(got.text, `href="`+x.Page+"?lang="+string(l)+`"`) || !strings.Contains(got.text, `id="leave"`) {
			t.Errorf("%s: no way on in a frame: %s\n%s", l, csp, got.text)
		}
	}
	for _, got := range []answer{d.send("GET", x.Result, ""), d.send("GET", x.Page+"/state", ""), d.post(x, "/pay"), d.post(x, "/leave")} {
		if got.Code < 500 || strings.Contains(got.text, d.id(x)) || strings.Contains(got.text, "seal") {
			t.Errorf("%d %s", got.Code, got.text)
		}
	}
}

// TestAway: a database that does not answer is nobody's business, and a browser that went
// away no error of this side.
func TestAway(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	x := d.opens("IFRAME", nil)
	gone, leave := context.WithCancel(d.Context())
	leave()
	var log strings.Builder
	c := &checkout.Checkout{
		Actions: &action.Actions{Store: d.server.Store}, Settings: d.server.Store.Settings, ClientAddr: func(*http.Request) netip.Addr { return netip.Addr{} },
		PublicURL: public, Hash: d.db.Key().Hash, Log: slog.New(slog.NewTextHandler(&log, nil)),
	}
	for _, path := range []string{x.Page, x.Result} {
		w := httptest.NewRecorder()
		c.Routes().ServeHTTP(w, httptest.NewRequestWithContext(gone, http.MethodGet, path, nil))
		if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "database") || strings.Contains(w.Body.String(), "context") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if log.Len() > 0 {
		t.Errorf("logged: %s", log.String())
	}
}

// TestStopping: a server that stops keeps nobody waiting, and says how it stands.
func TestStopping(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	x := d.opens("IFRAME", nil)
	d.accounted(x)
	open := d.opens("IFRAME", nil)
	mark := d.send("GET", x.Page+"/state", "").text
	ends, end := context.WithCancel(d.Context())
	c := &checkout.Checkout{
		Actions: &action.Actions{Store: d.server.Store}, Settings: d.server.Store.Settings, ClientAddr: func(*http.Request) netip.Addr { return netip.Addr{} },
		PublicURL: public, Hash: d.db.Key().Hash, Log: slog.New(slog.DiscardHandler), Ends: ends,
	}
	ask := func(path, want string) {
		began, w := time.Now(), httptest.NewRecorder()
		c.Routes().ServeHTTP(w, httptest.NewRequestWithContext(d.Context(), http.MethodGet, path, nil))
		if w.Code != http.StatusOK || w.Body.String() != want || time.Since(began) > 10*time.Second {
			t.Errorf("%s: %d %s after %v", path, w.Code, w.Body, time.Since(began))
		}
	}
	paths := map[string]string{x.Page + "/state?seen=" + mark: mark, open.Result + "?wait=20": "{\"state\":\"open\"}\n"}
	var all sync.WaitGroup
	for path, want := range paths {
		all.Go(func() { ask(path, want) })
	}
	end()
	all.Wait()
	for path, want := range paths {
		ask(path, want) // on a connection that it had taken before
	}
}

// TestNear: only a browser on this machine has localhost asked, which is this machine, and
// not one of whom a proxy says nothing that is believed.
func TestNear(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	for _, x := range []struct {
		head   []string
		status int
	}{
		{[]string{"From", "127.0.0.1:1"}, http.StatusOK}, {[]string{"From", "[::1]:1"}, http.StatusOK}, {nil, http.StatusForbidden},
		{[]string{"From", "127.0.0.1:1", "X-Forwarded-For", "203.0.113.1"}, http.StatusForbidden},
		{[]string{"From", "127.0.0.1:1", "X-Forwarded-For", "127.0.0.1"}, http.StatusForbidden},
		{[]string{"From", "127.0.0.1:1", "Forwarded", "for=203.0.113.1"}, http.StatusForbidden},
	} {
		if got := d.asks("IFRAME", d.wish(map[string]any{"noticeUrls": []string{"http://127.0.0.1:2/"}}), x.head...); got.Code != x.status {
			t.Errorf("%v: %d %s", x.head, got.Code, got.text)
		}
	}
}
