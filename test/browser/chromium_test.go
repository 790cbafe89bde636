package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// chromium is the one browser of all tests, started by the first that opens one.
var chromium struct {
	once sync.Once
	ctx  context.Context
	end  func()
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if chromium.end != nil {
		chromium.end()
	}
	os.Exit(code)
}

// startChromium starts a browser, and returns what ends it. A machine without one is told
// what to install.
func startChromium(more ...chromedp.ExecAllocatorOption) (context.Context, func(), error) {
	program := ""
	for _, name := range []string{"chromium", "google-chrome", "chromium-browser"} {
		if p, err := exec.LookPath(name); err == nil {
			program = p
			break
		}
	}
	if program == "" {
		return nil, nil, errors.New("no Chromium: run scripts/need.sh browser")
	}
	dir, err := os.MkdirTemp("", "tongbo-chromium-")
	if err != nil {
		return nil, nil, err
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.UserDataDir(dir), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("lang", "ko"), chromedp.Flag("force-color-profile", "srgb"),
	)
	alloc, stop := chromedp.NewExecAllocator(context.Background(), append(opts, more...)...)
	ctx, cancel := chromedp.NewContext(alloc)
	end := func() {
		cancel()
		stop()
		_ = os.RemoveAll(dir) // as temporary as the folder it is in
	}
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		end()
		return nil, nil, fmt.Errorf("start Chromium: %w", err)
	}
	return ctx, end, nil
}

// A browser has cookies of its own, as another person's would: it is a context of Chromium
// that goes with the test.
type browser struct {
	*testing.T
	ctx context.Context
}

// openBrowser opens one; with options it is a Chromium of its own that has them.
func openBrowser(t *testing.T, options ...chromedp.ExecAllocatorOption) *browser {
	t.Helper()
	if len(options) > 0 {
		ctx, end, err := startChromium(options...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(end)
		return &browser{t, ctx}
	}
	chromium.once.Do(func() { chromium.ctx, chromium.end, chromium.err = startChromium() })
	if chromium.err != nil {
		t.Fatal(chromium.err)
	}
	ctx, cancel := chromedp.NewContext(chromium.ctx, chromedp.WithNewBrowserContext())
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("open a browser: %v", err)
	}
	t.Cleanup(cancel)
	return &browser{t, ctx}
}
