package settings_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

var start = time.Date(2026, 10, 1, 9, 0, 0, 0, time.UTC)

// newEnv numbers ids and secrets, and knows two modules: one whose PG
// publishes its senders, and one whose PG does not and has to be asked.
func newEnv() settings.Env {
	n := 0
	id := func() string { n++; return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }
	modules := map[string]provider.Info{
		"open": {Code: "open", Class: provider.SharedSecret, Fields: []provider.Field{{Name: "site_key", Secret: true, Proof: true}, {Name: "aes_key", Secret: true}, {Name: "shop_key"}}, LiveSenders: provider.Prefixes("203.0.113.1")},
		"asks": {Code: "asks", Class: provider.AddressOnly, Fields: []provider.Field{{Name: "iv", Secret: true, Inquiry: true}}, LiveSenders: provider.Prefixes("203.0.113.1")},
		"dark": {Code: "dark", Class: provider.SharedSecret, ConfirmAlways: true, Fields: []provider.Field{{Name: "secret_key", Secret: true, Inquiry: true}, {Name: "security_key", Secret: true}}},
	}
	return settings.Env{
		Now: start, NewID: id, NewUUID4: id, NewSecret: settings.NewSecret,
		Hash:      func(purpose, value string) string { return purpose + "#" + value },
		Providers: func(code string) (provider.Info, bool) { i, ok := modules[code]; return i, ok },
	}
}

func parse(t *testing.T, text string) settings.File {
	t.Helper()
	f, err := settings.Parse([]byte(text))
	if err != nil {
		t.Fatalf("Parse: %v\n%s", err, text)
	}
	return f
}

// declare applies files one after the other, and returns the last's changes.
func declare(t *testing.T, e settings.Env, files ...string) (settings.All, []settings.Change) {
	t.Helper()
	var all settings.All
	var changes []settings.Change
	for _, text := range files {
		var err error
		if all, changes, err = settings.Declare(all, parse(t, text), e); err != nil {
			t.Fatalf("Declare: %v\n%s", err, text)
		}
	}
	return all, changes
}

const head = `
[[merchant]]
name = "가나상점"
[[merchant.store]]
name = "대표"
`

const storeID = "store-00000000-0000-4000-8000-00000000000a"

const full = `
[[merchant]]
name = "가나상점"

[[merchant.store]]
id = "` + storeID + `"
name = "대표 상점"
representative = true
tier_code = "ABC"

[[merchant.store.channel]]
key = "channel-key-00000000-0000-4000-8000-000000000001"
name = "시험"
provider = "open"
mode = "test"
mid = "T0000"
stores = ["작은 상점"]
credentials = { site_key = "k-one" }
senders = ["127.0.0.1/32", "::1"]
token = "new"

[[merchant.store.endpoint]]
name = "주문 서버"
url = "http://127.0.0.1:9000/webhook"
mode = "test"
schedule = ["1m", "4m"]

[[merchant.store.endpoint]]
name = "두번째"
url = "https://shop.example/hook"
mode = "test"
secrets = ["whsec_MDEyMzQ1Njc4OWFiY2RlZg=="]

[[merchant.store.api_secret]]
name = "server"

[[merchant.store.api_key]]
key = "imp-1"
secret = "hand made"

[[merchant.store.allow]]
scope = "api"
cidr = "203.0.113.0/24"

[[merchant.store]]
name = "작은 상점"

[[merchant.store.api_secret]]
name = "server"
`

