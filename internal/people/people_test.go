package people

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// TestSetUp: the link counts once, and only while there is no member.
func TestSetUp(t *testing.T) {
	onBoth(t, func(s *site) {
		ctx := s.Context()
		if set, err := s.IsSetUp(ctx); set || err != nil {
			s.Errorf("before: %v, %v", set, err)
		}
		first, second := s.keep(s.NewSetup(ctx)), s.keep(s.NewSetup(ctx))
		x := Setup{Token: "AAAA-BBBB", Email: "you@example.kr", Name: "나", Password: good, Merchant: storetest.Scene().Merchants[0].Name}
		_, err := s.SetUp(ctx, x, home)
		s.is("another token", err, ErrSetup)
		x.Token, x.Password = first, "short"
		_, err = s.SetUp(ctx, x, home)
		s.is("a short password", err, member.ErrPasswordShort)
		x.Password = good
		x.Token = secret.Text(strings.ToLower(strings.ReplaceAll(first.Reveal(), "-", " "))) // as somebody types it
		token := s.keep(s.SetUp(ctx, x, home))
		m, _, err := s.Session(ctx, token)
		s.is("the owner's session", err, ErrEnrol)
		if m.Merchant != storetest.Merchant || m.Role != member.Owner || !m.Operator || m.Email != "you@example.kr" {
			s.Errorf("the owner is %+v", m)
		}
		for _, again := range []secret.Text{first, second} {
			x.Token, x.Email = again, "thief@example.kr"
			if _, err := s.SetUp(ctx, x, home); !fault.Is(err, fault.Forbidden) && !fault.Is(err, fault.Conflict) {
				s.Errorf("another owner by a link: %v", err)
			}
			if counts, err := s.SetupCounts(ctx, again); counts || err != nil {
				s.Errorf("a link counts after it is set up: %v", err)
			}
		}
		if third, err := s.NewSetup(ctx); third != "" || err != nil {
			s.Errorf("a link after it is set up: %v, %v", third != "", err)
		}
	})
}

// TestSetUpAtOnce: of those who set up at one time one is the owner, and the others leave
// nothing behind, neither their merchants nor a word in the audit log.
func TestSetUpAtOnce(t *testing.T) {
	onBoth(t, func(s *site) {
		const n = 4
		done := make(chan error, n)
		before := s.merchants()
		var tokens [n]secret.Text
		for i := range tokens {
			tokens[i] = s.keep(s.NewSetup(s.Context()))
		}
		for i, token := range tokens {
			go func() {
				_, err := s.SetUp(s.Context(), Setup{
					Token: token, Email: fmt.Sprintf("you%d@example.kr", i), Name: "나", Password: good, Merchant: fmt.Sprintf("상회 %d", i),
				}, home)
				done <- err
			}()
		}
		s.oneOf(n, done)
		if more := s.merchants()[len(before):]; len(more) != 1 {
			s.Errorf("one set up, and the merchants made are %q", more)
		}
		if got, want := s.told(), "merchant.made installation.set_up"; got != want {
			s.Errorf("the log has %s, want %s", got, want)
		}
	})
}

// TestOwnersAtOnce: of those who make an owner of one e-mail address at one time for
// merchants of their own, one does, and no merchant stands without an owner.
func TestOwnersAtOnce(t *testing.T) {
	onBoth(t, func(s *site) {
		const n = 4
		owner, _ := s.running()
		done := make(chan error, n)
		before := s.merchants()
		for i := range n {
			go func() {
				_, err := s.CreateOwner(s.Context(), owner, fmt.Sprintf("상회 %d", i), "same@example.kr", "남")
				done <- err
			}()
		}
		s.oneOf(n, done)
		if more := s.merchants()[len(before):]; len(more) != 1 {
			s.Errorf("one owner was made, and the merchants %q", more)
		}
	})
}

// merchants are the names of the site's merchants, in the order in which they came.
func (s *site) merchants() (names []string) {
	s.Helper()
	all, err := s.store.Settings(s.Context())
	s.must(err)
	for _, m := range all.Merchants {
		names = append(names, m.Name)
	}
	return names
}

// oneOf waits for n who do the same at once: one may, and the others are told that somebody
// was quicker.
func (s *site) oneOf(n int, done <-chan error) {
	s.Helper()
	did := 0
	for range n {
		switch err := <-done; {
		case err == nil:
			did++
		case !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Forbidden):
			s.Errorf("somebody who was too late: %v", err)
		}
	}
	if did != 1 {
		s.Errorf("%d of %d did it", did, n)
	}
}

