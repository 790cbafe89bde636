package settings_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/settings"
)

func TestOpens(t *testing.T) {
	t.Parallel()
	tests := []struct {
		block, first, last, count string
		wide                      bool
	}{
		{"1.1.1.0/24", "1.1.1.0", "1.1.1.255", "256", false},
		{"1.1.1.7", "1.1.1.7", "1.1.1.7", "1", false},
		{"10.0.0.0/16", "10.0.0.0", "10.0.255.255", "65536", false},
		{"10.0.0.0/15", "10.0.0.0", "10.1.255.255", "131072", true},
		{"203.0.113.128/25", "203.0.113.128", "203.0.113.255", "128", false},
		{"203.0.113.4/31", "203.0.113.4", "203.0.113.5", "2", false},
		{"0.0.0.0/0", "0.0.0.0", "255.255.255.255", "4294967296", true},
		{"::1", "::1", "::1", "1", false},
		{"2001:db8::/48", "2001:db8::", "2001:db8:0:ffff:ffff:ffff:ffff:ffff", "1208925819614629174706176", false},
		{"2001:db8::/47", "2001:db8::", "2001:db8:1:ffff:ffff:ffff:ffff:ffff", "2417851639229258349412352", true},
		{"2001:db8::8/125", "2001:db8::8", "2001:db8::f", "8", false},
		{"::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "340282366920938463463374607431768211456", true},
	}
	for _, tt := range tests {
		p, err := settings.ParseBlock(tt.block)
		if err != nil {
			t.Fatal(err)
		}
		r := settings.Opens(p)
		if r.First.String() != tt.first || r.Last.String() != tt.last || r.Count.String() != tt.count || settings.Wide(p) != tt.wide {
			t.Errorf("%s opens %s to %s, %s addresses, wide %v; want %+v", tt.block, r.First, r.Last, r.Count, settings.Wide(p), tt)
		}
	}
	for _, text := range []string{"", "1.1.1", "1.1.1.1/33", "1.1.1.1/24", "example.kr", "::ffff:1.1.1.1", "fe80::1%eth0", "1.1.1.1-9"} {
		if p, err := settings.ParseBlock(text); !fault.Is(err, fault.Invalid) {
			t.Errorf("ParseBlock(%q) = %v, %v, want it refused", text, p, err)
		}
	}
}

// lines are a list of the console, each "cidr", "+cidr" for one that comes on trial
// until a minute after start, or "-cidr" for one that goes so.
func lines(s merchant.StoreID, list ...string) (out []merchant.Allow) {
	for _, text := range list {
		w := merchant.Allow{Store: s, Scope: merchant.AllowConsole}
		switch text[0] {
		case '+':
			w.Trial, w.Until, text = merchant.Coming, start.Add(time.Minute), text[1:]
		case '-':
			w.Trial, w.Until, text = merchant.Going, start.Add(time.Minute), text[1:]
		}
		w.CIDR = netip.MustParsePrefix(text)
		out = append(out, w)
	}
	return out
}

func TestOpensConsole(t *testing.T) {
	t.Parallel()
	const office, cafe = "203.0.113.9", "198.51.100.7"
	officeLine, cafeLine := "203.0.113.0/24", "198.51.100.0/24"
	none := []merchant.Allow(nil)
	later := start.Add(time.Minute)
	tests := []struct {
		name      string
		main, sub []merchant.Allow
		limited   merchant.StoreID
		from      string
		now, then bool      // may it before and after a minute?
		until     time.Time // when it will be again, as it is told now
	}{
		{"no list", none, none, "", office, true, true, time.Time{}},
		{"no list, no address", none, none, "", "", true, true, time.Time{}},
		{"on the list", lines("main", officeLine), none, "", office, true, true, time.Time{}},
		{"as IPv6", lines("main", officeLine), none, "", "::ffff:203.0.113.9", true, true, time.Time{}},
		{"not on it", lines("main", officeLine), none, "", cafe, false, false, time.Time{}},
		{"no address", lines("main", officeLine), none, "", "", false, false, time.Time{}},
		{"a list for the API alone", []merchant.Allow{{Store: "main", Scope: merchant.AllowAPI, CIDR: netip.MustParsePrefix(officeLine)}}, none, "", cafe, true, true, time.Time{}},
		{"another merchant's list", lines("other", officeLine), none, "", cafe, true, true, time.Time{}},
		{"a sub-store's list is not the merchant's", none, lines("sub", officeLine), "", cafe, true, true, time.Time{}},
		{"limited, and the store has a list", lines("main", officeLine), lines("sub", cafeLine), "sub", cafe, true, true, time.Time{}},
		{"limited, and not on the store's list", lines("main", officeLine), lines("sub", cafeLine), "sub", office, false, false, time.Time{}},
		{"limited, without a list of the store's", lines("main", officeLine), none, "sub", cafe, false, false, time.Time{}},
		{"a first line on trial", lines("main", "+"+officeLine), none, "", cafe, false, true, later},
		{"a first line on trial, for who is on it", lines("main", "+"+officeLine), none, "", office, true, true, time.Time{}},
		{"a line that goes", lines("main", officeLine, "-"+cafeLine), none, "", cafe, false, true, later},
		{"the only line goes: all may", lines("main", "-"+officeLine), none, "", cafe, true, false, time.Time{}},
		{"a trial that changes nothing here", lines("main", officeLine, "+192.0.2.0/24"), none, "", cafe, false, false, time.Time{}},
		{"limited, and the store's first line on trial", lines("main", cafeLine), lines("sub", "+"+officeLine), "sub", cafe, false, true, later},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			all := settings.All{
				Stores: []settings.Store{{Store: merchant.Store{ID: "sub", Merchant: "m"}}, {Store: merchant.Store{ID: "main", Merchant: "m", Representative: true}},
					{Store: merchant.Store{ID: "other", Merchant: "o", Representative: true}}},
				Allows: append(tt.main, tt.sub...),
			}
			from, _ := netip.ParseAddr(tt.from)
			if got := all.OpensConsole("m", tt.limited, from, start); got.OK != tt.now || !got.Until.Equal(tt.until) {
				t.Errorf("now: %+v, want %v until %v", got, tt.now, tt.until)
			}
			if got := all.OpensConsole("m", tt.limited, from, later); got.OK != tt.then || !got.Until.IsZero() {
				t.Errorf("then: %+v, want %v", got, tt.then)
			}
			// What is settled says what the trials say by themselves.
			settled, undone, next := all.Settled(later)
			if got := settled.OpensConsole("m", tt.limited, from, start); got.OK != tt.then || !next.IsZero() {
				t.Errorf("settled: %+v, want %v; the next at %v", got, tt.then, next)
			}
			early, none, next := all.Settled(start)
			if diff := cmp.Diff(all, early, comparePrefixes()); diff != "" || none || undone == next.IsZero() {
				t.Errorf("settled too early (%v, next %v):\n%s", none, next, diff)
			}
		})
	}
}

