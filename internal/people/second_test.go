package people

import (
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/secret"
)

// TestSecondFactor: an owner must have one; a code counts once, whatever the clock
// says, and each recovery code once.
func TestSecondFactor(t *testing.T) {
	onBoth(t, func(s *site) {
		ctx := s.Context()
		first := s.owner()
		_, _, err := s.Session(ctx, first)
		s.is("before it is set up", err, ErrEnrol)
		one, err := s.BeginSecondFactor(ctx, first)
		s.must(err)
		again, err := s.BeginSecondFactor(ctx, first)
		s.must(err)
		if one != again {
			s.Error("a page that is loaded again shows another secret")
		}
		_, _, err = s.EndSecondFactor(ctx, first, "123 456", home)
		s.is("a wrong code", err, ErrWrongCode)
		other := s.keep(s.SignIn(ctx, "owner@shop.example", good, home, ""))
		token, key, codes := s.enrol(first)
		if len(codes) != recoveryCodes || key != one.Secret {
			s.Errorf("%d recovery codes", len(codes))
		}
		for what, old := range map[string]secret.Text{"the token before": first, "another session": other} {
			if _, _, err := s.Session(ctx, old); !errors.Is(err, ErrNoSession) {
				s.Errorf("%s: %v", what, err)
			}
		}
		s.as(token)

		waiting := s.keep(s.SignIn(ctx, "owner@shop.example", good, home, ""))
		_, _, err = s.Session(ctx, waiting)
		s.is("with the password alone", err, ErrCode)
		for what, try := range map[string]func() error{
			"a second factor": func() error { _, err := s.BeginSecondFactor(ctx, waiting); return err },
			"a password":      func() error { _, err := s.ChangePassword(ctx, waiting, good, another, home); return err },
			"a confirmation":  func() error { _, err := s.Confirm(ctx, waiting, good, "1", home); return err },
		} {
			s.is(what+" with the password alone", try(), ErrCode)
		}
		_, err = s.EnterCode(ctx, waiting, s.code(key, 0), home)
		s.is("the code that set it up", err, ErrWrongCode)
		in := s.keep(s.EnterCode(ctx, waiting, s.code(key, 1), home))
		if _, _, err := s.Session(ctx, waiting); !errors.Is(err, ErrNoSession) {
			s.Errorf("the token before the code: %v", err)
		}
		s.as(in)
		waiting = s.keep(s.SignIn(ctx, "owner@shop.example", good, home, ""))
		_, err = s.EnterCode(ctx, waiting, s.code(key, 1), home)
		s.is("the same code", err, ErrWrongCode)
		s.keep(s.EnterCode(ctx, waiting, codes[3], home))
		waiting = s.keep(s.SignIn(ctx, "owner@shop.example", good, home, ""))
		_, err = s.EnterCode(ctx, waiting, codes[3], home)
		s.is("the same recovery code", err, ErrWrongCode)
		in = s.keep(s.EnterCode(ctx, waiting, codes[4], home))

		fresh, err := s.NewRecoveryCodes(ctx, s.as(in))
		s.must(err)
		s.given = append(s.given, fresh...)
		waiting = s.keep(s.SignIn(ctx, "owner@shop.example", good, home, ""))
		_, err = s.EnterCode(ctx, waiting, codes[5], home)
		s.is("a recovery code of before", err, ErrWrongCode)
		s.keep(s.EnterCode(ctx, waiting, fresh[0], home))
		if err := s.DropSecondFactor(ctx, s.as(in)); !fault.Is(err, fault.Conflict) {
			s.Errorf("an owner without: %v", err)
		}
		if _, err := s.EnterCode(ctx, in, fresh[1], home); !fault.Is(err, fault.Conflict) {
			s.Errorf("a code that nobody waits for: %v", err)
		}
	})
}

// TestSecondFactorGuessed: after five wrong codes the password is to be given again,
// and more have to wait.
func TestSecondFactorGuessed(t *testing.T) {
	inBubble(t, func(s *site) {
		ctx := s.Context()
		_, key, _ := s.enrol(s.owner())
		waiting := s.keep(s.SignIn(ctx, "owner@shop.example", good, home, ""))
		for range mostCodes {
			_, err := s.EnterCode(ctx, waiting, "000000", home)
			s.is("a guess", err, ErrWrongCode)
		}
		_, err := s.EnterCode(ctx, waiting, s.code(key, 1), home)
		s.is("after five guesses", err, ErrNoSession)
		waiting = s.keep(s.SignIn(ctx, "owner@shop.example", good, home, ""))
		_, err = s.EnterCode(ctx, waiting, s.code(key, 1), home)
		if _, wait := errors.AsType[*WaitError](err); !wait {
			s.Errorf("at once after five guesses: %v", err)
		}
		time.Sleep(codeWithin)
		_, err = s.EnterCode(ctx, waiting, s.code(key, 1), home)
		s.is("after ten minutes", err, ErrNoSession)
	})
}

// TestWithoutSecondFactor: who need not have one signs in by the password, also an
// owner on the machine itself, and may take it away.
func TestWithoutSecondFactor(t *testing.T) {
	onBoth(t, func(s *site) {
		ctx := s.Context()
		s.Loopback = true
		token, _, _ := s.enrol(s.owner())
		s.must(s.DropSecondFactor(ctx, s.as(token)))
		token = s.keep(s.SignIn(ctx, "owner@shop.example", good, home, token))
		owner := s.as(token)
		s.Loopback = false
		_, _, err := s.Session(ctx, token)
		s.is("from elsewhere", err, ErrEnrol)
		dev := s.joins(owner, "dev@shop.example", member.Dev, "")
		s.as(dev)
		s.is("no recovery codes", kindOf(s.NewRecoveryCodes(ctx, s.as(dev))), errConflict)
		admin := s.joins(owner, "admin@shop.example", member.Admin, "")
		_, _, err = s.Session(ctx, admin)
		s.is("an admin", err, ErrEnrol)
	})
}

