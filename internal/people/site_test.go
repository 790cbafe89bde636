package people

import (
	"bytes"
	"errors"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// A site is an installation with people, on a database of its own.
type site struct {
	*testing.T
	*People
	store *store.Store
	log   bytes.Buffer
	given []secret.Text // tokens and codes that are nowhere else
}

const (
	good    = secret.Text("brown tiger eats rice")
	another = secret.Text("green rabbit drinks tea")
)

// home is where requests come from.
var home = From{Address: netip.MustParseAddr("203.0.113.7"), Agent: "Mozilla/5.0 (X11)"}

func open(t *testing.T, st *store.Store) *site {
	s := &site{T: t, store: st}
	s.People = &People{Store: st, Log: slog.New(slog.NewTextHandler(&s.log, nil))}
	return s
}

// onBoth runs a test on both engines.
func onBoth(t *testing.T, test func(*site)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) { test(open(t, db.Open(t))) })
}

// inBubble runs a test with the bubble's clock.
func inBubble(t *testing.T, test func(*site)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key, err := seal.New()
		if err != nil {
			t.Fatal(err)
		}
		st, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "t.db"), store.Options{Key: key})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := st.Close(); err != nil {
				t.Error(err)
			}
		})
		test(open(t, st))
	})
}

func (s *site) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *site) is(what string, err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Errorf("%s: %v, want %v", what, err, want)
	}
}

// keep remembers what must be written nowhere.
func (s *site) keep(token secret.Text, err error) secret.Text {
	s.Helper()
	s.must(err)
	s.given = append(s.given, token)
	return token
}

// owner sets the site up, and returns the token of its owner, who has not set up a
// second factor yet.
func (s *site) owner() secret.Text {
	s.Helper()
	setup := s.keep(s.NewSetup(s.Context()))
	return s.keep(s.SetUp(s.Context(), Setup{Token: setup, Email: "Owner@Shop.example", Name: "김주인", Password: good, Merchant: "새벽상회"}, home))
}

// enrol sets up a second factor, and returns the new token, the authenticator's
// secret and the recovery codes.
func (s *site) enrol(token secret.Text) (next, key secret.Text, codes []secret.Text) {
	s.Helper()
	e, err := s.BeginSecondFactor(s.Context(), token)
	s.must(err)
	codes, next, err = s.EndSecondFactor(s.Context(), token, s.code(e.Secret, 0), home)
	s.must(err)
	s.given = append(s.given, e.Secret, next)
	s.given = append(s.given, codes...)
	return next, e.Secret, codes
}

// code is what an authenticator shows so many steps from now.
func (s *site) code(key secret.Text, steps int) secret.Text {
	s.Helper()
	c, err := totp.GenerateCode(key.Reveal(), time.Now().Add(time.Duration(steps)*30*time.Second))
	s.must(err)
	return secret.Text(c)
}

// as is who has a token.
func (s *site) as(token secret.Text) Acting {
	s.Helper()
	m, x, err := s.Session(s.Context(), token)
	s.must(err)
	return Acting{Member: m, Session: x, From: home}
}

// running is a site with an owner who has all it needs.
func (s *site) running() (owner Acting, token secret.Text) {
	s.Helper()
	token, _, _ = s.enrol(s.owner())
	return s.as(token), token
}

// joins invites somebody, who joins, and returns its token.
func (s *site) joins(who Acting, email string, r member.Role, at merchant.StoreID) secret.Text {
	s.Helper()
	link, err := s.Invite(s.Context(), who, Invitation{Email: email, Name: "홍길동", Role: r, Store: at})
	s.must(err)
	s.given = append(s.given, link.Token)
	return s.keep(s.TakeLink(s.Context(), link.Token, "", good, home))
}

// store adds a store to the merchant of the site.
func (s *site) addStore(id merchant.StoreID, of merchant.ID) {
	s.Helper()
	all, err := s.store.Settings(s.Context())
	s.must(err)
	all.Stores = append(all.Stores, settings.Store{Store: merchant.Store{ID: id, Merchant: of, Name: string(id), Representative: true}, NoticeSecret: "x", CreatedAt: time.Now()})
	s.must(s.store.SaveSettings(s.Context(), all, time.Now()))
}

// told is the audit log, the oldest first.
func (s *site) told() string {
	s.Helper()
	list, err := s.store.AuditLog(s.Context(), store.AuditQuery{})
	s.must(err)
	var out []string
	for _, e := range list {
		out = append([]string{strings.TrimPrefix(e.Action, "member.")}, out...)
	}
	return strings.Join(out, " ")
}
