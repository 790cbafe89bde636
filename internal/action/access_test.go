package action

import (
	"context"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// listed is a store's list as it is stored: "+" before what comes on trial, "-" before
// what goes.
func listed(t *testing.T, st *store.Store, s merchant.StoreID) string {
	t.Helper()
	now, err := st.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, w := range now.Allows {
		if w.Store == s {
			out = append(out, map[merchant.Trial]string{"": "", merchant.Coming: "+", merchant.Going: "-"}[w.Trial]+w.CIDR.String())
		}
	}
	return strings.Join(out, " ")
}

func from(address string) Caller {
	by := person
	by.Address = address
	return Caller{Merchant: ours, By: by}
}

func console(s merchant.StoreID, add ...string) AccessEdit {
	return AccessEdit{Store: s, Scope: merchant.AllowConsole, Add: add}
}

const office, cafe = "203.0.113.9", "198.51.100.7"

func TestEditAccess(t *testing.T) {
	t.Parallel()
	steps := []struct {
		name string
		c    Caller
		do   AccessEdit
		held bool // for a while, and not for good
		list string
	}{
		{"the own address", from(office), console(mainStore, office), false, "203.0.113.9/32"},
		{"another besides", from(office), console(mainStore, "198.51.100.0/24"), false, "198.51.100.0/24 203.0.113.9/32"},
		{"without the own", from(office), AccessEdit{Store: mainStore, Scope: merchant.AllowConsole, Remove: []string{office}, Anyway: true}, true, "198.51.100.0/24 -203.0.113.9/32"},
	}
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		a, st := declarers(t, db)
		for _, s := range steps {
			until, err := a.EditAccess(t.Context(), s.c, s.do, "")
			if left := time.Until(until); err != nil || s.held != !until.IsZero() || s.held && (left > AccessTrial || left < AccessTrial-time.Minute) {
				t.Errorf("%s: %v, %v, want it on trial %v", s.name, until, err, s.held)
			}
			if got := listed(t, st, mainStore); got != s.list {
				t.Errorf("%s: the list is %q, want %q", s.name, got, s.list)
			}
		}
		if _, err := a.EditAccess(t.Context(), from(cafe), console(mainStore, "192.0.2.1"), ""); !fault.Is(err, fault.Conflict) {
			t.Errorf("a second change meanwhile = %v, want ErrOnTrial", err)
		}
		if err := a.ConfirmAccess(t.Context(), from(office), mainStore, merchant.AllowConsole); !fault.Is(err, fault.Forbidden) {
			t.Errorf("confirmed from outside = %v, want fault.Forbidden", err)
		}
		if err := a.ConfirmAccess(t.Context(), from(cafe), mainStore, merchant.AllowConsole); err != nil {
			t.Errorf("confirmed from inside = %v", err)
		}
		if got := listed(t, st, mainStore); got != "198.51.100.0/24" {
			t.Errorf("confirmed, the list is %q", got)
		}
		for _, end := range []func(context.Context, Caller, merchant.StoreID, merchant.AllowScope) error{a.ConfirmAccess, a.UndoAccess} {
			if err := end(t.Context(), from(cafe), mainStore, merchant.AllowConsole); !fault.Is(err, fault.Conflict) {
				t.Errorf("nothing on trial = %v, want ErrNoTrial", err)
			}
		}
		if n := db.Count(t, `select count(*) from audit where kind = 'allow'`); n != 4 {
			t.Errorf("%d lines in the audit log, want 4", n)
		}
	})
}

