package console

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/attention"
	"github.com/tongbo/tongbo/internal/delivery"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/ingress"
	"github.com/tongbo/tongbo/internal/listen"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/people"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/safehttp"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// What a house holds: a merchant with two stores, and a rival with one.
const (
	ours    = merchant.ID("merchant-00000000-0000-4000-8000-000000000101")
	theirs  = merchant.ID("merchant-00000000-0000-4000-8000-000000000102")
	main1   = merchant.StoreID("store-00000000-0000-4000-8000-000000000101")
	branch1 = merchant.StoreID("store-00000000-0000-4000-8000-000000000102")
	rival1  = merchant.StoreID("store-00000000-0000-4000-8000-000000000103")
	// oursTest and rivalTest are test channels of KCP.
	oursTest  = merchant.ChannelKey("channel-key-00000000-0000-4000-8000-000000000101")
	rivalTest = merchant.ChannelKey("channel-key-00000000-0000-4000-8000-000000000103")
)

// A house is a console on a database of its own, with somebody of every role signed in.
type house struct {
	testing.TB
	Store   *store.Store
	Actions *action.Actions
	Ingress *ingress.Ingress
	Console *Console
	Log     *journal
	handler http.Handler
	dropped int64 // calls of the APIs
	people  visitors
}

// A journal is what was logged.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// visitors are who is signed in, by their tokens.
type visitors map[string]member.Member

// Session knows a token, and none when it was taken away.
func (p visitors) Session(_ context.Context, token secret.Text) (member.Member, member.Session, error) {
	m, ok := p[token.Reveal()]
	if !ok {
		return m, member.Session{}, fault.Errorf(fault.Unauthorized, "no session has this token")
	}
	now := time.Now()
	s := member.Session{ID: "session", Member: m.ID, CreatedAt: now, SeenAt: now, ConfirmedAt: now}
	if strings.HasPrefix(token.Reveal(), "stale-") {
		s.ConfirmedAt = now.Add(-time.Hour)
	}
	return m, s, nil
}

func (p visitors) Standing(ctx context.Context, token secret.Text) (member.Member, member.Session, error) {
	return p.Session(ctx, token)
}

// newHouse builds one on SQLite. The tokens of those signed in are their roles: owner,
// admin, manager, dev, read_only; "branch" is a dev of the branch alone, "rival" an owner
// of another merchant, and with "stale-" before it a session was confirmed an hour ago.
func newHouse(t *testing.T) *house { t.Helper(); return newHouseOn(t, sqliteStore(t)) }

func sqliteStore(t testing.TB) *store.Store { t.Helper(); return storetest.SQLite(t).Open(t) }

func newHouseOn(t testing.TB, s *store.Store) *house {
	t.Helper()
	h := &house{TB: t, Store: s, Log: &journal{}, people: visitors{}}
	log := slog.New(slog.NewTextHandler(h.Log, nil))
	h.Ingress = &ingress.Ingress{Store: s, Providers: all.Providers(), Log: log}
	h.Actions = &action.Actions{Store: s, Judge: h.Ingress.Judge, Again: h.Ingress.Again, ByHand: ingress.ByHand, Providers: all.ByCode, Log: log, Hash: fakeHash}
	for _, r := range member.Roles() {
		h.signIn(string(r), member.Member{Merchant: ours, Role: r, Operator: r == member.Owner})
	}
	h.signIn("branch", member.Member{Merchant: ours, Role: member.Dev, Store: branch1})
	h.signIn("rival", member.Member{Merchant: theirs, Role: member.Owner})
	h.declare()
	desk := &attention.Desk{Store: s.Reader, Providers: all.ByCode}
	s.OnSettings(desk.Refresh)
	h.Console = &Console{
		Desk: desk, Dropped: func() int64 { return h.dropped },
		Store: s.Reader, Actions: h.Actions, Sessions: h.people, People: &people.People{Store: s, Log: log}, Log: log, PublicURL: "https://pay.example.kr",
		Tester: &delivery.CallTester{Client: safehttp.New(safehttp.Config{AllowPrivate: true})}, Listen: &listen.Sessions{Store: s},
		ClientAddr: func(*http.Request) netip.Addr { return netip.MustParseAddr("203.0.113.7") },
	}
	h.Console.People.Changed = h.Console.MemberChanged
	s.OnSettings(h.Console.Refresh)
	s.OnSettings(h.Actions.Refresh)
	h.handler = h.Console.Routes()
	return h
}