func TestDeclareFromNothing(t *testing.T) {
	t.Parallel()
	all, changes := declare(t, newEnv(), full)
	var got []string
	for _, c := range changes {
		got = append(got, fmt.Sprint(c.Kind, " ", c.What, " ", c.Name, " ", c.Shown))
	}
	want := []string{
		"created merchant 가나상점 false", "created store 대표 상점 true", "created store 작은 상점 true",
		"created channel 시험 true", "created endpoint 주문 서버 true", "warning endpoint 주문 서버 false", "created endpoint 두번째 false",
		"created api_secret server true", "created api_key imp-1 false", "created allow api 203.0.113.0/24 false",
		"created api_secret server true",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("changes (-want +got):\n%s", diff)
	}
	ch, small := all.Channels[0], all.Stores[1]
	if ch.Mode != merchant.Test || ch.Stores[0] != small.ID || len(*ch.Senders) != 2 || len(ch.Token) != 22 ||
		ch.Unknown != merchant.Hold || ch.PaymentType != merchant.WindowGeneral || ch.Credentials["site_key"] != "k-one" {
		t.Errorf("channel = %+v", ch)
	}
	if small.Representative || !all.Stores[0].Representative || string(all.Stores[0].ID) != storeID {
		t.Errorf("stores = %+v", all.Stores)
	}
	first, second := all.Endpoints[0], all.Endpoints[1]
	if first.Schedule != `["1m","4m"]` || first.Version != webhook.V20240425 || !second.CreatedAt.After(first.CreatedAt) {
		t.Errorf("endpoints = %+v", all.Endpoints)
	}
	for _, s := range all.APISecrets {
		if s.Mode != merchant.Test {
			t.Errorf("api_secret of %s has mode %q, want that of its channels", s.Store, s.Mode)
		}
	}
	if h := all.APIKeys[0].Hash; h != "v1_key#hand made" {
		t.Errorf("api_key has hash %q", h)
	}
	if made := changes[7].Secret; len(made) != 64 || all.APISecrets[0].Hash != "api_secret#"+made.Reveal() {
		t.Errorf("api_secret was made as %q, hash %q", made.Reveal(), all.APISecrets[0].Hash)
	}
	if p, _ := all.Planner(newEnv().NewID).Endpoints.Endpoint(first.ID); p.URL != first.URL {
		t.Errorf("the planner knows the endpoint as %+v", p)
	}
}

func TestDeclareTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	e := newEnv()
	once, _ := declare(t, e, full)
	twice, changes, err := settings.Declare(once, parse(t, full), e)
	if err != nil || len(changes) > 0 {
		t.Fatalf("the second time: %v, %v", changes, err)
	}
	if diff := cmp.Diff(once, twice, comparePrefixes()); diff != "" {
		t.Errorf("the second time (-once +twice):\n%s", diff)
	}
}

func TestDeclareLeavesCurrentAlone(t *testing.T) {
	t.Parallel()
	e := newEnv()
	before, _ := declare(t, e, full)
	copied, _ := declare(t, newEnv(), full)
	// Random values differ between the two: take them from the first.
	copied.Stores[0].NoticeSecret, copied.Stores[1].NoticeSecret = before.Stores[0].NoticeSecret, before.Stores[1].NoticeSecret
	copied.Channels[0].Token, copied.Endpoints[0].Secrets = before.Channels[0].Token, before.Endpoints[0].Secrets
	for i := range copied.APISecrets {
		copied.APISecrets[i].Hash = before.APISecrets[i].Hash
	}
	edit := strings.NewReplacer(`site_key = "k-one"`, `site_key = "k2"`, `name = "주문 서버"`, "name = \"주문 서버\"\nabsent = true",
		`tier_code = "ABC"`, `tier_code = "DEF"`, `scope = "api"`, "absent = true\nscope = \"api\"").Replace(full)
	_, changes, err := settings.Declare(before, parse(t, edit), e)
	if err != nil || len(changes) != 4 {
		t.Fatalf("Declare = %v, %v, want 4 changes", changes, err)
	}
	if diff := cmp.Diff(copied, before, comparePrefixes()); diff != "" {
		t.Errorf("current changed (-before +after):\n%s", diff)
	}
}