func TestAllowOnTrial(t *testing.T) {
	t.Parallel()
	until := start.Add(2 * time.Minute)
	const m, s = "merchant-00000000-0000-4000-8000-00000000000a", storeID
	line := func(absent bool, until time.Time) settings.File {
		return settings.File{Merchants: []settings.MerchantFile{{ID: m, Stores: []settings.StoreFile{{ID: s, Allows: []settings.AllowFile{
			{Scope: "console", CIDR: "203.0.113.9", Absent: absent, Until: until}}}}}}}
	}
	never := time.Time{}
	tests := []struct {
		name string
		do   []settings.File
		want []merchant.Allow
	}{
		{"added on trial", []settings.File{line(false, until)}, lines(s, "+203.0.113.9/32")},
		{"and then for good", []settings.File{line(false, until), line(false, never)}, lines(s, "203.0.113.9/32")},
		{"and then gone", []settings.File{line(false, until), line(true, never)}, nil},
		{"there already", []settings.File{line(false, never), line(false, until)}, lines(s, "203.0.113.9/32")},
		{"removed on trial", []settings.File{line(false, never), line(true, until)}, lines(s, "-203.0.113.9/32")},
		{"and then for good, too", []settings.File{line(false, never), line(true, until), line(true, never)}, nil},
		{"and then kept", []settings.File{line(false, never), line(true, until), line(false, never)}, lines(s, "203.0.113.9/32")},
		{"removed on trial and never there", []settings.File{line(true, until)}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := newEnv()
			all, _ := declare(t, e, "[[merchant]]\nid = \""+m+"\"\nname = \"m\"\n[[merchant.store]]\nid = \""+s+"\"\nname = \"s\"")
			var changes []settings.Change
			for _, f := range tt.do {
				var err error
				before := all
				if all, changes, err = settings.Declare(all, f, e); err != nil {
					t.Fatal(err)
				}
				if same := cmp.Equal(before.Allows, all.Allows, comparePrefixes()); same != (len(changes) == 0) {
					t.Errorf("%v → %v, told as %v", before.Allows, all.Allows, changes)
				}
			}
			for i := range tt.want {
				if tt.want[i].Trial != "" {
					tt.want[i].Until = until
				}
			}
			if diff := cmp.Diff(tt.want, all.Allows, comparePrefixes()); diff != "" && len(tt.want)+len(all.Allows) > 0 {
				t.Errorf("the list (-want +got):\n%s", diff)
			}
		})
	}
}