func TestUndoAccess(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		a, st := declarers(t, db)
		if _, err := a.EditAccess(t.Context(), from(office), console(mainStore, office), ""); err != nil {
			t.Fatal(err)
		}
		swap := AccessEdit{Store: mainStore, Scope: merchant.AllowConsole, Add: []string{"192.0.2.1"}, Remove: []string{office}, Anyway: true}
		if until, err := a.EditAccess(t.Context(), from(office), swap, ""); err != nil || until.IsZero() || listed(t, st, mainStore) != "+192.0.2.1/32 -203.0.113.9/32" {
			t.Errorf("swapped: %v, %v, %s", until, err, listed(t, st, mainStore))
		}
		if err := a.UndoAccess(t.Context(), from(office), mainStore, merchant.AllowConsole); err != nil || listed(t, st, mainStore) != "203.0.113.9/32" {
			t.Errorf("undone: %v, %s", err, listed(t, st, mainStore))
		}
		if _, err := a.EditAccess(t.Context(), from(cafe), AccessEdit{Store: mainStore, Scope: merchant.AllowConsole, Add: []string{"192.0.2.2"}, Anyway: true}, ""); err != nil {
			t.Error(err)
		}
		if err := a.ConfirmAccess(t.Context(), from(office), mainStore, merchant.AllowConsole); err != nil {
			t.Error(err)
		}
		list, err := st.AuditLog(t.Context(), store.AuditQuery{Action: "allow."})
		if err != nil {
			t.Fatal(err)
		}
		var done []string
		for _, e := range list {
			done = append(done, strings.TrimPrefix(e.Action, "allow.")+" "+strings.TrimPrefix(e.Object, "console "))
		}
		slices.Sort(done)
		if got, want := strings.Join(done, ", "), "changed 203.0.113.9/32, confirmed 192.0.2.2/32, created 192.0.2.1/32, created 192.0.2.2/32, "+
			"created 203.0.113.9/32, deleted 192.0.2.1/32, undone 203.0.113.9/32"; got != want {
			t.Errorf("the audit log has %s, want %s", got, want)
		}
	})
}

// What shuts nobody out of the console is not on trial.
func TestAccessThatIsNotOnTrial(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		a, st := declarers(t, db)
		operator := from("")
		operator.By = member.By{Kind: member.CLI, Name: "root"}
		limited := from(cafe)
		limited.Store = ourSub
		for _, s := range []struct {
			name string
			c    Caller
			do   AccessEdit
		}{
			{"the API's list", from(cafe), AccessEdit{Store: mainStore, Scope: merchant.AllowAPI, Add: []string{office}}},
			{"a sub-store's, by who is not limited to it", from(cafe), console(ourSub, "203.0.113.0/24")},
			{"by who has the machine", operator, console(mainStore, "203.0.113.0/24")},
			{"by who is on the store's own list", limited, console(ourSub, cafe)},
		} {
			if until, err := a.EditAccess(t.Context(), s.c, s.do, ""); err != nil || !until.IsZero() {
				t.Errorf("%s: until %v, %v, want it for good", s.name, until, err)
			}
		}
		if until, err := a.EditAccess(t.Context(), limited, AccessEdit{Store: ourSub, Scope: merchant.AllowConsole, Remove: []string{cafe}, Anyway: true}, ""); err != nil || until.IsZero() {
			t.Errorf("a limited member shut out: until %v, %v, want it on trial", until, err)
		}
		if got := listed(t, st, ourSub); got != "-198.51.100.7/32 203.0.113.0/24" {
			t.Errorf("the sub-store's list is %q", got)
		}
	})
}

