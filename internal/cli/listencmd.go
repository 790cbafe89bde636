package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/safehttp"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
	"github.com/tongbo/tongbo/internal/words"
)

// A listenCmd gives webhooks to a server on this machine.
type listenCmd struct {
	remoteFlags
	langFlag
	Forward     string   `help:"Where webhooks are given to, such as localhost:3000/webhook." required:"" placeholder:"URL"`
	Events      []string `help:"Only these events: types, Transaction.*, BillingKey.*; all of PortOne's if left out." sep:"," placeholder:"TYPE"`
	Live        bool     `help:"Hear of live payments instead of test ones."`
	Store       string   `help:"Hear of this sub-store alone." placeholder:"ID"`
	Name        string   `help:"Name of the session, by which it is gone on with; this machine's if left out." placeholder:"NAME"`
	Payload     string   `help:"Payload version: 2024-04-25, 2024-01-01 or v1." enum:"2024-04-25,2024-01-01,v1" default:"2024-04-25"`
	Form        bool     `help:"Payloads as forms, where the version has them."`
	PrintSecret bool     `help:"Print the whole signing secret of a session that is gone on with, too."`
	JSON        bool     `name:"json" help:"Print one JSON object a line."`
}

// A listenSession is what the server answered.
type listenSession struct {
	Session   string      `json:"session"`
	New       bool        `json:"new"`
	Store     string      `json:"storeId"`
	Mode      string      `json:"mode"`
	Name      string      `json:"name"`
	Secret    secret.Text `json:"secret"`
	Heartbeat int         `json:"heartbeatSeconds"`
}

// Run listens until it is interrupted, or the session is another's.
func (c *listenCmd) Run(env Env) error {
	ctx, cancel := env.context()
	defer cancel()
	forward, err := forwardURL(c.Forward)
	if err != nil {
		return err
	}
	server, err := c.remote()
	if err != nil {
		return err
	}
	l := &listening{
		env: env, cmd: c, server: server, forward: forward, lang: c.lang(), seen: map[string]bool{},
		shop: safehttp.New(safehttp.Config{AllowPrivate: true, Timeout: shopPatience}),
	}
	keys, restore := readKeys(env)
	defer restore()
	l.keys, l.quit = keys, cancel
	return l.run(ctx)
}

// shopPatience is how long the machine's server may take, as an endpoint may.
const shopPatience = 30 * time.Second

// forwardURL is an address as people write it: without a scheme, or a port alone.
func forwardURL(s string) (string, error) {
	full := s
	if _, err := strconv.ParseUint(s, 10, 16); err == nil {
		full = "localhost:" + s
	}
	if !strings.Contains(full, "://") {
		full = "http://" + full
	}
	if err := webhook.CheckURL(full); err != nil {
		return "", hint(fault.Errorf(fault.Invalid, "--forward %q is no address of a server", s), "Write it like localhost:3000/webhook")
	}
	return full, nil
}

// A listening is a listen session as this machine sees it.
type listening struct {
	env     Env
	cmd     *listenCmd
	server  *remote
	shop    *http.Client
	forward string
	lang    words.Lang
	keys    <-chan byte // nil unless somebody can press any
	quit    func()

	session  listenSession
	seen     map[string]bool // items that were tried by this process
	last     *exchange       // what was tried last
	untold   []listenReport  // that the server has not heard
	opened   bool
	lostAt   time.Time // zero while connected
	printing bool      // the keys were shown
}

// Between tries to connect. Each wait is twice the one before.
const (
	firstWait = time.Second
	mostWait  = 15 * time.Second
)

// run connects, and again whenever the connection is lost. What cannot be mended
// by that ends it.
func (l *listening) run(ctx context.Context) error {
	wait := firstWait
	for {
		err := l.connect(ctx, func() { wait = firstWait })
		if ctx.Err() != nil {
			return nil
		}
		if end, ok := errors.AsType[*endError](err); ok && end.reason != "stopping" {
			return &coded{exitFailed, err}
		}
		if !l.opened || fatal(err) {
			return err
		}
		l.lost(err)
		if !l.rest(ctx, wait) {
			return nil
		}
		wait = min(2*wait, mostWait)
	}
}

// fatal reports whether asking again would be answered the same.
func fatal(err error) bool {
	r, ok := errors.AsType[*refusedError](err)
	return ok && r.status >= 400 && r.status < 500 && r.status != http.StatusTooManyRequests && r.status != http.StatusNotFound
}

// rest waits, and hears keys meanwhile. It is false once ctx has ended.
func (l *listening) rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case k := <-l.keys:
			l.press(ctx, k)
		case <-t.C:
			return true
		}
	}
}

