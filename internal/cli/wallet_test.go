package cli

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/provider/all"
)

// TestWallets: every command that is given a wallet's module says what there is of it: no
// notices, and channels of test mode alone.
func TestWallets(t *testing.T) {
	t.Parallel()
	_, table, _ := run(t, "", "providers")
	for _, p := range all.Wallets() {
		i := p.Info()
		if !strings.Contains(table, "\n"+i.Code+" ") {
			t.Errorf("%s is missing from the table:\n%s", i.Code, table)
		}
		for _, width := range []int{0, 100} {
			var out bytes.Buffer
			if exit := Main([]string{"providers", i.Code}, Env{Stdout: &out, Stderr: &out, Width: width}); exit != exitOK {
				t.Fatalf("%s: exit %d: %s", i.Code, exit, &out)
			}
			words := strings.Join(strings.Fields(out.String()), " ")
			for _, want := range []string{i.Name.KO, "sends none", "test channels only", string(i.Wallet.Method), "tongbo channel guide " + i.Code} {
				if !strings.Contains(words, want) {
					t.Errorf("%s lacks %q:\n%s", i.Code, want, &out)
				}
			}
			for line := range strings.Lines(out.String()) {
				if w := cells(strings.TrimSuffix(line, "\n")); w > max(width, usualWidth) {
					t.Errorf("%s: %d cells of %d: %s", i.Code, w, width, line)
				}
			}
		}
		_, line, _ := run(t, "", "providers", i.Code, "--json")
		var s shownProvider
		if err := json.Unmarshal([]byte(line), &s); err != nil || len(s.Paths) > 0 || strings.Contains(line, `"paths":null`) || s.Wallet != string(i.Wallet.Name) {
			t.Errorf("%s as JSON: %v %s", i.Code, err, line)
		}
		for lang, says := range map[string]string{"ko": "등록할 주소가 없어요", "en": "no address to register"} {
			exit, out, errs := run(t, "", "channel", "guide", i.Code, "--lang="+lang)
			if exit != exitOK || errs != "" || !strings.Contains(out, says) || strings.Contains(out, "{{") {
				t.Errorf("guide of %s in %s: exit %d %s\n%s", i.Code, lang, exit, errs, out)
			}
		}
		for _, args := range [][]string{{"simulate", i.Code, "deposit", "--to=http://127.0.0.1:1"}, {"simulate", i.Code, "deposit", "--raw"}, {"decode", i.Code}} {
			exit, _, errs := run(t, "a=1", args...)
			if exit == exitOK || !strings.Contains(errs, "sends no notices") || !strings.Contains(errs, "tongbo channel guide "+i.Code) {
				t.Errorf("%v: exit %d: %s", args, exit, errs)
			}
		}
	}
	if _, _, errs := run(t, "", "providers", "naverco"); !strings.Contains(errs, "naverpay") {
		t.Errorf("the list of modules lacks wallets: %s", errs)
	}
}
