package test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/books"
	"github.com/tongbo/tongbo/internal/provider/tosspayments"
	"github.com/tongbo/tongbo/internal/seal"
)

// What a town declares. Its keys are written down, so that clients in other
// languages can be given them.
const (
	townStore   = "store-00000000-0000-4000-8000-000000000001"
	otherStore  = "store-00000000-0000-4000-8000-000000000002"
	townChannel = "channel-key-00000000-0000-4000-8000-000000000001"
	// wrongChannel has a secret key that the PG does not know.
	wrongChannel = "channel-key-00000000-0000-4000-8000-000000000002"
	// cardChannel is a test channel whose PG the program plays itself.
	cardChannel = "channel-key-00000000-0000-4000-8000-000000000003"
	townSecret  = "the-towns-api-secret"
	townKey     = "imp_town"
	townKeySec  = "the-towns-v1-secret"
	// tossKey is the secret key that Toss publishes for trials.
	tossKey = "test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R"
)

const townFile = `
[[merchant]]
name = "가나상점"
[[merchant.store]]
id = %q
name = "대표 상점"
[[merchant.store.channel]]
key = %q
name = "토스 시험"
provider = "tosspayments"
mode = "test"
mid = "tvivarepublica"
base_url = %q
confirm = true
credentials = { secret_key = %q }
[[merchant.store.channel]]
key = %q
name = "틀린 키"
provider = "tosspayments"
mode = "test"
mid = "tvivarepublica4"
base_url = %q
credentials = { secret_key = "test_sk_of_nobody" }
[[merchant.store.channel]]
key = %q
name = "카드 시험"
provider = "kcp_v2"
mode = "test"
mid = "T0000"
[[merchant.store.api_secret]]
name = "server"
mode = "test"
secret = %q
[[merchant.store.api_key]]
key = %q
mode = "test"
secret = %q
[[merchant]]
name = "다라상점"
[[merchant.store]]
id = %q
name = "남의 상점"
`

// A town is the program and what is around it in a merchant's day: a PG whose
// API is played over HTTP, and buyers who pay. Clients and shops in other
// languages reach both by HTTP.
type town struct {
	*testing.T
	node    *node
	env     []string
	channel merchant.Channel
	ledger  *books.Ledger
	mute    atomic.Bool // the PG does what it is asked, and loses its answer
	// hand is the address of what a client may have done beside the program:
	// POST /deposit/ORDER pays, /refund/ORDER gives all back at the PG and tells
	// nobody, /mute/on and /mute/off lose the PG's answers, /apply declares the
	// file in the body.
	hand string
}

// openTown starts the program on SQLite, with flags, and declares the town.
func openTown(t *testing.T, flags ...string) *town {
	t.Helper()
	key, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	w := &town{T: t, env: []string{
		"TONGBO_DATABASE=sqlite:" + filepath.Join(t.TempDir(), "t.db"), "TONGBO_KEY=" + key.Text().Reveal(), "TONGBO_LOG_LEVEL=warn",
	}}
	w.channel = merchant.Channel{
		Key: townChannel, Provider: "tosspayments", Mode: merchant.Test, MID: "tvivarepublica",
		Credentials: merchant.Credentials{"secret_key": tossKey},
	}
	w.ledger = &books.Ledger{Channels: func() []merchant.Channel { return []merchant.Channel{w.channel} }}
	api := tosspayments.Module.API(w.ledger)
	pg := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.mute.Load() {
			api.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		api.ServeHTTP(rw, r)
	}))
	t.Cleanup(pg.Close)
	hand := httptest.NewServer(w.hands())
	t.Cleanup(hand.Close)
	w.hand = hand.URL
	if err := w.apply(fmt.Sprintf(townFile, townStore, townChannel, pg.URL, tossKey, wrongChannel, pg.URL, cardChannel, townSecret, townKey, townKeySec, otherStore)); err != nil {
		t.Fatal(err)
	}
	w.node = &node{binary: binary(t), env: w.env, args: append([]string{"--allow-private-webhooks"}, flags...)}
	t.Cleanup(w.node.kill)
	if _, err := w.node.start(); err != nil {
		t.Fatal(err)
	}
	return w
}

// apply declares a file.
func (w *town) apply(text string) error {
	_, err := w.run(text, "apply", "-")
	return err
}

// run runs the program with something on its standard input.
func (w *town) run(in string, args ...string) (string, error) {
	c := exec.Command(binary(w.T), args...)
	var out, errs bytes.Buffer
	c.Env, c.Stdin, c.Stdout, c.Stderr = w.env, strings.NewReader(in), &out, &errs
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("tongbo %s: %w\n%s", args[0], err, errs.Bytes())
	}
	return out.String(), nil
}

