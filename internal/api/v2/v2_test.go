package v2

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/api/openapi/openapitest"
	"github.com/tongbo/tongbo/internal/listen"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	acme  merchant.ID = "merchant-00000000-0000-4000-8000-00000000000a"
	rival merchant.ID = "merchant-00000000-0000-4000-8000-00000000000b"

	mainStore  merchant.StoreID = "store-00000000-0000-4000-8000-000000000001"
	subStore   merchant.StoreID = "store-00000000-0000-4000-8000-000000000002"
	rivalStore merchant.StoreID = "store-00000000-0000-4000-8000-000000000003"

	testChannel  merchant.ChannelKey = "channel-key-00000000-0000-4000-8000-000000000001"
	liveChannel  merchant.ChannelKey = "channel-key-00000000-0000-4000-8000-000000000002"
	rivalChannel merchant.ChannelKey = "channel-key-00000000-0000-4000-8000-000000000003"
	oldChannel   merchant.ChannelKey = "channel-key-00000000-0000-4000-8000-000000000004"

	endpoint webhook.EndpointID = "00000000-0000-7000-8000-0000000000e1"
)

// A bench is an API over a real database, inside a bubble.
type bench struct {
	*testing.T
	api   *API
	store *store.Store
	all   settings.All
	log   *bytes.Buffer
	file  string // of the database
	ids   int
}

// id makes ids that sort as they were made, and are the same in every run.
func (b *bench) id() string {
	b.ids++
	return fmt.Sprintf("00000000-0000-7000-9000-%012d", b.ids)
}

// inBubble runs a test on a bench of its own. The bubble's clock starts at
// midnight UTC 2000-01-01 and moves only when the test sleeps.
func inBubble(t *testing.T, test func(*bench)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { test(newBench(t)) })
}

func newBench(t *testing.T) *bench {
	t.Helper()
	key, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "t.db")
	st, err := store.Open(t.Context(), "sqlite:"+file, store.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	b := &bench{T: t, store: st, log: new(bytes.Buffer), file: file}
	b.api = &API{
		Store: st.Reader, Key: key, Log: slog.New(slog.NewTextHandler(b.log, nil)),
		Actions: &action.Actions{
			Store:     st,
			Judge:     func(settings.All) notice.Judge { return held },
			Providers: func(code string) (provider.Provider, bool) { return nil, code != "gone" },
			NewID:     b.id,
		},
	}
	b.api.Listen = &listen.Sessions{Store: st}
	st.OnEvents(b.api.Listen.Wake)
	st.OnSettings(b.api.Refresh)
	b.all = someSettings(key)
	b.save()
	return b
}

// held leaves what waits waiting.
func held(notice.Inbound, []notice.Found) notice.Ruling {
	return notice.Ruling{Verdict: payment.Unmatched}
}

