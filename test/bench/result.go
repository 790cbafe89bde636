//go:build linux

package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
	"time"
)

// A figure is one thing that was measured, with the value of each run.
type figure struct {
	Measure string    `json:"measure"`
	Engine  string    `json:"engine"`
	What    string    `json:"what"`
	Unit    string    `json:"unit"` // empty for a ratio
	Aim     string    `json:"aim,omitempty"`
	Values  []float64 `json:"values"`
	Taken   time.Time `json:"taken"`
}

// ratio reports whether the figure compares two others of the same run.
func (f figure) ratio() bool { return f.Unit == "" }

// median is the middle of the values, the lower one of two.
func (f figure) median() float64 {
	if len(f.Values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(f.Values))
	return sorted[(len(sorted)-1)/2]
}

// The units of figures.
const (
	unitless    = ""
	perSecond   = "/s"
	millisecond = "ms"
	seconds     = "s"
	megabytes   = "MB"
	number      = "count"
	cores       = "cores"
)

// A report collects figures in the order in which they were first noted. It is
// not safe for concurrent use.
type report struct {
	Machine []fact   `json:"machine"`
	Figures []figure `json:"figures"`
}

// A fact is a line about the machine.
type fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A topic is what figures are noted under.
type topic struct {
	report          *report
	measure, engine string
	say             func(figure)
}

// note adds a value to a figure; aim says what is hoped for, if anything.
func (t topic) note(what, unit, aim string, value float64) {
	now := time.Now().UTC().Truncate(time.Second)
	i := slices.IndexFunc(t.report.Figures, func(f figure) bool {
		return f.Measure == t.measure && f.Engine == t.engine && f.What == what
	})
	if i < 0 {
		i = len(t.report.Figures)
		t.report.Figures = append(t.report.Figures, figure{Measure: t.measure, Engine: t.engine, What: what})
	}
	f := &t.report.Figures[i]
	f.Unit, f.Aim, f.Taken, f.Values = unit, aim, now, append(f.Values, value)
	if t.say != nil {
		one := *f
		one.Values = []float64{value}
		t.say(one)
	}
}

// millis notes a duration.
func (t topic) millis(what, aim string, d time.Duration) {
	t.note(what, millisecond, aim, float64(d)/float64(time.Millisecond))
}

// spread notes the percentiles of a histogram.
func (t topic) spread(what, aim50, aim99 string, h *histogram) {
	t.millis(what+" p50", aim50, h.quantile(0.5))
	t.millis(what+" p99", aim99, h.quantile(0.99))
	t.millis(what+" p99.9", "", h.quantile(0.999))
}

// forget drops what a measure has noted on an engine.
func (r *report) forget(measure, engine string) {
	r.Figures = slices.DeleteFunc(r.Figures, func(f figure) bool { return f.Measure == measure && f.Engine == engine })
}

// median is that of a figure, and zero if there is none.
func (t topic) median(measure, what string) float64 {
	for _, f := range t.report.Figures {
		if f.Measure == measure && f.Engine == t.engine && f.What == what {
			return f.median()
		}
	}
	return 0
}

// replace puts the figures of newer measures in the place of older ones of the
// same measure and engine, and keeps the others.
func (r *report) replace(newer report) {
	r.Machine = newer.Machine
	for _, f := range newer.Figures {
		r.forget(f.Measure, f.Engine)
	}
	r.Figures = append(r.Figures, newer.Figures...)
	place := func(f figure) int { return slices.Index(names(), f.Measure) }
	slices.SortStableFunc(r.Figures, func(a, b figure) int { return cmp.Compare(place(a), place(b)) })
}

// loadReport reads a report that was saved; none is an empty one.
func loadReport(file string) (report, error) {
	var r report
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(b, &r)
}

func (r report) save(file string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}