// fakeHash stands for the installation's keyed hash.
func fakeHash(purpose, value string) string {
	sum := sha256.Sum256([]byte(purpose + "/" + value))
	return hex.EncodeToString(sum[:])
}

func (h *house) signIn(token string, m member.Member) {
	m.ID, m.Email, m.Lang, m.Shortcuts = member.ID(uuid.NewString()), token+"@example.kr", "ko", true
	h.people[token] = m
	h.people["stale-"+token] = m
}

// declare makes the merchants, their stores, channels and an endpoint each.
func (h *house) declare() {
	h.Helper()
	now := time.Now()
	x, err := h.Store.Settings(h.Context())
	if err != nil {
		h.Fatal(err)
	}
	x.Merchants = append(x.Merchants, merchant.Merchant{ID: ours, Name: "우리 회사"}, merchant.Merchant{ID: theirs, Name: "이웃 회사"})
	for _, s := range []merchant.Store{
		{ID: main1, Merchant: ours, Name: "대표 상점", Representative: true},
		{ID: branch1, Merchant: ours, Name: "하위 상점"},
		{ID: rival1, Merchant: theirs, Name: "라이벌 상점", Representative: true},
	} {
		x.Stores = append(x.Stores, settings.Store{Store: s, NoticeSecret: webhook.NewSecret(), CreatedAt: now})
	}
	for key, s := range map[merchant.ChannelKey]merchant.StoreID{oursTest: main1, rivalTest: rival1} {
		m := ours
		if s == rival1 {
			m = theirs
		}
		x.Channels = append(x.Channels, merchant.Channel{
			Key: key, Merchant: m, Store: s, Name: "KCP 시험", Provider: "kcp", Mode: merchant.Test, MID: "T0000",
			PaymentType: merchant.WindowGeneral, Unknown: merchant.Hold,
		})
	}
	if err := h.Store.SaveSettings(h.Context(), x, now); err != nil {
		h.Fatal(err)
	}
}

// get asks for a page as somebody; as is a token, or empty for nobody.
func (h *house) get(as, path string) *httptest.ResponseRecorder {
	h.Helper()
	return h.send(as, httptest.NewRequest(http.MethodGet, "http://127.0.0.1"+path, nil))
}

// post sends a form as somebody, as a page of the console would.
func (h *house) post(as, path string, form url.Values) *httptest.ResponseRecorder {
	h.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return h.send(as, r)
}

func (h *house) send(as string, r *http.Request) *httptest.ResponseRecorder {
	h.Helper()
	if as != "" {
		r.AddCookie(&http.Cookie{Name: sessionCookie, Value: as})
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return w
}

// shows fails the test unless an answer has the status and holds all texts.
func (h *house) shows(w *httptest.ResponseRecorder, status int, texts ...string) string {
	h.Helper()
	body, _ := io.ReadAll(w.Result().Body)
	if w.Code != status {
		h.Errorf("status %d, want %d: %s %s", w.Code, status, w.Header().Get("Location"), firstLines(string(body)))
	}
	for _, x := range texts {
		if !strings.Contains(string(body), x) {
			h.Errorf("the page does not show %q", x)
		}
	}
	return string(body)
}

func firstLines(s string) string {
	if i := strings.Index(s, "<main"); i >= 0 {
		s = s[i:]
	}
	return s[:min(len(s), 600)]
}

// goesTo fails the test unless an answer redirects to a path.
func (h *house) goesTo(w *httptest.ResponseRecorder, path string) {
	h.Helper()
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != path {
		h.Errorf("status %d to %q, want 303 to %q", w.Code, w.Header().Get("Location"), path)
	}
}
