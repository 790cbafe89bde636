package checkout_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/words"
)

// id is the window's own name, which no page needs.
func (d *desk) id(x ticket) string {
	d.Helper()
	var id uuid.UUID
	if err := id.UnmarshalBinary(d.bytes(x)[:16]); err != nil {
		d.Fatal(err)
	}
	return id.String()
}

// refuses checks that a page's wish is answered with a code.
func (d *desk) refuses(status int, code string, got answer) {
	d.Helper()
	var x struct{ Code, Message string }
	if err := json.Unmarshal([]byte(got.text), &x); err != nil || got.Code != status || x.Code != code || x.Message == "" {
		d.Errorf("%d %s, want %d %s", got.Code, got.text, status, code)
	}
	if h := got.Header(); h.Get("Vary") != "Origin" || h.Get("Cache-Control") != "no-store" {
		d.Errorf("the answer may be kept for another page: %v", h)
	}
}

// TestOpenRefuses is what a shop's page does not get.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	for name, x := range map[string]struct {
		window string
		more   map[string]any
		head   []string
		status int
		code   string
	}{
		"a page of another origin":            {"IFRAME", nil, []string{"Origin", "https://evil.example"}, 403, "PermissionDenied"},
		"a live page of another origin":       {"IFRAME", map[string]any{"channelKey": lively}, []string{"Origin", "https://evil.example"}, 403, "PermissionDenied"},
		"a live page of a developer":          {"IFRAME", map[string]any{"channelKey": lively}, []string{"Origin", "http://localhost:3000"}, 403, "PermissionDenied"},
		"a page of a sandbox":                 {"IFRAME", nil, []string{"Origin", "null"}, 403, "PermissionDenied"},
		"no page at all, live":                {"IFRAME", map[string]any{"channelKey": lively}, []string{"Origin", ""}, 403, "PermissionDenied"},
		"a card on a live channel":            {"IFRAME", map[string]any{"channelKey": lively, "payMethod": "CARD"}, nil, 501, "Unimplemented"},
		"no such store":                       {"IFRAME", map[string]any{"storeId": "store-2"}, nil, 404, "StoreNotFound"},
		"no such channel":                     {"IFRAME", map[string]any{"channelKey": "channel-key-9"}, nil, 404, "ChannelNotFound"},
		"no such window":                      {"CURTAIN", nil, nil, 400, "BadRequest"},
		"a redirection to nowhere":            {"REDIRECTION", nil, nil, 400, "BadRequest"},
		"no amount":                           {"IFRAME", map[string]any{"totalAmount": 0}, nil, 400, "BadRequest"},
		"a redirection to a script":           {"IFRAME", map[string]any{"redirectUrl": "javascript:alert(1)"}, nil, 403, "PermissionDenied"},
		"a redirection to a script, in caps":  {"IFRAME", map[string]any{"redirectUrl": "JavaScript:alert(1)"}, nil, 403, "PermissionDenied"},
		"a redirection to data":               {"IFRAME", map[string]any{"redirectUrl": "data:text/html,<script>alert(1)</script>"}, nil, 403, "PermissionDenied"},
		"a redirection to a file":             {"IFRAME", map[string]any{"redirectUrl": "file:///etc/passwd"}, nil, 403, "PermissionDenied"},
		"a redirection to another app":        {"IFRAME", map[string]any{"redirectUrl": "otherapp://done"}, nil, 403, "PermissionDenied"},
		"a redirection to another shop":       {"IFRAME", map[string]any{"redirectUrl": "https://evil.example/done"}, nil, 403, "PermissionDenied"},
		"a redirection that looks like it":    {"IFRAME", map[string]any{"redirectUrl": "https://shop.example.evil.example/"}, nil, 403, "PermissionDenied"},
		"a redirection with a password":       {"IFRAME", map[string]any{"redirectUrl": "https://shop.example@evil.example/"}, nil, 400, "BadRequest"},
		"a redirection without a scheme":      {"IFRAME", map[string]any{"redirectUrl": "//evil.example/"}, nil, 400, "BadRequest"},
		"a redirection with a line":           {"IFRAME", map[string]any{"redirectUrl": "https://shop.example/\r\nSet-Cookie: x=1"}, nil, 400, "BadRequest"},
		"a webhook to somebody else":          {"IFRAME", map[string]any{"noticeUrls": []string{"https://evil.example/"}}, nil, 403, "PermissionDenied"},
		"a confirmation of somebody else":     {"IFRAME", map[string]any{"confirmUrl": "https://evil.example/"}, nil, 403, "PermissionDenied"},
		"a policy slipped into a redirection": {"IFRAME", map[string]any{"redirectUrl": "https://shop.example;script-src *"}, nil, 400, "BadRequest"},
	} {
		t.Run(name, func(t *testing.T) {
			d := d.on(t)
			order := d.wish(x.more)
			d.refuses(x.status, x.code, d.asks(x.window, order, x.head...))
			if got := d.send("GET", fmt.Sprintf("/payments/%s", order["paymentId"]), "", "Authorization", "PortOne api-secret-0123456789"); got.Code != http.StatusNotFound {
				t.Errorf("a payment was made all the same: %d", got.Code)
			}
		})
	}
	for _, body := range []string{"", "{", "[]", `{"sdk":"v2"}`, `{"sdk":"v3","window":"IFRAME","request":{}}`, `{"sdk":"v2","window":"IFRAME","request":[]}`, `{"x":"` + strings.Repeat("x", 65<<10) + `"}`} {
		d.refuses(http.StatusBadRequest, "BadRequest", d.send("POST", "/checkout/requests", body, "Origin", shopOrigin))
	}
}

