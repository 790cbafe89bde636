package cli

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/provider/all"
)

// TestSimulateSaysWhoseNoticeItIs: a test id that nobody asked for is named,
// if the PG's notices name anybody.
func TestSimulateSaysWhoseNoticeItIs(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string // empty: nothing is said
	}{
		{[]string{"settle"}, "  as MID nx_mid_il, the PG's test id; --mid for yours\n"},
		{[]string{"settle", "--manner=burst", "--times=2"}, "  as MID nx_mid_il, "},
		{[]string{"settle", "--manner=duplicate"}, "  as MID nx_mid_il, "},
		{[]string{"settle", "--mid=nx_mid_il"}, ""},
		{[]string{"tosspayments"}, ""},
		{[]string{"kpn"}, ""}, // its notices name no merchant
	} {
		_, url := receive(t, tt.args[0], 0)
		exit, out, errs := watch(t, append([]string{"simulate", tt.args[0], "deposited", "--to", url}, tt.args[1:]...)...)
		if exit != exitOK || strings.Count(out, "as MID") != strings.Count(tt.want, "as MID") || !strings.Contains(out, tt.want) {
			t.Errorf("%v: exit %d, want %q:\n%s%s", tt.args, exit, tt.want, out, errs)
		}
	}
	_, url := receive(t, "settle", 0)
	_, out, _ := watch(t, "simulate", "settle", "deposited", "--to", url, "--json")
	var x shownExchange
	if err := json.Unmarshal([]byte(out), &x); err != nil || x.MID != "nx_mid_il" {
		t.Errorf("as JSON: %v, %s", err, out)
	}
}

func TestSimulateMakesPlainOrders(t *testing.T) {
	plain := regexp.MustCompile(`^order\d{8}[a-z0-9]{8}$`)
	for _, p := range all.Providers() {
		i := p.Info()
		_, url := receive(t, i.Code, 0)
		_, out, _ := watch(t, "simulate", i.Code, "deposited", "--to", url, "--json")
		var x shownExchange
		if err := json.Unmarshal([]byte(out), &x); err != nil || !plain.MatchString(x.Order) {
			t.Errorf("%s: order %q, %v", i.Code, x.Order, err)
		}
	}
}

// TestSimulateAfterARefusal: where to look is said, and what is only assumed.
func TestSimulateAfterARefusal(t *testing.T) {
	for code, assumed := range map[string]bool{"nice": false, "settle": true} {
		_, url := receive(t, code, 1<<30)
		exit, out, _ := watch(t, "simulate", code, "deposited", "--to", url, "--order=o-1", fast)
		if exit != exitFailed || !strings.Contains(out, "See what became of it: tongbo notices --order o-1\n") {
			t.Errorf("%s: exit %d:\n%s", code, exit, out)
		}
		if strings.Contains(out, "(assumed)") != assumed || !strings.Contains(out, "again in") {
			t.Errorf("%s: assumed: want %v:\n%s", code, assumed, out)
		}
		_, out, _ = watch(t, "simulate", code, "deposited", "--to", url, "--json", fast)
		var x shownExchange
		if err := json.Unmarshal([]byte(strings.SplitN(out, "\n", 2)[0]), &x); err != nil || x.Assumed != assumed {
			t.Errorf("%s as JSON: %v, %s", code, err, out)
		}
	}
	exit, out, _ := watch(t, "simulate", "nice", "deposited", "--to", "http://127.0.0.1:1", "--no-resend")
	if exit != exitAway || strings.Contains(out, "See what became of it") {
		t.Errorf("nobody heard it: exit %d:\n%s", exit, out)
	}
}

func TestSimulateReversalWithoutDeposit(t *testing.T) {
	const nobody, none = "a deposit that nobody made", "names no deposit; the receiver has to find it"
	for code, want := range map[string]string{
		"kcp": nobody, "kicc": nobody, "kpn": nobody,
		"html5_inicis": none, "inicis_v2": none, "ksnet": none, "welcome": none, "tosspayments": none,
	} {
		_, url := receive(t, code, 0)
		exit, _, errs := watch(t, "simulate", code, "reversed", "--to", url)
		if exit != exitOK || !strings.Contains(errs, want) {
			t.Errorf("%s: exit %d, want %q: %s", code, exit, want, errs)
		}
		if _, _, errs := watch(t, "simulate", code, "reversed", "--to", url, "--deposit=D1"); errs != "" {
			t.Errorf("%s with a deposit: %s", code, errs)
		}
	}
}

// TestSimulateFitsTheScreen: no line of a shown notice is wider than a hundred
// cells, and --raw has all of it.
func TestSimulateFitsTheScreen(t *testing.T) {
	for _, p := range all.Providers() {
		i := p.Info()
		_, url := receive(t, i.Code, 0)
		for _, form := range append([]string{""}, i.Forms...) {
			args := []string{"simulate", i.Code, "deposited", "--to", url, "--order=o-1", "--form=" + form, "--at=2026-08-01T12:00:00"}
			exit, out, errs := watch(t, args...)
			if exit != exitOK {
				t.Fatalf("%s %s: exit %d, %s", i.Code, form, exit, errs)
			}
			for line := range strings.Lines(out) {
				if strings.HasPrefix(line, "    ") && cells(strings.TrimSuffix(line, "\n")) > 100 {
					t.Errorf("%s %s: %d cells: %s", i.Code, form, cells(line), line)
				}
			}
			if cut := strings.Contains(out, "…"); cut != strings.Contains(out, "--raw shows in full") || i.Code == "ksnet" && !cut {
				t.Errorf("%s %s: is cut: %v\n%s", i.Code, form, cut, out)
			}
			if !strings.Contains(out, "o-1") && form != "old" || strings.Contains(out, "--order ''") { // KSNET's old telegram names no order
				t.Errorf("%s %s: no order in\n%s", i.Code, form, out)
			}
		}
	}
}

func TestJSONFields(t *testing.T) {
	got, err := jsonFields([]byte(`{"b":"x y","a":{"n":12345678901234567890,"none":null,"list":["p",{"q":true}]},"empty":""}`))
	if err != nil {
		t.Fatal(err)
	}
	v := &exchangeView{hide: "x y"}
	if s, want := strings.Join(v.covered(got), "|"), "b=[secret]|a.n=12345678901234567890|a.list.0=p|a.list.1.q=true"; s != want {
		t.Errorf("fields %s, want %s", s, want)
	}
	for _, bad := range []string{`{"a":`, `{"a":1}{`, `{a}`} {
		if _, err := jsonFields([]byte(bad)); err == nil {
			t.Errorf("%s is read", bad)
		}
	}
}
