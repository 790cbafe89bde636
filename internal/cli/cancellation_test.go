package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/ingress"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/server"
	"github.com/tongbo/tongbo/internal/store"
)

// kiccShop is a declaration with two channels: one of a PG that cannot be asked.
const kiccShop = `
[[merchant]]
name = "가나상점"
[[merchant.store]]
name = "대표"
[[merchant.store.channel]]
key = "channel-key-00000000-0000-4000-8000-000000000001"
provider = "kicc"
mode = "test"
mid = "T5102001"
[merchant.store.channel.credentials]
secret_key = "easypay-secret"
`

// lost is a way to PGs by which no answer comes back, but that of a proxy.
type lost struct{}

// RoundTrip answers as a proxy that waited in vain.
func (lost) RoundTrip(r *http.Request) (*http.Response, error) {
	body := io.NopCloser(strings.NewReader("<h1>Gateway Timeout</h1>"))
	return &http.Response{StatusCode: http.StatusGatewayTimeout, Body: body, Header: http.Header{}, Request: r}, nil
}

// unanswered makes a database in which a part of a payment's money was asked back,
// and the PG's answer was lost.
func unanswered(t *testing.T) (database, cancellation string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "shop.toml")
	if err := os.WriteFile(file, []byte(kiccShop), 0o600); err != nil {
		t.Fatal(err)
	}
	database = "sqlite:" + filepath.Join(dir, "t.db")
	if code, _, errs := run(t, "", "apply", "--database", database, file); code != exitOK {
		t.Fatal(errs)
	}
	key, err := seal.LoadFile(filepath.Join(dir, "t.db.key"))
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), database, store.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	set, err := st.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ch := set.Channels[0]
	caller := action.Caller{Merchant: ch.Merchant, Store: ch.Store, Mode: merchant.Any}
	verbs := server.Verbs(st, quiet())
	verbs.HTTP = &http.Client{Transport: lost{}}
	p, _, err := verbs.RegisterAccount(t.Context(), caller, payment.Registration{
		ID: "order-1", Channel: ch.Key, OrderName: "책", Amount: payment.Won(1000), PGTx: "25110509200010000001",
		Account: payment.Account{Bank: "IBK", Number: "123-456"},
	})
	if err != nil {
		t.Fatal(err)
	}
	in, err := ingress.Learnt(ch, p.Transactions[0], payment.Standing{State: payment.Paid, Amount: p.Amount, HasAmount: true, PaidAt: time.Now()}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	in.Version = set.Version
	if done, err := st.Settle(t.Context(), []notice.Inbound{in}, verbs.Judge(set)); err != nil || done[0].Verdict != payment.Applied {
		t.Fatalf("%+v, %v", done, err)
	}
	return database, askedBack(t, verbs, caller)
}

// askedBack asks for 400 won back, and the PG's answer is lost.
func askedBack(t *testing.T, verbs *action.Actions, caller action.Caller) (cancellation string) {
	t.Helper()
	_, c, err := verbs.Cancel(t.Context(), caller, "order-1", action.CancelRequest{
		CancelRequest: payment.CancelRequest{Amount: new(int64(400)), Reason: "변심"},
		Account:       &provider.RefundAccount{Bank: "SHINHAN", Number: "110-123-456789", Holder: "홍길동"},
	})
	if err != nil || c.State != payment.CancelRequested {
		t.Fatalf("%+v, %v", c, err)
	}
	return c.ID
}

// toldOfAPart asks for 400 won more, and has the PG tell of 400 won without a number.
func toldOfAPart(t *testing.T, database string) (second string) {
	t.Helper()
	key, err := seal.LoadFile(strings.TrimPrefix(database, "sqlite:") + ".key")
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), database, store.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	set, err := st.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ch, verbs := set.Channels[0], server.Verbs(st, quiet())
	verbs.HTTP = &http.Client{Transport: lost{}}
	second = askedBack(t, verbs, action.Caller{Merchant: ch.Merchant, Store: ch.Store, Mode: merchant.Any})
	pg, _ := all.ByCode(ch.Provider)
	req := notice.Request{Method: http.MethodPost, Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		Body: []byte("memb_id=T5102001&order_no=order-1&amount=1000&pay_type=22&noti_type=20&stat_cd=RF02&mgr_amt=400&cno=25110509200010000001")}
	n, err := pg.Decode(req)
	if err != nil {
		t.Fatal(err)
	}
	in := notice.Inbound{
		ID: "00000000-0000-4000-8000-00000000000a", At: time.Now(), Version: set.Version,
		Provider: ch.Provider, Channels: []merchant.ChannelKey{ch.Key}, Request: req, Notice: n,
	}
	if done, err := st.Settle(t.Context(), []notice.Inbound{in}, verbs.Judge(set)); err != nil || done[0].Verdict != payment.Applied {
		t.Fatalf("%+v, %v", done, err)
	}
	return second
}