func TestEditAccessRefuses(t *testing.T) {
	t.Parallel()
	typed := func(block, again string) AccessEdit {
		e := console(mainStore, block)
		e.Typed = again
		return e
	}
	limited := from(office)
	limited.Store = ourSub
	tests := []struct {
		name string
		c    Caller
		do   AccessEdit
		want fault.Kind
	}{
		{"no block", from(office), console(mainStore, "shop.example"), fault.Invalid},
		{"host bits", from(office), console(mainStore, "203.0.113.9/24"), fault.Invalid},
		{"a wide block", from(office), console(mainStore, "0.0.0.0/0"), fault.Invalid},
		{"a wide block typed wrong", from(office), typed("203.0.0.0/15", "203.0.0.0/16"), fault.Invalid},
		{"one more wide block", from(office), AccessEdit{Store: mainStore, Scope: merchant.AllowAPI, Add: []string{"2001::/20", "2001::/16"}, Typed: "2001::/20"}, fault.Invalid},
		{"one line added and removed", from(office), AccessEdit{Store: mainStore, Scope: merchant.AllowConsole, Add: []string{office}, Remove: []string{office + "/32"}}, fault.Invalid},
		{"what shuts out the caller", from(office), console(mainStore, "192.0.2.1"), fault.Conflict},
		{"no scope", from(office), AccessEdit{Store: mainStore, Scope: "ssh", Add: []string{office}}, fault.Invalid},
		{"another merchant's store", from(office), console(theirStore, office), fault.NotFound},
		{"no store", from(office), console("store-00000000-0000-4000-8000-0000000000ff", office), fault.NotFound},
		{"a store that the caller is not limited to", limited, console(mainStore, office), fault.NotFound},
	}
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		a, st := declarers(t, db)
		for _, tt := range tests {
			if until, err := a.EditAccess(t.Context(), tt.c, tt.do, ""); err == nil || fault.KindOf(err) != tt.want || !until.IsZero() {
				t.Errorf("%s: %v, %v, want %v", tt.name, until, err, tt.want)
			}
		}
		if got := listed(t, st, mainStore) + listed(t, st, theirStore); got != "" {
			t.Errorf("the lists are %q", got)
		}
		for _, end := range []func(context.Context, Caller, merchant.StoreID, merchant.AllowScope) error{a.ConfirmAccess, a.UndoAccess} {
			if err := end(t.Context(), from(office), theirStore, merchant.AllowConsole); !fault.Is(err, fault.NotFound) {
				t.Errorf("another merchant's list = %v, want fault.NotFound", err)
			}
		}
		if _, err := a.EditAccess(t.Context(), from(office), typed("203.0.0.0/15", "203.0.0.0/15"), ""); err != nil {
			t.Errorf("a wide block typed again = %v", err)
		}
	})
}

// trialSite is a database on which two nodes clear away what undoes itself.
type trialSite struct {
	*testing.T
	*Actions
	file string
	key  *seal.Key
	st   *store.Store
	stop func()
}

// open opens the database and runs a node on it.
func (s *trialSite) open() {
	s.Helper()
	st, err := store.Open(s.Context(), "sqlite:"+s.file, store.Options{Key: s.key})
	if err != nil {
		s.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.Context())
	tr := &Trials{Store: st, Hash: s.key.Hash}
	st.OnSettings(tr.Wake)
	over := make(chan error, 1)
	go func() { over <- tr.Run(ctx) }()
	s.st, s.Actions = st, &Actions{Store: st, Providers: all.ByCode, Hash: s.key.Hash}
	s.stop = func() {
		cancel()
		if err := <-over; err != nil {
			s.Error(err)
		}
		if err := st.Close(); err != nil {
			s.Error(err)
		}
	}
}

// may says whether an address may open the console now.
func (s *trialSite) may(address string) settings.Admission {
	s.Helper()
	now, err := s.st.Settings(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	return now.OpensConsole(ours, "", netip.MustParseAddr(address), time.Now())
}

// onTrial runs a test in a bubble on a database whose console opens to the office,
// from where the list was just changed so that it opens to the café alone.
func onTrial(t *testing.T, test func(*trialSite)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key, err := seal.New()
		if err != nil {
			t.Fatal(err)
		}
		s := &trialSite{T: t, file: filepath.Join(t.TempDir(), "t.db"), key: key}
		s.open()
		if _, err := s.Apply(t.Context(), member.By{}, file(t, twoCompanies), ""); err != nil {
			t.Fatal(err)
		}
		if _, err := s.EditAccess(t.Context(), from(office), console(mainStore, office), ""); err != nil {
			t.Fatal(err)
		}
		until, err := s.EditAccess(t.Context(), from(office), AccessEdit{Store: mainStore, Scope: merchant.AllowConsole, Add: []string{cafe}, Remove: []string{office}, Anyway: true}, "")
		if err != nil || !until.Equal(time.Now().Add(2*time.Minute)) {
			t.Fatalf("on trial until %v, %v", until, err)
		}
		if got := s.may(office); got.OK || !got.Until.Equal(until) || !s.may(cafe).OK {
			t.Fatalf("on trial the office may %+v, the café %+v", got, s.may(cafe))
		}
		test(s)
		s.stop()
	})
}

