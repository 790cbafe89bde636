package browser

import (
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/checkout"
)

// A hub serves the scripts as they are, and plays the rest of the server as they see it: it
// registers windows, shows a page for each, and tells what came of them. What the pages of
// the program look like is tested with the program.
type hub struct {
	*testing.T
	url  string // of another site than the shop's
	stop chan struct{}

	mu      sync.Mutex
	windows []*window
	answer  func(w http.ResponseWriter, r *http.Request, body map[string]any) bool // in place of registering; nil to register
	result  http.HandlerFunc                                                       // in place of the result
	kind    string                                                                 // in place of the kind of window asked for
	expires int                                                                    // seconds that windows live
	deaf    int                                                                    // how often nobody hears that a window is left
	shy     bool                                                                   // pages never show themselves
	visits  map[string]int                                                         // of the shop's pages, by path
}

// A window is one that was asked for.
type window struct {
	N            int
	Path, Origin string
	Silent       bool
	body         map[string]any // what was asked
	orders       chan string    // what the page is to do: pay, leave, close
	left, asked  int            // how often it was left, and its result asked for

	once     sync.Once
	ended    chan struct{}
	result   map[string]any
	redirect string
}

func openHub(t *testing.T) *hub {
	t.Helper()
	h := &hub{T: t, expires: 1800, visits: map[string]int{}, stop: make(chan struct{})}
	mux := http.NewServeMux()
	mux.Handle(checkout.ScriptV2, checkout.Scripts(""))
	mux.Handle(checkout.ScriptV1, checkout.Scripts(""))
	mux.HandleFunc("POST /checkout/requests", h.register)
	mux.HandleFunc("OPTIONS /checkout/requests", h.register)
	mux.HandleFunc("GET /checkout/result/{n}", h.tell)
	mux.HandleFunc("GET /checkout/{n}", h.show)
	mux.HandleFunc("GET /orders/{n}", h.order)
	mux.HandleFunc("GET /forge", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<script>for (const type of ["ended", "left"]) parent.postMessage({ tongbo: "checkout", type, txId: "tx-0" }, "*")</script>`))
	})
	mux.HandleFunc("POST /checkout/{n}/leave", h.leave)
	mux.HandleFunc("POST /checkout/{n}/pay", h.pay)
	s := httptest.NewServer(mux)
	t.Cleanup(func() { close(h.stop); s.CloseClientConnections(); s.Close() })
	h.url = strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	return h
}

// set changes how the hub behaves.
func (h *hub) set(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
}

// until waits for something at the hub.
func (h *hub) until(what string, so func() bool) {
	h.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); ; {
		if h.read(so) {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			h.Fatalf("waited for %s in vain", what)
		}
	}
}

func (h *hub) read(so func() bool) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return so()
}

// asked returns the nth window that was asked for, once there is one.
func (h *hub) asked(n int) *window {
	h.Helper()
	h.until(fmt.Sprintf("window %d", n), func() bool { return len(h.windows) > n })
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.windows[n]
}

// count is how many windows were asked for.
func (h *hub) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.windows)
}

func (h *hub) of(r *http.Request) *window {
	var n int
	if _, err := fmt.Sscan(r.PathValue("n"), &n); err != nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.windows[n]
}

func (h *hub) register(w http.ResponseWriter, r *http.Request) {
	allow(w, r)
	if r.Method == http.MethodOptions {
		w.Header().Set("Access-Control-Allow-Headers", "content-type")
		return
	}
	var body map[string]any
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		h.Error(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.answer != nil && h.answer(w, r, body) {
		return
	}
	request := body["request"].(map[string]any)
	x := &window{N: len(h.windows), Path: fmt.Sprintf("/checkout/%d", len(h.windows)), Origin: r.Header.Get("Origin"), Silent: h.shy, body: body, orders: make(chan string, 1), ended: make(chan struct{})}
	h.windows = append(h.windows, x)
	id, _ := request["paymentId"].(string)
	if id == "" {
		id, _ = request["merchant_uid"].(string)
	}
	kind := body["window"].(string)
	if h.kind != "" {
		kind = h.kind
	}
	put(w, http.StatusOK, map[string]any{
		"paymentId": id, "txId": "tx-" + x.Path[10:], "window": kind, "expiresIn": h.expires,
		"page": h.url + x.Path, "result": h.url + "/checkout/result/" + x.Path[10:],
	})
}

func allow(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
	w.Header().Set("Vary", "Origin")
}

func put(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// end says what came of a window; only the first word counts.
func (h *hub) end(x *window, code string) {
	x.once.Do(func() {
		request := x.body["request"].(map[string]any)
		x.result = map[string]any{"transactionType": "PAYMENT", "txId": "tx-" + x.Path[10:], "paymentId": request["paymentId"]}
		if x.body["sdk"] == "v1" {
			x.result = map[string]any{"success": code == "", "imp_success": code == "", "imp_uid": "tx-" + x.Path[10:], "merchant_uid": request["merchant_uid"], "error_code": nil, "error_msg": nil}
		}
		if code != "" {
			name, text := "code", "message"
			if x.body["sdk"] == "v1" {
				name, text = "error_code", "error_msg"
			}
			x.result[name], x.result[text] = code, "the hub says "+code
		}
		if request["forceRedirect"] == true {
			x.redirect = back(x)
		}
		close(x.ended)
	})
}

// back is where a shop wants its buyer back.
func back(x *window) string {
	request := x.body["request"].(map[string]any)
	for _, name := range []string{"redirectUrl", "m_redirect_url"} {
		if to, ok := request[name].(string); ok {
			u, _ := url.Parse(to)
			q := u.Query()
			q.Set("txId", "tx-"+x.Path[10:])
			u.RawQuery = q.Encode()
			return u.String()
		}
	}
	return ""
}

func (h *hub) tell(w http.ResponseWriter, r *http.Request) {
	allow(w, r)
	h.mu.Lock()
	other := h.result
	h.mu.Unlock()
	if other != nil {
		other(w, r)
		return
	}
	x, wait := h.of(r), 2*time.Second
	if r.URL.Query().Get("wait") == "0" {
		wait = 0
	}
	h.set(func() { x.asked++ })
	select {
	case <-x.ended:
		out := map[string]any{"state": "ended", "result": x.result}
		if x.redirect != "" {
			out["redirect"] = x.redirect
		}
		put(w, http.StatusOK, out)
	case <-r.Context().Done():
	case <-time.After(wait):
		put(w, http.StatusOK, map[string]any{"state": "open"})
	}
}

// page does what the program's pages do, by order of the test.
var page = template.Must(template.New("page").Parse(`<!doctype html><html lang="ko"><title>결제</title>
<body data-origin="{{.Origin}}"><main><h1>결제</h1><input aria-label="입금자명"></main><script>
const to = parent !== window ? parent : opener, origin = document.body.dataset.origin
const post = (type, more) => to && to.postMessage(Object.assign({ tongbo: "checkout", type }, more), origin)
const verbs = {
	async pay() {
		if (!to) { const f = document.createElement("form"); f.method = "post"; f.action = "{{.Path}}/pay"; document.body.append(f); f.submit(); return }
		await fetch("{{.Path}}/pay", { method: "POST" }); post("ended")
	},
	async leave() { await fetch("{{.Path}}/leave", { method: "POST" }); post("left") },
	close() { window.close() },
	die() { location.replace("/gone") },
}
addEventListener("message", e => { if (e.origin === origin && e.data.type === "leave") verbs.leave() })
{{if not .Silent}}post("height", { height: 500 })
addEventListener("load", () => setTimeout(() => post("height", { height: 500 }), 500)){{end}}
;(async () => { for (;;) { const r = await fetch("/orders/{{.N}}"); await verbs[await r.text()]() } })()
</script></body></html>`))

func (h *hub) show(w http.ResponseWriter, r *http.Request) {
	x := h.of(r)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := page.Execute(w, x); err != nil {
		h.Error(err)
	}
}

func (h *hub) order(w http.ResponseWriter, r *http.Request) {
	select {
	case verb := <-h.of(r).orders:
		_, _ = w.Write([]byte(verb))
	case <-h.stop:
	case <-r.Context().Done():
	}
}

func (h *hub) leave(w http.ResponseWriter, r *http.Request) {
	x := h.of(r)
	deaf := false
	h.set(func() { x.left++; h.deaf--; deaf = h.deaf >= 0 })
	if deaf {
		allow(w, r)
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	h.end(x, "PAYMENT_CANCELLED")
	allow(w, r)
	if to := back(x); to != "" && x.body["window"] == "REDIRECTION" {
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	http.Redirect(w, r, x.Path, http.StatusSeeOther)
}

func (h *hub) pay(w http.ResponseWriter, r *http.Request) {
	x := h.of(r)
	h.end(x, "")
	if to := back(x); to != "" && x.body["window"] == "REDIRECTION" {
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// lefts is how often a window was left.
func (h *hub) lefts(x *window) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return x.left
}

// A storefront is the server of a shop, of another site than the hub's.
func openStorefront(t *testing.T, h *hub, more map[string]string) string {
	t.Helper()
	mux := http.NewServeMux()
	for path, text := range more {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
			_, _ = w.Write([]byte(text))
		})
	}
	mux.HandleFunc("/shop.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		_, _ = w.Write([]byte(shopScript))
	})
	mux.HandleFunc("/elsewhere", func(w http.ResponseWriter, r *http.Request) { // the shop at another host
		http.Redirect(w, r, strings.Replace("http://"+r.Host, "localhost", "127.0.0.1", 1)+"/done?"+r.URL.RawQuery, http.StatusFound)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		h.set(func() { h.visits[r.URL.Path]++ })
		q := r.URL.Query()
		frames := h.url
		if q.Has("noframes") {
			frames = "'none'"
		}
		policy := fmt.Sprintf("default-src 'none'; script-src 'self' %s; connect-src %s; frame-src %s; base-uri 'none'", h.url, h.url, frames)
		if !q.Has("free") { // to write scripts into the page
			policy += "; require-trusted-types-for 'script'; trusted-types 'none'"
		}
		w.Header().Set("Content-Security-Policy", policy)
		if q.Has("alone") {
			w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		scripts := q["script"]
		if scripts == nil {
			scripts = []string{h.url + checkout.ScriptV2}
		}
		if err := storefront.Execute(w, scripts); err != nil {
			t.Error(err)
		}
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

// storefront is a page with a button, under a policy as strict as a shop's can be.
var storefront = template.Must(template.New("shop").Parse(`<!doctype html><html lang="ko"><meta name="viewport" content="width=device-width"><title>상점</title>
<main><h1>상점</h1><button id="pay">결제하기</button><div class="portone-ui-container"></div></main>
{{range .}}<script src="{{.}}"></script>
{{end}}<script src="/shop.js"></script></html>`))

// shopScript notes what every call came to. The test says what the button does.
const shopScript = `
window.out = []
window.fair = (more) => Object.assign({ storeId: "store-1", paymentId: "p-1", orderName: "책", totalAmount: 11000, currency: "CURRENCY_KRW",
	payMethod: "VIRTUAL_ACCOUNT", channelKey: "channel-key-1" }, more)
const plain = e => Object.assign({ message: e.message, isError: e instanceof Error }, e)
window.note = p => p.then(value => { out.push({ value: value === undefined ? "undefined" : value }) }, e => { out.push({ error: plain(e) }) })
document.getElementById("pay").onclick = () => window.act()
`
