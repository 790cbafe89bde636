//go:build linux

package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
)

// The marks in the document between which the report stands.
const (
	beginMark = "<!-- bench:begin -->"
	endMark   = "<!-- bench:end -->"
)

// write writes the report as Markdown: ratios first, then the figures that
// they are of, then the machine.
func (r report) write(w io.Writer) {
	r.table(w, "Ratios", figure.ratio)
	r.table(w, "Figures", func(f figure) bool { return !f.ratio() })
	if len(r.Machine) > 0 {
		fmt.Fprint(w, "### Machine\n\n| | |\n| --- | --- |\n")
		for _, f := range r.Machine {
			fmt.Fprintf(w, "| %s | %s |\n", f.Name, f.Value)
		}
	}
}

// table writes the figures that belong, a row for each with a column for each
// engine, if there are any.
func (r report) table(w io.Writer, title string, belongs func(figure) bool) {
	type row struct{ measure, what string }
	var rows []row
	cells := map[row]map[string]figure{}
	for _, f := range r.Figures {
		at := row{f.Measure, f.What}
		if !belongs(f) {
			continue
		}
		if cells[at] == nil {
			cells[at] = map[string]figure{}
			rows = append(rows, at)
		}
		cells[at][f.Engine] = f
	}
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(w, "### %s\n\n| measure | what | %s | %s | aim |\n| --- | --- | --- | --- | --- |\n", title, sqliteName, postgresName)
	for _, at := range rows {
		s, p := cells[at][sqliteName], cells[at][postgresName]
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s |\n", at.measure, at.what, s.text(), p.text(), cmp.Or(s.Aim, p.Aim))
	}
	fmt.Fprintln(w)
}

// text is the median with its unit and, if there were several runs, the range;
// empty if nothing was measured.
func (f figure) text() string {
	if len(f.Values) == 0 {
		return ""
	}
	unit := f.Unit
	switch {
	case unit == number:
		unit = ""
	case unit != "" && unit != perSecond:
		unit = " " + unit
	}
	out := amount(f.median()) + unit
	if len(f.Values) > 1 {
		out += fmt.Sprintf(" (%s–%s)", amount(slices.Min(f.Values)), amount(slices.Max(f.Values)))
	}
	return out
}

// amount is a number with three digits that mean something, or as a whole.
func amount(v float64) string {
	switch a := math.Abs(v); {
	case a >= 999.5:
		return grouped(int64(math.Round(v)))
	case a >= 100 || v == math.Trunc(v):
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	case a >= 0.1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}

// grouped writes thousands apart.
func grouped(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// between returns text with what stands between the marks replaced. It is an
// error if the text does not have each of them once, in order.
func between(text, report string) (string, error) {
	before, rest, begun := strings.Cut(text, beginMark)
	_, after, ended := strings.Cut(rest, endMark)
	if !begun || !ended || strings.Contains(before+after, beginMark) || strings.Contains(before+after, endMark) {
		return "", fmt.Errorf("the document needs one line %s and, below it, one line %s", beginMark, endMark)
	}
	return before + beginMark + "\n\n" + strings.TrimSpace(report) + "\n\n" + endMark + after, nil
}

// publish writes the report into a document that has the marks.
func (r report) publish(file string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var b strings.Builder
	r.write(&b)
	text, err := between(string(old), b.String())
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, []byte(text), 0o644)
}
