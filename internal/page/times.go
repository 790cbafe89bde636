package page

import (
	"fmt"
	"html/template"
	"time"

	"github.com/tongbo/tongbo/internal/words"
)

// The zones in which times are shown.
const (
	KST = "KST"
	UTC = "UTC"
)

// Seoul is Korean time, which has known no summer time since 1988.
var Seoul = time.FixedZone(KST, 9*60*60)

// Location is the place of a zone's name; Seoul for any but UTC.
func Location(zone string) *time.Location {
	if zone == UTC {
		return time.UTC
	}
	return Seoul
}

// Clock writes a time to the second.
func Clock(t time.Time, zone string) string {
	return t.In(Location(zone)).Format("2006-01-02 15:04:05")
}

// Stamp writes a time, with the moment itself in the attribute; a dash if there is none.
func Stamp(t time.Time, zone, layout string) template.HTML {
	if t.IsZero() {
		return `<span class="none">–</span>`
	}
	return template.HTML(fmt.Sprintf(`<time datetime="%s">%s</time>`, //nolint:gosec // digits only
		t.UTC().Format("2006-01-02T15:04:05.000Z"), t.In(Location(zone)).Format(layout)))
}

// Ago is how long something is past, while that says more than the time itself: under a day.
func Ago(l words.Lang, d time.Duration) string {
	switch {
	case d < 0 || d >= 24*time.Hour:
		return ""
	case d < time.Minute:
		return words.Text(l, "frame.ago_seconds", "n", int(d/time.Second))
	case d < time.Hour:
		return words.Text(l, "frame.ago_minutes", "n", int(d/time.Minute))
	}
	return words.Text(l, "frame.ago_hours", "n", int(d/time.Hour))
}

// Until is how long is left.
func Until(l words.Lang, d time.Duration) string {
	switch {
	case d <= 0:
		return words.Text(l, "frame.now")
	case d < time.Minute:
		return words.Text(l, "frame.in_seconds", "n", int(d/time.Second))
	case d < time.Hour:
		return words.Text(l, "frame.in_minutes", "n", int(d/time.Minute), "s", int(d%time.Minute/time.Second))
	case d < 48*time.Hour:
		return words.Text(l, "frame.in_hours", "n", int(d/time.Hour), "m", int(d%time.Hour/time.Minute))
	}
	return words.Text(l, "frame.in_days", "n", int(d/(24*time.Hour)))
}

// Left is how long is left until a time, which scripts count down.
func Left(l words.Lang, t time.Time) template.HTML {
	return template.HTML(fmt.Sprintf(`<span class="faint" data-until="%s">%s</span>`, //nolint:gosec // digits, and an escaped text
		t.UTC().Format("2006-01-02T15:04:05.000Z"), template.HTMLEscapeString(Until(l, time.Until(t)))))
}

// Lasts writes how long something took: 84 ms, 5.2 s, 3 min.
func Lasts(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%d ms", d/time.Millisecond)
	case d < 2*time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%d min", d/time.Minute)
}
