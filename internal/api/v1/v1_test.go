package v1

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/api/openapi/openapitest"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/provider/books"
	"github.com/tongbo/tongbo/internal/provider/tosspayments"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

func TestMain(m *testing.M) { storetest.Main(m) }

const (
	acme  merchant.ID = "merchant-00000000-0000-4000-8000-00000000000a"
	rival merchant.ID = "merchant-00000000-0000-4000-8000-00000000000b"

	mainStore  merchant.StoreID = "store-00000000-0000-4000-8000-000000000001"
	subStore   merchant.StoreID = "store-00000000-0000-4000-8000-000000000002"
	rivalStore merchant.StoreID = "store-00000000-0000-4000-8000-000000000003"

	tossKey  merchant.ChannelKey = "channel-key-00000000-0000-4000-8000-000000000001"
	kcpKey   merchant.ChannelKey = "channel-key-00000000-0000-4000-8000-000000000002"
	rivalKey merchant.ChannelKey = "channel-key-00000000-0000-4000-8000-000000000003"
)

// A site is an API on a listener, over a real database, with a played Toss.
type site struct {
	*testing.T
	api    *API
	store  *store.Store
	all    settings.All
	ledger *books.Ledger
	pg     http.Handler
	mute   atomic.Bool // the PG does what it is asked, and loses its answer
	// receipt is what deposits come with.
	receipt *payment.CashReceipt
	log     *bytes.Buffer
	base    string
	client  *http.Client
	tokens  map[string]string
}

// RoundTrip plays one call of the PG, without a network.
func (s *site) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	s.pg.ServeHTTP(w, r)
	if s.mute.Load() {
		return &http.Response{StatusCode: http.StatusBadGateway, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	}
	return w.Result(), nil
}

// onEach runs a test on both engines.
func onEach(t *testing.T, test func(*site)) {
	t.Helper()
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(onSQLite(t))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		test(serve(t, storetest.Postgres(t)))
	})
}

func onSQLite(t *testing.T) *site {
	t.Helper()
	return serve(t, "sqlite:"+filepath.Join(t.TempDir(), "t.db"))
}

// serve serves an API on a listener.
func serve(t *testing.T, database string) *site {
	t.Helper()
	s := build(t, database)
	srv := httptest.NewServer(s.api.Routes())
	t.Cleanup(srv.Close)
	s.base, s.client = srv.URL, srv.Client()
	s.client.Transport = openapitest.Transport(t, s.client.Transport, "v1.yaml")
	return s
}

// build makes an API that is not served yet.
func build(t *testing.T, database string) *site {
	t.Helper()
	key, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), database, store.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &site{T: t, store: st, log: new(bytes.Buffer), tokens: map[string]string{}}
	s.ledger = &books.Ledger{Channels: func() []merchant.Channel { return s.all.Channels }}
	s.pg = tosspayments.Module.API(s.ledger)
	s.api = &API{
		Store: st.Reader, Key: key, Log: slog.New(slog.NewTextHandler(s.log, nil)),
		Actions: &action.Actions{
			Store: st, Judge: func(settings.All) notice.Judge { return held }, Providers: all.ByCode,
			HTTP: &http.Client{Transport: s},
		},
	}
	st.OnSettings(s.api.Refresh)
	s.all = someSettings(key)
	s.save()
	return s
}

// held leaves what waits waiting.
func held(notice.Inbound, []notice.Found) notice.Ruling {
	return notice.Ruling{Verdict: payment.Unmatched}
}

