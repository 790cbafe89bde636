//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sample is a report with a ratio and figures of both engines.
func sample() report {
	r := report{Machine: []fact{{"cores", "2"}}}
	s, p := topic{report: &r, measure: "accept", engine: sqliteName}, topic{report: &r, measure: "accept", engine: postgresName}
	for _, v := range []float64{4000, 5000, 4500} {
		s.note("accepted", perSecond, "", v)
		s.note("accepted, to floor (a)", unitless, "≥ 0.5", v/10000)
	}
	p.note("accepted", perSecond, "", 999.6)
	p.note("RSS of the server", megabytes, "≤ 40", 23.04)
	return r
}

func TestReportIsWritten(t *testing.T) {
	const want = `### Ratios

| measure | what | SQLite | PostgreSQL | aim |
| --- | --- | --- | --- | --- |
| accept | accepted, to floor (a) | 0.45 (0.40–0.50) |  | ≥ 0.5 |

### Figures

| measure | what | SQLite | PostgreSQL | aim |
| --- | --- | --- | --- | --- |
| accept | accepted | 4,500/s (4,000–5,000) | 1,000/s |  |
| accept | RSS of the server |  | 23.0 MB | ≤ 40 |

### Machine

| | |
| --- | --- |
| cores | 2 |
`
	var b strings.Builder
	sample().write(&b)
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

func TestAmount(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 0.0123: "0.012", 0.951: "0.95", 3.44: "3.44", 12.34: "12.3", 999.4: "999", 999.6: "1,000",
		18000: "18,000", 1234567: "1,234,567", -1234: "-1,234", 5: "5",
	} {
		if got := amount(v); got != want {
			t.Errorf("amount(%v) = %q, want %q", v, got, want)
		}
	}
}

func TestPublishReplacesOnlyItsPart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "doc.md")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# By hand\n\n" + beginMark + "\n\nold\n\n" + endMark + "\n\nBelow.\n")
	for range 2 { // the second time changes nothing more
		if err := sample().publish(file); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := string(b)
	if !strings.HasPrefix(got, "# By hand\n\n"+beginMark+"\n\n### Ratios") || !strings.HasSuffix(got, "| cores | 2 |\n\n"+endMark+"\n\nBelow.\n") || strings.Contains(got, "old") {
		t.Errorf("the document is now:\n%s", got)
	}
	for _, bad := range []string{"no marks", beginMark, endMark + beginMark, beginMark + endMark + beginMark} {
		write(bad)
		if err := sample().publish(file); err == nil {
			t.Errorf("a document of %q is written to", bad)
		}
	}
}

func TestReportKeepsWhatWasNotMeasuredAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kept.json")
	if err := sample().save(file); err != nil {
		t.Fatal(err)
	}
	kept, err := loadReport(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sample().Figures[0].Values, kept.Figures[0].Values); diff != "" {
		t.Errorf("a figure changed on the way (-want +got):\n%s", diff)
	}
	var newer report
	topic{report: &newer, measure: "accept", engine: sqliteName}.note("accepted", perSecond, "", 6000)
	kept.replace(newer)
	got := map[string][]float64{}
	for _, f := range kept.Figures {
		got[f.Engine+" "+f.What] = f.Values
	}
	want := map[string][]float64{"SQLite accepted": {6000}, "PostgreSQL accepted": {999.6}, "PostgreSQL RSS of the server": {23.04}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("figures (-want +got):\n%s", diff)
	}
	if r, err := loadReport(file + ".none"); err != nil || len(r.Figures) > 0 {
		t.Errorf("a file that is not there: %v, %v; want an empty report", r, err)
	}
}
