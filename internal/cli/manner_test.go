package cli

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/simulator"
)

func TestSimulateManners(t *testing.T) {
	_, taking := receive(t, "kcp", 0)
	_, refusing := receive(t, "kcp", 1<<30)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for _, tt := range []struct {
		name string
		args []string
		exit int
		want []string // in what it prints
		errs string
	}{
		{"a duplicate", []string{"kcp", "--to", taking, "--manner=duplicate"}, exitOK, []string{"try 1", "duplicate        good  acknowledged, then acknowledged, as it should be"}, ""},
		{"five of them", []string{"kcp", "--to", taking, "--manner=duplicate", "--times=5"}, exitOK, []string{strings.Repeat("acknowledged, then ", 4)}, ""},
		{"a reversal first", []string{"kcp", "--to", taking, "--manner=reordered"}, exitOK, []string{"reversed", "deposited", "op_cd=13"}, ""},
		{"garbage that is taken", []string{"kcp", "--to", taking, "--manner=garbage"}, exitFailed, []string{"BAD", "it should not be acknowledged"}, "not every answer was right"},
		{"garbage that is refused", []string{"kcp", "--to", refusing, "--manner=garbage"}, exitOK, []string{"not acknowledged (400), as it should be"}, ""},
		{"a good one that is refused", []string{"kcp", "--to", refusing, "--manner=rare-syllables", fast}, exitFailed, []string{"try 11", "not acknowledged (400) after 11 tries", "똠방각하"}, "not every answer was right"},
		{"a crowd", []string{"kcp", "--to", taking, "--manner=burst", "--times=1500"}, exitOK, []string{"1,500 of 1,500 acknowledged in ", "a second"}, ""},
		{"nobody there", []string{"kcp", "--to", gone.URL, "--manner=half-closed", fast}, exitAway, []string{"BAD", "no answer"}, "tongbo serve"},
		{"nobody there for garbage", []string{"kcp", "--to", gone.URL, "--manner=garbage", fast}, exitAway, []string{"BAD"}, "tongbo serve"},
		{"nothing to sign", []string{"kcp", "--to", taking, "--manner=wrong-signature"}, exitUsage, nil, "kcp proves nothing but its address"},
		{"an unknown manner", []string{"kcp", "--to", taking, "--manner=rude"}, exitUsage, nil, "duplicate, reordered"},
		{"no address", []string{"kcp", "--manner=late"}, exitUsage, nil, "--to is missing"},
		{"bytes alone", []string{"kcp", "--raw", "--manner=garbage"}, exitOK, []string{"no%20notice"}, ""},
		{"the bytes of a query", []string{"daou", "--raw", "--manner=rare-syllables"}, exitOK, []string{"PAYMETHOD=VACCOUNT&", "USERNAME=%8Cc"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"simulate", tt.args[0], "deposited"}, tt.args[1:]...)
			exit, out, errs := watch(t, args...)
			if exit != tt.exit || !strings.Contains(errs, tt.errs) {
				t.Errorf("exit %d, %s; want %d and %q", exit, errs, tt.exit, tt.errs)
			}
			for _, want := range tt.want {
				if !strings.Contains(out, want) {
					t.Errorf("output lacks %q:\n%s", want, out)
				}
			}
		})
	}
}

