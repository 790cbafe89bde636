package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience bounds each step in the browser.
const patience = 20 * time.Second

// A tab is a page in the browser, with all that it complained of.
type tab struct {
	*testing.T
	ctx  context.Context
	base string

	mu         sync.Mutex
	complaints []string
	expected   map[int64]bool // statuses that are no complaint
}

// How large a window is unless a look says otherwise.
const usualWidth, usualHeight = 1280, 900

// A look is how a tab looks at pages.
type look struct {
	width, height int64
	dark          bool
	noScript      bool
}

// tab opens a page of its own, with the cookies of the browser.
func (b *browser) tab(t *testing.T, base string, l look) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	x := &tab{T: t, ctx: ctx, base: base, expected: map[int64]bool{}}
	if l.width == 0 {
		l.width, l.height = usualWidth, usualHeight
	}
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	if err := chromedp.Do(ctx, // the first call's context is the tab's: no limit of time
		chromedp.Navigate("about:blank"),
		call(network.Enable, network.EnableParams{}), call(log.Enable, cdp.Empty{}), call(cdpruntime.Enable, cdp.Empty{}),
		call(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: l.width, Height: l.height, DeviceScaleFactor: 1}),
		call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}),
		call(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: l.noScript}),
	); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	if err := chromedp.Listen(ctx, x.hear); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		x.quiet()
	})
	return x
}

// call is a command of the browser's protocol as a step.
func call[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

// cookie gives the tab's browser a cookie of the site. Unlike document.cookie, which may
// come to the store of cookies after the next page was asked for, it is there at once.
func (x *tab) cookie(name, value string) {
	x.Helper()
	x.do("the cookie "+name, call(network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: x.base}))
}

// hear notes what the browser complains of.
func (x *tab) hear(ev any) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch e := ev.(type) {
	case *cdpruntime.EventExceptionThrown:
		x.complaints = append(x.complaints, "exception: "+thrown(e.ExceptionDetails))
	case *cdpruntime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" {
			text, _ := json.Marshal(e.Args)
			x.complaints = append(x.complaints, "console: "+string(text))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && !strings.Contains(e.Entry.Text, "the server responded with a status") {
			x.complaints = append(x.complaints, "log: "+e.Entry.Text+" "+e.Entry.URL)
		}
	case *network.EventResponseReceived:
		// What is no page of the console has no icon.
		if s := e.Response.Status; s >= 400 && !x.expected[s] && !strings.HasSuffix(e.Response.URL, "/favicon.ico") {
			x.complaints = append(x.complaints, fmt.Sprintf("%d: %s", s, e.Response.URL))
		}
	}
}

func thrown(d *cdpruntime.ExceptionDetails) string {
	if d.Exception != nil && d.Exception.Description != "" {
		return d.Exception.Description
	}
	return d.Text
}

// expects says that a status is part of the test.
func (x *tab) expects(status int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.expected[status] = true
}

// quiet fails the test with all that was complained of so far.
func (x *tab) quiet() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range x.complaints {
		x.Errorf("the browser complains: %s", c)
	}
	x.complaints = nil
}

// do runs steps; what names them for the error.
func (x *tab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	x.Helper()
	ctx, cancel := context.WithTimeout(x.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		x.shot("failed")
		x.Fatalf("%s: %v\n%s", what, err, x.main())
	}
}

// ask returns what an expression comes to.
func ask[T any](x *tab, what, expression string) T {
	x.Helper()
	ctx, cancel := context.WithTimeout(x.ctx, patience)
	defer cancel()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		x.Fatalf("%s: %v\n%s", what, err, x.main())
	}
	return out
}

// open goes to a path.
func (x *tab) open(path string) {
	x.Helper()
	x.do("open "+path, chromedp.Navigate(x.base+path), chromedp.WaitReady(chromedp.CSS("main")))
}

// click presses what a selector finds, which must lead to another page.
func (x *tab) click(selector string) {
	x.Helper()
	ask[string](x, "mark the page", `document.documentElement.dataset.before = "1"`)
	x.do("click "+selector, chromedp.ScrollIntoView(chromedp.CSS(selector)), chromedp.Click(chromedp.CSS(selector)))
	x.until("a page after "+selector, `document.readyState === "complete" && !document.documentElement.dataset.before`)
}

// press clicks the button or link that bears a text.
func (x *tab) press(text string) {
	x.Helper()
	quoted, _ := json.Marshal(text)
	found := ask[bool](x, "find "+text, `(() => {
		const all = [...document.querySelectorAll("main button, main a, header button")]
		const e = all.find(e => e.textContent.trim() === `+string(quoted)+` && !e.disabled) ?? all.find(e => e.textContent.includes(`+string(quoted)+`) && !e.disabled)
		document.querySelectorAll("[data-press]").forEach(e => e.removeAttribute("data-press"))
		e?.setAttribute("data-press", "")
		return !!e
	})()`)
	if !found {
		x.Fatalf("nothing to press bears %q\n%s", text, x.main())
	}
	x.click("[data-press]")
}

// fill types into a field by its name.
func (x *tab) fill(name, text string) {
	x.Helper()
	quoted, _ := json.Marshal(text)
	if !ask[bool](x, "fill "+name, fmt.Sprintf(`(() => { const e = document.querySelector('main [name="%s"]'); if (e) e.value = %s; return !!e })()`, name, quoted)) {
		x.Fatalf("no field %s\n%s", name, x.main())
	}
}

// choose picks a radio button, a checkbox or an option.
func (x *tab) choose(name, value string) {
	x.Helper()
	ok := ask[bool](x, "choose "+name, fmt.Sprintf(`(() => {
		for (const e of document.getElementsByName(%q)) {
			if (e.tagName === "SELECT") { e.value = %q; return e.value === %q }
			if (e.value === %q) { e.checked = true; return true }
		}
		return false
	})()`, name, value, value, value))
	if !ok {
		x.Fatalf("%s has no %q\n%s", name, value, x.main())
	}
}

// sees waits until the page shows texts.
func (x *tab) sees(texts ...string) {
	x.Helper()
	for _, s := range texts {
		quoted, _ := json.Marshal(s)
		x.until(fmt.Sprintf("the text %q", s), `document.body && document.body.innerText.includes(`+string(quoted)+`)`)
	}
}

// until waits for an expression to be true, across pages.
func (x *tab) until(what, expression string) {
	x.Helper()
	ctx, cancel := context.WithTimeout(x.ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+expression+")")); err == nil && ok {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			x.shot("failed")
			x.Fatalf("waited for %s in vain\n%s", what, x.main())
		}
	}
}

// main is the text of the page, for an error.
func (x *tab) main() string {
	ctx, cancel := context.WithTimeout(x.ctx, 2*time.Second)
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + (document.querySelector("main") ?? document.body).innerText`)) // only told
	return text
}

// shots is where pictures go; empty if none are wanted.
var shots = os.Getenv("TONGBO_SCREENSHOTS")

// shot keeps a picture of the whole page.
func (x *tab) shot(name string) {
	x.Helper()
	if shots == "" {
		return
	}
	ctx, cancel := context.WithTimeout(x.ctx, patience)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		x.Logf("no picture %s: %v", name, err)
		return
	}
	file := filepath.Join(shots, name+".png")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		x.Fatal(err)
	}
	if err := os.WriteFile(file, picture, 0o644); err != nil {
		x.Fatal(err)
	}
}

// forget drops the complaints so far: they are what the test was about.
func (x *tab) forget() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.complaints = nil
}
