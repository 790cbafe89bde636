package provider_test

import (
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/provider"
)

func inquiring(names ...string) provider.Info {
	i := provider.Info{Code: "pg_v2", Name: provider.Text{KO: "피지", EN: "A PG"}}
	i.Fields = []provider.Field{{Name: "other_key", Secret: true}}
	for _, n := range names {
		i.Fields = append(i.Fields, provider.Field{Name: n, Inquiry: true})
	}
	return i
}

func TestInquiryNote(t *testing.T) {
	t.Parallel()
	always := inquiring("secret_key")
	always.ConfirmAlways = true
	tests := []struct {
		name       string
		info       provider.Info
		says, keep []string // in both languages: what is there and what is not
	}{
		{"two fields", inquiring("api_key", "api_iv"), []string{"(`api_key`, `api_iv`)", "`confirm = false`"}, []string{"other_key"}},
		{"one field", inquiring("api_key"), []string{"(`api_key`)", "`confirm = false`"}, []string{"other_key", " all ", "모두 있는"}},
		{"always asked", always, []string{"Pending", "`confirm = false`", "secret_key"}, nil},
	}
	for _, tt := range tests {
		for _, lang := range []string{"ko", "en"} {
			note := provider.InquiryNote(tt.info, lang)
			for _, want := range tt.says {
				if !strings.Contains(note, want) {
					t.Errorf("%s in %s lacks %q: %s", tt.name, lang, want, note)
				}
			}
			for _, no := range tt.keep {
				if strings.Contains(note, no) {
					t.Errorf("%s in %s has %q: %s", tt.name, lang, no, note)
				}
			}
			if strings.Contains(note, "\n") || strings.Contains(note, "해요") != (lang == "ko") {
				t.Errorf("%s in %s is no paragraph of it: %s", tt.name, lang, note)
			}
		}
	}
	for _, lang := range []string{"ko", "en"} {
		if note := provider.InquiryNote(inquiring(), lang); note != "" {
			t.Errorf("a module that can't ask says in %s: %s", lang, note)
		}
	}
}

func TestGuideText(t *testing.T) {
	t.Parallel()
	g := provider.GuideText{KO: "# 제목 ({{.Code}})\n\n본문\n", EN: "# Title ({{.Code}})\n\nText of {{.Code}}\n"}
	if got, want := g.For(inquiring(), "en"), "# Title (pg_v2)\n\nText of pg_v2\n"; got != want {
		t.Errorf("without a note: %q, want %q", got, want)
	}
	for lang, want := range map[string]string{"ko": "# 제목 (pg_v2)\n\n%\n\n본문\n", "": "# 제목 (pg_v2)\n\n%\n\n본문\n", "en": "# Title (pg_v2)\n\n%\n\nText of pg_v2\n"} {
		i := inquiring("api_key")
		want = strings.Replace(want, "%", provider.InquiryNote(i, lang), 1)
		if got := g.For(i, lang); got != want {
			t.Errorf("in %q: %q, want %q", lang, got, want)
		}
	}
}