// endpoint declares an endpoint of the town's store.
func (w *town) endpoint(name, fields string) error {
	return w.apply(fmt.Sprintf("[[merchant]]\nname = \"가나상점\"\n[[merchant.store]]\nid = %q\n[[merchant.store.endpoint]]\nname = %q\nmode = \"test\"\n%s\n",
		townStore, name, fields))
}

// hands is what can be done beside the program.
func (w *town) hands() http.Handler {
	m := http.NewServeMux()
	hand := func(pattern string, do func(*http.Request) error) {
		m.HandleFunc(pattern, func(rw http.ResponseWriter, r *http.Request) {
			if err := do(r); err != nil {
				http.Error(rw, err.Error(), http.StatusInternalServerError)
			}
		})
	}
	hand("POST /deposit/{order}", func(r *http.Request) error { return w.deposit(r.PathValue("order")) })
	hand("POST /refund/{order}", func(r *http.Request) error { return w.refund(r.PathValue("order")) })
	hand("POST /mute/{how}", func(r *http.Request) error { w.mute.Store(r.PathValue("how") == "on"); return nil })
	hand("POST /apply", func(r *http.Request) error {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		return w.apply(string(text))
	})
	return m
}

// entry is what the PG has of an order.
func (w *town) entry(order string) (provider.Entry, error) {
	e, ok := w.ledger.Find(w.channel, func(e provider.Entry) bool { return e.Order == order })
	if !ok {
		return e, fmt.Errorf("the PG has no order %s", order)
	}
	return e, nil
}

// refund gives all of an order's money back on the PG's side.
func (w *town) refund(order string) error {
	e, err := w.entry(order)
	if err != nil {
		return err
	}
	_, _, err = w.ledger.Refund(w.channel, e.PGTx, "by hand", e.Left())
	return err
}

// deposit pays what an order's account waits for, and has the PG tell of it
// until it is acknowledged.
func (w *town) deposit(order string) error {
	e, err := w.entry(order)
	if err != nil {
		return err
	}
	e, err = w.ledger.Deposit(w.channel, e.PGTx, "홍길동")
	if err != nil {
		return err
	}
	n := notice.Notice{Order: order, Proof: e.Secret}
	n.Report = payment.Report{Event: payment.EventDeposited, Deposit: e.Deposit, Amount: e.Amount, HasAmount: true, Account: e.Account.Number, At: e.PaidAt}
	q := tosspayments.Module.Encode(n, w.channel.Credentials)
	for {
		r, err := http.NewRequestWithContext(w.Context(), q.Method, w.node.url(q.Path), bytes.NewReader(q.Body))
		if err != nil {
			return err
		}
		r.Header = q.Header
		resp, err := client.Do(r)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		switch {
		case err != nil:
			return err
		case resp.StatusCode == http.StatusOK:
			return nil
		case resp.StatusCode != http.StatusServiceUnavailable: // told to come again, a PG does
			return fmt.Errorf("the deposit's notice: %d %s", resp.StatusCode, text)
		}
	}
}

// call makes a call of API V2 that must be answered 200.
func (w *town) call(method, path, body string) string {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), method, w.node.url(path), strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	r.Header.Set("Authorization", "PortOne "+townSecret)
	resp, err := documentedClient(w).Do(r)
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		w.Fatalf("%s %s: %d %s (%v)", method, path, resp.StatusCode, text, err)
	}
	return string(text)
}

// issue has the PG issue an account of 10,000 won.
func (w *town) issue(id string) {
	w.Helper()
	w.call("POST", "/payments/"+id+"/instant", `{"channelKey":"`+townChannel+`","orderName":"책","currency":"KRW","amount":{"total":10000},
		"customer":{"name":{"full":"홍길동"}},"method":{"virtualAccount":{"bank":"SHINHAN","expiry":{"validHours":24},"option":{"type":"NORMAL"}}}}`)
}

// pay issues an account and pays into it; the payment is PAID when it returns.
func (w *town) pay(id string) {
	w.Helper()
	w.issue(id)
	if err := w.deposit(id); err != nil {
		w.Fatal(err)
	}
	err := w.node.until(awaitPatience, func() bool { return strings.Contains(w.call("GET", "/payments/"+id, ""), `"status":"PAID"`) })
	if err != nil {
		w.Fatalf("%s was never paid: %v", id, err)
	}
}