// TestAmountIsPinned: another amount for the same payment is refused, whoever said the
// first.
func TestAmountIsPinned(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	d.api("POST", "/payments/said/pre-register", `{"totalAmount":11000,"currency":"KRW"}`)
	d.accounted(d.opens("IFRAME", map[string]any{"paymentId": "begun"}))
	for _, id := range []string{"said", "begun"} {
		for name, more := range map[string]map[string]any{"less": {"totalAmount": 1}, "more": {"totalAmount": 11001}} {
			more["paymentId"] = id
			t.Log(name, id)
			d.refuses(http.StatusConflict, "AmountNotEqualToPredefined", d.asks("IFRAME", d.wish(more)))
		}
	}
}

// TestPolicy is what browsers let a window's page do, by who opened it.
func TestPolicy(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	policy := func(path string) (frame, form string) {
		got := d.send("GET", path, "").Header()
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "", "Permissions-Policy": "clipboard-write=(self)",
		} {
			if got.Get(name) != want {
				t.Errorf("%s: %q, want %q", name, got.Get(name), want)
			}
		}
		csp := got.Get("Content-Security-Policy")
		if strings.Contains(csp, "unsafe") || !strings.HasPrefix(csp, "default-src 'self';") || strings.Count(csp, ";") < 3 {
			t.Errorf("the policy is %s", csp)
		}
		for part := range strings.SplitSeq(csp, "; ") {
			name, value, _ := strings.Cut(part, " ")
			switch name {
			case "frame-ancestors":
				frame = value
			case "form-action":
				form = value
			}
		}
		return frame, form
	}
	for _, x := range []struct{ window, origin, redirect, frame, form string }{
		{"IFRAME", shopOrigin, "", shopOrigin, "'self'"},
		{"POPUP", shopOrigin, shopOrigin + "/done?a=1;b#c", shopOrigin, "'self'"},
		{"UI", "http://localhost:3000", "http://127.0.0.1:5/done", "http://localhost:3000", "'self'"},
		{"REDIRECTION", shopOrigin, "myshop://done", shopOrigin, ""}, // whose form's answer leads to the shop, and anywhere from there
	} {
		order := d.wish(map[string]any{"redirectUrl": x.redirect})
		at := d.ticket(d.asks(x.window, order, "Origin", x.origin))
		if frame, form := policy(at.Page); frame != x.frame || form != x.form || at.Window != x.window {
			t.Errorf("%s from %s to %q: frame-ancestors %s, form-action %s, want %s, %s", at.Window, x.origin, x.redirect, frame, form, x.frame, x.form)
		}
	}
	if frame, form := policy("/checkout/nothing"); frame != "'none'" || form != "'self'" {
		t.Errorf("an address that opens nothing: frame-ancestors %s, form-action %s", frame, form)
	}
	at := d.opens("IFRAME", map[string]any{"channelKey": lively})
	if frame, _ := policy(at.Page); frame != shopOrigin {
		t.Errorf("a live window: frame-ancestors %s", frame)
	}
	if got := d.send("GET", at.Page, ""); strings.Contains(got.text, words.Text(words.Ko, "checkout.test_mode")) {
		t.Error("a live window says it is a test")
	}
	if got := d.asks("IFRAME", d.wish(map[string]any{"channelKey": lively, "redirectUrl": "http://localhost:3000/"})); got.Code != http.StatusForbidden {
		t.Errorf("a live window goes back to a developer's machine: %d", got.Code)
	}
	for _, path := range regexp.MustCompile(`(?:href|src)="(/checkout/assets/[^"]+)"`).FindAllStringSubmatch(d.send("GET", at.Page, "").text, -1) {
		if got := d.send("GET", path[1], ""); got.Code != http.StatusOK || !strings.Contains(got.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", path[1], got.Code, got.Header())
		}
	}
}

