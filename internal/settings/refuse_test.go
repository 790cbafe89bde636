package settings_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/settings"
)

func comparePrefixes() cmp.Option {
	return cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })
}

const (
	inChannel  = head + "[[merchant.store.channel]]\nname = \"c\"\nprovider = \"open\"\nmode = \"test\"\nmid = \"T\"\n"
	inEndpoint = inChannel + "[[merchant.store.endpoint]]\nname = \"e\"\nmode = \"test\"\nurl = \"https://a.example\"\n"
	inAllow    = head + "[[merchant.store.allow]]\nscope = \"api\"\n"
)

// TestDeclareRefuses is long: it is one table, a row for each mistake.
func TestDeclareRefuses(t *testing.T) {
	t.Parallel()
	const place = `merchant "가나상점" › store "대표"`
	other := "[[merchant]]\nname = \"다른\"\n[[merchant.store]]\nname = \"s\"\n"
	tests := []struct {
		name, file string
		kind       fault.Kind
		want       []string
	}{
		{"a merchant without name", "[[merchant]]", fault.Invalid, []string{"an id or a name"}},
		{"a merchant absent", "[[merchant]]\nname = \"가나상점\"\nabsent = true", fault.Invalid, []string{"never deleted"}},
		{"a store absent", head + "absent = true", fault.Invalid, []string{place, "never deleted"}},
		{"a store without name", "[[merchant]]\nname = \"m\"\n[[merchant.store]]\ntier_code = \"A\"", fault.Invalid, []string{"id or a name"}},
		{"a store id that is none", head + "id = \"store-1\"", fault.Invalid, []string{place, "UUID"}},
		{"a store id of another merchant", full + other + "id = \"" + storeID + "\"", fault.Conflict, []string{"in use"}},
		{"two stores of one name", head + "[[merchant.store]]\nname = \"대표\"\nid = \"" + storeID + "\"", fault.Conflict, []string{"of this name"}},
		{"two tier codes", head + "tier_code = \"A\"\n[[merchant.store]]\nname = \"b\"\ntier_code = \"A\"", fault.Conflict, []string{"tier_code"}},
		{"two representatives", head + "representative = true\n[[merchant.store]]\nname = \"b\"\nrepresentative = true", fault.Invalid, []string{"both representative"}},
		{"no representative", head + "representative = false", fault.Invalid, []string{"no store is representative"}},
		{"a store twice", head + "[[merchant.store]]\nname = \"대표\"", fault.Invalid, []string{"twice"}},
		{"an unknown provider", strings.Replace(inChannel, `"open"`, `"paypal"`, 1), fault.Invalid, []string{place + ` › channel "c"`, `"paypal"`}},
		{"an unknown mode", strings.Replace(inChannel, `"test"`, `"prod"`, 1), fault.Invalid, []string{place + ` › channel "c"`, `"prod"`}},
		{"mode any", strings.Replace(inChannel, `"test"`, `"any"`, 1), fault.Invalid, []string{`"any"`}},
		{"no mode", strings.Replace(inChannel, `mode = "test"`, "", 1), fault.Invalid, []string{"mode"}},
		{"a channel key that is none", inChannel + "key = \"c1\"", fault.Invalid, []string{"channel-key-"}},
		{"a channel key of another store", full + other + "[[merchant.store.channel]]\nkey = \"channel-key-00000000-0000-4000-8000-000000000001\"", fault.Conflict, []string{"another store"}},
		{"a channel twice", inChannel + "[[merchant.store.channel]]\nprovider = \"open\"\nmode = \"test\"\nmid = \"T\"", fault.Invalid, []string{"twice"}},
		{"a channel absent and declared", inChannel + "[[merchant.store.channel]]\nprovider = \"open\"\nmode = \"test\"\nmid = \"T\"\nabsent = true", fault.Invalid, []string{"twice"}},
		{"a channel declared by mid and absent", inChannel + "absent = true\n[[merchant.store.channel]]\nkey = \"channel-key-00000000-0000-4000-8000-000000000001\"\nprovider = \"open\"\nmode = \"test\"\nmid = \"T\"", fault.Invalid, []string{"twice"}},
		{"an unknown payment type", inChannel + "payment_type = \"card\"", fault.Invalid, []string{"payment_type", "window_general"}},
		{"an unknown method", inChannel + "methods = [\"CASH\"]", fault.Invalid, []string{`"CASH"`, "VIRTUAL_ACCOUNT"}},
		{"an unknown sub-store", inChannel + "stores = [\"어디\"]", fault.Invalid, []string{"어디"}},
		{"a base_url without host", inChannel + "base_url = \"localhost\"", fault.Invalid, []string{"base_url"}},
		{"a credential of another PG", inChannel + "credentials = { secret_key = \"hush\" }", fault.Invalid, []string{"secret_key", "site_key"}},
		{"a sender with host bits", inChannel + "senders = [\"203.0.113.7/24\"]", fault.Invalid, []string{"203.0.113.0/24", "256", "203.0.113.7/32"}},
		{"published senders twice", inChannel + "senders = [\"published\", \"published\"]", fault.Invalid, []string{"senders", "published"}},
		{"a confirm that is a number", inChannel + "confirm = 1", fault.Invalid, []string{"confirm", "default"}},
		{"a confirm of another word", inChannel + "confirm = \"hush\"", fault.Invalid, []string{"confirm", "default"}},
		{"a cap of none", inEndpoint + "in_flight = 0", fault.Invalid, []string{"in_flight", "1 to 1024"}},
		{"a cap beyond the greatest", inEndpoint + "in_flight = 1025", fault.Invalid, []string{"in_flight", "1 to 1024"}},
		{"no time-out", inEndpoint + "timeout = \"0s\"", fault.Invalid, []string{"timeout", "1s to 30s"}},
		{"too long a time-out", inEndpoint + "timeout = \"31s\"", fault.Invalid, []string{"timeout", "1s to 30s"}},
		{"a broken time-out", inEndpoint + "timeout = \"1500ms\"", fault.Invalid, []string{"timeout", "whole seconds"}},
		{"a time-out of no unit", inEndpoint + "timeout = \"10\"", fault.Invalid, []string{"timeout"}},
		{"a header of ours", inEndpoint + "headers = { Webhook-Id = \"hush\" }", fault.Invalid, []string{place + ` › endpoint "e"`, `"Webhook-Id"`}},
		{"a header with a line end", inEndpoint + "headers = { X-Key = \"hush\\r\\nHost: a\" }", fault.Invalid, []string{`"X-Key"`, "printable"}},
		{"a header twice", inEndpoint + "headers = { X-Key = \"hush\", x-key = \"hush\" }", fault.Invalid, []string{"twice"}},
		{"a mapped sender", inChannel + "senders = [\"::ffff:1.2.3.4\"]", fault.Invalid, []string{"IPv4"}},
		{"an unknown unknown", inChannel + "unknown = \"drop\"", fault.Invalid, []string{"hold"}},
		{"a short token", inChannel + "token = \"hush\"", fault.Invalid, []string{"22"}},
		{"a token that is no path", inChannel + "token = \"hush/hush/hush/hush/hush\"", fault.Invalid, []string{"22"}},
		{"a relative webhook URL", inEndpoint + "[[merchant.store.endpoint]]\nname = \"f\"\nmode = \"test\"\nurl = \"/hook\"", fault.Invalid, []string{`endpoint "f"`, "/hook"}},
		{"an endpoint without URL", inChannel + "[[merchant.store.endpoint]]\nname = \"f\"", fault.Invalid, []string{"url"}},
		{"an endpoint twice", inEndpoint + "[[merchant.store.endpoint]]\nname = \"e\"\nmode = \"test\"", fault.Invalid, []string{"twice"}},
		{"an unknown version", inEndpoint + "version = \"v3\"", fault.Invalid, []string{place + ` › endpoint "e"`, "v3"}},
		{"a form where there is none", inEndpoint + "content_type = \"form\"", fault.Invalid, []string{"JSON only"}},
		{"an unknown schedule", inEndpoint + "schedule = \"daily\"", fault.Invalid, []string{"daily"}},
		{"a schedule of numbers", inEndpoint + "schedule = [1, 2]", fault.Invalid, []string{"schedule"}},
		{"a schedule that is a number", inEndpoint + "schedule = 1", fault.Invalid, []string{"schedule"}},
		{"an unknown event", inEndpoint + "events = [\"Order.Paid\"]", fault.Invalid, []string{"Order.Paid", "Transaction.Paid"}},
		{"no events", inEndpoint + "events = []", fault.Invalid, []string{"events"}},
		{"three secrets", inEndpoint + "secrets = [\"whsec_AAAA\", \"whsec_BBBB\", \"whsec_CCCC\"]", fault.Invalid, []string{"at most two"}},
		{"no secrets", inEndpoint + "secrets = []", fault.Invalid, []string{"leave it out"}},
		{"a secret that is none", inEndpoint + "secrets = [\"hush!\"]", fault.Invalid, []string{"whsec_"}},
		{"a mode from no channels", head + "[[merchant.store.api_secret]]\nname = \"s\"", fault.Invalid, []string{`api_secret "s"`, "no channels"}},
		{"a mode from mixed channels", inChannel + "[[merchant.store.channel]]\nprovider = \"open\"\nmode = \"live\"\n[[merchant.store.api_key]]\nkey = \"s\"", fault.Invalid, []string{`api_key "s"`, "live and test"}},
		{"a secret of no length", inChannel + "[[merchant.store.api_secret]]\nname = \"s\"\nsecret = \"\"", fault.Invalid, []string{"empty"}},
		{"a live secret that can be guessed", inChannel + "[[merchant.store.api_key]]\nkey = \"k\"\nmode = \"live\"\nsecret = \"fifteen letters\"", fault.Invalid, []string{"shorter than 16"}},
		{"one secret for two", inChannel + "[[merchant.store.api_secret]]\nname = \"s\"\nsecret = \"hush\"\n[[merchant.store.api_secret]]\nname = \"t\"\nsecret = \"hush\"", fault.Conflict, []string{"in use"}},
		{"a key of another store", full + other + "[[merchant.store.api_key]]\nkey = \"imp-1\"\nmode = \"test\"", fault.Conflict, []string{"in use"}},
		{"an unknown scope", head + "[[merchant.store.allow]]\nscope = \"ssh\"\ncidr = \"10.0.0.0/8\"", fault.Invalid, []string{"console"}},
		{"an allow with host bits", inAllow + "cidr = \"10.1.2.3/8\"", fault.Invalid, []string{"would open 10.0.0.0/8", "16777216"}},
		{"an allow that is none", inAllow + "cidr = \"shop.example\"", fault.Invalid, []string{"shop.example"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			next, changes, err := settings.Declare(settings.All{}, parse(t, tt.file), newEnv())
			if fault.KindOf(err) != tt.kind || err == nil {
				t.Fatalf("Declare = %v, want %v", err, tt.kind)
			}
			for _, w := range tt.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("Declare = %v, want it to say %s", err, w)
				}
			}
			if strings.Contains(err.Error(), "hush") {
				t.Errorf("the error quotes a secret: %v", err)
			}
			if changes != nil || next.Merchants != nil {
				t.Error("there is a result besides the error")
			}
		})
	}
}

