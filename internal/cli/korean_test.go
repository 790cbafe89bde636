package cli

import (
	"context"
	"strings"
	"testing"
)

// TestSpeaksKorean: lists, checks and the server's first lines are in the language that is
// asked for, in each of their states.
func TestSpeaksKorean(t *testing.T) {
	t.Parallel()
	x := newTalk(t)
	speaks := func(code int, args, ko, en string) {
		t.Helper()
		for lang, want := range map[string]string{"ko": ko, "en": en} {
			got, out, errs := watch(t, append(strings.Fields(args), "--lang", lang)...)
			if got != code || !strings.Contains(out+errs, want) {
				t.Errorf("%s in %s: exit %d, %q is not in\n%s%s", args, lang, got, want, out, errs)
			}
		}
	}
	database := " --database " + x.database
	speaks(exitOK, "notices"+database, "아직 통보가 없어요", "no notices. Send one with")
	speaks(exitOK, "notices --verdict refused"+database, "조건에 맞는 통보가 없어요", "no such notices")
	speaks(exitOK, "sweep"+database, "지금 PG에 물어볼 계좌가 없어요", "no account is to be asked about now")
	speaks(exitOK, "verify"+database, "확인: 통보 0건, 결제 0건", "checked: 0 notices, 0 payments")
	speaks(exitOK, "verify"+database, "이상 없음", "ok: nothing lost")
	if code, _, errs := run(t, "", "trigger", "kcp", "deposit", "--server", x.url, "--secret", "the-talked-api-secret"); code != exitOK {
		t.Fatal(errs)
	}
	speaks(exitOK, "notices"+database, "시각 (KST)", "WHEN (KST)")
	speaks(exitOK, "notices"+database, "입금", "Deposit")
	speaks(exitOK, "notices"+database, "반영됨", "Applied")

	speaks(exitOK, "apply"+database+" "+x.dir+"/shop.toml", "바뀐 것이 없어요", "nothing changed")
	x.write(t, "more.toml", "[[merchant]]\nname = \"나다상점\"\n[[merchant.store]]\nname = \"본점\"\n[[merchant.store.channel]]\nprovider = \"nice\"\nmode = \"live\"\n")
	for args, want := range map[string][]string{
		"--database sqlite:" + x.dir + "/ko.db --lang ko": {"만듦: 상점 \"본점\" (store-", " · 고객사 \"나다상점\"\n", "noticeUrls 전용 서명 키 (지금만 보여요): whsec_", "주의: 채널 ", "통보를 증명할 값이 비어 있어요: merchant_key"},
		"--database sqlite:" + x.dir + "/en.db --lang en": {"created store \"본점\" (store-", " in merchant \"나다상점\"\n", "signing secret for noticeUrls (shown this once): whsec_", "warning channel ", "proved with are missing: merchant_key"},
	} {
		_, out, errs := watch(t, append([]string{"apply", x.dir + "/more.toml"}, strings.Fields(args)...)...)
		for _, w := range want {
			if !strings.Contains(out+errs, w) {
				t.Errorf("apply %s: %q is not in\n%s%s", args, w, out, errs)
			}
		}
	}

	ctx, cancel := context.WithCancel(t.Context())
	out := &watched{until: "/console/", seen: cancel}
	env := Env{Stdin: strings.NewReader(""), Stdout: out, Stderr: new(strings.Builder), Signals: func() (context.Context, context.CancelFunc) { return ctx, cancel }}
	if code := Main([]string{"serve", "--lang=ko", "--listen=127.0.0.1:0", "--v1-listen=", "--database=sqlite:" + x.dir + "/other.db"}, env); code != exitOK {
		t.Errorf("serve: exit %d", code)
	}
	for _, want := range []string{"  통보      http://127.0.0.1:", "대기 중인 웹훅 0건", "첫 소유자를 만드는 주소"} {
		if got := out.all.String(); !strings.Contains(got, want) {
			t.Errorf("serve says\n%s", got)
		}
	}
}
