package console

import (
	"regexp"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
)

// tags are all elements that a guide is made of.
var tags = regexp.MustCompile(`^(?:</?(?:h[234]|p|ul|ol|ol start="\d+"|li|blockquote|pre|pre class="wrap"|code|strong|table|table class="wide"|thead|tbody|tr|td|th|th scope="col"|a|a href="https://[^"<>]*" rel="noreferrer noopener")>|[^<])*$`)

// TestRenderGuide writes every guide: nothing but what is known becomes markup, and no
// mark of Markdown is left in the text.
func TestRenderGuide(t *testing.T) {
	t.Parallel()
	code := regexp.MustCompile(`(?s)<code>.*?</code>`)
	for _, p := range all.Providers() {
		for _, lang := range []string{"ko", "en"} {
			text := strings.NewReplacer(provider.NoticeURLMark, "https://pay.example.kr/x", provider.SecondURLMark, "https://pay.example.kr/y").Replace(p.Guide(lang))
			out := string(renderGuide(text))
			if !tags.MatchString(out) {
				t.Errorf("%s %s: an element that no guide has", p.Info().Code, lang)
			}
			plain := code.ReplaceAllString(out, "")
			for _, mark := range []string{"**", "](", "`", "{{", "\n#", "|--", "> "} {
				if i := strings.Index(strings.ReplaceAll(plain, ">\n", ""), mark); i >= 0 && mark != "> " {
					t.Errorf("%s %s: %q is left in the text: %.60s", p.Info().Code, lang, mark, plain[max(0, i-10):])
				}
			}
			if !strings.Contains(out, "https://pay.example.kr/x") || !strings.Contains(out, "<table") || !strings.Contains(out, "<h3>") {
				t.Errorf("%s %s: it lacks the address, a table or a heading", p.Info().Code, lang)
			}
		}
	}
}

func TestGuideIsText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"<script>alert(1)</script>":         "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n",
		"[눌러요](javascript:alert(1))":        "<p>눌러요)</p>\n",
		"[x](https://a.example/?a=1&b=\"2)": "<p><a href=\"https://a.example/?a=1&amp;b=&#34;2\" rel=\"noreferrer noopener\">x</a></p>\n",
		"`<b>` **<i>**":                     "<p><code>&lt;b&gt;</code> <strong>&lt;i&gt;</strong></p>\n",
		"1. 하나\n\n       코드\n2. 둘":          "<ol start=\"1\">\n<li><p>하나</p>\n<pre class=\"wrap\"><code>코드</code></pre>\n</li>\n<li><p>둘</p>\n</li>\n</ol>\n",
		"> - a\n> - b":                      "<blockquote>\n<ul>\n<li><p>a</p>\n</li>\n<li><p>b</p>\n</li>\n</ul>\n</blockquote>\n",
		"```\n<b>\n```":                     "<pre class=\"wrap\"><code>&lt;b&gt;</code></pre>\n",
		"| a | b |\n|---|---|\n| 1 | <i> |": "<table class=\"wide\"><thead><tr><th scope=\"col\">a</th><th scope=\"col\">b</th></tr></thead><tbody>\n<tr><td>1</td><td>&lt;i&gt;</td></tr>\n</tbody></table>\n",
		"# 제목\n\n## 절\n\n글\n둘째 줄":           "<h3>절</h3>\n<p>글\n둘째 줄</p>\n",
		"\u202e":                            "<p>⟨U+202E⟩</p>\n",
	} {
		if got := string(renderGuide(in)); got != want {
			t.Errorf("renderGuide(%q) =\n%s\nwant\n%s", in, got, want)
		}
	}
}

func FuzzRenderGuide(f *testing.F) {
	for _, p := range all.Providers() {
		f.Add(p.Guide("ko"))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if out := string(renderGuide(text)); !tags.MatchString(out) {
			t.Errorf("an element that no guide has: %q", out)
		}
	})
}
