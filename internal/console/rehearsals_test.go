package console

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/store"
)

// TestRehearsalsAreBounded: a member who sends test notices without end is told when the
// next may go, and so is everybody once the store has had its share.
func TestRehearsalsAreBounded(t *testing.T) {
	t.Parallel()
	h := newHouse(t).opened()
	at := Prefix + "/all/test/channels/" + string(oursTest) + "/setup/test"
	sends := func(as string, n int) {
		t.Helper()
		for range n {
			h.shows(h.post(as, at, nil), http.StatusOK, "rung-")
		}
	}
	full := func(as string) {
		t.Helper()
		w := h.post(as, at, nil)
		h.shows(w, http.StatusTooManyRequests, "초 뒤", "KST", "시험 통보 보내기")
		if s, err := strconv.Atoi(w.Header().Get("Retry-After")); err != nil || s < 1 || s > 60 {
			t.Errorf("Retry-After: %q", w.Header().Get("Retry-After"))
		}
	}
	sends("dev", action.RehearsalsOfMember)
	full("dev")
	sent := action.RehearsalsOfMember
	for n := 0; sent < action.RehearsalsOfStore; n++ {
		as := "dev " + strconv.Itoa(n)
		h.signIn(as, member.Member{Merchant: ours, Role: member.Dev})
		most := min(action.RehearsalsOfMember, action.RehearsalsOfStore-sent)
		sends(as, most)
		sent += most
	}
	full("admin")
	if n := len(h.audited(oursTest, "channel.tested")); n != action.RehearsalsOfStore {
		t.Errorf("%d test notices were sent, want %d", n, action.RehearsalsOfStore)
	}
}

// audited are the entries of a channel in the audit log.
func (h *house) audited(key merchant.ChannelKey, what string) []member.Entry {
	h.Helper()
	list, err := h.Store.AuditLog(h.Context(), store.AuditQuery{Merchant: ours, Object: string(key), Action: what, Limit: 100})
	if err != nil {
		h.Fatal(err)
	}
	return list
}