// TestSignIn: a wrong password and an unknown address are told the same, and take as
// long.
func TestSignIn(t *testing.T) {
	atRealCost(t)
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := open(t, db.Open(t))
		ctx := s.Context()
		s.owner()
		took := map[string]time.Duration{} // the least: a busy machine only adds to it
		alike := func() bool {
			known, unknown := took["owner@shop.example"], took["nobody@shop.example"]
			return unknown >= known/3 && known >= unknown/3
		}
		for i := 0; i < 3 || i < 4 && !alike(); i++ { // after five one has to wait
			for _, email := range []string{"owner@shop.example", "nobody@shop.example"} {
				began := time.Now()
				_, err := s.SignIn(ctx, email, another, home, "")
				if d := time.Since(began); took[email] == 0 || d < took[email] {
					took[email] = d
				}
				if err == nil || err.Error() != ErrSignIn.Error() {
					s.Errorf("%s: %v", email, err)
				}
			}
		}
		if !alike() {
			s.Errorf("an account that is there and another take %v", took)
		}
		old := s.keep(s.SignIn(ctx, " OWNER@shop.example", good, home, ""))
		token := s.keep(s.SignIn(ctx, "owner@shop.example", good, home, old))
		if _, _, err := s.Session(ctx, old); !errors.Is(err, ErrNoSession) || token == old {
			s.Errorf("the token that the browser had before: %v", err)
		}
		if _, err := s.SignIn(ctx, "no address", good, home, ""); !fault.Is(err, fault.Invalid) {
			s.Errorf("no address: %v", err)
		}
	})
}

// TestSlowDown: who guesses has to wait, by the account, known or not, and by the
// address; the owner gets in when the wait is over.
func TestSlowDown(t *testing.T) {
	inBubble(t, func(s *site) {
		ctx := s.Context()
		s.owner()
		for _, email := range []string{"owner@shop.example", "nobody@shop.example"} {
			tried, waits := 0, time.Duration(0)
			for tried < 12 {
				_, err := s.SignIn(ctx, email, another, From{Address: netip.AddrFrom4([4]byte{10, 0, byte(len(email)), byte(tried)})}, "")
				if w, wait := errors.AsType[*WaitError](err); wait {
					waits += time.Until(w.Until)
					time.Sleep(time.Until(w.Until))
					continue
				}
				s.is("a wrong password", err, ErrSignIn)
				tried++
			}
			if want := 63*time.Second + 60*time.Second; waits != want {
				s.Errorf("12 tries at %s waited for %v, want %v", email, waits, want)
			}
		}
		_, err := s.SignIn(ctx, "owner@shop.example", another, home, "")
		s.is("once more", err, ErrSignIn)
		_, err = s.SignIn(ctx, "owner@shop.example", good, home, "")
		if _, wait := errors.AsType[*WaitError](err); !wait {
			s.Errorf("right, but too soon: %v", err)
		}
		time.Sleep(time.Minute)
		_, err = s.SignIn(ctx, "owner@shop.example", good, home, "")
		s.must(err)
		_, err = s.SignIn(ctx, "owner@shop.example", another, home, "")
		s.is("after a success nothing waits", err, ErrSignIn)
		if log := s.told(); strings.Count(log, "sign_in_failed") > 2*5+1 {
			s.Errorf("the log has %s", log)
		}
		list, err := s.store.AuditLog(ctx, store.AuditQuery{Action: "member.sign_in_failed"})
		s.must(err)
		for _, e := range list {
			if known := e.Object != ""; known != (e.By.Name != "") || known != (e.Merchant != "") || e.By.Name == "nobody@shop.example" {
				s.Errorf("an entry of %+v", e)
			}
		}
	})
}

// TestSlowDownByAddress: an address, or a network of IPv6, that tries many accounts
// waits.
func TestSlowDownByAddress(t *testing.T) {
	inBubble(t, func(s *site) {
		s.owner()
		var waits int
		for i := range 30 {
			from := From{Address: netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(i)})}
			_, err := s.SignIn(s.Context(), fmt.Sprintf("u%d@example.kr", i), another, from, "")
			if _, wait := errors.AsType[*WaitError](err); wait {
				waits++
			}
		}
		if waits != 10 {
			s.Errorf("%d of 30 waited, want those after 20", waits)
		}
		_, err := s.SignIn(s.Context(), "owner@shop.example", good, home, "")
		s.must(err)
	})
}

// TestTriesAtOnce: what is tried at the same time counts each.
func TestTriesAtOnce(t *testing.T) {
	onBoth(t, func(s *site) {
		s.owner()
		results := make(chan error)
		for range 20 {
			go func() {
				_, err := s.SignIn(s.Context(), "owner@shop.example", another, home, "")
				results <- err
			}()
		}
		tried := 0
		for range 20 {
			if err := <-results; errors.Is(err, ErrSignIn) {
				tried++
			}
		}
		if tried > 6 {
			s.Errorf("%d guesses at once, want 5", tried)
		}
	})
}

