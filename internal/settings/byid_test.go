package settings_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/settings"
)

// twoOf are settings with two endpoints, a and b, and two API secrets of these names.
func twoOf(t *testing.T, e settings.Env) settings.All {
	t.Helper()
	var text strings.Builder
	text.WriteString(head)
	for _, name := range []string{"a", "b"} {
		fmt.Fprintf(&text, "[[merchant.store.endpoint]]\nname = %q\nmode = \"test\"\nurl = \"https://%s.example\"\n", name, name)
		fmt.Fprintf(&text, "[[merchant.store.api_secret]]\nname = %q\nmode = \"test\"\n", name)
	}
	all, _ := declare(t, e, text.String())
	return all
}

// filled puts the ids of settings into a file: $M the merchant's, $S the store's, $A
// and $B those of endpoints, $X and $Y those of API secrets.
func filled(all settings.All, file string) string {
	return strings.NewReplacer("$M", string(all.Merchants[0].ID), "$S", string(all.Stores[0].ID), "$A", string(all.Endpoints[0].ID),
		"$B", string(all.Endpoints[1].ID), "$X", all.APISecrets[0].ID, "$Y", all.APISecrets[1].ID).Replace(file)
}

func TestThingsAreRenamedByTheirID(t *testing.T) {
	t.Parallel()
	const (
		endpoint = head + "[[merchant.store.endpoint]]\n"
		secret   = head + "[[merchant.store.api_secret]]\n"
	)
	tests := []struct{ name, file, want string }{
		{"a merchant", "[[merchant]]\nid = \"$M\"\nname = \"새 이름\"", `changed merchant "새 이름": name`},
		{"a merchant left as it is", "[[merchant]]\nid = \"$M\"", ""},
		{"a store", "[[merchant]]\nid = \"$M\"\n[[merchant.store]]\nid = \"$S\"\nname = \"본점\"", `changed store "본점": name`},
		{"an endpoint", endpoint + "id = \"$A\"\nname = \"c\"", `changed endpoint "c": name`},
		{"an endpoint with its mode", endpoint + "id = \"$A\"\nmode = \"test\"\npaused = true", `changed endpoint "a": paused`},
		{"an endpoint gone", endpoint + "id = \"$A\"\nabsent = true", `deleted endpoint "a"`},
		{"an endpoint gone long ago", endpoint + "id = \"00000000-0000-4000-8000-0000000000ff\"\nabsent = true", ""},
		{"a name that becomes free", endpoint + "id = \"$B\"\nabsent = true\n[[merchant.store.endpoint]]\nid = \"$A\"\nname = \"b\"", `deleted endpoint "b"; changed endpoint "b": name`},
		{"a new one of the old name", endpoint + "id = \"$A\"\nname = \"c\"\n[[merchant.store.endpoint]]\nname = \"a\"\nmode = \"test\"\nurl = \"https://n.example\"", `changed endpoint "c": name; created endpoint "a"`},
		{"an API secret", secret + "id = \"$X\"\nname = \"c\"", `changed api_secret "c": name`},
		{"an API secret gone", secret + "id = \"$X\"\nabsent = true", `deleted api_secret "a"`},
		{"an API secret gone long ago", secret + "id = \"nothing\"\nabsent = true", ""},
		{"a secret's name that becomes free", secret + "id = \"$Y\"\nabsent = true\n[[merchant.store.api_secret]]\nid = \"$X\"\nname = \"b\"", `deleted api_secret "b"; changed api_secret "b": name`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := newEnv()
			all := twoOf(t, e)
			file := parse(t, filled(all, tt.file))
			next, changes, err := settings.Declare(all, file, e)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range changes {
				c.ID, c.Where = "", ""
				got = append(got, c.String())
			}
			if s := strings.Join(got, "; "); s != tt.want {
				t.Errorf("changes = %s, want %s", s, tt.want)
			}
			if _, again, err := settings.Declare(next, file, e); err != nil || len(again) > 0 {
				t.Errorf("the second time: %v, %v, want no changes", again, err)
			}
		})
	}
}