// TestTokens: a token opens its own window, for its own purpose, until its end.
func TestTokens(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	x, y := d.opens("IFRAME", nil), d.opens("IFRAME", nil)
	number := d.accounted(x)
	page, result := x.Page[len("/checkout/"):], x.Result[len("/checkout/result/"):]
	soon := time.Now().Add(time.Minute)
	if got := d.send("GET", "/checkout/"+d.forge(x, 'p', soon), ""); got.Code != http.StatusOK {
		t.Fatalf("a token as the server makes it opens nothing: %d", got.Code)
	}
	for name, token := range map[string]string{
		"for the result":    result,
		"over":              d.forge(x, 'p', time.Now().Add(-time.Second)),
		"for nothing known": d.forge(x, 'x', soon),
		"of another window": page[:20] + y.Page[len("/checkout/")+20:],
		"with another end":  page[:24] + "AA" + page[26:],
		"cut":               page[:len(page)-1],
		"longer":            page + "A",
		"with padding":      page + "=",
		"in another case":   strings.ToUpper(page),
		"of no window":      d.forge(ticket{Page: "/checkout/" + strings.Repeat("A", 50)}, 'p', soon),
	} {
		for _, verb := range []string{"", "/state"} {
			if got := d.send("GET", "/checkout/"+token+verb, ""); got.Code != http.StatusNotFound || strings.Contains(got.text, number) {
				t.Errorf("a token %s: GET %s answers %d", name, verb, got.Code)
			}
		}
		for _, verb := range []string{"/pay", "/leave", "/deposit", "/done"} {
			if got := d.post(ticket{Page: "/checkout/" + token}, verb); got.Code != http.StatusNotFound {
				t.Errorf("a token %s: POST %s answers %d", name, verb, got.Code)
			}
		}
	}
	for name, token := range map[string]string{"for the page": page, "over": d.forge(x, 'r', time.Now().Add(-time.Second))} {
		d.refuses(http.StatusNotFound, "NotFound", d.send("GET", "/checkout/result/"+token, "", "Origin", shopOrigin))
		t.Log(name)
	}
	for _, path := range []string{"/checkout/", x.Page + "/", x.Page + "/nothing", x.Page + "/state/x"} {
		if got := d.send("GET", path, ""); got.Code < 400 || got.Code >= 500 || strings.Contains(got.text, number) {
			t.Errorf("GET %s: %d", path, got.Code)
		}
	}
}

// TestFormsByGet: where a form was sent, a browser that opens its tab anew finds the page,
// and nothing is done.
func TestFormsByGet(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	x := d.opens("IFRAME", nil)
	for _, verb := range []string{"/pay", "/leave", "/deposit", "/done"} {
		if got := d.send("GET", x.Page+verb+"?bank=SHINHAN&depositor=x", ""); got.Code != http.StatusSeeOther || got.Header().Get("Location") != x.Page {
			t.Errorf("GET %s: %d, to %q", verb, got.Code, got.Header().Get("Location"))
		}
		if got := d.send("GET", x.Page[:len(x.Page)-1]+"_"+verb, ""); got.Code != http.StatusNotFound {
			t.Errorf("GET %s of no window: %d", verb, got.Code)
		}
	}
	if state, _, _ := d.result(x); state != "open" {
		t.Errorf("the window is %s", state)
	}
}

