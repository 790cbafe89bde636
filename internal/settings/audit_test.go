package settings_test

import (
	"fmt"
	"hash/fnv"
	"maps"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

// digest stands for the installation's keyed hash: it gives nothing of the value away.
func digest(_, value string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(value)) // never fails (hash.Hash)
	return fmt.Sprintf("%016x", h.Sum64())
}

// told is an entry in one line.
func told(e member.Entry) string {
	pairs := func(list []member.Field) string {
		out := make([]string, len(list))
		for i, f := range list {
			out[i] = f.Name + "=" + f.Text
		}
		return strings.Join(out, " ")
	}
	return strings.TrimSpace(e.Action + ": " + pairs(e.Before) + " → " + pairs(e.After))
}

func TestEntriesTellWhatDiffers(t *testing.T) {
	t.Parallel()
	edit := func(lines string) string {
		return "[[merchant]]\nname = \"가나상점\"\n[[merchant.store]]\nid = \"" + storeID + "\"\n" + lines
	}
	const channel = "[[merchant.store.channel]]\nkey = \"channel-key-00000000-0000-4000-8000-000000000001\"\n"
	const endpoint = "[[merchant.store.endpoint]]\nname = \"두번째\"\nmode = \"test\"\n"
	k1 := settings.Masked("k-one", digest)
	tests := []struct {
		name, file string
		want       []string
	}{
		{"nothing", edit(""), nil},
		{"a store's windows", edit("webhook_first_limit = \"3s\"\norigins = [\"https://Shop.example:443\"]\napp_schemes = [\"myshop\"]"),
			[]string{"store.changed: webhook_first_limit=10s origins= app_schemes= → webhook_first_limit=3s origins=https://shop.example app_schemes=myshop"}},
		{"a store", edit("tier_code = \"X\"\nwebhook_first = true"), []string{"store.changed: tier_code=ABC webhook_first=false → tier_code=X webhook_first=true"}},
		{"a pause", edit(endpoint + "paused = true"), []string{"endpoint.paused: paused=false → paused=true"}},
		{"a pause and more", edit(endpoint + "paused = true\nin_flight = 9"), []string{"endpoint.changed: in_flight=0 paused=false → in_flight=9 paused=true"}},
		{"a disabled channel", edit(channel + "disabled = true"), []string{"channel.disabled: disabled=false → disabled=true"}},
		{"senders and confirm", edit(channel + "senders = []\nconfirm = false"), []string{"channel.changed: senders=127.0.0.1/32, ::1/128 confirm=default → senders=nobody confirm=false"}},
		{"a short credential", edit(channel + "credentials = { site_key = \"k2\" }"), []string{"channel.changed: credentials.site_key=" + k1 + " → credentials.site_key=" + settings.Masked("k2", digest)}},
		{"a credential gone", edit(channel + "credentials = { site_key = \"\" }"), []string{"channel.changed: credentials.site_key=" + k1 + " →"}},
		{"a line of a list", edit("[[merchant.store.allow]]\nscope = \"api\"\ncidr = \"203.0.113.0/24\"\nabsent = true\n[[merchant.store.allow]]\nscope = \"console\"\ncidr = \"::1\""),
			[]string{"allow.created:  → scope=console cidr=::1/128", "allow.deleted: scope=api cidr=203.0.113.0/24 →"}},
		{"an expiry", edit("[[merchant.store.api_secret]]\nname = \"server\"\nexpires_at = 2027-01-01T00:00:00Z"), []string{"api_secret.changed: expires_at=never → expires_at=2027-01-01T00:00:00Z"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := newEnv()
			before, _ := declare(t, e, full)
			after, _, err := settings.Declare(before, parse(t, tt.file), e)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			by := member.By{Kind: member.CLI, Name: "root"}
			for _, x := range settings.Entries(before, after, by, "because", digest) {
				if x.By != by || x.Reason != "because" || x.Merchant != before.Merchants[0].ID || string(x.Store) != storeID || x.Object == "" {
					t.Errorf("the entry tells of %+v", x)
				}
				got = append(got, told(x))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEntriesTellOfAllThatIsMadeAndNoSecret(t *testing.T) {
	t.Parallel()
	e := newEnv()
	all, changes := declare(t, e, strings.ReplaceAll(full, `"hand made"`, `"hand made and rather long"`))
	list := settings.Entries(settings.All{}, all, member.By{Kind: member.CLI}, "", digest)
	var text strings.Builder
	for _, x := range list {
		if !strings.HasSuffix(x.Action, ".created") || len(x.Before) > 0 || x.Merchant == "" {
			t.Errorf("entry %s of merchant %q", told(x), x.Merchant)
		}
		text.WriteString(told(x) + "\n")
	}
	if want := len(all.Merchants) + len(all.Stores) + len(all.Channels) + len(all.Endpoints) + len(all.APISecrets) + len(all.APIKeys) + len(all.Allows); len(list) != want {
		t.Errorf("%d entries of %d things", len(list), want)
	}
	secrets := []secret.Text{"k-one", "hand made and rather long", "whsec_MDEyMzQ1Njc4OWFiY2RlZg==", secret.Text(all.Channels[0].Token)}
	for _, c := range changes {
		if c.Secret != "" {
			secrets = append(secrets, c.Secret)
		}
	}
	for _, s := range secrets {
		if strings.Contains(text.String(), s.Reveal()) {
			t.Errorf("the entries give away %q:\n%s", s.Reveal(), text.String())
		}
	}
}

func TestMasked(t *testing.T) {
	t.Parallel()
	for value, want := range map[secret.Text]string{
		"": "", "123456": "•••• (" + digest("", "123456")[:8] + ")",
		"0123456789abcdef": "••••cdef (" + digest("", "0123456789abcdef")[:8] + ")",
		"0123456789ab가나":   "••••나 (" + digest("", "0123456789ab가나")[:8] + ")",
	} {
		if got := settings.Masked(value, digest); got != want {
			t.Errorf("Masked = %q, want %q", got, want)
		}
	}
}

// Whatever is a setting is in the audit log when it changes, also what is added later.
func TestEveryFieldIsTold(t *testing.T) {
	t.Parallel()
	e := newEnv()
	all, _ := declare(t, e, full)
	// What never changes, is no setting, or is told by what the entry is of.
	untold := map[string]bool{
		"Merchant.ID": true, "Store.ID": true, "Store.Merchant": true, "Store.CreatedAt": true, "Channel.Key": true, "Channel.Merchant": true, "Channel.Store": true,
		"Endpoint.ID": true, "Endpoint.Merchant": true, "Endpoint.Store": true, "Endpoint.CreatedAt": true, "Allow.Store": true,
		"APISecret.ID": true, "APISecret.Merchant": true, "APISecret.Store": true, "APISecret.Generation": true,
		"APIKey.ID": true, "APIKey.Merchant": true, "APIKey.Store": true, "APIKey.Token": true,
		"Allow.Until":        true, // of a line on trial, which Trial says
		"Channel.SendersToo": true, // of a channel without Senders, which says both
	}
	lists := reflect.ValueOf(&all).Elem()
	for i := range lists.NumField() {
		if lists.Field(i).Kind() != reflect.Slice {
			continue
		}
		each := reflect.New(lists.Field(i).Type().Elem()).Elem()
		each.Set(lists.Field(i).Index(0))
		for name, field := range fieldsOf(each) {
			if untold[each.Type().Name()+"."+name] {
				continue
			}
			was := reflect.New(field.Type()).Elem()
			was.Set(field)
			another(t, field)
			before, after := settings.All{Stores: all.Stores}, settings.All{Stores: all.Stores}
			put(&after, i, each)
			field.Set(was)
			put(&before, i, each)
			if got := settings.Entries(before, after, member.By{Kind: member.CLI}, "", digest); len(got) == 0 {
				t.Errorf("a change of %s.%s is not in the audit log", each.Type().Name(), name)
			}
		}
	}
}

// fieldsOf are the fields of a struct, and those of what it embeds.
func fieldsOf(v reflect.Value) map[string]reflect.Value {
	out := map[string]reflect.Value{}
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.Anonymous {
			maps.Copy(out, fieldsOf(v.Field(i)))
		} else {
			out[f.Name] = v.Field(i)
		}
	}
	return out
}

// put makes a list of settings hold one thing.
func put(all *settings.All, list int, thing reflect.Value) {
	f := reflect.ValueOf(all).Elem().Field(list)
	f.Set(reflect.Append(reflect.Zero(f.Type()), thing))
}

// another gives a field another value.
func another(t *testing.T, f reflect.Value) {
	t.Helper()
	switch v := f.Addr().Interface().(type) {
	case *time.Time:
		*v = start.Add(time.Hour)
	case *netip.Prefix:
		*v = netip.MustParsePrefix("192.0.2.0/24")
	case *[]netip.Prefix:
		*v = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	case **[]netip.Prefix:
		*v = &[]netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	case *merchant.Credentials:
		*v = merchant.Credentials{"another": "value"}
	case *[]webhook.Header:
		*v = []webhook.Header{{Name: "another", Value: "value"}}
	default:
		switch f.Kind() {
		case reflect.String:
			f.SetString("another value than before")
		case reflect.Bool:
			f.SetBool(!f.Bool())
		case reflect.Int, reflect.Int64:
			f.SetInt(f.Int() + 1)
		case reflect.Slice:
			f.Set(reflect.Append(reflect.Zero(f.Type()), reflect.ValueOf("another").Convert(f.Type().Elem())))
		case reflect.Pointer:
			f.Set(reflect.New(f.Type().Elem()))
		default:
			t.Fatalf("the test knows no other value of a %s", f.Type())
		}
	}
}
