package action

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

const (
	ours, theirs      = "merchant-00000000-0000-4000-8000-00000000000a", "merchant-00000000-0000-4000-8000-00000000000b"
	mainStore, ourSub = "store-00000000-0000-4000-8000-00000000000a", "store-00000000-0000-4000-8000-00000000000c"
	theirStore        = "store-00000000-0000-4000-8000-00000000000b"
	ourKey, theirKey  = "channel-key-00000000-0000-4000-8000-00000000000a", "channel-key-00000000-0000-4000-8000-00000000000b"
	twoCompanies      = `
[[merchant]]
id = "` + ours + `"
name = "우리상점"
[[merchant.store]]
id = "` + mainStore + `"
name = "대표"
[[merchant.store.channel]]
key = "` + ourKey + `"
provider = "kcp"
mode = "test"
mid = "T0000"
[[merchant.store.endpoint]]
name = "주문 서버"
mode = "test"
url = "https://shop.example/hook"
[[merchant.store]]
id = "` + ourSub + `"
name = "작은 상점"
[[merchant]]
id = "` + theirs + `"
name = "남의상점"
[[merchant.store]]
id = "` + theirStore + `"
name = "대표"
[[merchant.store.channel]]
key = "` + theirKey + `"
provider = "kcp"
mode = "test"
mid = "T0000"
`
)

// declarers are two companies on an engine, and the verbs over it.
func declarers(t *testing.T, db *storetest.Database) (*Actions, *store.Store) {
	t.Helper()
	st := db.Open(t)
	a := &Actions{Store: st, Providers: all.ByCode, Hash: func(purpose, value string) string {
		return purpose + "/" + strings.Repeat("x", len(value)) + "/" + value
	}}
	if _, err := a.Apply(t.Context(), member.By{}, file(t, twoCompanies), ""); err != nil {
		t.Fatal(err)
	}
	return a, st
}

func file(t *testing.T, text string) settings.File {
	t.Helper()
	f, err := settings.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

var person = member.By{Kind: member.Person, ID: "00000000-0000-7000-8000-000000000001", Name: "me@example.kr", Address: "203.0.113.9"}

// audited are the audit log's lines about a merchant, the oldest first.
func audited(t *testing.T, db *storetest.Database) int {
	t.Helper()
	return db.Count(t, `select count(*) from audit`)
}

func TestDeclareChangesTheCallersOwn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		a, st := declarers(t, db)
		if n := audited(t, db); n != 0 {
			t.Errorf("%d lines of what nobody did", n)
		}
		c := Caller{Merchant: ours, By: person}
		f := file(t, `[[merchant]]
			id = "`+ours+`"
			name = "새 이름"
			[[merchant.store]]
			id = "`+mainStore+`"
			[[merchant.store.endpoint]]
			name = "주문 서버"
			mode = "test"
			paused = true
			[[merchant.store.api_secret]]
			name = "server"`)
		changes, err := a.Declare(t.Context(), c, f, "이사")
		if err != nil || len(changes) != 3 || changes[2].Secret == "" {
			t.Fatalf("Declare = %v, %v, want three changes and a secret", changes, err)
		}
		all, err := st.Settings(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s := all.APISecrets[0]; s.Merchant != ours || s.Mode != merchant.Test || s.Hash != a.Hash(settings.PurposeAPISecret, changes[2].Secret.Reveal()) {
			t.Errorf("the API secret is %+v", s)
		}
		if n := audited(t, db); n != 3 {
			t.Errorf("%d lines in the audit log, want 3", n)
		}
		if changes, err := a.Declare(t.Context(), c, f, ""); err != nil || len(changes) != 0 || audited(t, db) != 3 {
			t.Errorf("the second time: %v, %v, %d lines", changes, err, audited(t, db))
		}
	})
}