// open opens the session, or goes on with it.
func (l *listening) open(ctx context.Context) error {
	name := l.cmd.Name
	if name == "" {
		host, _ := os.Hostname()
		name = cmp.Or(host, "this machine")
	}
	mode, content := "test", "json"
	if l.cmd.Live {
		mode = "live"
	}
	if l.cmd.Form {
		content = "form"
	}
	var s listenSession
	if err := l.server.call(ctx, http.MethodPost, "/tongbo/v1/listen", map[string]any{
		"storeId": l.cmd.Store, "mode": mode, "name": name, "forward": l.forward, "events": l.cmd.Events,
		"version": l.cmd.Payload, "contentType": content,
	}, &s); err != nil {
		return err
	}
	before := l.session
	l.session = s
	if l.opened && s.Session != before.Session {
		l.untold = nil // they were that session's
		l.say(line{Kind: "renewed", Secret: s.Secret.Reveal()}, words.Text(l.lang, "cli.listen.renewed", "secret", s.Secret.Reveal()))
	}
	return nil
}

// shownSecret is the whole secret of a new session, and otherwise its end.
func (l *listening) shownSecret() string {
	text := l.session.Secret.Reveal()
	if l.session.New || l.cmd.PrintSecret {
		return text
	}
	return "whsec_…" + text[max(0, len(text)-4):]
}

// ready says that the session is connected.
func (l *listening) ready(missed, most int) {
	if !l.opened {
		l.opened = true
		l.say(line{Kind: "ready", Session: l.session.Session, Secret: l.shownSecret(), Missed: &missed},
			words.Text(l.lang, "cli.listen.ready", "secret", l.shownSecret(), "store", l.session.Store, "mode", l.session.Mode, "forward", l.forward))
		if !l.session.New {
			l.note(l.resumed(missed, most))
		}
		if l.keys != nil && !l.printing {
			l.printing = true
			l.note(words.Text(l.lang, "cli.listen.keys"))
		}
		return
	}
	if !l.lostAt.IsZero() {
		gone := time.Since(l.lostAt).Round(time.Second)
		l.lostAt = time.Time{}
		l.say(line{Kind: "back", Missed: &missed}, words.Text(l.lang, "cli.listen.back", "seconds", int64(max(gone, time.Second).Seconds())))
	}
}

func (l *listening) resumed(missed, most int) string {
	switch {
	case most > 0:
		return words.Text(l.lang, "cli.listen.resumedMany", "n", most)
	case missed == 0:
		return words.Text(l.lang, "cli.listen.resumedNone")
	}
	return words.Text(l.lang, "cli.listen.resumed", "n", missed)
}

// lost says once that the session is not connected.
func (l *listening) lost(err error) {
	if !l.lostAt.IsZero() {
		return
	}
	l.lostAt = time.Now()
	why := "the connection ended"
	if err != nil {
		why = printable(err.Error())
	}
	l.say(line{Kind: "lost", Error: why}, words.Text(l.lang, "cli.listen.lost", "why", why))
}

// An endError is an end of the session that the server told of.
type endError struct {
	reason string
	text   string
}

func (e *endError) Error() string { return e.text }

// A line is what is printed as JSON.
type line struct {
	At      time.Time `json:"at"`
	Kind    string    `json:"kind"` // ready, event, attempt, lost, back, renewed
	Session string    `json:"session,omitempty"`
	Secret  string    `json:"secret,omitempty"`
	Missed  *int      `json:"missed,omitempty"`
	Type    string    `json:"type,omitempty"`
	Again   bool      `json:"again,omitempty"`
	Payment string    `json:"payment,omitempty"`
	Webhook string    `json:"webhook,omitempty"`
	Body    string    `json:"body,omitempty"`
	Number  int       `json:"number,omitempty"`
	Status  int       `json:"status,omitempty"`
	TookMS  float64   `json:"took_ms,omitempty"`
	Answer  string    `json:"answer,omitempty"`
	Error   string    `json:"error,omitempty"`
}

// say prints a line: as JSON, or as text with the time.
func (l *listening) say(j line, text string) {
	if l.cmd.JSON {
		j.At = time.Now().UTC()
		b, err := plainJSON(j)
		if err != nil {
			panic(err) // every field can be written
		}
		fmt.Fprintf(l.env.Stdout, "%s\n", b)
		return
	}
	fmt.Fprintf(l.env.talk(), "%s  %s\n", time.Now().In(wire.Seoul).Format("15:04:05"), text)
}

// note prints what is said to people alone.
func (l *listening) note(text string) {
	if !l.cmd.JSON {
		fmt.Fprintln(l.env.talk(), "          "+text)
	}
}
