package console

import (
	"fmt"
	"html/template"
	"maps"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/words"
)

// functions are what templates may call.
func functions(s speech) template.FuncMap {
	out := page.Functions(s.lang, s.zone)
	maps.Copy(out, template.FuncMap{
		"state":  func(kind string, value any) template.HTML { return chip(s.lang, "state."+kind+"."+fmt.Sprint(value)) },
		"chip":   func(key string, args ...any) template.HTML { return chip(s.lang, key, args...) },
		"kst":    func(t time.Time) string { return page.Clock(t, s.zone) },
		"kstday": func(t time.Time) string { return t.In(page.Seoul).Format(time.DateOnly) },
		"rung": func(r action.Rung) string {
			return page.Visible(words.Text(s.lang, "ladder."+string(r.Finding), words.Worded(s.lang, r.Args, "reason", "reason.")...))
		},
		"field": newField,
		"asset": assets.Path,
	})
	return out
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