// save makes s.all the settings.
func (s *site) save() {
	s.Helper()
	now, err := s.store.Settings(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	s.all.Version = now.Version
	if err := s.store.SaveSettings(s.Context(), s.all, time.Now()); err != nil {
		s.Fatal(err)
	}
}

// someSettings are two merchants, one of them with a sub-store. Each key's name
// and secret are the same.
func someSettings(key *seal.Key) settings.All {
	st := func(id merchant.StoreID, m merchant.ID, name, tier string) settings.Store {
		return settings.Store{
			Store:        merchant.Store{ID: id, Merchant: m, Name: name, Representative: tier == "", TierCode: tier},
			NoticeSecret: webhook.NewSecret(), CreatedAt: time.Now().UTC(),
		}
	}
	ch := func(k merchant.ChannelKey, m merchant.ID, s merchant.StoreID, code, mid string) merchant.Channel {
		return merchant.Channel{
			Key: k, Merchant: m, Store: s, Name: "가상계좌", Provider: code, Mode: merchant.Test, MID: mid, BaseURL: "https://toss.invalid",
			PaymentType: merchant.APIKeyin, Methods: []string{"VIRTUAL_ACCOUNT"}, Unknown: merchant.Hold,
			Credentials: merchant.Credentials{"secret_key": secret.Text("test_sk_" + mid)},
		}
	}
	k := func(n int, m merchant.ID, s merchant.StoreID, name string, mode merchant.Mode) settings.APIKey {
		return settings.APIKey{
			APIKey: merchant.APIKey{ID: fmt.Sprintf("00000000-0000-7000-8000-%012d", n), Merchant: m, Store: s, Key: name, Mode: mode},
			Hash:   key.Hash(settings.PurposeAPIKey, name),
		}
	}
	toss := ch(tossKey, acme, mainStore, "tosspayments", "acme-mid")
	toss.Stores = []merchant.StoreID{subStore}
	return settings.All{
		Merchants: []merchant.Merchant{{ID: acme, Name: "가나상점"}, {ID: rival, Name: "다라상점"}},
		Stores:    []settings.Store{st(mainStore, acme, "대표", ""), st(subStore, acme, "하위", "ABC"), st(rivalStore, rival, "남", "")},
		Channels: []merchant.Channel{
			toss, ch(kcpKey, acme, mainStore, "kpn", "acme-kpn"), ch(rivalKey, rival, rivalStore, "tosspayments", "rival-mid"),
		},
		Endpoints: []webhook.Endpoint{{
			ID: "00000000-0000-7000-8000-0000000000e1", Merchant: acme, Store: mainStore, Name: "주문", URL: "https://shop.example/hook",
			Mode: merchant.Test, Events: []string{"*"}, Version: webhook.V1, ContentType: webhook.JSON, Schedule: webhook.PortOne,
			Secrets: []secret.Text{webhook.NewSecret()}, CreatedAt: time.Now().UTC(),
		}},
		APIKeys: []settings.APIKey{
			k(1, acme, mainStore, "main", merchant.Test), k(2, acme, mainStore, "live", merchant.Live), k(3, acme, mainStore, "any", merchant.Any),
			k(4, acme, subStore, "sub", merchant.Test), k(5, rival, rivalStore, "rival", merchant.Test),
		},
	}
}

// An answer is what a call was answered.
type answer struct {
	status   int
	header   http.Header
	text     string
	code     int
	message  string
	response json.RawMessage
}

// call makes a call with the token of a key, if one is named. A body is JSON or a
// form, as it looks; headers alternate with their values.
func (s *site) call(method, path, key, body string, headers ...string) answer {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), method, s.base+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("User-Agent", "node")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if strings.HasPrefix(body, "{") {
		r.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		r.Header.Set("Authorization", s.token(key))
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return s.do(r)
}

func (s *site) do(r *http.Request) answer {
	s.Helper()
	if s.client == nil {
		w := httptest.NewRecorder()
		openapitest.Handler(s, s.api.Routes(), "v1.yaml").ServeHTTP(w, r)
		return s.sound(r, w.Result(), w.Body.String())
	}
	resp, err := s.client.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	return s.sound(r, resp, string(b))
}

// sound checks what every answer keeps to: an envelope of three fields and a known
// length, with a message if and only if something went wrong.
func (s *site) sound(r *http.Request, resp *http.Response, text string) answer {
	s.Helper()
	out := answer{status: resp.StatusCode, header: resp.Header, text: text}
	var e map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &e); err != nil || len(e) != 3 || e["message"] == nil {
		s.Fatalf("%s %s: no envelope: %s", r.Method, r.URL, text)
	}
	if resp.Header.Get("Content-Length") != strconv.Itoa(len(text)) || !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		s.Errorf("%s %s: headers are %v", r.Method, r.URL, resp.Header)
	}
	var message *string
	if json.Unmarshal(e["code"], &out.code) != nil || json.Unmarshal(e["message"], &message) != nil {
		s.Fatalf("%s %s: %s", r.Method, r.URL, text)
	}
	if message != nil {
		out.message = *message
	}
	out.response = e["response"]
	if (out.code == 0) != (message == nil) || (out.code == 0) == (string(out.response) == "null") {
		s.Errorf("%s %s: code, message and response disagree: %s", r.Method, r.URL, text)
	}
	return out
}

// token logs a key in.
func (s *site) token(key string) string {
	s.Helper()
	if s.tokens[key] == "" {
		s.tokens[key] = s.login(key).AccessToken
	}
	return s.tokens[key]
}

func (s *site) login(key string) (t tokenAnswer) {
	s.Helper()
	s.ok(s.call("POST", "/users/getToken", "", `{"imp_key":"`+key+`","imp_secret":"`+key+`"}`), &t)
	return t
}

// ok checks that a call succeeded, and reads its response.
func (s *site) ok(got answer, into any) {
	s.Helper()
	if got.status != http.StatusOK || got.code != 0 {
		s.Fatalf("answer is %d %s", got.status, got.text)
	}
	if err := json.Unmarshal(got.response, into); err != nil {
		s.Fatalf("%v: %s", err, got.text)
	}
}

// want checks an error's status, code and a part of its message.
func (s *site) want(got answer, status, code int, part string) {
	s.Helper()
	if got.status != status || got.code != code || !strings.Contains(got.message, part) {
		s.Errorf("answer is %d %s, want %d with code %d and %q", got.status, strings.TrimSpace(got.text), status, code, part)
	}
}
