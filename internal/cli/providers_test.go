package cli

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/provider/all"
)

// mostCells is how wide the table may be.
const mostCells = 100

func TestProviders(t *testing.T) {
	exit, table, _ := run(t, "", "providers")
	if exit != exitOK {
		t.Fatalf("exit %d", exit)
	}
	// A Korean name takes two cells a syllable, so columns line up by cells.
	column := -1
	for line := range strings.Lines(table) {
		if w := cells(strings.TrimSuffix(line, "\n")); w > mostCells {
			t.Errorf("%d cells: %s", w, line)
		}
		if line == "\n" {
			break // the legend follows
		}
		if strings.HasPrefix(line, " ") {
			continue // paths and charset
		}
		at := strings.Index(line, "  V") // where MODULE begins
		if strings.HasPrefix(line, "CODE") {
			at = strings.Index(line, "  MODULE")
		}
		if at < 0 {
			t.Fatalf("no module in %q", line)
		}
		if w := cells(line[:at] + "  "); column >= 0 && w != column {
			t.Errorf("column at %d, want %d: %s", w, column, line)
		} else {
			column = w
		}
	}
	for _, p := range all.Providers() {
		i := p.Info()
		below := "\n    " + strings.Join(i.Paths, "  ") + "  " + i.Charset + "\n"
		if !strings.Contains(table, below) || !strings.Contains(table, "\n"+i.Code+" ") {
			t.Errorf("%s is missing from the table", i.Code)
		}
	}
	if !strings.Contains(table, "10 × 10m is ten times, ten minutes apart") {
		t.Error("resends are not explained")
	}
}

func TestProvidersAsJSON(t *testing.T) {
	_, lines, _ := run(t, "", "providers", "--json")
	got := map[string]shownProvider{}
	for line := range strings.Lines(lines) {
		var s shownProvider
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatal(err)
		}
		got[s.Code] = s
	}
	for _, p := range all.Providers() {
		i := p.Info()
		s, ok := got[i.Code]
		if !ok || s.Proves != i.Proves.EN || len(s.Senders.Live) != len(i.LiveSenders) || len(s.Senders.Test) != len(i.TestSenders) ||
			s.SendersAsOf != i.SendersDate().EN || len(s.ResendSecs) != len(i.Resend) {
			t.Errorf("%s: %+v", i.Code, s)
		}
	}
	if s := got["html5_inicis"]; len(s.ResendSecs) != 10 || s.ResendSecs[0] != 600 {
		t.Errorf("KG Inicis resends after %v", s.ResendSecs)
	}
	if s := got["settle"]; strings.Join(s.ProvedWith, " ") != "hash_key" || strings.Join(s.Senders.Live, " ") != "14.34.14.23 61.252.169.24" {
		t.Errorf("settle: %+v", s)
	}
	exit, line, _ := run(t, "", "providers", "kpn", "--json")
	if exit != exitOK || strings.Count(line, "\n") != 1 || !strings.Contains(line, `"code":"kpn"`) {
		t.Errorf("exit %d, %s", exit, line)
	}
}

// TestOneProvider: all that is known of a module is shown, in lines that fit.
func TestOneProvider(t *testing.T) {
	for _, p := range all.Providers() {
		i := p.Info()
		for _, width := range []int{0, 100} {
			var out bytes.Buffer
			if exit := Main([]string{"providers", i.Code}, Env{Stdout: &out, Stderr: &out, Width: width}); exit != exitOK {
				t.Fatalf("%s: exit %d: %s", i.Code, exit, &out)
			}
			words := strings.Join(strings.Fields(out.String()), " ")
			want := []string{i.Name.KO, i.Name.EN, i.Charset, i.Proves.EN, i.ResendNote.EN, pgWords{"en"}.class(i.Class), i.SendersDate().EN, "tongbo channel guide " + i.Code}
			want = append(want, i.Paths...)
			for _, f := range i.Fields {
				want = append(want, f.Name+":")
			}
			for _, m := range i.TestMIDs {
				want = append(want, m.MID)
			}
			for _, w := range append(want, senderWords(i.LiveSenders)...) {
				if !strings.Contains(words, strings.Join(strings.Fields(w), " ")) {
					t.Errorf("%s lacks %q:\n%s", i.Code, w, &out)
				}
			}
			for line := range strings.Lines(out.String()) {
				if w := cells(strings.TrimSuffix(line, "\n")); w > max(width, usualWidth) {
					t.Errorf("%s: %d cells of %d: %s", i.Code, w, width, line)
				}
			}
		}
	}
	for _, p := range all.Providers() { // in Korean, too, what there is of a module
		i := p.Info()
		_, out, _ := run(t, "", "providers", i.Code, "--lang", "ko")
		flat := strings.Join(strings.Fields(out), " ")
		for _, w := range []string{"관리자 페이지", i.Proves.KO, i.ResendNote.KO, pgWords{"ko"}.class(i.Class)} {
			if !strings.Contains(flat, strings.Join(strings.Fields(w), " ")) || strings.Contains(out, "cli.providers.") {
				t.Errorf("%s in Korean lacks %q:\n%s", i.Code, w, out)
			}
		}
		for line := range strings.Lines(out) {
			if w := cells(strings.TrimSuffix(line, "\n")); w > usualWidth {
				t.Errorf("%s: %d cells: %s", i.Code, w, line)
			}
		}
	}
	if _, out, _ := run(t, "", "providers", "--lang", "ko"); !strings.Contains(out, "10 × 10m은 10분 간격으로 10번") || !strings.Contains(out, "보낸 주소만") {
		t.Errorf("the table in Korean:\n%s", out)
	}
	if exit, _, errs := run(t, "", "providers", "kpc"); exit != exitUsage || !strings.Contains(errs, "The providers are ") {
		t.Errorf("an unknown one: exit %d, %s", exit, errs)
	}
}

func TestResendSchedule(t *testing.T) {
	for _, tt := range []struct {
		list []time.Duration
		want string
	}{
		{nil, "unknown"},
		{[]time.Duration{10 * time.Minute, 10 * time.Minute}, "2 × 10m"},
		{[]time.Duration{time.Minute, 64 * time.Minute, 30 * time.Second}, "1m 64m 30s"},
	} {
		if got := (pgWords{"en"}).schedule(tt.list); got != tt.want {
			t.Errorf("schedule(%v) = %q, want %q", tt.list, got, tt.want)
		}
	}
}
