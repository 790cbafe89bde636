// Package page is what server-made pages have in common: the functions of their templates,
// the files that they load, and how text from outside is shown.
package page

import (
	"fmt"
	"html/template"
	"time"

	"github.com/tongbo/tongbo/internal/words"
)

// Functions are what templates may call in one language, with times in one zone: t (a
// text), time, timems, clock, day, ago, until, left (times), lasts (a duration), money,
// count, bank, outside (text from outside, see Visible), list and dict.
func Functions(l words.Lang, zone string) template.FuncMap {
	return template.FuncMap{
		"t":       func(key string, args ...any) string { return words.Text(l, key, args...) },
		"time":    func(t time.Time) template.HTML { return Stamp(t, zone, "2006-01-02 15:04:05") },
		"timems":  func(t time.Time) template.HTML { return Stamp(t, zone, "2006-01-02 15:04:05.000") },
		"clock":   func(t time.Time) template.HTML { return Stamp(t, zone, "15:04:05") },
		"day":     func(t time.Time) template.HTML { return Stamp(t, zone, "2006-01-02") },
		"ago":     func(t time.Time) string { return Ago(l, time.Since(t)) },
		"until":   func(t time.Time) string { return Until(l, time.Until(t)) },
		"left":    func(t time.Time) template.HTML { return Left(l, t) },
		"lasts":   Lasts,
		"money":   Money,
		"count":   func(n int) string { return words.Count(int64(n)) },
		"bank":    Bank,
		"outside": Visible,
		"list":    func(items ...any) []any { return items },
		"dict":    dict,
	}
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
