package providertest

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/provider"
)

// unclosed is bold text that Markdown does not end: no letter may follow at
// once where a sign stands before the asterisks.
var unclosed = regexp.MustCompile(`[^\pL\pN\s*]\*\*\pL`)

// checkGuides sees that both guides say what tongbo channel guide builds on,
// each in its language.
func checkGuides(t testing.TB, p provider.Provider) {
	for _, lang := range []string{"ko", "en"} {
		g := p.Guide(lang)
		if !standsAlone(g, provider.NoticeURLMark) {
			t.Errorf("guide.%s.md does not show the address of notices: write %s on a line of its own, indented as code", lang, provider.NoticeURLMark)
		}
		switch second := strings.Contains(g, provider.SecondURLMark); {
		case second && len(p.Info().Paths) < 2:
			t.Errorf("guide.%s.md shows %s, but Info has one path only", lang, provider.SecondURLMark)
		case !second && len(p.Info().Paths) > 1:
			t.Errorf("guide.%s.md does not show the address with the second path: write %s where it goes", lang, provider.SecondURLMark)
		}
		switch korean := strings.Contains(g, "해요"); {
		case korean && lang == "en":
			t.Errorf("guide.en.md says 해요: write it in English")
		case !korean && lang == "ko":
			t.Errorf("guide.ko.md never says 해요: write it in Korean, in 해요체")
		}
		asks := slices.ContainsFunc(p.Info().Fields, func(f provider.Field) bool { return f.Inquiry })
		if asks && !strings.Contains(g, "confirm = false") {
			t.Errorf("guide.%s.md does not tell of `confirm = false`: with the fields that have Inquiry, live notices wait for the PG's word", lang)
		}
		for _, m := range unclosed.FindAllString(g, -1) {
			t.Errorf("guide.%s.md prints the asterisks of %q: put the sign behind them", lang, m)
		}
	}
}

// standsAlone reports whether a Markdown text has mark as a line of code: one
// that is indented by four columns, or inside a fence.
func standsAlone(text, mark string) bool {
	fenced := false
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		if strings.TrimSpace(line) == mark && (fenced || strings.HasPrefix(line, "    ")) {
			return true
		}
	}
	return false
}

// checkInfo sees that Info says all that faces, guides and documents show.
func checkInfo(t *testing.T, p provider.Provider) {
	i := p.Info()
	for what, text := range map[string]string{
		"code": i.Code, "Korean name": i.Name.KO, "English name": i.Name.EN,
		"modules": i.Modules, "charset": i.Charset, "class": string(i.Class), "proves (ko)": i.Proves.KO,
		"proves (en)": i.Proves.EN, "resend note (ko)": i.ResendNote.KO, "resend note (en)": i.ResendNote.EN,
	} {
		if strings.TrimSpace(text) == "" {
			t.Errorf("Info has no %s", what)
		}
	}
	if len(i.Paths) == 0 || len(i.Methods) == 0 || len(i.Events) == 0 {
		t.Errorf("Info lacks paths %v, methods %v or events %v", i.Paths, i.Methods, i.Events)
	}
	names := make(map[string]bool)
	for _, f := range i.Fields {
		if f.Name == "" || f.Label.KO == "" || f.Label.EN == "" || names[f.Name] {
			t.Errorf("credential field %+v is incomplete or told twice", f)
		}
		names[f.Name] = true
	}
	published := i.TestMIDs
	if i.TestKeys != nil {
		published = append(slices.Clone(published), *i.TestKeys)
	}
	for _, m := range published {
		for name := range m.Credentials {
			if !names[name] {
				t.Errorf("test MID %s has credential %q, which is not a field", m.MID, name)
			}
		}
	}
	if l := i.Letter; l != nil {
		subject, body := l.For("MID-7", "https://pay.example.kr/notice")
		if strings.Contains(subject+body, "{{") || !strings.Contains(subject, "MID-7") || !strings.Contains(body, "MID-7") || !strings.Contains(body, ": https://pay.example.kr/notice\n") {
			t.Errorf("the letter to the PG is %q, %q", subject, body)
		}
		if _, bare := l.For("", "x"); strings.Contains(bare, "{{") {
			t.Errorf("the letter without a MID is %q", bare)
		}
		for _, to := range l.To {
			if !strings.Contains(p.Guide("ko"), to) {
				t.Errorf("the guide does not know the letter's address %s", to)
			}
		}
	}
	if i.LiveSenders != nil && (i.SendersAsOf == "") == (i.SendersIn == "") {
		t.Error("sender addresses have a date, or a place of a list without one")
	}
	if i.SendersAsOf != "" && !anyDate.MatchString(i.SendersAsOf) {
		t.Errorf("%q is no day, month or year: people read it in either language", i.SendersAsOf)
	}
	checkTongues(t, i)
}

var anyDate = regexp.MustCompile(`^\d{4}(-\d\d){0,2}$`)

// english is prose that whoever reads Korean should not have to read, and hangul the other
// way round: what is in brackets may name a Korean word.
var (
	english = regexp.MustCompile(`\b[a-z]{2,} [a-z]{2,}\b`)
	hangul  = regexp.MustCompile(`\p{Hangul}`)
	named   = regexp.MustCompile(`\([^()]*\)`)
)

// checkTongues sees that what people read of a module is in their language.
func checkTongues(t *testing.T, i provider.Info) {
	texts := map[string]provider.Text{
		"name": i.Name, "proves": i.Proves, "resend note": i.ResendNote, "date of the senders": i.SendersDate(), "charset": provider.Same(i.Charset),
	}
	for _, f := range i.Fields {
		texts["field "+f.Name] = f.Label
	}
	if i.TestKeys != nil {
		texts["source of the test keys"] = i.TestKeys.Source
	}
	for _, m := range i.TestMIDs {
		texts["source of "+m.MID] = m.Source
		if m.Source.KO == "" || m.Source.EN == "" {
			t.Errorf("test MID %s has no source: %+v", m.MID, m.Source)
		}
	}
	for what, x := range texts {
		if english.MatchString(x.KO) {
			t.Errorf("the %s is told in English to who reads Korean: %q", what, x.KO)
		}
		if hangul.MatchString(named.ReplaceAllString(x.EN, "")) {
			t.Errorf("the %s is told in Korean to who reads English: %q", what, x.EN)
		}
	}
}
