package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/merchant"
)

// TestDraftSaysWhatIsMissing: a channel without any key that notices are proved with is a
// draft, and its page names them; one of NICE's two is enough.
func TestDraftSaysWhatIsMissing(t *testing.T) {
	h := newHouse(t)
	key := h.begun("dev", merchant.Test, "nice_v2")
	h.post("dev", at(merchant.Test, key, "/setup/credentials"), url.Values{"mid": {"nicepay00m"}, "credential_client_key": {"opensesame"}})
	h.shows(h.get("dev", at(merchant.Test, key, "")), http.StatusOK, "입력 중이에요: merchant_key / secret_key.")
	h.post("dev", at(merchant.Test, key, "/setup/credentials"), url.Values{"mid": {"nicepay00m"}, "credential_merchant_key": {"opensesame"}})
	if page := h.shows(h.get("dev", at(merchant.Test, key, "")), http.StatusOK); strings.Contains(page, "입력 중이에요") {
		t.Error("a channel with the one key of its contract is called a draft")
	}
	kcp := h.begun("dev", merchant.Test, "kcp")
	h.post("dev", at(merchant.Test, kcp, "/setup/credentials"), url.Values{"mid": {"T0000"}})
	if page := h.shows(h.get("dev", at(merchant.Test, kcp, "")), http.StatusOK); strings.Contains(page, "입력 중이에요") {
		t.Error("a channel that lacks nothing is called a draft")
	}
}
