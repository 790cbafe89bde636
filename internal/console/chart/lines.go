package chart

import (
	"fmt"
	"html/template"
	"strings"
	"time"
)

// A Point is how long the tries of a step took: half of them at most P50, and 95 of a
// hundred at most P95. The zero Point is a step of which there is no data.
type Point struct{ P50, P95 time.Duration }

// Lines are the lines of P50 and P95 over the steps of the frame. They break off where
// there is no data.
type Lines struct {
	Frame
	P50, P95 string // what they are called
	Points   []Point
}

// HTML is the chart with its table.
func (c Lines) HTML() template.HTML {
	w := &writer{}
	w.put(`<figure class="chart">`)
	c.legend(w)
	c.draw(w)
	w.table(c.Frame, []string{c.P50, c.P95}, c.row)
	return w.end()
}

// legend says what the lines mean.
func (c Lines) legend(w *writer) {
	w.put(`<p class="legend">%s %s %s %s</p>`, swatch(`<path class="line-run" d="M0 6h12"/>`), esc(c.P50),
		swatch(`<path class="line-wait" stroke-dasharray="4 2" d="M0 6h12"/>`), esc(c.P95))
}

func (c Lines) draw(w *writer) {
	w.open(c.Frame, "img")
	most := 1.0
	for _, p := range c.Points {
		most = max(most, milli(p.P50), milli(p.P95))
	}
	most = ceiling(most)
	w.axes(c.Frame, most, func(v float64) string { return took(time.Duration(v * float64(time.Millisecond))) })
	var p50, p95, alone strings.Builder
	drawing := false
	for i, p := range c.Points {
		if p == (Point{}) {
			drawing = false
			continue
		}
		at := num(c.x(i) + float64(plotWidth)/float64(len(c.From))/2)
		command := "L"
		if !drawing {
			command = "M"
			if i+1 == len(c.Points) || c.Points[i+1] == (Point{}) { // a line of one point is none
				fmt.Fprintf(&alone, `<circle class="run" cx="%s" cy="%s" r="2"/><circle class="wait" cx="%[1]s" cy="%s" r="2"/>`,
					at, num(y(milli(p.P50), most)), num(y(milli(p.P95), most)))
			}
		}
		drawing = true
		p50.WriteString(command + at + " " + num(y(milli(p.P50), most)))
		p95.WriteString(command + at + " " + num(y(milli(p.P95), most)))
	}
	w.put(`<path class="line-run" d="%s"/><path class="line-wait" stroke-dasharray="6 3" d="%s"/>%s`, p50.String(), p95.String(), alone.String())
	w.gaps(c.Frame, func(i int) bool { return c.Points[i] != (Point{}) })
	w.close()
}

// row is a row of the table; nil if there is no data.
func (c Lines) row(i int) []string {
	if c.Points[i] == (Point{}) {
		return nil
	}
	return []string{took(c.Points[i].P50), took(c.Points[i].P95)}
}

// A Pair is bars and lines of the same steps, with one table.
type Pair struct {
	Bars  Bars
	Lines Lines
}

// HTML is both charts with their table.
func (p Pair) HTML() template.HTML {
	w := &writer{}
	w.put(`<figure class="chart">`)
	p.Bars.legend(w)
	p.Bars.draw(w)
	p.Lines.legend(w)
	p.Lines.draw(w)
	w.table(p.Bars.Frame, []string{p.Bars.Completed, p.Bars.Retrying, p.Bars.Failed, p.Lines.P50, p.Lines.P95}, func(i int) []string {
		counts, times := p.Bars.row(i), p.Lines.row(i)
		switch {
		case counts == nil:
			return nil
		case times == nil:
			times = []string{"–", "–"}
		}
		return append(counts, times...)
	})
	return w.end()
}

func milli(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// took writes a time that something took.
func took(d time.Duration) string {
	if d < 10*time.Millisecond {
		return strings.TrimSuffix(fmt.Sprintf("%.1f", milli(d)), ".0") + " ms"
	}
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", d.Seconds()), ".0") + " s"
}

// The room of a sparkline.
const sparkWidth, sparkHeight = 120, 24

// A Spark is a small line without axes beside a name, from zero; a negative value is a
// step of which there is no data.
type Spark struct {
	Title  string // what it shows, with its numbers: it has no table
	Values []int
}

// SVG draws the line.
func (s Spark) SVG() template.HTML {
	w := &writer{}
	w.put(`<svg class="spark" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d" role="img" aria-label="%[3]s"><title>%[3]s</title>`, sparkWidth, sparkHeight, esc(s.Title))
	most := 1
	for _, v := range s.Values {
		most = max(most, v)
	}
	var line strings.Builder
	drawing := false
	for i, v := range s.Values {
		if v < 0 {
			drawing = false
			continue
		}
		at := 2 + float64(sparkWidth-4)*float64(i)/float64(max(len(s.Values)-1, 1))
		command := "L"
		if !drawing {
			command = "M" + num(at) + " " + num(2+float64(sparkHeight-4)*(1-float64(v)/float64(most))) + "h.1L" // a dot, if nothing follows
		}
		drawing = true
		line.WriteString(command + num(at) + " " + num(2+float64(sparkHeight-4)*(1-float64(v)/float64(most))))
	}
	w.put(`<path class="line-run" d="%s"/></svg>`, line.String())
	return template.HTML(w.String()) //nolint:gosec // all text was escaped
}
