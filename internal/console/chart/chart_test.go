package chart

import (
	"encoding/xml"
	"errors"
	"flag"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

var seoul = time.FixedZone("KST", 9*60*60)

// frame is one of n steps from nine in the evening in Seoul on.
func frame(n int, step time.Duration) Frame {
	f := Frame{ID: "c", Title: "웹훅 결과", Desc: "지난 하루", None: "데이터 없음", Table: "표로 보기", At: "시각 (KST)", Zone: seoul, Step: step}
	for i := range n {
		f.From = append(f.From, time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC).Add(time.Duration(i)*step))
	}
	return f
}

// golden compares a chart with a file, and checks that it is well-formed and bears no
// style or script.
func golden(t *testing.T, name string, got template.HTML) {
	t.Helper()
	svg := string(got)
	svg = svg[strings.Index(svg, "<svg class=\""):]
	if at := strings.Index(svg, "<svg class=\"chart"); at > 0 {
		svg = svg[at:]
	}
	d := xml.NewDecoder(strings.NewReader(svg[:strings.LastIndex(svg, "</svg>")+len("</svg>")]))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%s is not well-formed: %v\n%s", name, err, got)
		}
	}
	if found := regexp.MustCompile(`(?i)\bstyle=|<script|\son\w+=`).FindString(string(got)); found != "" {
		t.Errorf("%s: %q would be stopped by the policy", name, found)
	}
	file := filepath.Join("testdata", name+".svg")
	text := strings.ReplaceAll(string(got), "><", ">\n<") + "\n"
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s differs (-want +got); go test -update if that is meant:\n%s", name, diff)
	}
}

func bars(n int, step time.Duration, edit func(i int) Bar) Bars {
	c := Bars{Frame: frame(n, step), Completed: "완료", Retrying: "재시도 중", Failed: "실패"}
	for i := range n {
		c.Bars = append(c.Bars, edit(i))
	}
	return c
}

func TestBars(t *testing.T) {
	t.Parallel()
	golden(t, "bars", bars(8, 15*time.Minute, func(i int) Bar {
		if i >= 3 && i < 6 {
			return Bar{}
		}
		return Bar{Completed: 10 * i, Retrying: i % 2, Failed: i % 3, Link: "deliveries?from=1&until=2"}
	}).HTML())
	golden(t, "bars-none", bars(4, time.Hour, func(int) Bar { return Bar{} }).HTML())
	golden(t, "bars-empty", bars(0, time.Hour, nil).HTML())
}

func TestLines(t *testing.T) {
	t.Parallel()
	c := Lines{Frame: frame(6, time.Minute), P50: "절반", P95: "95%", Points: []Point{
		{80 * time.Millisecond, 120 * time.Millisecond}, {90 * time.Millisecond, 1500 * time.Millisecond}, {}, {time.Second, 3 * time.Second}, {}, {},
	}}
	golden(t, "lines", c.HTML())
}

func TestSpark(t *testing.T) {
	t.Parallel()
	golden(t, "spark", Spark{Title: "지난 24시간 312건", Values: []int{0, 4, 8, -1, 2, -1, -1, 3, 3}}.SVG())
}

// TestHostileText: whatever a chart is called is text.
func TestHostileText(t *testing.T) {
	t.Parallel()
	bad := `"><script>alert(1)</script>&'`
	c := bars(2, time.Hour, func(int) Bar { return Bar{Failed: 1, Link: "javascript:" + bad} })
	c.ID, c.Title, c.Desc, c.None, c.Table, c.At, c.Completed, c.Failed = bad, bad, bad, bad, bad, bad, bad, bad
	for _, text := range []template.HTML{c.HTML(), Spark{Title: bad, Values: []int{1}}.SVG()} {
		if strings.Contains(string(text), "<script") || strings.Contains(string(text), bad) || strings.Contains(string(text), "javascript:") {
			t.Errorf("text became markup:\n%s", text)
		}
	}
}

// TestWeight: a week by the hour leaves room for the page around it.
func TestWeight(t *testing.T) {
	t.Parallel()
	p := Pair{Bars: bars(168, time.Hour, func(i int) Bar {
		return Bar{Completed: 1000 + i, Retrying: i, Failed: i, Link: "?range=week&bar=1763640000"}
	})}
	p.Lines = Lines{Frame: p.Bars.Frame, P50: "절반", P95: "95%"}
	for i := range 168 {
		p.Lines.Points = append(p.Lines.Points, Point{time.Duration(80+i) * time.Millisecond, time.Duration(120+3*i) * time.Millisecond})
	}
	if text := p.HTML(); len(text) > 46<<10 {
		t.Errorf("a week weighs %d bytes", len(text))
	}
}

func TestPair(t *testing.T) {
	t.Parallel()
	p := Pair{Bars: bars(2, time.Hour, func(i int) Bar { return Bar{Completed: 1 - i} })}
	p.Lines = Lines{Frame: p.Bars.Frame, P50: "절반", P95: "95%", Points: make([]Point, 2)}
	if text := string(p.HTML()); strings.Count(text, `<svg class="chart"`) != 2 || strings.Count(text, "<tr>") != 2 || !strings.Contains(text, "<td>1<td>0<td>0<td>–<td>–") {
		t.Errorf("a pair of charts:\n%s", text)
	}
}

func TestCeiling(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]float64{0: 1, 1: 1, 1.1: 2, 3: 5, 7: 10, 10: 10, 11: 20, 201: 500, 999: 1000, 1001: 2000} {
		if got := ceiling(v); got != want {
			t.Errorf("ceiling(%v) = %v, want %v", v, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		0: "0 ms", 500 * time.Microsecond: "0.5 ms", 2 * time.Millisecond: "2 ms", 84 * time.Millisecond: "84 ms", 1500 * time.Millisecond: "1.5 s", 2 * time.Second: "2 s",
	} {
		if got := took(d); got != want {
			t.Errorf("took(%v) = %s, want %s", d, got, want)
		}
	}
}
