package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/simulator"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
	"github.com/tongbo/tongbo/internal/words"
)

// newRandom is a source of chance for customers and shops.
func newRandom() *rand.Rand {
	return rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) //nolint:gosec // nothing here is secret
}

// among is a time between two.
func among(r *rand.Rand, from, to time.Duration) time.Duration {
	return from + time.Duration(r.Float64()*float64(to-from))
}

// steadyManner is that of a shop that mostly takes the traffic's webhooks, and always
// all others.
func steadyManner() func(simulator.Call) simulator.Answer {
	r := newRandom()
	return func(c simulator.Call) simulator.Answer {
		switch {
		case !aboutTraffic(c):
			return simulator.Answer{Status: http.StatusOK}
		case r.IntN(40) == 0:
			return simulator.Answer{Status: http.StatusServiceUnavailable, After: among(r, 10*time.Millisecond, 50*time.Millisecond), Body: "deploying, back in a second\n"}
		}
		return simulator.Answer{Status: http.StatusOK, After: among(r, 10*time.Millisecond, 120*time.Millisecond), Body: "ok\n"}
	}
}

// slowManner is that of a shop that works before it answers, and sometimes for longer than
// anybody waits.
func slowManner() func(simulator.Call) simulator.Answer {
	r := newRandom()
	return func(simulator.Call) simulator.Answer {
		if r.IntN(20) == 0 {
			return simulator.Answer{Status: http.StatusGatewayTimeout, After: 2 * time.Minute}
		}
		return simulator.Answer{Status: http.StatusOK, After: among(r, 2*time.Second, 8*time.Second), Body: "ok\n"}
	}
}

// goodAtFirst is how many webhooks the broken shop takes before it breaks.
const goodAtFirst = 3

// brokenManner is that of a shop that breaks soon, and stays so.
func brokenManner() func(simulator.Call) simulator.Answer {
	r, taken := newRandom(), 0
	return func(simulator.Call) simulator.Answer {
		if taken++; taken <= goodAtFirst {
			return simulator.Answer{Status: http.StatusOK, Body: "ok\n"}
		}
		return simulator.Answer{
			Status: http.StatusInternalServerError, After: among(r, 10*time.Millisecond, 60*time.Millisecond),
			Body: "<!doctype html><title>500</title><h1>Internal Server Error</h1><p>too many connections (SQLSTATE 53300)</p>\n",
		}
	}
}

// aboutTraffic reports whether a webhook is about a payment of the traffic.
func aboutTraffic(c simulator.Call) bool { return bytes.Contains(c.Body, []byte(`"`+trafficPrefix)) }

// lang is the language of what the demo says.
func (d *demo) lang() words.Lang {
	if d.korean {
		return words.Ko
	}
	return words.En
}

// tellNext prints a line of the catalogue, after an empty one.
func (d *demo) tellNext(key string, args ...any) {
	fmt.Fprintf(d.env.Stdout, "\n%s\n", words.Text(d.lang(), key, args...))
}

// invite prints where the console is, and what to paste next. t is nil if there is no
// traffic.
func (d *demo) invite(t *traffic) {
	if d.counter != nil {
		d.tellNext("cli.demo.shop", "shop", d.counter.url+"/")
	}
	at := d.base + "/console/"
	if t != nil {
		d.tellNext("cli.demo.traffic", "channels", len(t.channels), "rate", t.rate, "console", at)
	} else {
		d.tellNext("cli.demo.console", "console", at)
	}
	fmt.Fprintln(d.env.Stdout, words.Text(d.lang(), "cli.demo.owner", "email", demoOwner, "password", d.password.Reveal()))
	d.tellNext("cli.demo.paste")
	d.tellNext("cli.demo.pasteRegister")
	fmt.Fprintf(d.env.Stdout, `curl -s %s/payments/order-9/virtual-account -H 'Authorization: PortOne %s' \
  -d '{"channelKey":"%s","orderName":"배 1상자","amount":{"total":25000},"currency":"KRW","virtualAccount":{"bank":"SHINHAN","accountNumber":"T9000000000001"}}'; echo
`, d.base, d.apiSecret, demoKCP)
	d.tellNext("cli.demo.pasteNotice")
	fmt.Fprintf(d.env.Stdout, `curl -s %s/kcp-v2 \
  -d 'site_cd=T0000&tno=20261121000009&order_no=order-9&tx_cd=TX00&tx_tm=%s&ipgm_name=홍길동&remitter=홍길동&ipgm_mnyx=25000&ipgm_time=%[2]s&bank_code=BK88&account=T9000000000001&noti_id=20261121000000000009&op_cd=50'; echo
`, d.base, time.Now().UTC().Add(9*time.Hour).Format("20060102150405"))
	d.tellNext("cli.demo.pasteLook")
	fmt.Fprintf(d.env.Stdout, "curl -s %s/payments/order-9 -H 'Authorization: PortOne %s'; echo\n\n", d.base, d.apiSecret)
}