// TestCancellationReopened: a word on one of two equal cancellations may show that the
// notice that was taken for the other was of this one.
func TestCancellationReopened(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		database, first := unanswered(t)
		second := toldOfAPart(t, database)
		time.Sleep(time.Minute)
		end := []string{"cancellation", "end", "--database", database, "--succeeded", "--reason", "봄", "order-1"}
		code, out, errs := watch(t, append(end, second)...)
		if code != exitOK || !strings.Contains(out, second+": SUCCEEDED") || !strings.Contains(out, "400 of 1000 KRW") || !strings.Contains(out, first+": REQUESTED again") {
			t.Errorf("end: %d\n%s\n%s", code, out, errs)
		}
		// Piped, only objects go to standard output.
		code, none, out := run(t, "", append(end, first)...)
		if code != exitOK || none != "" || !strings.Contains(out, "800 of 1000 KRW") || strings.Contains(out, "again") {
			t.Errorf("end of the other: %d\n%s\n%s", code, none, out)
		}
	})
}

func TestCancellation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		database, id := unanswered(t)
		code, out, errs := watch(t, "cancellation", "list", "--database", database)
		if code != exitOK || !strings.Contains(out, id) || !strings.Contains(out, "400 KRW") || !strings.Contains(out, "cannot be asked") {
			t.Errorf("list: %d\n%s\n%s", code, out, errs)
		}
		code, out, _ = watch(t, "cancellation", "list", "--database", database, "--json")
		var line struct {
			Payment, Cancellation, Provider string
			Amount                          int64
			Asked                           bool
		}
		if err := json.NewDecoder(bytes.NewBufferString(out)).Decode(&line); code != exitOK || err != nil || line.Payment != "order-1" ||
			line.Cancellation != id || line.Amount != 400 || line.Provider != "kicc" || line.Asked {
			t.Errorf("list --json: %d %v\n%s", code, err, out)
		}
		end := []string{"cancellation", "end", "--database", database}
		for name, c := range map[string]struct {
			args []string
			code int
			text string
		}{
			"no word":               {[]string{"order-1", id, "--reason", "봄"}, exitUsage, "--succeeded"},
			"both words":            {[]string{"order-1", id, "--succeeded", "--failed", "--reason", "봄"}, exitUsage, "--failed"},
			"no reason":             {[]string{"order-1", id, "--failed"}, exitUsage, "--reason"},
			"at once":               {[]string{"order-1", id, "--failed", "--reason", "봄"}, exitFailed, "wait a minute"},
			"another payment":       {[]string{"order-2", id, "--failed", "--reason", "봄"}, exitFailed, `there is no payment "order-2"`},
			"another cancellation":  {[]string{"order-1", "x", "--failed", "--reason", "봄"}, exitFailed, "tongbo cancellation list"},
			"a failure with a time": {[]string{"order-1", id, "--failed", "--reason", "봄", "--at", "2000-01-01T00:00:00+09:00"}, exitUsage, "no time at the PG"},
		} {
			if code, out, errs := watch(t, append(end, c.args...)...); code != c.code || !strings.Contains(errs, c.text) {
				t.Errorf("%s: %d\n%s\n%s", name, code, out, errs)
			}
		}
		time.Sleep(time.Minute)
		code, out, errs = run(t, "", append(end, "--json", "order-1", id, "--succeeded", "--pg-id", "C1", "--refunded", "--reason", "PG 화면에서 봄")...)
		if want := `"state":"SUCCEEDED","payment":"order-1","status":"PARTIAL_CANCELLED","cancelled":400,"total":1000,"currency":"KRW"}` + "\n"; code != exitOK || !strings.HasSuffix(out, want) || errs != "" {
			t.Errorf("end: %d\n%s\n%s", code, out, errs)
		}
		if code, _, errs := watch(t, append(end, "order-1", id, "--succeeded", "--reason", "봄")...); code != exitFailed || !strings.Contains(errs, "not pending") {
			t.Errorf("once more: %d\n%s", code, errs)
		}
		if code, _, errs := watch(t, "cancellation", "list", "--database", database); code != exitOK || !strings.Contains(errs, "no cancellation is outstanding") {
			t.Errorf("list: %d\n%s", code, errs)
		}
		if code, _, errs := watch(t, "sweep", "--database", database); code != exitOK || !strings.Contains(errs, "no account is to be asked about now") {
			t.Errorf("sweep: %d\n%s", code, errs)
		}
		if code, _, errs := watch(t, "sweep", "--limit", "0", "--database", database); code != exitUsage || !strings.Contains(errs, "want 1 or more") {
			t.Errorf("sweep --limit 0: %d\n%s", code, errs)
		}
	})
}