// What was given once can be left to the defaults again.
func TestBackToDefaults(t *testing.T) {
	t.Parallel()
	const channel = head + "[[merchant.store.channel]]\nprovider = \"open\"\nmode = \"test\"\nmid = \"T1\"\n"
	e := newEnv()
	given, _, err := settings.Declare(settings.All{}, parse(t, channel+"senders = [\"203.0.113.9\"]\nconfirm = false"), e)
	if err != nil || given.Channels[0].Senders == nil || given.Channels[0].Confirm == nil {
		t.Fatalf("Declare = %+v, %v", given.Channels, err)
	}
	const more = channel + "senders = [\"published\", \"203.0.113.8\"]"
	beside, changes, err := settings.Declare(given, parse(t, more), e)
	if err != nil || len(changes) != 1 || beside.Channels[0].Senders != nil || fmt.Sprint(beside.Channels[0].SendersToo) != "[203.0.113.8/32]" {
		t.Errorf("an address beside the published ones: %+v, %v, %v", beside.Channels, changes, err)
	}
	if _, changes, err := settings.Declare(beside, parse(t, more), e); err != nil || len(changes) != 0 {
		t.Errorf("the second time: %v, %v, want no changes", changes, err)
	}
	given = beside
	given.Channels[0].Confirm = new(bool)
	const back = channel + "senders = [\"published\"]\nconfirm = \"default\""
	next, _, err := settings.Declare(given, parse(t, back), e)
	if err != nil || next.Channels[0].Senders != nil || len(next.Channels[0].SendersToo) > 0 || next.Channels[0].Confirm != nil {
		t.Errorf("back to the defaults: %+v, %v", next.Channels, err)
	}
	if _, changes, err := settings.Declare(next, parse(t, back), e); err != nil || len(changes) != 0 {
		t.Errorf("the second time: %v, %v, want no changes", changes, err)
	}
}

func TestOnlyWhatIsMentionedChanges(t *testing.T) {
	t.Parallel()
	const channel = head + "[[merchant.store.channel]]\nprovider = \"open\"\nmode = \"test\"\nmid = \"T1\"\n"
	const endpoint = channel + "[[merchant.store.endpoint]]\nname = \"e\"\nmode = \"test\"\n"
	made := strings.Replace(endpoint, "mid = \"T1\"\n", "mid = \"T1\"\nname = \"이름\"\ncredentials = {site_key = \"k\"}\nconfirm = false\nsenders = [\"203.0.113.9\"]\n", 1) +
		"url = \"https://a.example\"\n[[merchant.store.api_secret]]\nname = \"s\"\nsecret = \"one\"\n"
	tests := []struct{ name, file, want string }{
		{"nothing mentioned", endpoint, ""},
		{"a name", channel + "name = \"새 이름\"", `changed channel "새 이름": name`},
		{"a credential", channel + "credentials = {site_key = \"new\"}", `changed channel "이름": credentials`},
		{"a credential removed", channel + "credentials = {site_key = \"\"}", `changed channel "이름": credentials`},
		{"no senders", channel + "senders = []", `changed channel "이름": senders`},
		{"confirm as it was", channel + "confirm = false", ""},
		{"confirm and disabled", channel + "credentials = {site_key = \"k\"}\nconfirm = true\ndisabled = true", `changed channel "이름": disabled, confirm`},
		{"confirm and senders by default", channel + "confirm = \"default\"\nsenders = [\"published\"]", `changed channel "이름": senders, confirm`},
		{"a cap", endpoint + "in_flight = 8", `changed endpoint "e": in_flight`},
		{"a pause", endpoint + "paused = true", `changed endpoint "e": paused`},
		{"a schedule", endpoint + "schedule = \"toss\"\nurl = \"https://b.example\"", `changed endpoint "e": url, schedule`},
		{"secrets", endpoint + "secrets = [\"whsec_AAAA\", \"whsec_BBBB\"]", `changed endpoint "e": secrets`},
		{"the same secret", head + "[[merchant.store.api_secret]]\nname = \"s\"\nsecret = \"one\"", ""},
		{"another secret", head + "[[merchant.store.api_secret]]\nname = \"s\"\nsecret = \"two, and long enough\"\nmode = \"any\"", `changed api_secret "s": mode, secret`},
		{"a channel absent", channel + "absent = true", `deleted channel "이름"`},
		{"an endpoint absent", endpoint + "absent = true", `deleted endpoint "e"`},
		{"an unknown thing absent", head + "[[merchant.store.api_key]]\nkey = \"k\"\nabsent = true", ""},
		{"a token of the operator's own", channel + "token = \"abcdefghijklmnopqrstuv\"", `changed channel "이름": token`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, changes := declare(t, newEnv(), made, tt.file)
			var got []string
			for _, c := range changes {
				if c.Kind != settings.Warning {
					c.ID, c.Where = "", ""
					got = append(got, c.String())
				}
			}
			if s := strings.Join(got, "; "); s != tt.want {
				t.Errorf("changes = %s, want %s", s, tt.want)
			}
		})
	}
}