// save makes b.all the settings.
func (b *bench) save() {
	b.Helper()
	now, err := b.store.Settings(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.all.Version = now.Version
	if err := b.store.SaveSettings(b.Context(), b.all, time.Now()); err != nil {
		b.Fatal(err)
	}
}

// someSettings are two merchants, one of them with a sub-store.
func someSettings(key *seal.Key) settings.All {
	st := func(id merchant.StoreID, m merchant.ID, name string, rep bool) settings.Store {
		return settings.Store{
			Store:        merchant.Store{ID: id, Merchant: m, Name: name, Representative: rep},
			NoticeSecret: webhook.NewSecret(), CreatedAt: time.Now().UTC(),
		}
	}
	ch := func(k merchant.ChannelKey, m merchant.ID, s merchant.StoreID, code string, mode merchant.Mode) merchant.Channel {
		return merchant.Channel{
			Key: k, Merchant: m, Store: s, Name: "가상계좌", Provider: code, Mode: mode, MID: "MID-" + string(k[len(k)-1]),
			PaymentType: merchant.WindowGeneral, Methods: []string{"VIRTUAL_ACCOUNT"}, Unknown: merchant.Hold,
		}
	}
	test := ch(testChannel, acme, mainStore, "kcp_v2", merchant.Test)
	test.Stores = []merchant.StoreID{subStore}
	return settings.All{
		Merchants: []merchant.Merchant{{ID: acme, Name: "가나상점"}, {ID: rival, Name: "다라상점"}},
		Stores: []settings.Store{
			st(mainStore, acme, "대표", true), st(subStore, acme, "하위", false), st(rivalStore, rival, "남", true),
		},
		Channels: []merchant.Channel{
			test, ch(liveChannel, acme, mainStore, "tosspayments", merchant.Live),
			ch(rivalChannel, rival, rivalStore, "nice_v2", merchant.Test), ch(oldChannel, acme, mainStore, "gone", merchant.Test),
		},
		Endpoints: []webhook.Endpoint{{
			ID: endpoint, Merchant: acme, Store: mainStore, Name: "주문", URL: "https://shop.example/hook", Mode: merchant.Test,
			Events: []string{"*"}, Version: webhook.V20240425, ContentType: webhook.JSON, Schedule: webhook.PortOne,
			Secrets: []secret.Text{webhook.NewSecret()}, CreatedAt: time.Now().UTC(),
		}},
		APISecrets: []settings.APISecret{
			apiSecret(key, 1, acme, mainStore, "test", merchant.Test, time.Time{}),
			apiSecret(key, 2, acme, mainStore, "live", merchant.Live, time.Time{}),
			apiSecret(key, 3, acme, mainStore, "any", merchant.Any, time.Time{}),
			apiSecret(key, 4, acme, subStore, "sub", merchant.Test, time.Time{}),
			apiSecret(key, 5, rival, rivalStore, "rival", merchant.Test, time.Time{}),
			apiSecret(key, 6, acme, mainStore, "brief", merchant.Test, time.Date(2000, 1, 1, 1, 0, 0, 0, time.UTC)),
		},
	}
}

// apiSecret is a secret whose value is its name.
func apiSecret(key *seal.Key, n int, m merchant.ID, s merchant.StoreID, name string, mode merchant.Mode, expires time.Time) settings.APISecret {
	return settings.APISecret{
		APISecret: merchant.APISecret{
			ID: fmt.Sprintf("00000000-0000-7000-8000-%012d", n), Merchant: m, Store: s, Name: name, Mode: mode, ExpiresAt: expires,
		},
		Hash: key.Hash(settings.PurposeAPISecret, name),
	}
}

// An answer is what a call was answered.
type answer struct {
	status int
	header http.Header
	body   string
}

// call makes a call with an Authorization header, none if auth is empty, and
// checks what every answer must keep to.
func (b *bench) call(method, path, auth, body string) answer {
	b.Helper()
	r := httptest.NewRequestWithContext(b.Context(), method, path, strings.NewReader(body))
	if body == "" {
		r = httptest.NewRequestWithContext(b.Context(), method, path, http.NoBody)
	}
	if auth != "" {
		r.Header.Set("Authorization", auth)
	}
	r.Header.Set("Content-Type", "text/plain;charset=UTF-8") // as PortOne's JavaScript SDK sends it
	return b.serve(r)
}

func (b *bench) serve(r *http.Request) answer {
	b.Helper()
	w := httptest.NewRecorder()
	openapitest.Handler(b, b.api.Routes(), documents...).ServeHTTP(w, r)
	got := answer{w.Code, w.Header(), w.Body.String()}
	b.sound(got)
	return got
}

// sound checks what SDKs tolerate: an object, without null, with whole numbers
// only; errors with a type.
func (b *bench) sound(a answer) {
	b.Helper()
	if ct := a.header.Get("Content-Type"); !strings.HasPrefix(ct, "application/json") {
		b.Errorf("Content-Type is %q", ct)
	}
	dec := json.NewDecoder(strings.NewReader(a.body))
	dec.UseNumber()
	var body map[string]any
	if err := dec.Decode(&body); err != nil {
		b.Fatalf("answer %d is no JSON object: %v\n%s", a.status, err, a.body)
	}
	if bad := unsound("", body); bad != "" {
		b.Errorf("answer breaks the JSON rules at %s:\n%s", bad, a.body)
	}
	if _, ok := body["type"].(string); a.status != http.StatusOK && !ok {
		b.Errorf("error %d has no type: %s", a.status, a.body)
	}
}

// unsound is where a value is null or no whole number; empty if nowhere.
func unsound(at string, v any) string {
	switch v := v.(type) {
	case nil:
		return at + " (null)"
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return at + " (" + v.String() + ")"
		}
	case []any:
		for i, e := range v {
			if bad := unsound(fmt.Sprintf("%s[%d]", at, i), e); bad != "" {
				return bad
			}
		}
	case map[string]any:
		for k, e := range v {
			if bad := unsound(at+"."+k, e); bad != "" {
				return bad
			}
		}
	}
	return ""
}

// want checks an error's status and type.
func (b *bench) want(got answer, status int, kind string) {
	b.Helper()
	var p problem
	if err := json.Unmarshal([]byte(got.body), &p); err != nil {
		b.Fatal(err)
	}
	if got.status != status || p.Type != kind {
		b.Errorf("answer is %d %s, want %d %s", got.status, strings.TrimSpace(got.body), status, kind)
	}
}

// ok checks that a call succeeded and returns its body.
func (b *bench) ok(got answer) map[string]any {
	b.Helper()
	if got.status != http.StatusOK {
		b.Fatalf("answer is %d %s, want 200", got.status, got.body)
	}
	var out map[string]any
	if err := json.Unmarshal([]byte(got.body), &out); err != nil {
		b.Fatal(err)
	}
	return out
}

