// Package chart draws charts as inline SVG: stacked bars of how deliveries went, lines of
// how long they took, and sparklines. A chart has a title and a description, begins at
// zero, shows where there is no data, tells states by pattern as well as by colour, and
// has a table with the same numbers. It bears classes and attributes, and no style.
//
// Texts come from whoever draws, and are escaped. Nothing here reads a clock.
package chart

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"
)

// The room of a chart, in the units of its view box.
const (
	width, height             = 720, 200
	left, right, top, bottom  = 52, 8, 8, 24
	plotWidth, plotHeight     = width - left - right, height - top - bottom
	mostLabels, leastNoteRoom = 7, 90
)

// A Frame is what every chart has.
type Frame struct {
	ID    string // of the page's elements: letters, digits and dashes
	Title string
	Desc  string         // what it shows, in a sentence
	None  string         // what stands where there is no data: 데이터 없음
	Table string         // what opens the table
	At    string         // the head of the table's column of times
	Zone  *time.Location // of the axis and the table
	Step  time.Duration  // of the time axis
	From  []time.Time    // when each step begins, the oldest first
}

// A writer collects a chart.
type writer struct{ strings.Builder }

// put writes a format; what is text must have been escaped.
func (w *writer) put(format string, args ...any) { fmt.Fprintf(w, format, args...) }

// esc escapes text for an element or an attribute.
func esc(s string) string { return template.HTMLEscapeString(s) }

// open begins an SVG: one with links in it is a group, and else it is an image.
func (w *writer) open(f Frame, role string) {
	w.put(`<svg class="chart" id="%s" viewBox="0 0 %d %d" role="%s" aria-labelledby="%[1]s-t %[1]s-d">`, esc(f.ID), width, height, role)
	w.put(`<title id="%s-t">%s</title><desc id="%[1]s-d">%[3]s</desc>`, esc(f.ID), esc(f.Title), esc(f.Desc))
}

// x is where a step of n begins.
func (f Frame) x(i int) float64 {
	return left + float64(plotWidth)*float64(i)/float64(max(len(f.From), 1))
}

// y is where a value of the most stands.
func y(value, most float64) float64 { return top + plotHeight*(1-value/most) }

// num writes a coordinate.
func num(v float64) string { return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0") }

// axes draws both axes, from zero to most, and labels the steps.
func (w *writer) axes(f Frame, most float64, label func(float64) string) {
	for _, part := range []float64{0, 0.5, 1} {
		at := num(y(part, 1))
		w.put(`<path class="axis" d="M%d %sH%d"/>`, left, at, width-right)
		w.put(`<text x="%d" y="%s" text-anchor="end" dy="4">%s</text>`, left-6, at, esc(label(part*most)))
	}
	every := max(1, (len(f.From)+mostLabels-1)/mostLabels)
	for i := 0; i < len(f.From); i += every {
		w.put(`<text x="%s" y="%d">%s</text>`, num(f.x(i)), height-6, esc(f.tick(f.From[i])))
	}
}

// tick is a time as the axis has it.
func (f Frame) tick(t time.Time) string {
	if f.Step >= time.Hour && len(f.From) > 24 {
		return t.In(f.Zone).Format("01-02 15:04")
	}
	return t.In(f.Zone).Format("15:04")
}

// gaps writes a note over each stretch of steps without data that has room for it.
func (w *writer) gaps(f Frame, has func(int) bool) {
	for i := 0; i < len(f.From); {
		if has(i) {
			i++
			continue
		}
		end := i
		for end < len(f.From) && !has(end) {
			end++
		}
		if from, to := f.x(i), f.x(end); to-from >= leastNoteRoom {
			w.put(`<text class="none" x="%s" y="%d" text-anchor="middle">%s</text>`, num((from+to)/2), top+plotHeight/3, esc(f.None))
		}
		i = end
	}
}

// close ends the SVG.
func (w *writer) close() { w.put(`</svg>`) }

// table writes a table of the steps that have data. Tags that HTML lets out are left out,
// since a week has many rows.
func (w *writer) table(f Frame, heads []string, row func(i int) []string) {
	w.put(`<details><summary>%s</summary><div class="wide"><table><caption>%s</caption><thead><tr><th scope="col">%s</th>`, esc(f.Table), esc(f.Title), esc(f.At))
	for _, h := range heads {
		w.put(`<th scope="col">%s</th>`, esc(h))
	}
	w.put(`</tr></thead><tbody>`)
	for i, at := range f.From {
		cells := row(i)
		if cells == nil {
			continue
		}
		w.put("\n<tr><th scope=row>%s", esc(at.In(f.Zone).Format("01-02 15:04")))
		for _, c := range cells {
			w.put(`<td>%s`, esc(c))
		}
	}
	w.put(`</tbody></table></div></details>`)
}

// end is the chart as a figure.
func (w *writer) end() template.HTML {
	w.put(`</figure>`)
	return template.HTML(w.String()) //nolint:gosec // all text was escaped
}

// safeLink is a link of the page's own site; empty if it is none.
func safeLink(link string) string {
	path, _, _ := strings.Cut(link, "?")
	if strings.ContainsAny(path, ":\\") || strings.HasPrefix(path, "//") {
		return ""
	}
	return link
}

// ceiling is the least round number that is not below v: 1, 2 or 5 times a power of ten.
func ceiling(v float64) float64 {
	for step := 1.0; ; step *= 10 {
		for _, m := range []float64{1, 2, 5} {
			if v <= m*step {
				return m * step
			}
		}
	}
}