func TestChannelIsNamedAfterItsMID(t *testing.T) {
	t.Parallel()
	all, _ := declare(t, newEnv(), head+"[[merchant.store.channel]]\nkey = \"channel-key-00000000-0000-4000-8000-000000000001\"\nprovider = \"open\"\nmode = \"test\"\nmid = \"T\"")
	if got := all.Channels[0].Name; got != "open T" {
		t.Errorf("the channel is called %q, want %q", got, "open T")
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	channel := func(lines ...string) string { return head + "[[merchant.store.channel]]\n" + strings.Join(lines, "\n") }
	tests := []struct {
		name, file string
		want       []string
	}{
		{"a test channel uses the simulator", channel(`provider = "open"`, `mode = "test"`), nil},
		{"a live channel", channel(`provider = "open"`, `mode = "live"`, `mid = "M"`), []string{"notices are proved with are missing: site_key"}},
		{"a live channel with all", channel(`provider = "open"`, `mode = "live"`, `mid = "M"`, `credentials = {site_key = "k"}`), nil},
		{"senders unknown", channel(`provider = "dark"`, `mode = "live"`, `credentials = {secret_key = "k"}`), []string{"publishes no sender addresses"}},
		{"a token instead", channel(`provider = "dark"`, `mode = "live"`, `credentials = {secret_key = "k"}`, `token = "new"`), nil},
		{"a key that only an inquiry needs", channel(`provider = "dark"`, `mode = "live"`, `token = "new"`, `confirm = false`), []string{"until the PG can be asked, which needs secret_key"}},
		{"a PG that proves nothing", channel(`provider = "asks"`, `mode = "live"`), nil},
		{"a PG that would be asked", channel(`provider = "asks"`, `mode = "live"`, `credentials = {iv = "k"}`), nil},
		{"a PG that will not be asked", channel(`provider = "asks"`, `mode = "live"`, `credentials = {iv = "k"}`, `confirm = false`), nil},
		{"a loopback endpoint", head + "[[merchant.store.endpoint]]\nname = \"e\"\nmode = \"test\"\nurl = \"http://127.0.0.1:3000/\"", []string{"--allow-private-webhooks"}},
		{"this machine by name", head + "[[merchant.store.endpoint]]\nname = \"e\"\nmode = \"test\"\nurl = \"http://localhost:3000/\"", []string{"--allow-private-webhooks"}},
		{"a private endpoint", head + "[[merchant.store.endpoint]]\nname = \"e\"\nmode = \"test\"\nurl = \"https://[fd00::1]/\"", []string{"--allow-private-webhooks"}},
		{"a public endpoint", head + "[[merchant.store.endpoint]]\nname = \"e\"\nmode = \"test\"\nurl = \"https://203.0.113.9/\"", nil},
		{"private senders", channel(`provider = "dark"`, `mode = "live"`, `senders = ["10.0.0.0/8"]`, `credentials = {secret_key = "k"}`), []string{"private"}},
		{"a wide line of a list", head + "[[merchant.store.allow]]\nscope = \"api\"\ncidr = \"10.0.0.0/8\"", []string{"10.0.0.0 to 10.255.255.255, which are 16777216 addresses"}},
		{"a line that is not wide", head + "[[merchant.store.allow]]\nscope = \"api\"\ncidr = \"10.0.0.0/16\"", nil},
		{"adopting without proof", channel(`provider = "open"`, `mode = "live"`, `unknown = "adopt"`, `credentials = {site_key = "k"}`), []string{"adopt"}},
		{"nobody to ask", channel(`provider = "open"`, `mode = "test"`, `confirm = true`, `credentials = {site_key = "k"}`), []string{"the PG cannot be asked"}},
		{"nobody to ask elsewhere", channel(`provider = "open"`, `mode = "test"`, `confirm = true`, `base_url = "http://127.0.0.1:1"`), []string{"the PG cannot be asked"}},
		{"a PG that is played here is asked", channel(`provider = "open"`, `mode = "test"`, `confirm = true`, `credentials = {shop_key = "plain"}`), []string{"missing: site_key"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, changes := declare(t, newEnv(), tt.file)
			var got []string
			for _, c := range changes {
				if c.Kind == settings.Warning {
					got = append(got, c.String())
				}
			}
			if len(got) != len(tt.want) {
				t.Fatalf("warnings = %q, want %q", got, tt.want)
			}
			for i := range got {
				if !strings.Contains(got[i], tt.want[i]) {
					t.Errorf("warning %q, want one with %q", got[i], tt.want[i])
				}
			}
		})
	}
}

func TestLiveMIDBelongsToOneMerchant(t *testing.T) {
	t.Parallel()
	channel := func(m, mode, mid string) string {
		return fmt.Sprintf("[[merchant]]\nname = %q\n[[merchant.store]]\nname = \"s\"\n[[merchant.store.channel]]\nprovider = \"open\"\nmode = %q\nmid = %q\n", m, mode, mid)
	}
	e := newEnv()
	all, _ := declare(t, e, channel("첫째", "live", "M1"))
	for name, tt := range map[string]struct {
		file string
		want bool
	}{
		"another merchant":           {channel("둘째", "live", "M1"), true},
		"another mid":                {channel("둘째", "live", "M2"), false},
		"a test mid":                 {channel("둘째", "test", "M1"), false},
		"the same merchant, a store": {strings.Replace(channel("첫째", "live", "M1"), `"s"`, `"t"`, 1), false},
		"no mid":                     {channel("둘째", "live", ""), false},
	} {
		_, _, err := settings.Declare(all, parse(t, tt.file), e)
		if fault.Is(err, fault.Conflict) != tt.want || !tt.want && err != nil {
			t.Errorf("%s: %v, want a conflict: %v", name, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), "첫째") {
			t.Errorf("%s: the error names the other merchant: %v", name, err)
		}
	}
	twice := all
	twice.Channels = append(twice.Channels[:1:1], twice.Channels[0])
	twice.Channels[1].Merchant = "merchant-other"
	if err := twice.CheckClaims(); !fault.Is(err, fault.Conflict) {
		t.Errorf("CheckClaims = %v, want a conflict", err)
	}
}

func TestSecretsShowOnlyInJSON(t *testing.T) {
	t.Parallel()
	_, changes := declare(t, newEnv(), full)
	shown := 0
	for _, c := range changes {
		if c.Secret == "" {
			continue
		}
		value := c.Secret.Reveal()
		if out := fmt.Sprintf("%v %+v %#v %s", c, c, c, c); strings.Contains(out, value) {
			t.Errorf("printing shows the secret: %s", out)
		}
		b, err := json.Marshal(c)
		if err != nil || !strings.Contains(string(b), fmt.Sprintf("%q:%q", "secret", value)) {
			t.Errorf("Marshal = %s, %v, want the secret", b, err)
		}
		c.Shown = false
		if b, _ := json.Marshal(c); strings.Contains(string(b), value) {
			t.Errorf("a secret that is not to be shown is in %s", b)
		}
		shown++
	}
	if shown != 6 {
		t.Errorf("%d changes have a secret, want 6", shown)
	}
	if f := parse(t, full); strings.Contains(fmt.Sprintf("%+v %v %#v", f, f, f), "k-one") {
		t.Error("printing a file shows its secrets")
	}
	if s := settings.NewSecret(); len(s) != 64 || s == settings.NewSecret() || s == secret.Text("") {
		t.Errorf("NewSecret has %d letters", len(s))
	}
}
