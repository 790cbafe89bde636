package chart

import (
	"html/template"
	"math"
	"strconv"
	"strings"
)

// A Bar is how the deliveries of a step went. The zero Bar is a step of which there is
// no data.
type Bar struct {
	Completed, Retrying, Failed int
	Link                        string // where the step is listed; empty if nowhere
}

func (b Bar) sum() int { return b.Completed + b.Retrying + b.Failed }

// Bars are stacked bars, one for each step of the frame: completed at the bottom, and
// failed on top, hatched.
type Bars struct {
	Frame
	Completed, Retrying, Failed string // what they are called
	Bars                        []Bar
}

// HTML is the chart with its table.
func (c Bars) HTML() template.HTML {
	w := &writer{}
	w.put(`<figure class="chart">`)
	c.legend(w)
	c.draw(w)
	w.table(c.Frame, []string{c.Completed, c.Retrying, c.Failed}, c.row)
	return w.end()
}

// legend says what the patterns mean.
func (c Bars) legend(w *writer) {
	w.put(`<figcaption class="legend">%s %s %s %s %s %s</figcaption>`,
		swatch(`<path class="ok" d="M0 0h12v12H0z"/>`), esc(c.Completed), swatch(`<path class="wait" d="M0 0h12v12H0z"/>`), esc(c.Retrying),
		swatch(`<path class="bad" d="M0 0h12v12H0z"/><path class="hatch" d="M-2 6L6-2M0 12L12 0M6 14L14 6"/>`), esc(c.Failed))
}

// swatch is a patch of how something is drawn.
func swatch(drawn string) string {
	return `<svg class="swatch" viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">` + drawn + `</svg>`
}

func (c Bars) draw(w *writer) {
	w.open(c.Frame, "group")
	w.put(`<defs><pattern id="%s-h" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">`+
		`<rect class="bad" width="6" height="6"/><path class="hatch" d="M0 0V6"/></pattern></defs>`, esc(c.ID))
	most := 1.0
	for _, b := range c.Bars {
		most = max(most, float64(b.sum()))
	}
	most = ceiling(most)
	w.axes(c.Frame, most, func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) })
	thick := max(float64(plotWidth)/float64(max(len(c.From), 1))-1, 1)
	var completed, retrying, failed strings.Builder
	for i, b := range c.Bars {
		from := 0
		for _, part := range []struct {
			into  *strings.Builder
			n     int
			least float64 // however few they are, they are seen
		}{{&completed, b.Completed, 1}, {&retrying, b.Retrying, 1}, {&failed, b.Failed, 2}} {
			if part.n > 0 {
				low := math.Round(y(float64(from), most))
				high := min(math.Round(y(float64(from+part.n), most)), low-part.least)
				part.into.WriteString("M" + num(c.x(i)) + " " + num(low) + "V" + num(high) + "h" + num(thick) + "V" + num(low) + "z")
			}
			from += part.n
		}
	}
	w.put(`<path class="ok" d="%s"/><path class="wait" d="%s"/><path fill="url(#%s-h)" d="%s"/>`,
		completed.String(), retrying.String(), esc(c.ID), failed.String())
	w.put(`<g class="hits">`)
	for i, b := range c.Bars {
		if link := safeLink(b.Link); link != "" && b.sum() > 0 {
			w.put(`<a href="%s" aria-label="%s"><path d="M%s %dh%sv%dh-%[5]sz"/></a>`, esc(link), esc(c.tick(c.From[i])), num(c.x(i)), top, num(thick), plotHeight)
		}
	}
	w.put(`</g>`)
	w.gaps(c.Frame, func(i int) bool { return c.Bars[i].sum() > 0 })
	w.close()
}

// row is a row of the table; nil if there is no data.
func (c Bars) row(i int) []string {
	b := c.Bars[i]
	if b.sum() == 0 {
		return nil
	}
	return []string{strconv.Itoa(b.Completed), strconv.Itoa(b.Retrying), strconv.Itoa(b.Failed)}
}
