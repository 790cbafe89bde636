package cli

import (
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/provider/all"
)

func TestGuide(t *testing.T) {
	t.Parallel()
	for _, p := range all.Providers() {
		i := p.Info()
		for _, lang := range []string{"ko", "en"} {
			code, out, errs := run(t, "", "channel", "guide", i.Code, "--lang="+lang,
				"--public-url=https://pay.example.kr/", "--channel=channel-key-7")
			if code != exitOK || errs != "" {
				t.Fatalf("%s %s: exit %d %s", i.Code, lang, code, errs)
			}
			for _, path := range i.Paths {
				if want := "https://pay.example.kr" + path + "/channel-key-7"; !strings.Contains(out, want) {
					t.Errorf("%s %s: no %s in\n%s", i.Code, lang, want, out)
				}
			}
			if heading, _, _ := strings.Cut(p.Guide(lang), "\n"); strings.Contains(out, "{{") || !strings.HasPrefix(out, heading+"\n") {
				t.Errorf("%s %s is\n%s", i.Code, lang, out)
			}
		}
	}
}

func TestGuideToken(t *testing.T) {
	t.Parallel()
	for _, p := range all.Providers() {
		i := p.Info()
		for _, lang := range []string{"ko", "en"} {
			args := []string{"channel", "guide", i.Code, "--lang=" + lang, "--public-url=https://pay.example.kr", "--channel=channel-key-7"}
			_, without, _ := run(t, "", args...)
			if strings.Count(without, "`/TOKEN`") != 1 {
				t.Errorf("%s %s says not once that a token goes behind the address:\n%s", i.Code, lang, without)
			}
			_, with, _ := run(t, "", append(args, "--token=abcdefghijklmnopqrstuv")...)
			if !strings.Contains(with, i.Paths[0]+"/channel-key-7/abcdefghijklmnopqrstuv") || strings.Contains(with, "`/TOKEN`") {
				t.Errorf("%s %s with a token:\n%s", i.Code, lang, with)
			}
		}
	}
}

func TestGuideIncomplete(t *testing.T) {
	t.Parallel()
	code, out, errs := run(t, "", "channel", "guide", "kcp", "--lang=en")
	if code != exitOK || !strings.Contains(out, "https://PUBLIC_ADDRESS/kcp_payments/notice_vbank/CHANNEL_KEY") || !strings.Contains(errs, "--public-url") {
		t.Errorf("exit %d\n%s\n%s", code, out, errs)
	}
	if _, _, errs := run(t, "", "channel", "guide", "kcp", "--lang=ko"); !strings.Contains(errs, "완성되지") {
		t.Errorf("in Korean: %s", errs)
	}
	for _, args := range [][]string{
		{"kpc"}, {"kcp", "--public-url=pay.example.kr"}, {"kcp", "--public-url=https://pay.example.kr/tongbo"},
		{"kcp", "--public-url=ftp://pay.example.kr"}, {"kcp", "--channel=a/b"}, {"kcp", "--token=a/b"}, {"kcp", "--lang=jp"}, {},
	} {
		if code, out, errs := run(t, "", append([]string{"channel", "guide"}, args...)...); code != exitUsage || out != "" || errs == "" {
			t.Errorf("%v: exit %d\n%s\n%s", args, code, out, errs)
		}
	}
}