// TestSessionEnds: a session ends by being idle, by its age, and by being ended; the
// token is then of no use.
func TestSessionEnds(t *testing.T) {
	inBubble(t, func(s *site) {
		ctx := s.Context()
		_, token := s.running()
		time.Sleep(11 * time.Hour)
		for range 14 {
			s.as(token) // seen
			time.Sleep(11 * time.Hour)
		}
		s.as(token)
		time.Sleep(3 * time.Hour)
		if _, _, err := s.Session(ctx, token); !errors.Is(err, ErrNoSession) {
			s.Errorf("after seven days: %v", err)
		}
	})
	inBubbleSub(t, "idle", func(s *site) {
		_, token := s.running()
		time.Sleep(12*time.Hour - time.Second)
		s.as(token)
		time.Sleep(12 * time.Hour)
		if _, _, err := s.Session(s.Context(), token); !errors.Is(err, ErrNoSession) {
			s.Errorf("after twelve hours: %v", err)
		}
	})
	inBubbleSub(t, "idle, with a page open", func(s *site) {
		_, token := s.running()
		for range 4*60*12 - 1 {
			time.Sleep(15 * time.Second)
			if _, _, err := s.Standing(s.Context(), token); err != nil {
				s.Fatal(err)
			}
		}
		time.Sleep(15 * time.Second)
		if _, _, err := s.Standing(s.Context(), token); !errors.Is(err, ErrNoSession) {
			s.Errorf("after twelve hours: %v", err)
		}
	})
	inBubbleSub(t, "seen once a minute", func(s *site) {
		_, token := s.running()
		began := s.as(token).SeenAt
		time.Sleep(59 * time.Second)
		if at := s.as(token).SeenAt; !at.Equal(began) {
			s.Errorf("seen %v after it began", at.Sub(began))
		}
		time.Sleep(time.Second)
		s.as(token)
		list, err := s.Sessions(s.Context(), s.as(token))
		s.must(err)
		if at := list[0].SeenAt; !at.Equal(began.Add(time.Minute)) {
			s.Errorf("seen %v after it began", at.Sub(began))
		}
	})
	inBubbleSub(t, "the set-up link after 30 minutes", func(s *site) {
		token := s.keep(s.NewSetup(s.Context()))
		time.Sleep(30*time.Minute - time.Second)
		if ok, err := s.SetupCounts(s.Context(), token); !ok || err != nil {
			s.Errorf("before: %v", err)
		}
		time.Sleep(time.Second)
		if ok, err := s.SetupCounts(s.Context(), token); ok || err != nil {
			s.Errorf("after: %v", err)
		}
	})
}

func inBubbleSub(t *testing.T, name string, test func(*site)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { inBubble(t, test) })
}

// TestSignOut: a token that was stolen is of no use after the session was ended, by
// its owner or from elsewhere.
func TestSignOut(t *testing.T) {
	onBoth(t, func(s *site) {
		ctx := s.Context()
		owner, token := s.running()
		dev := s.joins(owner, "dev@shop.example", member.Dev, "")
		s.must(s.SignOut(ctx, dev, home))
		if _, _, err := s.Session(ctx, dev); !errors.Is(err, ErrNoSession) {
			s.Errorf("after signing out: %v", err)
		}
		s.must(s.SignOut(ctx, dev, home))
		s.must(s.SignOut(ctx, "nonsense", home))

		one := s.keep(s.SignIn(ctx, "dev@shop.example", good, home, ""))
		two := s.keep(s.SignIn(ctx, "dev@shop.example", good, From{}, ""))
		list, err := s.Sessions(ctx, s.as(one))
		s.must(err)
		if len(list) != 2 || list[1].Address != "203.0.113.7" || list[1].Agent != home.Agent {
			s.Errorf("sessions are %+v", list)
		}
		if err := s.EndSession(ctx, s.as(token), list[0].ID); !fault.Is(err, fault.NotFound) {
			s.Errorf("another's session: %v", err)
		}
		s.must(s.EndSession(ctx, s.as(one), s.as(two).Session.ID))
		if _, _, err := s.Session(ctx, two); !errors.Is(err, ErrNoSession) {
			s.Errorf("after it was ended from elsewhere: %v", err)
		}
		s.as(one)
		if err := s.EndSession(ctx, s.as(one), "x"); !fault.Is(err, fault.NotFound) {
			s.Errorf("what is no session: %v", err)
		}
	})
}

// TestNothingIsKept: the database has no token, no code and no password in clear, and
// the log has none.
func TestNothingIsKept(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := open(t, db.Open(t))
		token, key, _ := s.enrol(s.owner())
		owner := s.as(token)
		dev := s.as(s.joins(owner, "dev@shop.example", member.Dev, ""))
		link, err := s.NewLink(s.Context(), owner, dev.Member.ID)
		s.must(err)
		s.keep(link.Token, nil)
		s.keep(s.Confirm(s.Context(), token, good, s.code(key, 1), home))
		_, err = s.SignIn(s.Context(), "owner@shop.example", another, home, "")
		s.is("sign-in", err, ErrSignIn)
		for _, table := range []string{"member", "session", "setup", "sign_in", "audit"} {
			text := dump(t, db, table)
			for _, x := range append(s.given, good, another, "+argon2id") {
				if strings.Contains(text, x.Reveal()) || strings.Contains(s.log.String(), x.Reveal()) {
					t.Errorf("%s has %s…", table, x.Reveal()[:4])
				}
			}
		}
	})
}