// TestConfirm: what asks for it is refused ten minutes after sign-in, until somebody
// says again who it is, with the code.
func TestConfirm(t *testing.T) {
	inBubble(t, func(s *site) {
		ctx := s.Context()
		token, key, _ := s.enrol(s.owner())
		time.Sleep(member.ConfirmedFor)
		owner := s.as(token)
		_, err := s.Invite(ctx, owner, Invitation{Email: "a@b.kr", Name: "a", Role: member.Dev})
		s.is("invite", err, member.ErrConfirm)
		s.is("role", s.ChangeRole(ctx, owner, owner.Member.ID, member.Dev, ""), member.ErrConfirm)
		s.is("disable", s.SetDisabled(ctx, owner, owner.Member.ID, true), member.ErrConfirm)
		_, err = s.NewRecoveryCodes(ctx, owner)
		s.is("recovery codes", err, member.ErrConfirm)
		s.is("no second factor", s.DropSecondFactor(ctx, owner), member.ErrConfirm)
		_, err = s.BeginSecondFactor(ctx, token)
		s.is("another second factor", err, member.ErrConfirm)
		_, err = s.CreateOwner(ctx, owner, "다른 상점", "a@b.kr", "a")
		s.is("owner", err, member.ErrConfirm)

		_, err = s.Confirm(ctx, token, another, s.code(key, 0), home)
		s.is("a wrong password", err, ErrSignIn)
		_, err = s.Confirm(ctx, token, good, "000000", home)
		s.is("a wrong code", err, ErrWrongCode)
		next := s.keep(s.Confirm(ctx, token, good, s.code(key, 0), home))
		if _, _, err := s.Session(ctx, token); !errors.Is(err, ErrNoSession) {
			s.Errorf("the token before: %v", err)
		}
		_, err = s.Confirm(ctx, next, good, s.code(key, 0), home)
		s.is("the same code again", err, ErrWrongCode)
		_, err = s.Invite(ctx, s.as(next), Invitation{Email: "a@b.kr", Name: "a", Role: member.Dev})
		s.must(err)
		time.Sleep(7*24*time.Hour - 2*member.ConfirmedFor)
		if _, _, err := s.Session(ctx, next); !errors.Is(err, ErrNoSession) {
			s.Errorf("it lives longer by that: %v", err)
		}
	})
}

// TestChangePassword: the others sessions end, and links; the old password is asked.
func TestChangePassword(t *testing.T) {
	onBoth(t, func(s *site) {
		ctx := s.Context()
		owner, _ := s.running()
		one := s.joins(owner, "dev@shop.example", member.Dev, "")
		two := s.keep(s.SignIn(ctx, "dev@shop.example", good, home, ""))
		link, err := s.NewLink(ctx, owner, s.as(one).Member.ID)
		s.must(err)
		_, err = s.ChangePassword(ctx, one, another, another, home)
		s.is("a wrong one", err, ErrSignIn)
		_, err = s.ChangePassword(ctx, one, good, "dev@shop.ex", home)
		s.is("a bad one", err, member.ErrPasswordNamed)
		next := s.keep(s.ChangePassword(ctx, one, good, another, home))
		for _, old := range []secret.Text{one, two} {
			if _, _, err := s.Session(ctx, old); !errors.Is(err, ErrNoSession) {
				s.Errorf("an old session: %v", err)
			}
		}
		s.as(next)
		_, err = s.SignIn(ctx, "dev@shop.example", good, home, "")
		s.is("the old password", err, ErrSignIn)
		_, err = s.LinkOf(ctx, link.Token)
		s.is("a link of before", err, ErrLink)
	})
}

// TestEnrolment: what authenticators are told.
func TestEnrolment(t *testing.T) {
	t.Parallel()
	p := &People{Issuer: "통보 pay.example.kr"}
	e := p.enrolment("you+1@example.kr", "ABCD")
	u, err := url.Parse(e.URL.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := u.Scheme+" "+u.Host+" "+u.Path, "otpauth totp /통보 pay.example.kr:you+1@example.kr"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := u.RawQuery, "algorithm=SHA1&digits=6&issuer=%ED%86%B5%EB%B3%B4%20pay.example.kr&period=30&secret=ABCD"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestStepOf holds codes against RFC 6238's, and clocks that are off.
func TestStepOf(t *testing.T) {
	t.Parallel()
	const key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" // the RFC's, "12345678901234567890"
	at := time.Unix(1111111109, 0)
	for _, x := range []struct {
		name string
		code string
		last int64
		at   time.Time
		want int64
	}{
		{"now", "081804", 0, at, 37037036},
		{"the clock is half a minute ahead", "081804", 0, at.Add(30 * time.Second), 37037036},
		{"or behind", "081804", 0, at.Add(-29 * time.Second), 37037036},
		{"a minute ahead", "081804", 0, at.Add(60 * time.Second), 0},
		{"used before", "081804", 37037036, at, 0},
		{"another", "081805", 0, at, 0},
		{"nothing", "", 0, at, 0},
	} {
		if got := stepOf(key, x.code, x.last, x.at); got != x.want {
			t.Errorf("%s: %d, want %d", x.name, got, x.want)
		}
	}
	if got := stepOf("", "081804", 0, at); got != 0 {
		t.Errorf("without a secret: %d", got)
	}
}
