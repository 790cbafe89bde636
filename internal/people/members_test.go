package people

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// errConflict and others stand for errors of a kind.
var errConflict, errForbidden, errNotFound, errInvalid = errors.New("conflict"), errors.New("forbidden"), errors.New("not found"), errors.New("invalid")

// kindOf is an error in terms of its kind.
func kindOf(_ any, err error) error {
	switch fault.KindOf(err) { //nolint:exhaustive // the others stay as they are
	case fault.Conflict:
		return errConflict
	case fault.Forbidden:
		return errForbidden
	case fault.NotFound:
		return errNotFound
	case fault.Invalid:
		return errInvalid
	}
	return err
}

// dump is all of a table as text.
func dump(t *testing.T, db *storetest.Database, table string) string {
	t.Helper()
	rows, err := db.Raw.QueryContext(t.Context(), `select * from `+table)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for rows.Next() {
		cells := make([]sql.RawBytes, len(columns))
		dest := make([]any, len(columns))
		for i := range cells {
			dest[i] = &cells[i]
		}
		if err := rows.Scan(dest...); err != nil {
			t.Fatal(err)
		}
		for _, c := range cells {
			fmt.Fprintf(&out, "%s\n", c)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestRoleCountsAtOnce: who loses a right, or the whole, does nothing more with a
// session that is under way; who gains one signs in anew.
func TestRoleCountsAtOnce(t *testing.T) {
	onBoth(t, func(s *site) {
		ctx := s.Context()
		owner, _ := s.running()
		token := s.joins(owner, "m@shop.example", member.Manager, "")
		id := s.as(token).Member.ID
		s.must(s.ChangeRole(ctx, owner, id, member.ReadOnly, ""))
		if m := s.as(token); m.May(member.Pay) || !m.May(member.See) {
			s.Errorf("a manager that reads alone is %+v", m.Member)
		}
		s.must(s.ChangeRole(ctx, owner, id, member.Dev, ""))
		if _, _, err := s.Session(ctx, token); !errors.Is(err, ErrNoSession) {
			s.Errorf("a session from before it gained a right: %v", err)
		}
		token = s.keep(s.SignIn(ctx, "m@shop.example", good, home, ""))
		link, err := s.NewLink(ctx, owner, id)
		s.must(err)
		s.must(s.SetDisabled(ctx, owner, id, true))
		if _, _, err := s.Session(ctx, token); !errors.Is(err, ErrNoSession) {
			s.Errorf("a disabled member's session: %v", err)
		}
		_, err = s.SignIn(ctx, "m@shop.example", good, home, "")
		s.is("a disabled member", err, ErrSignIn)
		_, err = s.LinkOf(ctx, link.Token)
		s.is("its link", err, ErrLink)
		s.is("another link", kindOf(s.NewLink(ctx, owner, id)), errConflict)
		s.must(s.SetDisabled(ctx, owner, id, false))
		s.as(s.keep(s.SignIn(ctx, "m@shop.example", good, home, "")))
		want := "merchant.made installation.set_up second_factor_set invited joined role_changed role_changed signed_in link_made disabled sign_in_failed enabled signed_in"
		if got := s.told(); got != want {
			s.Errorf("the log has %s, want %s", got, want)
		}
	})
}

// TestWhoMayChangeWhom goes through the roles: admins and owners change others, only
// owners owners, and nobody those of another merchant.
func TestWhoMayChangeWhom(t *testing.T) {
	onBoth(t, func(s *site) {
		ctx := s.Context()
		owner, _ := s.running()
		actors := map[member.Role]Acting{member.Owner: owner}
		for _, r := range member.Roles()[1:] {
			token := s.joins(owner, string(r)+"@shop.example", r, "")
			if r == member.Admin {
				token, _, _ = s.enrol(token)
			}
			actors[r] = s.as(token)
		}
		target := map[member.Role]member.ID{}
		for _, r := range member.Roles() {
			link, err := s.Invite(ctx, owner, Invitation{Email: "target." + string(r) + "@shop.example", Name: "과녁", Role: r})
			s.must(err)
			target[r] = link.Member.ID
		}
		theirs, err := s.CreateOwner(ctx, owner, "남의 상점", "theirs@other.example", "남")
		s.must(err)
		for _, r := range member.Roles() {
			for _, of := range member.Roles() {
				var want error
				if !r.MayGrant(of) {
					want = errForbidden
				}
				a, name := actors[r], fmt.Sprintf("%s changes %s", r, of)
				s.is(name+"'s role", kindOf(nil, s.ChangeRole(ctx, a, target[of], of, "")), want)
				s.is(name+": disabled", kindOf(nil, s.SetDisabled(ctx, a, target[of], true)), want)
				s.is(name+": enabled", kindOf(nil, s.SetDisabled(ctx, a, target[of], false)), want)
				s.is(name+"'s link", kindOf(s.NewLink(ctx, a, target[of])), want)
				_, err := s.Invite(ctx, a, Invitation{Email: fmt.Sprintf("%s.%s@shop.example", r, of), Name: "새", Role: of})
				s.is(name+": invited", kindOf(nil, err), want)
			}
			other := kindOf(nil, s.SetDisabled(ctx, actors[r], theirs.Member.ID, true))
			s.is(string(r)+" changes another merchant's", other, errNotFound)
		}
		s.is("an admin makes an owner of somebody", kindOf(nil, s.ChangeRole(ctx, actors[member.Admin], target[member.Dev], member.Owner, "")), errForbidden)
		s.is("an admin makes another merchant", kindOf(s.CreateOwner(ctx, actors[member.Admin], "또 다른", "x@y.kr", "x")), errForbidden)

		// What was true when the page was asked for is true no more.
		admin := actors[member.Admin]
		s.must(s.ChangeRole(ctx, owner, admin.Member.ID, member.Dev, ""))
		s.is("an admin who is none any more", kindOf(nil, s.SetDisabled(ctx, admin, target[member.Dev], true)), errForbidden)
	})
}

// TestLastOwner: a merchant is never without one who can sign in.
func TestLastOwner(t *testing.T) {
	onBoth(t, func(s *site) {
		ctx := s.Context()
		owner, _ := s.running()
		me := owner.Member.ID
		link, err := s.Invite(ctx, owner, Invitation{Email: "second@shop.example", Name: "둘째", Role: member.Owner})
		s.must(err)
		s.is("demoted, while another is invited", s.ChangeRole(ctx, owner, me, member.Admin, ""), ErrLastOwner)
		s.is("disabled", s.SetDisabled(ctx, owner, me, true), ErrLastOwner)
		token, _, _ := s.enrol(s.keep(s.TakeLink(ctx, link.Token, "", good, home)))
		second := s.as(token)

		// Two who demote each other at once do not both succeed.
		done := make(chan error)
		go func() { done <- s.ChangeRole(ctx, owner, second.Member.ID, member.Admin, "") }()
		go func() { done <- s.ChangeRole(ctx, second, me, member.Admin, "") }()
		a, b := <-done, <-done
		if (a == nil) == (b == nil) {
			s.Errorf("both: %v, %v", a, b)
		}
		all, err := s.store.Members(ctx, owner.Merchant)
		s.must(err)
		owners := 0
		for _, m := range all {
			if m.May(member.Own) {
				owners++
			}
		}
		if owners != 1 {
			s.Errorf("%d owners", owners)
		}
	})
}

// TestLinks: a link counts once, for three days, and not when another was made.
func TestLinks(t *testing.T) {
	onBoth(t, func(s *site) {
		ctx := s.Context()
		owner, _ := s.running()
		link, err := s.Invite(ctx, owner, Invitation{Email: "New@Shop.example", Name: "새", Role: member.Dev})
		s.must(err)
		_, err = s.SignIn(ctx, "new@shop.example", "", home, "")
		s.is("before a password was chosen", err, ErrSignIn)
		again, err := s.NewLink(ctx, owner, link.Member.ID)
		s.must(err)
		_, err = s.TakeLink(ctx, link.Token, "", good, home)
		s.is("the link before", err, ErrLink)
		_, err = s.TakeLink(ctx, "", "", good, home)
		s.is("no link", err, ErrLink)
		_, err = s.TakeLink(ctx, again.Token, "", "short", home)
		s.is("a bad password", err, member.ErrPasswordShort)
		m, err := s.LinkOf(ctx, again.Token)
		s.must(err)
		if m.Email != "new@shop.example" || !m.Invited {
			s.Errorf("the link is for %+v", m)
		}
		dev := s.as(s.keep(s.TakeLink(ctx, again.Token, "다른 이름", good, home)))
		if dev.Name != "다른 이름" || dev.Invited {
			s.Errorf("who joined is %+v", dev.Member)
		}
		_, err = s.TakeLink(ctx, again.Token, "", another, home)
		s.is("the link again", err, ErrLink)
		s.is("the address again", kindOf(s.Invite(ctx, owner, Invitation{Email: "new@shop.example", Name: "새", Role: member.Dev})), errConflict)

		one := s.keep(s.SignIn(ctx, "new@shop.example", good, home, ""))
		_, _, _ = s.enrol(one)
		reset, err := s.NewLink(ctx, owner, dev.Member.ID)
		s.must(err)
		s.keep(s.TakeLink(ctx, reset.Token, "", another, home))
		s.as(s.keep(s.SignIn(ctx, "new@shop.example", another, home, ""))) // without a code
	})
	inBubbleSub(t, "its end", func(s *site) {
		owner, _ := s.running()
		link, err := s.Invite(s.Context(), owner, Invitation{Email: "new@shop.example", Name: "새", Role: member.Dev})
		s.must(err)
		time.Sleep(LinkFor - time.Second)
		_, err = s.LinkOf(s.Context(), link.Token)
		s.must(err)
		time.Sleep(time.Second)
		_, err = s.TakeLink(s.Context(), link.Token, "", good, home)
		s.is("after three days", err, ErrLink)
	})
}

// TestLimitedToAStore: only some roles, and to stores of the merchant.
func TestLimitedToAStore(t *testing.T) {
	onBoth(t, func(s *site) {
		ctx := s.Context()
		owner, _ := s.running()
		s.addStore("store-mine", owner.Merchant)
		s.addStore("store-theirs", storetest.Merchant)
		invite := func(r member.Role, at string) error {
			_, err := s.Invite(ctx, owner, Invitation{Email: string(r) + "@shop.example", Name: "새", Role: r, Store: merchantStore(at)})
			return kindOf(nil, err)
		}
		s.is("an admin of a store", invite(member.Admin, "store-mine"), errInvalid)
		s.is("a store of others", invite(member.Dev, "store-theirs"), errInvalid)
		s.is("no store", invite(member.Dev, "x"), errInvalid)
		s.is("no role", invite("boss", ""), errInvalid)
		s.is("a developer of a store", invite(member.Dev, "store-mine"), nil)
		list, err := s.store.Members(ctx, owner.Merchant)
		s.must(err)
		dev := list[1]
		if !dev.Invited || dev.Store != "store-mine" || dev.May(member.See) {
			s.Errorf("the developer is %+v", dev)
		}
		s.is("an admin of it", kindOf(nil, s.ChangeRole(ctx, owner, dev.ID, member.Admin, "store-mine")), errInvalid)
	})
}

// TestOwnerLink is what the command line does: it makes the first member, who
// operates, and lets in who lost what it signs in by.
func TestOwnerLink(t *testing.T) {
	onBoth(t, func(s *site) {
		ctx := s.Context()
		root := member.By{Kind: member.CLI, Name: "root"}
		link, err := s.OwnerLink(ctx, root, "You@example.kr", "")
		s.must(err)
		if m := link.Member; m.Merchant != storetest.Merchant || !m.Operator || m.Role != member.Owner {
			s.Errorf("the first is %+v", m)
		}
		token, _, _ := s.enrol(s.keep(s.TakeLink(ctx, link.Token, "", good, home)))
		dev := s.as(s.joins(s.as(token), "dev@example.kr", member.Dev, ""))
		s.must(s.SetDisabled(ctx, s.as(token), dev.Member.ID, true))

		link, err = s.OwnerLink(ctx, root, "you@example.kr", "")
		s.must(err)
		s.as(token) // nothing happens before the link is taken
		token = s.keep(s.TakeLink(ctx, link.Token, "", another, home))
		_, _, err = s.Session(ctx, token)
		s.is("without the second factor", err, ErrEnrol)

		link, err = s.OwnerLink(ctx, root, "dev@example.kr", "")
		s.must(err)
		if m := link.Member; m.Role != member.Owner || m.Disabled || m.Operator {
			s.Errorf("who is there is %+v", m)
		}
		link, err = s.OwnerLink(ctx, root, "third@example.kr", "또 다른 상점")
		s.must(err)
		if m := link.Member; m.Merchant == storetest.Merchant || m.Operator {
			s.Errorf("another merchant's is %+v", m)
		}
		s.is("which merchant", kindOf(s.OwnerLink(ctx, root, "fourth@example.kr", "")), errInvalid)
		s.is("of another merchant", kindOf(s.OwnerLink(ctx, root, "dev@example.kr", "또 다른 상점")), errConflict)
		s.is("no address", kindOf(s.OwnerLink(ctx, root, "x", "")), errInvalid)
		list, err := s.store.AuditLog(ctx, store.AuditQuery{Action: "member.link_made"})
		s.must(err)
		if len(list) != 2 || list[0].By != root {
			s.Errorf("the log has %+v", list)
		}
	})
}

// TestPrefer: how somebody likes the console is its own.
func TestPrefer(t *testing.T) {
	onBoth(t, func(s *site) {
		ctx := s.Context()
		owner, token := s.running()
		want := Preferences{Name: "이 주인", Lang: "en", Zone: "UTC", Theme: "dark"}
		s.must(s.Prefer(ctx, owner, want))
		m := s.as(token).Member
		if got := (Preferences{m.Name, m.Lang, m.Zone, m.Theme, m.Shortcuts}); got != want {
			s.Errorf("%+v, want %+v", got, want)
		}
		for _, x := range []Preferences{{Name: "", Lang: "ko"}, {Name: "a", Lang: "fr"}, {Name: "a", Zone: "GMT"}, {Name: "a", Theme: "pink"}} {
			s.is(fmt.Sprint(x), kindOf(nil, s.Prefer(ctx, owner, x)), errInvalid)
		}
	})
}

// TestStoreAway: who cannot be found out is not let in, and not told that the
// password is wrong.
func TestStoreAway(t *testing.T) {
	onBoth(t, func(s *site) {
		_, token := s.running()
		ctx, cancel := context.WithCancel(s.Context())
		cancel()
		if _, _, err := s.Session(ctx, token); err == nil || fault.Is(err, fault.Unauthorized) {
			s.Errorf("session: %v", err)
		}
		if _, err := s.SignIn(ctx, "owner@shop.example", good, home, ""); err == nil || fault.Is(err, fault.Unauthorized) {
			s.Errorf("sign-in: %v", err)
		}
		if _, err := s.LinkOf(ctx, secret.Text("x")); err == nil || errors.Is(err, ErrLink) {
			s.Errorf("link: %v", err)
		}
	})
}
