package console

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/words"
)

// The zones in which times are shown.
const (
	zoneKST = "KST"
	zoneUTC = "UTC"
)

// seoul is Korean time, which has known no summer time since 1988.
var seoul = time.FixedZone(zoneKST, 9*60*60)

// location is the place of a zone's name.
func location(zone string) *time.Location {
	if zone == zoneUTC {
		return time.UTC
	}
	return seoul
}

// clockTime writes a time to the second.
func clockTime(t time.Time, zone string) string {
	return t.In(location(zone)).Format("2006-01-02 15:04:05")
}

// functions are what templates may call.
func functions(s speech) template.FuncMap {
	return template.FuncMap{
		"t":       func(key string, args ...any) string { return words.Text(s.lang, key, args...) },
		"time":    func(t time.Time) template.HTML { return stamp(t, s.zone, "2006-01-02 15:04:05") },
		"timems":  func(t time.Time) template.HTML { return stamp(t, s.zone, "2006-01-02 15:04:05.000") },
		"clock":   func(t time.Time) template.HTML { return stamp(t, s.zone, "15:04:05") },
		"day":     func(t time.Time) template.HTML { return stamp(t, s.zone, "2006-01-02") },
		"ago":     func(t time.Time) string { return ago(s.lang, time.Since(t)) },
		"until":   func(t time.Time) string { return until(s.lang, time.Until(t)) },
		"left":    func(t time.Time) template.HTML { return left(s.lang, t) },
		"lasts":   func(d time.Duration) string { return lasts(d) },
		"money":   money,
		"count":   func(n int) string { return words.Count(int64(n)) },
		"state":   func(kind string, value any) template.HTML { return chip(s.lang, "state."+kind+"."+fmt.Sprint(value)) },
		"chip":    func(key string, args ...any) template.HTML { return chip(s.lang, key, args...) },
		"bank":    bankName,
		"outside": visible,
		"kst":     func(t time.Time) string { return clockTime(t, s.zone) },
		"kstday":  func(t time.Time) string { return t.In(seoul).Format(time.DateOnly) },
		"rung": func(r action.Rung) string {
			return visible(words.Text(s.lang, "ladder."+string(r.Finding), words.Worded(s.lang, r.Args, "reason", "reason.")...))
		},
		"list":  func(items ...any) []any { return items },
		"dict":  dict,
		"field": newField,
		"asset": assetPath,
	}
}

// stamp writes a time, with the moment itself in the attribute; a dash if there is none.
func stamp(t time.Time, zone, layout string) template.HTML {
	if t.IsZero() {
		return `<span class="none">–</span>`
	}
	return template.HTML(fmt.Sprintf(`<time datetime="%s">%s</time>`, //nolint:gosec // digits only
		t.UTC().Format("2006-01-02T15:04:05.000Z"), t.In(location(zone)).Format(layout)))
}

// ago is how long something is past, while that says more than the time itself: under a day.
func ago(l words.Lang, d time.Duration) string {
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

// until is how long is left.
func until(l words.Lang, d time.Duration) string {
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

// left is how long is left until a time, which scripts count down.
func left(l words.Lang, t time.Time) template.HTML {
	return template.HTML(fmt.Sprintf(`<span class="faint" data-until="%s">%s</span>`, //nolint:gosec // digits, and an escaped text
		t.UTC().Format("2006-01-02T15:04:05.000Z"), template.HTMLEscapeString(until(l, time.Until(t)))))
}

// lasts writes how long something took: 84 ms, 5.2 s, 3 min.
func lasts(d time.Duration) string {
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

// money writes money as tables show it: ₩59,000; another currency with its code.
func money(m payment.Money) string {
	if m.Currency == "KRW" || m.Currency == "" {
		return "₩" + words.Count(m.Amount)
	}
	return words.Count(m.Amount) + " " + string(m.Currency)
}

// chip is a state: a shape, so that colour is not all that tells, and a word.
func chip(l words.Lang, key string, args ...any) template.HTML {
	family := words.ChipOf(key)
	return template.HTML(`<span class="chip ` + string(family) + `"><span class="shape" aria-hidden="true">` + //nolint:gosec // the text is escaped
		shapes[family] + `</span>` + template.HTMLEscapeString(words.Text(l, key, args...)) + `</span>`)
}

var shapes = map[words.Chip]string{
	words.OK: "●", words.Run: "◐", words.Wait: "○", words.Bad: "✕", words.Odd: "!", words.Off: "–",
}

// bankName is a bank as people know it, with its code: 신한은행 (088).
func bankName(b payment.Bank) string {
	switch {
	case !b.Known():
		return visible(string(b))
	case b.Code() == "":
		return b.Name()
	}
	return b.Name() + " (" + b.Code() + ")"
}

// dict makes a map of names and values, for a part that takes several.
func dict(pairs ...any) (map[string]any, error) {
	out := make(map[string]any, len(pairs)/2)
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict: a name without a value")
	}
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is no name", pairs[i])
		}
		out[name] = pairs[i+1]
	}
	return out, nil
}

// visible shows text from outside with what cannot be seen made visible: control
// characters as their pictures, those that turn the direction of text or take no room by
// their code. Lines stay lines.
func visible(s string) string {
	if strings.IndexFunc(s, unseen) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case !unseen(r):
			b.WriteRune(r)
		case r < 0x20:
			b.WriteRune('␀' + r)
		case r == 0x7f:
			b.WriteRune('␡')
		default:
			fmt.Fprintf(&b, "⟨U+%04X⟩", r)
		}
	}
	return b.String()
}

// unseen reports whether a character is not seen, or changes how others are.
func unseen(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r < 0x20, r >= 0x7f && r < 0xa0: // control
		return true
	case r >= 0x200b && r <= 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2060 && r <= 0x206f: // no width, lines, direction
		return true
	case r == 0xad, r == 0x61c, r == 0x180e, r == 0xfeff, r >= 0xfff9 && r <= 0xfffb, r >= 0xe0000 && r <= 0xe007f:
		return true
	}
	return false
}