func TestAccessUndoesItself(t *testing.T) {
	onTrial(t, func(s *trialSite) {
		time.Sleep(AccessTrial - time.Second)
		if s.may(office).OK {
			s.Error("it was undone early")
		}
		time.Sleep(time.Second)
		if !s.may(office).OK || s.may(cafe).OK {
			s.Error("it was not undone")
		}
		synctest.Wait()
		if got := listed(s.T, s.st, mainStore); got != "203.0.113.9/32" {
			s.Errorf("the list is %q", got)
		}
	})
}

func TestAccessUndoesItselfWhileNobodyServes(t *testing.T) {
	onTrial(t, func(s *trialSite) {
		time.Sleep(time.Minute)
		s.stop()
		s.open()
		if got := listed(s.T, s.st, mainStore); got != "+198.51.100.7/32 -203.0.113.9/32" || s.may(office).OK {
			s.Errorf("after a restart the list is %q", got)
		}
		s.stop()
		time.Sleep(time.Hour)
		s.open()
		if !s.may(office).OK || s.may(cafe).OK { // whether or not it was cleared away yet
			s.Error("it was not undone meanwhile")
		}
		synctest.Wait()
		if got := listed(s.T, s.st, mainStore); got != "203.0.113.9/32" {
			s.Errorf("the list is %q", got)
		}
	})
}

func TestAccessThatIsConfirmedStays(t *testing.T) {
	onTrial(t, func(s *trialSite) {
		time.Sleep(AccessTrial - time.Second)
		if err := s.ConfirmAccess(s.Context(), from(cafe), mainStore, merchant.AllowConsole); err != nil {
			s.Error(err)
		}
		time.Sleep(time.Hour)
		if got := listed(s.T, s.st, mainStore); got != "198.51.100.7/32" || s.may(office).OK {
			s.Errorf("the list is %q", got)
		}
	})
}

// A change that comes after the trial, before anybody cleared it away, is made of what
// it has become.
func TestAccessChangedAfterATrial(t *testing.T) {
	onTrial(t, func(s *trialSite) {
		s.stop()
		st, err := store.Open(s.Context(), "sqlite:"+s.file, store.Options{Key: s.key})
		if err != nil {
			s.Fatal(err)
		}
		s.st, s.Store = st, st
		s.stop = func() { _ = st.Close() }
		time.Sleep(AccessTrial)
		if err := s.ConfirmAccess(s.Context(), from(cafe), mainStore, merchant.AllowConsole); !fault.Is(err, fault.Conflict) {
			s.Errorf("confirmed too late = %v, want ErrNoTrial", err)
		}
		if until, err := s.EditAccess(s.Context(), from(office), console(mainStore, "192.0.2.1"), ""); err != nil || !until.IsZero() {
			s.Errorf("a change afterwards: until %v, %v", until, err)
		}
		if got := listed(s.T, s.st, mainStore); got != "192.0.2.1/32 203.0.113.9/32" {
			s.Errorf("the list is %q", got)
		}
	})
}

// Several nodes undo it once.
func TestAccessIsUndoneByManyNodes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		a, st := declarers(t, db)
		hash := a.Hash
		now, err := st.Settings(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		now.Allows = append(now.Allows, merchant.Allow{Store: mainStore, Scope: merchant.AllowConsole, CIDR: netip.MustParsePrefix("192.0.2.0/24"),
			Trial: merchant.Coming, Until: time.Now().UTC().Add(-time.Second).Truncate(time.Microsecond)})
		if err := st.SaveSettings(t.Context(), now, time.Now()); err != nil {
			t.Fatal(err)
		}
		over := make(chan error, 3)
		for range cap(over) {
			node := db.Open(t)
			go func() {
				_, err := settle(t.Context(), node, hash)
				over <- err
			}()
		}
		for range cap(over) {
			if err := <-over; err != nil {
				t.Error(err)
			}
		}
		if got, n := listed(t, st, mainStore), db.Count(t, `select count(*) from audit where action = 'allow.undone' and by_kind = 'system'`); got != "" || n != 1 {
			t.Errorf("the list is %q, %d lines in the audit log, want one", got, n)
		}
	})
}