// golden compares an answer with a file.
func (b *bench) golden(name string, got answer) {
	b.Helper()
	b.ok(got)
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, []byte(got.body), "", "  "); err != nil {
		b.Fatal(err)
	}
	file := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(file, pretty.Bytes(), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	if diff := cmp.Diff(string(want), pretty.String()); diff != "" {
		b.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

const issue = `{"channelKey":"channel-key-00000000-0000-4000-8000-000000000001","orderName":"사과 <1 상자>",
	"amount":{"total":12000},"currency":"KRW",
	"virtualAccount":{"bank":"SHINHAN","accountNumber":"T0309260010000","accountHolder":"가나상점","expiredAt":"2000-01-07"},
	"pgTxId":"20000101000001","pgSecret":"ps_s3cr3t",
	"customer":{"id":"c1","name":{"full":"김손님"},"address":{"addressLine1":"길 1","addressLine2":"2층"}},
	"customData":"{\"cart\":7}","unknown":{"fields":[null,1.5]}}`

// register registers issue, changed by pairs of old and new texts.
func (b *bench) register(auth, id string, changes ...string) answer {
	b.Helper()
	return b.call("POST", "/payments/"+id+"/virtual-account", "PortOne "+auth, strings.NewReplacer(changes...).Replace(issue))
}

// settle has a PG report about a registered payment.
func (b *bench) settle(order string, r payment.Report) {
	b.Helper()
	all, err := b.store.Settings(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	planner := all.Planner(b.id)
	in := notice.Inbound{
		ID: notice.ID(b.id()), At: time.Now().UTC(), Provider: "kcp_v2", Version: all.Version,
		Notice: notice.Notice{Report: r, Order: order}, Channels: []merchant.ChannelKey{testChannel},
	}
	results, err := b.store.Settle(context.WithoutCancel(b.Context()), []notice.Inbound{in}, func(in notice.Inbound, found []notice.Found) notice.Ruling {
		d := found[0].Payments[0].Decide(in.Notice.Report, payment.Env{Now: in.At, NewID: b.id})
		out := notice.Ruling{Verdict: d.Verdict, Channel: testChannel, Payment: &d.Payment, Changed: d.Changed}
		for _, tr := range d.Transitions {
			e, err := planner.Plan(webhook.Event{
				ID: webhook.EventID(b.id()), Type: webhook.TypeOf(tr.Change), At: in.At, Merchant: acme, Store: mainStore,
				Mode: merchant.Test, Payment: d.Payment.Key, PaymentID: d.Payment.ID, Transaction: tr.Transaction,
				Cancellation: tr.Cancellation, State: d.Payment.State, Deposited: r.Event == payment.EventDeposited,
			}, nil)
			if err != nil {
				b.Error(err)
			}
			out.Emissions = append(out.Emissions, e)
		}
		return out
	})
	if err != nil || results[0].Err != nil || results[0].Verdict != payment.Applied {
		b.Fatalf("settle: %v %+v", err, results)
	}
}

// deposit is the report of money for issue.
func deposit(key string, amount int64) payment.Report {
	return payment.Report{
		Event: payment.EventDeposited, Key: key, Deposit: key, Amount: payment.Won(amount), HasAmount: true,
		Account: "T0309260010000", Depositor: "김입금", At: time.Now().UTC(),
	}
}

// deliver makes one try of everything that is due, with an outcome.
func (b *bench) deliver(o webhook.Outcome, status int) {
	b.Helper()
	c, err := b.store.Claim(b.Context(), time.Now(), time.Minute, storetest.Room(100))
	if err != nil {
		b.Fatal(err)
	}
	var list []webhook.Finish
	for _, j := range c.Jobs {
		a := webhook.Attempt{
			ID: webhook.AttemptID(b.id()), Delivery: j.ID, Webhook: j.ID, Number: j.Tries + 1, At: time.Now(),
			Took: 20 * time.Millisecond, URL: "https://shop.example/hook", Outcome: o, Status: status,
			RequestHeader: "content-type: application/json\nwebhook-id: " + j.WebhookID(), RequestBody: j.Body,
		}
		if j.Original != "" {
			a.Webhook = j.Original
		}
		if status != 0 {
			a.ResponseHeader, a.ResponseBody = "content-type: text/plain", []byte("답")
		}
		f := webhook.Finish{Job: j, Attempt: a, State: webhook.Completed}
		if o != webhook.Good {
			f.State = webhook.Undone
			if after, more := j.Schedule.After(a.Number, 0, nil); more {
				f.State, f.Next = webhook.Waiting, time.Now().Add(after)
			}
		}
		list = append(list, f)
	}
	if _, err := b.store.Finish(b.Context(), list); err != nil {
		b.Fatal(err)
	}
}

// from makes the client's address known to the API.
func (b *bench) from(addr string) {
	b.api.ClientAddr = func(*http.Request) netip.Addr { return netip.MustParseAddr(addr) }
}