func TestSimulateAllManners(t *testing.T) {
	t.Parallel() // a slow body takes four seconds
	s, url := receive(t, "tosspayments", 0)
	exit, out, _ := watch(t, "simulate", "tosspayments", "deposited", "--to", url, "--manner=all", "--speed=1000", "--times=20")
	if exit != exitFailed { // the receiver takes garbage
		t.Errorf("exit %d", exit)
	}
	for _, want := range []string{"duplicate        good", "garbage          BAD", "burst            good  20 of 20"} {
		if !strings.Contains(out, want) {
			t.Errorf("output lacks %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "try 1") {
		t.Errorf("tries are shown:\n%s", out)
	}
	orders := map[string]bool{}
	for _, b := range s.bodies {
		var body struct{ OrderID string }
		if json.Unmarshal([]byte(b), &body) == nil && body.OrderID != "" {
			orders[body.OrderID] = true
		}
	}
	if len(orders) < 25 {
		t.Errorf("%d orders: manners share them", len(orders))
	}
}

func TestSimulateMannersAsJSON(t *testing.T) {
	_, url := receive(t, "kcp", 1)
	exit, out, _ := watch(t, "simulate", "kcp", "deposited", "--to", url, "--manner=reordered", "--json", fast)
	if exit != exitOK {
		t.Fatalf("exit %d\n%s", exit, out)
	}
	var got []string
	lines := strings.SplitAfter(strings.TrimSuffix(out, "\n"), "\n")
	var end shownPlay
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &end); err != nil || end.Manner != "reordered" || !end.Good ||
		end.Want != "received" || end.Acts != 2 || end.Acked != 2 || end.Tries != 3 || end.Answers != nil {
		t.Errorf("the closing line is %s (%v)", lines[len(lines)-1], err)
	}
	for _, line := range lines[:len(lines)-1] {
		var x shownExchange
		if err := json.Unmarshal([]byte(line), &x); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if x.Manner != "reordered" || len(x.Body) == 0 {
			t.Errorf("line %s", line)
		}
		got = append(got, string(x.Event))
	}
	if want := "reversed reversed deposited"; strings.Join(got, " ") != want {
		t.Errorf("events %v, want %s", got, want)
	}
}

// TestSimulateEachMannerEndsWithALine: one closing line for each manner, those
// too that the PG can't have.
func TestSimulateEachMannerEndsWithALine(t *testing.T) {
	t.Parallel() // a slow body takes four seconds
	_, url := receive(t, "kcp", 0)
	exit, out, _ := watch(t, "simulate", "kcp", "deposited", "--to", url, "--manner=all", "--json", "--times=7", fast)
	if exit != exitFailed { // the receiver takes garbage
		t.Errorf("exit %d", exit)
	}
	var got []simulator.Manner
	for line := range strings.Lines(out) {
		var p struct {
			shownPlay
			Acts *int `json:"acts"` // only closing lines have it
		}
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if p.Acts == nil {
			continue
		}
		got = append(got, p.Manner)
		switch p.Manner {
		case simulator.WrongSignature:
			if p.Skipped == "" {
				t.Errorf("KCP signs nothing: %s", line)
			}
		case simulator.Garbage:
			if p.Good || p.Want != "resend" {
				t.Errorf("garbage was taken: %s", line)
			}
		case simulator.Burst:
			if *p.Acts != 7 || p.Answers == nil || p.Answers.PerSecond <= 0 || p.Answers.P99MS <= 0 || p.Answers.MaxMS < p.Answers.P50MS {
				t.Errorf("burst: %s", line)
			}
		default:
		}
	}
	if d := cmp.Diff(simulator.Manners(), got); d != "" {
		t.Errorf("closing lines (-want +got):\n%s", d)
	}
}

// TestBadMannersAreExplained: what is said of a bad answer fits the answer.
func TestBadMannersAreExplained(t *testing.T) {
	const answered, taken = "the answer says why", "was acknowledged that should not have been"
	for _, tt := range []struct {
		code, manner string
		refuses      int
		says         string // below BAD
		hint, not    string // in the end
	}{
		{"settle", "wrong-signature", 0, "only seen if its channel has the credentials (hash_key)", taken, answered},
		{"nice_v2", "wrong-signature", 0, "(merchant_key, secret_key)", taken, answered},
		{"tosspayments", "wrong-signature", 0, "only seen if its order is registered with its secret (pgSecret)", taken, answered},
		{"kpn", "wrong-signature", 0, "(mx_otp) or its order is registered", taken, answered},
		{"kcp", "rare-syllables", 1 << 30, "it should be acknowledged", answered, taken},
	} {
		_, url := receive(t, tt.code, tt.refuses)
		exit, out, errs := watch(t, "simulate", tt.code, "deposited", "--to", url, "--manner", tt.manner, "--no-resend")
		if exit != exitFailed || !strings.Contains(out, tt.says) || !strings.Contains(out, "tongbo notices") {
			t.Errorf("%s: exit %d, output lacks %q:\n%s", tt.code, exit, tt.says, out)
		}
		if !strings.Contains(errs, tt.hint) || strings.Contains(errs, tt.not) {
			t.Errorf("%s: want %q and not %q:\n%s", tt.code, tt.hint, tt.not, errs)
		}
	}
}

// TestMannersExplained compares docs/simulator.md with the simulator.
func TestMannersExplained(t *testing.T) {
	text, err := os.ReadFile("../../docs/simulator.md")
	if err != nil {
		t.Fatal(err)
	}
	var got []simulator.Manner
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|").FindAllStringSubmatch(string(text), -1) {
		got = append(got, simulator.Manner(m[1]))
	}
	if d := cmp.Diff(simulator.Manners(), got); d != "" {
		t.Errorf("docs/simulator.md (-simulator +manual):\n%s", d)
	}
}