func TestChannelStaysWhatItIs(t *testing.T) {
	t.Parallel()
	const key = "key = \"channel-key-00000000-0000-4000-8000-000000000001\"\n"
	e := newEnv()
	all, _ := declare(t, e, inChannel+key)
	for _, line := range []string{"mode = \"live\"", "provider = \"dark\""} {
		_, _, err := settings.Declare(all, parse(t, head+"[[merchant.store.channel]]\n"+key+line), e)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "declare another channel") {
			t.Errorf("%s: %v, want it refused", line, err)
		}
	}
	if _, changes, err := settings.Declare(all, parse(t, head+"[[merchant.store.channel]]\n"+key+"mid = \"T2\""), e); err != nil || len(changes) != 1 {
		t.Errorf("another mid: %v, %v, want one change", changes, err)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, file string
		want       []string
	}{
		{"not TOML", "hush = = 1", []string{"line 1"}},
		{"an unknown field", "[[merchant]]\nname = \"m\"\ncolour = \"hush\"", []string{"line 3", `"colour"`, "merchant"}},
		{"an unknown table", "[[merchants]]\nname = \"m\"", []string{"line 1", `"merchants"`}},
		{"a deep unknown field", inChannel + "site_key = \"hush\"", []string{`"site_key" is not a field of merchant.store.channel`}},
		{"two unknown fields", "[[merchant]]\na = 1\nb = 2", []string{"line 2", "line 3"}},
		{"a table for a text", inChannel + "credentials = { site_key = { hush = 1 } }", []string{"line 11"}},
		{"a number beyond all", inChannel + "credentials = { site_key = 4711471147114711471147114711 }", []string{"line 11"}},
		{"a text for a list", inEndpoint + "secrets = \"hush\"", []string{"secrets"}},
		{"a text without end", inEndpoint + "secrets = [\"hush", []string{"line"}},
		{"not UTF-8", "[[merchant]]\nname = \"\xb0\xa1\"", []string{"line 2"}},
		{"a field twice", "[[merchant]]\nname = \"hush\"\nname = \"hush\"", []string{"name"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := settings.Parse([]byte(tt.file))
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("Parse = %v, want fault.Invalid", err)
			}
			for _, w := range tt.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("Parse = %v, want it to say %s", err, w)
				}
			}
			if strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "4711") {
				t.Errorf("Parse quotes a value: %v", err)
			}
		})
	}
	if _, err := settings.Parse([]byte("\ufeff[[merchant]]\r\nname = \"m\"\r\n")); err != nil {
		t.Errorf("a file from Windows: %v", err)
	}
}

// Whatever Parse takes, Declare must take or refuse without a panic, and what
// it takes must come to rest.
func FuzzParse(f *testing.F) {
	for _, s := range []string{full, inEndpoint, inAllow + "cidr = \"10.0.0.1\"", "", "[[merchant]]\nname=\"a\"\n[[merchant.store]]\nid=\"" + storeID + "\""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := settings.Parse(text)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("Parse = %v, want fault.Invalid", err)
			}
			return
		}
		e := newEnv()
		once, _, err := settings.Declare(settings.All{}, file, e)
		if err != nil {
			return
		}
		if _, changes, err := settings.Declare(once, file, e); err != nil || len(changes) > 0 {
			t.Fatalf("applied twice: %v, %v", changes, err)
		}
	})
}