// TestOtherSites have a browser do nothing in a window but leave it.
func TestOtherSites(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	x := d.opens("IFRAME", nil)
	for _, from := range [][]string{
		{"Origin", shopOrigin, "Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}, {"Sec-Fetch-Site", "same-site"},
	} {
		for _, verb := range []string{"/pay", "/deposit", "/done"} {
			if got := d.send("POST", x.Page+verb, "bank=SHINHAN&depositor=x", from...); got.Code != http.StatusNotFound {
				t.Errorf("%v: %s answers %d", from, verb, got.Code)
			}
		}
	}
	// Browsers that do not say which site they come from say the page's origin.
	if got := d.send("POST", x.Page+"/pay", "bank=", "Origin", public); got.Code != http.StatusUnprocessableEntity {
		t.Errorf("an old browser: %d", got.Code)
	}
	if state, _, _ := d.result(x); state != "open" {
		t.Fatalf("the window is %s", state)
	}
	got := d.send("POST", x.Page+"/leave", "", "Origin", shopOrigin, "Sec-Fetch-Site", "cross-site")
	if got.Code != http.StatusSeeOther || got.Header().Get("Access-Control-Allow-Origin") != shopOrigin {
		t.Errorf("leave answers %d %v", got.Code, got.Header())
	}
	if state, result, _ := d.result(x); state != "ended" || result["code"] != "PAYMENT_CANCELLED" || result["txId"] != x.TxID {
		t.Errorf("the window is %s: %v", state, result)
	}
}

// TestMarkup: what pages and merchants write is text, and shows what it holds.
func TestMarkup(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	nasty := "<script>alert(1)</script>\"'\u202egpj.exe"
	x := d.opens("IFRAME", map[string]any{"orderName": nasty, "customer": map[string]any{"fullName": nasty}, "redirectUrl": shopOrigin + `/?a="><script>`})
	pages := []answer{d.send("GET", x.Page, "")}
	d.does(x, "", "/pay", "bank", "SHINHAN", "depositor", "<b>x</b>")
	pages = append(pages, d.send("GET", x.Page, ""))
	d.does(x, "", "/done")
	pages = append(pages, d.send("GET", x.Page, ""))
	for _, p := range pages {
		if strings.Contains(p.text, "<script>") || strings.Contains(p.text, "<i>") || strings.Contains(p.text, "\"'\u202e") {
			t.Errorf("markup gets through:\n%s", p.text)
		}
		if !strings.Contains(p.text, "⟨U&#43;202E⟩gpj.exe") || !strings.Contains(p.text, "&lt;i&gt;가나&lt;/i&gt;상점⟨U&#43;202E⟩") {
			t.Errorf("what turns the direction is not seen:\n%s", p.text)
		}
	}
}

// TestTwoWindows: of two windows for one order one goes on; the other is told so, and
// neither its page nor what the script reads tells of the first's account.
func TestTwoWindows(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	order := d.wish(nil)
	x, y := d.ticket(d.asks("IFRAME", order)), d.ticket(d.asks("POPUP", order))
	number := d.accounted(x)
	late := d.ticket(d.asks("IFRAME", order)) // opened after: it may pay anew
	for name, w := range map[string]ticket{"the second": y, "one that was opened later": late} {
		for _, got := range []answer{d.send("GET", w.Page, ""), d.send("GET", w.Result, ""), d.send("GET", w.Page+"/state", ""), d.post(w, "/deposit")} {
			if strings.Contains(got.text, number) || strings.Contains(got.text, x.TxID) {
				t.Errorf("%s tells of the first's account:\n%s", name, got.text)
			}
		}
	}
	d.does(y, "", "/pay", "bank", "KOOKMIN", "depositor", "x")
	if state, result, _ := d.result(y); state != "ended" || result["code"] != "InvalidEntityState" || result["txId"] != y.TxID {
		t.Errorf("the second is %s: %v", state, result)
	}
	if state, result, _ := d.result(x); state != "ended" || result["code"] != nil || result["txId"] != x.TxID {
		t.Errorf("the first is %s: %v", state, result)
	}
	if !strings.Contains(d.send("GET", x.Page, "").text, number) {
		t.Error("the first does not show its account any more")
	}
	d.does(x, "", "/deposit")
	if state, result, _ := d.result(late); state != "ended" || result["code"] != "PaymentAlreadyPaid" {
		t.Errorf("the later one is %s: %v", state, result)
	}
	d.refuses(http.StatusConflict, "PaymentAlreadyPaid", d.asks("IFRAME", order))
}

// TestManyWindows: one address does not open windows without end.
func TestManyWindows(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	order := d.wish(nil)
	var codes []int
	for range 11 {
		got := d.asks("IFRAME", order, "From", "203.0.113.1:1")
		if codes = append(codes, got.Code); got.Code != http.StatusOK {
			d.refuses(http.StatusTooManyRequests, "ResourceExhausted", got)
			if got.Header().Get("Retry-After") == "" {
				t.Error("nobody says when to try again")
			}
		}
	}
	if i := slices.Index(codes, http.StatusTooManyRequests); i != 10 {
		t.Errorf("the windows are answered %v", codes)
	}
	if got := d.asks("IFRAME", order, "From", "203.0.113.2:1"); got.Code != http.StatusOK {
		t.Errorf("another address: %d", got.Code)
	}
}

// TestReceiptNumber: the number of a cash receipt is on no page, and what a receipt is
// issued to the PG alone knows.
func TestReceiptNumber(t *testing.T) {
	t.Parallel()
	d := openDesk(t)
	for kind, number := range map[string]string{"personal": "01098765432", "business": "1238765432"} {
		x := d.opens("IFRAME", nil)
		d.does(x, "", "/pay", "bank", "SHINHAN", "depositor", "김", "receipt", kind, "identity", number[:3]+"-"+number[3:])
		d.does(x, "", "/deposit")
		for _, got := range []answer{d.send("GET", x.Page, ""), d.send("GET", x.Result, "")} {
			if strings.Contains(got.text, number) {
				t.Errorf("%s: the number is told:\n%s", kind, got.text)
			}
		}
	}
}
