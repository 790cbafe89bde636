package all

import (
	"regexp"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/provider"
)

// A style is what every guide in one language has.
type style struct {
	title    *regexp.Regexp
	has      []string
	asks     string   // only where the PG would be asked
	avoids   []string // words for which the guides have another
	boldSign *regexp.Regexp
}

var styles = map[string]style{
	"ko": {
		title:    regexp.MustCompile(`^# \S.* 입금통보 설정$`),
		has:      []string{"\n가이드 확인일: 2026-11-22", "채널에 넣을 값\n", "## 알아 두기\n", "`tongbo notices"},
		asks:     "PG에 먼저 조회",
		avoids:   []string{"보낸 주소", "보낸 IP", "보낸 곳", "통보 목록", "확인이 필요한 일", "시험", "| 운영", "K뱅크", "등록 요청함", "알아 둘", "이 버전은 아직 PG"},
		boldSign: regexp.MustCompile(`\)\*\*\pL`),
	},
	"en": {
		title:    regexp.MustCompile(`^# Deposit notices from \S.*$`),
		has:      []string{"\nChecked on 2026-11-22", "What to enter in the channel\n", "## Good to know\n", "`tongbo notices"},
		asks:     "before it counts",
		avoids:   []string{"KiwoomPay", "list of notices", "for a person", "Asked PG", "| addresses |", "This version does not ask the PG"},
		boldSign: regexp.MustCompile(`\)\*\*\pL`),
	},
}

// TestGuides: what a merchant learns from one guide holds for the next.
func TestGuides(t *testing.T) {
	t.Parallel()
	titles := make(map[string]string)
	for _, p := range Providers() {
		for lang, s := range styles {
			i, guide := p.Info(), p.Guide(lang)
			title, _, _ := strings.Cut(guide, "\n")
			if !s.title.MatchString(title) {
				t.Errorf("%s in %s has the title %q", i.Code, lang, title)
			}
			if other, ok := titles[title]; ok {
				t.Errorf("%s and %s have the title %q", other, i.Code, title)
			}
			titles[title] = i.Code
			checkStyle(t, i, lang, guide, s)
		}
	}
}

func checkStyle(t *testing.T, i provider.Info, lang, guide string, s style) {
	t.Helper()
	for _, want := range s.has {
		if !strings.Contains(guide, want) {
			t.Errorf("%s in %s lacks %q", i.Code, lang, want)
		}
	}
	for _, no := range s.avoids {
		if strings.Contains(guide, no) {
			t.Errorf("%s in %s has %q", i.Code, lang, no)
		}
	}
	if got := s.boldSign.FindString(guide); got != "" {
		t.Errorf("%s in %s prints the asterisks of %q", i.Code, lang, got)
	}
	asks := i.ConfirmAlways
	for _, f := range append(i.Fields, provider.Field{Name: "mid"}) {
		asks = asks || f.Inquiry
		if !strings.Contains(guide, "| `"+f.Name+"` |") {
			t.Errorf("%s in %s does not say in its table what %s is for", i.Code, lang, f.Name)
		}
	}
	if got := strings.Contains(guide, s.asks); got != asks {
		t.Errorf("%s in %s speaks of asking the PG: %t, want %t", i.Code, lang, got, asks)
	}
}

// TestLetters: who cannot enter the address of notices in the PG's own pages has a
// letter to send.
func TestLetters(t *testing.T) {
	t.Parallel()
	byMail := map[string]bool{"settle": true, "kpn": true, "kicc": true, "ksnet": true}
	for _, p := range Providers() {
		if i := p.Info(); (i.Letter != nil) != byMail[i.Code] {
			t.Errorf("%s: a letter is there: %t", i.Code, i.Letter != nil)
		}
	}
}
