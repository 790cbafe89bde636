package checkout_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestChannelOutOfUse: a channel that takes no new payments keeps no buyer from the account
// that they were given, nor from what their window came to; a window in which nothing was
// chosen offers nothing any more, and its way back to the shop does not tell of a payment.
func TestChannelOutOfUse(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	issued, left, idle := d.opens("POPUP", nil), d.opens("POPUP", nil), d.opens("REDIRECTION", map[string]any{"redirectUrl": shopOrigin + "/done"})
	number := d.accounted(issued)
	d.does(left, "", "/leave")
	all, err := d.server.Store.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range all.Channels {
		all.Channels[i].Disabled = true
	}
	if err := d.server.Store.SaveSettings(t.Context(), all, time.Now()); err != nil {
		t.Fatal(err)
	}
	gone := func() bool { return d.send("GET", idle.Page, "").Code == http.StatusNotFound }
	for end := time.Now().Add(10 * time.Second); !gone(); {
		if time.Now().After(end) {
			t.Fatal("a window of a channel that is out of use still offers something")
		}
	}
	if got := d.send("GET", idle.Page, ""); !strings.Contains(got.text, `href="`+shopOrigin+`/done?`) || !strings.Contains(got.text, "code=PAYMENT_CANCELLED") {
		t.Errorf("the shop is told that the payment went well\n%s", got.text)
	}
	if got := d.send("GET", issued.Page, ""); got.Code != http.StatusOK || !strings.Contains(got.text, number) {
		t.Errorf("the page of an account answers %d, and does not show it\n%s", got.Code, got.text)
	}
	if got := d.send("GET", left.Page, ""); got.Code != http.StatusOK {
		t.Errorf("the page of a window that was left answers %d\n%s", got.Code, got.text)
	}
	if state, _, _ := d.result(issued); state != "ended" {
		t.Errorf("the script hears %q of the account", state)
	}
}