// How often it is looked what happened, and how often a line is printed where none can be
// replaced.
const (
	lookEvery = 500 * time.Millisecond
	lineEvery = 30 * time.Second
)

// follow prints what happens from now on, notices and webhooks, until ctx ends: of the
// traffic, which is nil if there is none, how much of it there was. changing says that a line
// of a terminal may be replaced.
func (d *demo) follow(ctx context.Context, t *traffic, changing bool) {
	d.heard()
	var last notice.ID
	if list, err := d.server.Store.Notices(ctx, store.NoticeQuery{Limit: 1}); err == nil && len(list) > 0 {
		last = list[0].ID
	}
	foot := &footer{Writer: d.env.Stdout, width: cmp.Or(max(d.env.Width, 0), usualWidth)}
	changing = changing && d.env.Terminal
	d.env.Stdout = foot
	began := time.Now()
	lines := 0
	var seen heardCalls
	for sleep(ctx, lookEvery) == nil {
		last = d.showNewer(ctx, last, t != nil)
		mine, all := d.heard()
		for _, c := range mine {
			if t == nil || !aboutTraffic(c) && !bytes.Contains(c.Body, []byte(webhook.Attention)) {
				d.showCall(c)
			}
		}
		d.showOrders()
		seen.add(all)
		switch {
		case t == nil:
		case changing:
			foot.show("  " + d.statusText(t, seen))
		case time.Since(began) >= time.Duration(lines+1)*lineEvery:
			lines++
			fmt.Fprintln(d.env.Stdout, time.Now().Format("  15:04:05  ")+d.statusText(t, seen))
		}
	}
	if t != nil {
		if n, why := t.failures(); n > 0 {
			d.tellNext("cli.demo.failed", "n", n, "why", printable(why.Error()))
		}
	}
	foot.clear()
}

// statusText says how much of the traffic there was.
func (d *demo) statusText(t *traffic, seen heardCalls) string {
	return words.Text(d.lang(), "cli.demo.status", "payments", t.begun.Load(), "notices", t.notices.Load(), "webhooks", seen.calls, "refused", seen.refused)
}

// heard takes the calls that came to the shops since the last time: those of the shop
// that listens, and all.
func (d *demo) heard() (mine, all []simulator.Call) {
	mine = d.shop.Take()
	all = append(all, mine...)
	for _, s := range []*simulator.Shop{d.stumbling, d.slow, d.broken} {
		all = append(all, s.Take()...)
	}
	return mine, all
}

// A heardCalls counts calls of shops.
type heardCalls struct{ calls, refused int }

func (t *heardCalls) add(list []simulator.Call) {
	for _, c := range list {
		t.calls++
		if c.Status != http.StatusOK {
			t.refused++
		}
	}
}

// A footer is the last line of a terminal, which is replaced. Whatever else is written
// goes above it.
type footer struct {
	io.Writer
	width int // of the terminal, in cells
	shown int // how many of them the line has
}

// Write takes the line away and writes.
func (f *footer) Write(b []byte) (int, error) {
	f.clear()
	return f.Writer.Write(b)
}

// show replaces the line, of which as much is shown as the terminal has room for.
func (f *footer) show(line string) {
	line = clip(line, f.width-1)
	n := cells(line)
	fmt.Fprintf(f.Writer, "\r%s%s", line, strings.Repeat(" ", max(0, f.shown-n)))
	f.shown = max(f.shown, n)
}

// clear takes the line away.
func (f *footer) clear() {
	if f.shown > 0 {
		fmt.Fprintf(f.Writer, "\r%s\r", strings.Repeat(" ", f.shown))
		f.shown = 0
	}
}
