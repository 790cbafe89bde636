package console

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/settings"
)

// TestUnreadable: what cannot be read does nothing, rather than count as an empty form; and
// what is no text comes to no store, of which one would take it and the other fail.
func TestUnreadable(t *testing.T) {
	h := newHouse(t)
	at := Prefix + "/all/test/settings/stores"
	name := func() string {
		for _, m := range h.settings().Merchants {
			if m.ID == ours {
				return m.Name
			}
		}
		return ""
	}
	before := name()
	for what, body := range map[string]string{"a NUL": "name=%00", "no UTF-8": "name=%ff%fe", "a bad escape": "name=x&y=%zz", "a NUL in a name": "name=x&%00=1"} {
		r := httptest.NewRequest(http.MethodPost, "http://localhost"+at, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		h.shows(h.send("owner", r), http.StatusUnprocessableEntity)
		if name() != before {
			t.Fatalf("%s: the merchant is called %q", what, name())
		}
	}
	for kind, status := range map[string]int{"multipart/form-data; boundary=x": http.StatusUnprocessableEntity, "application/x-www-form-urlencoded": http.StatusRequestEntityTooLarge} {
		r := httptest.NewRequest(http.MethodPost, "http://localhost"+at, strings.NewReader("name="+strings.Repeat("x", mostForm)))
		r.Header.Set("Content-Type", kind)
		h.shows(h.send("owner", r), status)
	}
	for _, path := range []string{"/payments?state=%ff", "/search?q=%00", "/payments/%ff", "/notices?order=%00"} {
		h.shows(h.get("owner", Prefix+"/all/test"+path), http.StatusUnprocessableEntity)
	}
}

// TestMoneyMeanwhile: who asked for an account to be closed does not refund the money that
// came before the form did, and the other way round.
func TestMoneyMeanwhile(t *testing.T) {
	p := newPost(t)
	x := p.waits("1001")
	at := paymentsPath + "/" + string(x.Key) + "/cancel"
	asked := url.Values{"reason": {"변심"}, "bank": {"SHINHAN"}, "number": {"110123456789"}, "holder": {"홍길동"}}
	p.shows(p.post("manager", at, asked), http.StatusConflict, "그사이 상태가 바뀌어서")
	body := p.shows(p.get("manager", at), http.StatusOK, "계좌 닫기")
	if !strings.Contains(body, `name="close" value="on"`) {
		t.Error("the form does not say that the account is to be closed")
	}
	p.sends("127.0.0.1", told("1001"))
	asked.Set("close", "on")
	p.shows(p.post("manager", at, asked), http.StatusConflict, "그사이 상태가 바뀌어서", "환불받을 계좌")
	if y, err := p.Store.PaymentByKey(t.Context(), x.Key); err != nil || len(y.Cancellations) != 0 {
		t.Errorf("%d cancellations, %v", len(y.Cancellations), err)
	}
}

// TestOthersNames: of what is another merchant's, or of a store beyond the visitor's, not even
// the name is told.
func TestOthersNames(t *testing.T) {
	p := newPost(t)
	p.change(func(x *settings.All) {
		for i := range x.Channels {
			if x.Channels[i].Key == rivalTest {
				x.Channels[i].Name = "경쟁사 비밀 채널"
			}
		}
	})
	p.Console.Refresh()
	path := Prefix + "/all/test/notices/replay?from=203.0.113.7&channel=" + string(rivalTest)
	if body := p.shows(p.get("dev", path), http.StatusOK); strings.Contains(body, "경쟁사") {
		t.Error("the page names another merchant's channel")
	}
	x, _, err := p.Actions.RegisterAccount(t.Context(), action.Caller{Merchant: ours, Store: main1, Mode: merchant.Test}, payment.Registration{
		ID: "1001", Channel: oursTest, OrderName: "책", Amount: payment.Won(1000),
		Account: payment.Account{Bank: "SHINHAN", Number: "110123456789", Holder: "남궁예금", ExpiresAt: time.Now().Add(time.Hour)},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tab := range []string{"", "?tab=json"} {
		at := paymentsPath + "/" + string(x.Key) + tab
		p.shows(p.get("manager", at), http.StatusOK, "남궁예금")
		if body := p.shows(p.get("read_only", at), http.StatusOK); strings.Contains(body, "남궁예금") {
			t.Errorf("%q shows the account's holder to who may only read", tab)
		}
	}
}