func TestDeclareRefusesWhatIsNotTheCallers(t *testing.T) {
	t.Parallel()
	inOur := `[[merchant]]` + "\nid = \"" + ours + "\"\n"
	const channel = "[[merchant.store.channel]]\nkey = \"" + ourKey + "\"\n"
	tests := []struct {
		name string
		c    Caller
		file string
		want fault.Kind
	}{
		{"nobody", Caller{}, inOur, fault.Forbidden},
		{"an unknown merchant's caller", Caller{Merchant: "merchant-x"}, "[[merchant]]\nname = \"새\"", fault.Forbidden},
		{"another merchant by name", Caller{Merchant: ours}, "[[merchant]]\nname = \"남의상점\"", fault.Forbidden},
		{"another merchant by id", Caller{Merchant: ours}, "[[merchant]]\nid = \"" + theirs + "\"\nname = \"우리상점\"", fault.Forbidden},
		{"a merchant that is not there", Caller{Merchant: ours}, "[[merchant]]\nname = \"마바상점\"", fault.Forbidden},
		{"another merchant beside the own", Caller{Merchant: ours}, inOur + "[[merchant]]\nname = \"남의상점\"", fault.Forbidden},
		{"another merchant's store", Caller{Merchant: ours}, inOur + "[[merchant.store]]\nid = \"" + theirStore + "\"", fault.Conflict},
		{"another merchant's channel", Caller{Merchant: ours}, inOur + "[[merchant.store]]\nid = \"" + mainStore + "\"\n[[merchant.store.channel]]\nkey = \"" + theirKey + "\"\ndisabled = true", fault.Conflict},
		{"a channel for another merchant's store", Caller{Merchant: ours}, inOur + "[[merchant.store]]\nid = \"" + mainStore + "\"\n" + channel + "stores = [\"" + theirStore + "\"]", fault.Invalid},
		{"another store", Caller{Merchant: ours, Store: ourSub}, inOur + "[[merchant.store]]\nid = \"" + mainStore + "\"\n" + channel + "disabled = true", fault.Forbidden},
		{"another store by name", Caller{Merchant: ours, Store: ourSub}, inOur + "[[merchant.store]]\nname = \"대표\"\ntier_code = \"A\"", fault.Forbidden},
		{"a new store", Caller{Merchant: ours, Store: ourSub}, inOur + "[[merchant.store]]\nname = \"새 상점\"", fault.Forbidden},
		{"the merchant's name", Caller{Merchant: ours, Store: ourSub}, "[[merchant]]\nid = \"" + ours + "\"\nname = \"새\"", fault.Forbidden},
		{"a channel given to another store", Caller{Merchant: ours, Store: mainStore}, inOur + "[[merchant.store]]\nid = \"" + mainStore + "\"\n" + channel + "stores = [\"작은 상점\"]", fault.Forbidden},
		{"what cannot work", Caller{Merchant: ours}, inOur + "[[merchant.store]]\nid = \"" + mainStore + "\"\n" + channel + "unknown = \"drop\"", fault.Invalid},
	}
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		a, st := declarers(t, db)
		before, err := st.Settings(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range tests {
			tt.c.By = person
			changes, err := a.Declare(t.Context(), tt.c, file(t, tt.file), "")
			if err == nil || fault.KindOf(err) != tt.want || changes != nil {
				t.Errorf("%s: %v, %v, want %v", tt.name, changes, err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "남의상점") && !strings.Contains(tt.file, "남의상점") {
				t.Errorf("%s: the error names another merchant: %v", tt.name, err)
			}
		}
		if after, err := st.Settings(t.Context()); err != nil || after.Version != before.Version || audited(t, db) != 0 {
			t.Errorf("version %d after %d, %v, %d lines in the audit log", after.Version, before.Version, err, audited(t, db))
		}
	})
}

func TestDeclareOfOneStore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		a, _ := declarers(t, db)
		for _, found := range []string{"id = \"" + ourSub + "\"", "name = \"작은 상점\""} {
			changes, err := a.Declare(t.Context(), Caller{Merchant: ours, Store: ourSub, By: person}, file(t, "[[merchant]]\nname = \"우리상점\"\n[[merchant.store]]\n"+found+
				"\n[[merchant.store.api_secret]]\nname = '"+found+"'\nmode = \"test\""), "")
			if err != nil || len(changes) != 1 {
				t.Errorf("%s: %v, %v, want an API secret", found, changes, err)
			}
		}
	})
}

// racing lets others change the settings whenever they were read.
type racing struct {
	*store.Store
	between func(n int)
	n       int
}

func (r *racing) Settings(ctx context.Context) (settings.All, error) {
	all, err := r.Store.Settings(ctx)
	r.n++
	r.between(r.n)
	return all, err
}

func TestDeclareIsRepeatedOnWhatOthersChanged(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		a, st := declarers(t, db)
		rename := func(name string) {
			f := file(t, "[[merchant]]\nid = \""+theirs+"\"\nname = \""+name+"\"")
			if _, err := (&Actions{Store: st, Providers: all.ByCode, Hash: a.Hash}).Apply(t.Context(), member.By{}, f, ""); err != nil {
				t.Error(err)
			}
		}
		mine := file(t, "[[merchant]]\nid = \""+ours+"\"\nname = \"내 이름\"")
		a.Store = &racing{Store: st, between: func(n int) {
			if n < 3 {
				rename(strings.Repeat("다", n))
			}
		}}
		changes, err := a.Declare(t.Context(), Caller{Merchant: ours, By: person}, mine, "")
		if err != nil || len(changes) != 1 || audited(t, db) != 1 {
			t.Errorf("Declare = %v, %v, %d lines, want one change and one line", changes, err, audited(t, db))
		}
		names := map[string]bool{}
		now, err := st.Settings(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range now.Merchants {
			names[m.Name] = true
		}
		if !names["내 이름"] || !names["다다"] {
			t.Errorf("the merchants are %v", now.Merchants)
		}
		a.Store = &racing{Store: st, between: func(n int) { rename(strings.Repeat("라", n)) }}
		if _, err := a.Declare(t.Context(), Caller{Merchant: ours, By: person}, file(t, twoCompanies), ""); !fault.Is(err, fault.Forbidden) {
			t.Errorf("another's file = %v, want fault.Forbidden", err)
		}
		again := file(t, "[[merchant]]\nid = \""+ours+"\"\nname = \"아무 이름\"")
		if _, err := a.Declare(t.Context(), Caller{Merchant: ours, By: person}, again, ""); !fault.Is(err, fault.Unavailable) {
			t.Errorf("settings that never rest = %v, want fault.Unavailable", err)
		}
	})
}

func TestDeclareByManyAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		a, st := declarers(t, db)
		var together sync.WaitGroup
		for _, name := range []string{"a", "b", "c", "d"} {
			together.Go(func() {
				f := file(t, "[[merchant]]\nid = \""+ours+"\"\n[[merchant.store]]\nid = \""+mainStore+"\"\n[[merchant.store.api_secret]]\nname = \""+name+"\"")
				if _, err := a.Declare(t.Context(), Caller{Merchant: ours, By: person}, f, ""); err != nil {
					t.Error(err)
				}
			})
		}
		together.Wait()
		now, err := st.Settings(t.Context())
		if err != nil || len(now.APISecrets) != 4 || audited(t, db) != 4 {
			t.Errorf("%d API secrets, %v, %d lines in the audit log, want 4 of each", len(now.APISecrets), err, audited(t, db))
		}
	})
}