func TestRenamesThatAreRefused(t *testing.T) {
	t.Parallel()
	const (
		endpoint = head + "[[merchant.store.endpoint]]\n"
		secret   = head + "[[merchant.store.api_secret]]\n"
		other    = "[[merchant]]\nname = \"다라상점\"\n[[merchant.store]]\nname = \"대표\"\n"
	)
	tests := []struct {
		name, file string
		kind       fault.Kind
		want       string
	}{
		{"neither id nor name", "[[merchant]]", fault.Invalid, "an id or a name"},
		{"an id that is none", "[[merchant]]\nid = \"m\"\nname = \"n\"", fault.Invalid, "merchant-"},
		{"a new merchant without a name", "[[merchant]]\nid = \"merchant-00000000-0000-4000-8000-0000000000ff\"", fault.Invalid, "needs a name"},
		{"another merchant's name", "[[merchant]]\nid = \"$M\"\nname = \"다라상점\"", fault.Conflict, "in use"},
		{"a merchant renamed to and fro", "[[merchant]]\nid = \"$M\"\nname = \"새\"\n[[merchant]]\nname = \"새\"", fault.Invalid, "twice"},
		{"a merchant by name and then by id", "[[merchant]]\nname = \"가나상점\"\n[[merchant]]\nid = \"$M\"\nname = \"새\"", fault.Invalid, "twice"},
		{"an endpoint of neither", endpoint + "url = \"https://c.example\"", fault.Invalid, "an id or a name"},
		{"an endpoint that is not there", endpoint + "id = \"00000000-0000-4000-8000-0000000000ff\"", fault.NotFound, "no endpoint"},
		{"an endpoint of another merchant", other + "[[merchant.store.endpoint]]\nid = \"$A\"\npaused = true", fault.NotFound, "no endpoint"},
		{"another endpoint's name", endpoint + "id = \"$A\"\nname = \"b\"", fault.Conflict, "another test endpoint"},
		{"two that change names", endpoint + "id = \"$A\"\nname = \"c\"\n[[merchant.store.endpoint]]\nid = \"$B\"\nname = \"a\"", fault.Conflict, "another test endpoint"},
		{"another mode", endpoint + "id = \"$A\"\nmode = \"live\"", fault.Invalid, "stays one"},
		{"an endpoint by name and by id", endpoint + "name = \"a\"\nmode = \"test\"\n[[merchant.store.endpoint]]\nid = \"$A\"\nname = \"c\"", fault.Invalid, "twice"},
		{"an endpoint named as one that goes", endpoint + "name = \"a\"\nmode = \"test\"\nabsent = true\n[[merchant.store.endpoint]]\nid = \"$B\"\nname = \"a\"", fault.Invalid, "twice"},
		{"an API secret of neither", secret + "mode = \"test\"", fault.Invalid, "an id or a name"},
		{"an API secret that is not there", secret + "id = \"x\"\nname = \"c\"", fault.NotFound, "no api_secret"},
		{"an API secret of another merchant", other + "[[merchant.store.api_secret]]\nid = \"$X\"\nmode = \"live\"", fault.NotFound, "no api_secret"},
		{"another API secret's name", secret + "id = \"$X\"\nname = \"b\"", fault.Conflict, "another api_secret"},
		{"two API secrets that change names", secret + "id = \"$X\"\nname = \"c\"\n[[merchant.store.api_secret]]\nid = \"$Y\"\nname = \"a\"", fault.Conflict, "another api_secret"},
		{"an API secret by name and by id", secret + "name = \"a\"\n[[merchant.store.api_secret]]\nid = \"$X\"\nname = \"c\"", fault.Invalid, "twice"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := newEnv()
			all, _, err := settings.Declare(twoOf(t, e), parse(t, other), e)
			if err != nil {
				t.Fatal(err)
			}
			_, changes, err := settings.Declare(all, parse(t, filled(all, tt.file)), e)
			if fault.KindOf(err) != tt.kind || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Declare = %v, %v, want %v and %q", changes, err, tt.kind, tt.want)
			}
		})
	}
}

func TestCredentialsExpire(t *testing.T) {
	t.Parallel()
	const secret = head + "[[merchant.store.api_secret]]\nname = \"s\"\nmode = \"test\"\n[[merchant.store.api_key]]\nkey = \"k\"\nmode = \"test\"\n"
	with := func(line string) string {
		return strings.ReplaceAll(secret, "mode = \"test\"\n", "mode = \"test\"\n"+line+"\n")
	}
	e := newEnv()
	all, _ := declare(t, e, with("expires_at = 2027-01-01T00:00:00+09:00"))
	want := time.Date(2026, 12, 31, 15, 0, 0, 0, time.UTC)
	if s, k := all.APISecrets[0].ExpiresAt, all.APIKeys[0].ExpiresAt; s != want || k != want {
		t.Fatalf("expiries = %v, %v, want %v", s, k, want)
	}
	if merchant.Expired(want, want.Add(-time.Microsecond)) || !merchant.Expired(want, want) || merchant.Expired(time.Time{}, want) {
		t.Error("a credential expires at its time, and one without a time never")
	}
	if next, changes, err := settings.Declare(all, parse(t, secret), e); err != nil || len(changes) > 0 || next.APISecrets[0].ExpiresAt != want {
		t.Errorf("left out: %v, %v, want the expiry kept", changes, err)
	}
	next, changes, err := settings.Declare(all, parse(t, with("expires_at = \"never\"")), e)
	if err != nil || len(changes) != 2 || changes[0].Fields[0] != "expires_at" || !next.APISecrets[0].ExpiresAt.IsZero() || !next.APIKeys[0].ExpiresAt.IsZero() {
		t.Errorf("never: %v, %v, want both without expiry", changes, err)
	}
	for _, line := range []string{`expires_at = "2027-01-01"`, `expires_at = 2027-01-01`, `expires_at = 2027-01-01T00:00:00`, `expires_at = 5`} {
		if _, _, err := settings.Declare(all, parse(t, with(line)), e); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "with its zone") {
			t.Errorf("%s: %v, want it refused", line, err)
		}
	}
}

// What is to be new is not made of what is there.
func TestNewThingsAreNotThere(t *testing.T) {
	t.Parallel()
	e := newEnv()
	name := "새 상점"
	in := func(s settings.StoreFile) settings.File {
		return settings.File{Merchants: []settings.MerchantFile{{Name: "가나상점", Stores: []settings.StoreFile{s}}}}
	}
	for what, f := range map[string]settings.File{
		"store":      in(settings.StoreFile{Name: &name, New: true}),
		"api_secret": in(settings.StoreFile{Name: &name, APISecrets: []settings.APISecretFile{{Name: "s", Mode: "test", New: true}}}),
		"api_key":    in(settings.StoreFile{Name: &name, APIKeys: []settings.APIKeyFile{{Key: "k", Mode: "test", New: true}}}),
	} {
		all, _, err := settings.Declare(settings.All{}, f, e)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if _, changes, err := settings.Declare(all, f, e); !fault.Is(err, fault.Conflict) {
			t.Errorf("%s that is there: %v, %v, want fault.Conflict", what, changes, err)
		}
	}
}
