package people

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/store"
)

// hashes has the site know browsers again.
func (s *site) hashes() {
	s.Hash = func(purpose, value string) string { return "hash of " + purpose + " " + value }
}

// waits reports whether what was tried has to wait.
func waits(err error) bool {
	_, wait := errors.AsType[*WaitError](err)
	return wait
}

// TestNobodyIsLockedOut: whoever goes on guessing an account's password, the moment that it may
// be tried again, keeps its owner out of no browser in which the owner signed in before.
func TestNobodyIsLockedOut(t *testing.T) {
	inBubble(t, func(s *site) {
		s.hashes()
		_, token := s.running()
		known := home
		known.Browser = s.Browser(s.as(token).Member)
		guess := func(i int) {
			s.Helper()
			from := From{Address: netip.AddrFrom4([4]byte{198, 51, byte(i / 250), byte(i % 250)})}
			if _, err := s.SignIn(s.Context(), "owner@shop.example", another, from, ""); err == nil {
				t.Fatal("a wrong password lets in")
			}
		}
		for i := range 300 { // five minutes of one guess a second, from as many addresses
			guess(i)
			time.Sleep(time.Second)
		}
		guess(300)
		if _, err := s.SignIn(s.Context(), "owner@shop.example", good, home, ""); !waits(err) {
			t.Errorf("from a browser that nobody knows: %v", err)
		}
		if _, err := s.SignIn(s.Context(), "owner@shop.example", good, known, ""); err != nil {
			t.Errorf("from the owner's own: %v", err)
		}
		// Who steals what the browser brings guesses no faster than others.
		tried := 0
		for range 100 {
			if _, err := s.SignIn(s.Context(), "owner@shop.example", another, known, ""); !waits(err) {
				tried++
			}
		}
		if tried > 5 {
			t.Errorf("%d guesses at once from a browser that is known", tried)
		}
	})
}

// TestSessionsAreNotLockedOut: who is signed in says again who it is, and changes the password,
// whoever guesses meanwhile, from the same network too.
func TestSessionsAreNotLockedOut(t *testing.T) {
	inBubble(t, func(s *site) {
		token, key, _ := s.enrol(s.owner())
		for i := range 21 {
			email := "owner@shop.example"
			if i > 5 {
				email = fmt.Sprintf("u%d@shop.example", i)
			}
			_, _ = s.try(s.Context(), s.guessing(email, home))
		}
		for _, email := range []string{"owner@shop.example", "u@shop.example"} {
			if _, err := s.try(s.Context(), s.guessing(email, home)); !waits(err) {
				t.Errorf("%s need not wait: %v", email, err)
			}
		}
		token, err := s.Confirm(s.Context(), token, good, s.code(key, 1), home)
		s.must(err)
		_, err = s.ChangePassword(s.Context(), token, good, another, home)
		s.must(err)
	})
}

// TestBrowserOfAnother: what one browser was given is of no use for another account, nor is
// what somebody makes up.
func TestBrowserOfAnother(t *testing.T) {
	inBubble(t, func(s *site) {
		s.hashes()
		owner, _ := s.running()
		dev := s.as(s.joins(owner, "dev@shop.example", member.Dev, ""))
		his := s.Browser(dev.Member)
		for _, x := range []secret.Text{his, "", ".", "x.y", secret.Text(strings.Repeat("x", 5000)), "x." + secret.Text(s.Hash("browser", "x/dev@shop.example"))} {
			if _, ok := s.knows(x, "owner@shop.example"); ok {
				t.Errorf("%.20q counts for the owner", x.Reveal())
			}
		}
		if _, ok := s.knows(his, "dev@shop.example"); !ok || strings.Contains(his.Reveal()[:20], "dev") {
			t.Errorf("it does not count for its own: %q", his.Reveal())
		}
		// An address may hold a slash: what its browser was given must not be taken for another's.
		nonce, hash, _ := strings.Cut(s.Browser(member.Member{Email: "x/owner@shop.example"}).Reveal(), ".")
		if _, ok := s.knows(secret.Text(nonce+"/x."+hash), "owner@shop.example"); ok {
			t.Error("the browser of x/owner@shop.example counts for the owner")
		}
		s.Hash = nil
		if _, ok := s.knows(his, "dev@shop.example"); ok || s.Browser(dev.Member) != "" {
			t.Error("without a key a browser is known")
		}
	})
}

// TestManyNetworks: who has a /48 of IPv6 guesses a hundred times and no more, and does not fill
// the audit log with accounts that are not there.
func TestManyNetworks(t *testing.T) {
	inBubble(t, func(s *site) {
		s.owner()
		tried := 0
		for i := range 150 {
			from := From{Address: netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, 7, 6: byte(i), 15: 1})}
			// As SignIn does, but for the hash, which takes its time.
			counts, err := s.try(s.Context(), s.guessing(fmt.Sprintf("u%d@example.kr", i), from))
			if !waits(err) {
				tried++
				s.is("a guess", s.failed(s.Context(), ErrSignIn, member.Member{}, from, "member.sign_in_failed", counts), ErrSignIn)
			}
		}
		if tried != 100 {
			t.Errorf("%d tries from the networks of one line, want 100", tried)
		}
		list, err := s.store.AuditLog(s.Context(), store.AuditQuery{Action: "member.sign_in_failed"})
		s.must(err)
		if len(list) > 10 {
			t.Errorf("%d entries about accounts that are not there", len(list))
		}
	})
}
