package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/webhook"
	"github.com/tongbo/tongbo/internal/words"
)

// A streamed line is what the server sends.
type streamed struct {
	Kind       string      `json:"kind"`
	Missed     int         `json:"missed"`
	MostMissed int         `json:"mostMissed"`
	Item       string      `json:"item"`
	Again      bool        `json:"again"`
	Type       string      `json:"type"`
	PaymentID  string      `json:"paymentId"`
	WebhookID  string      `json:"webhookId"`
	Header     [][2]string `json:"header"`
	Body       []byte      `json:"body"`
	Reason     string      `json:"reason"`
}

// A listenReport tells the server what became of an event.
type listenReport struct {
	Item           string    `json:"item"`
	Number         int       `json:"number"`
	At             time.Time `json:"at"`
	TookMS         float64   `json:"tookMs"`
	URL            string    `json:"url"`
	Status         int       `json:"status"`
	Error          string    `json:"error"`
	ResponseHeader string    `json:"responseHeader"`
	ResponseBody   string    `json:"responseBody"`
	Truncated      bool      `json:"truncated"`
}

// An exchange is an event with what came of it last.
type exchange struct {
	event  streamed
	number int // how often it was tried
	header http.Header
	body   []byte // of the answer
	status int
}

// mostAhead is more lines than the server sends before they are answered.
const mostAhead = 256

// connect opens the session, tells what it could not before, and does what the
// stream says until that ends.
func (l *listening) connect(ctx context.Context, connected func()) error {
	if err := l.open(ctx); err != nil {
		return err
	}
	if err := l.tellAll(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines := make(chan streamed, mostAhead)
	ended := make(chan error, 1)
	go func() {
		ended <- l.read(ctx, lines)
		close(lines)
	}()
	for {
		select {
		case k := <-l.keys:
			l.press(ctx, k)
		case s, ok := <-lines:
			if !ok {
				return <-ended
			}
			switch s.Kind {
			case "ready":
				connected()
				l.ready(s.Missed, s.MostMissed)
			case "event":
				l.event(ctx, s)
			case "end":
				return &endError{s.Reason, words.Text(l.lang, "cli.listen."+endText(s.Reason))}
			}
		}
	}
}

// endText is the text for why a session ends.
func endText(reason string) string {
	if slices.Contains([]string{"taken", "refused"}, reason) {
		return reason
	}
	return "ended"
}

// silences is how many heartbeats may be missing before a connection counts as
// broken.
const silences = 3

// read reads the stream to its end.
func (l *listening) read(ctx context.Context, lines chan<- streamed) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	req, err := l.server.request(ctx, http.MethodGet, "/tongbo/v1/listen/"+l.session.Session, nil)
	if err != nil {
		return err
	}
	client := *l.server.client
	client.Timeout = 0 // it lasts
	silence := time.Duration(max(l.session.Heartbeat, 1)*silences) * time.Second
	watch := time.AfterFunc(silence, func() { cancel(errors.New("no heartbeat came")) })
	defer watch.Stop()
	resp, err := client.Do(req)
	if err != nil {
		return l.server.away(causeOf(ctx, err))
	}
	defer func() { _ = resp.Body.Close() }() // it is of no more use
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, mostAnswer)) // what came says enough
		return l.server.refused(resp.StatusCode, body)
	}
	in := bufio.NewScanner(resp.Body)
	in.Buffer(nil, mostAnswer)
	for in.Scan() {
		watch.Reset(silence)
		var s streamed
		if err := json.Unmarshal(in.Bytes(), &s); err != nil {
			return fault.Errorf(fault.Unavailable, "a line came broken")
		}
		select {
		case lines <- s:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return l.server.away(causeOf(ctx, cmpErr(in.Err(), io.ErrUnexpectedEOF)))
}

func cmpErr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// causeOf is why a context ended, if that is why a call failed.
func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// event gives an event to the machine's server, once, and reports what came of it.
func (l *listening) event(ctx context.Context, s streamed) {
	if l.seen[s.Item] {
		return // its report waits, or is on its way
	}
	l.seen[s.Item] = true
	l.try(ctx, &exchange{event: s})
}

// try tries an event, prints it and reports it.
func (l *listening) try(ctx context.Context, x *exchange) {
	s := x.event
	x.number++
	again := s.Again || x.number > 1
	what := printable(s.Type)
	if again {
		what += " (" + words.Text(l.lang, "cli.listen.again") + ")"
	}
	links := l.server.links(l.env)
	l.say(line{Kind: "event", Type: s.Type, Again: again, Payment: s.PaymentID, Webhook: s.WebhookID, Body: string(s.Body)},
		fmt.Sprintf("--> %-34s %s  %s", what, links.to(s.PaymentID, printable(s.PaymentID)), links.to(s.WebhookID, shortID(s.WebhookID))))
	r := l.post(ctx, x)
	l.last = x
	if ctx.Err() != nil {
		return // it was cut off by the end, and is sent again
	}
	l.show(x, r)
	l.untold = append(l.untold, r)
	if err := l.tellAll(ctx); err != nil && ctx.Err() == nil {
		l.note(words.Text(l.lang, "cli.listen.unreported", "why", printable(err.Error())))
	}
}

// shortID is an id with the middle left out: its end tells it from others.
func shortID(id string) string {
	if len(id) < 20 {
		return printable(id)
	}
	return printable(id[:4] + "…" + id[len(id)-8:])
}

// post makes the call that an endpoint would get.
func (l *listening) post(ctx context.Context, x *exchange) listenReport {
	r := listenReport{Item: x.event.Item, Number: x.number, At: time.Now(), URL: l.forward}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.forward, bytes.NewReader(x.event.Body))
	if err != nil {
		r.Error = err.Error()
		return r
	}
	req.Header = l.header(x)
	resp, err := l.shop.Do(req)
	if err != nil {
		r.TookMS, r.Error = milliseconds(time.Since(r.At)), plainCause(err)
		x.status, x.header, x.body = 0, nil, nil
		return r
	}
	defer func() { _ = resp.Body.Close() }() // what matters was read
	body, err := io.ReadAll(io.LimitReader(resp.Body, keptAnswer+1))
	r.TookMS, r.Status = milliseconds(time.Since(r.At)), resp.StatusCode
	r.Truncated = err != nil || len(body) > keptAnswer
	body = body[:min(len(body), keptAnswer)]
	r.ResponseHeader, r.ResponseBody = headerLines(resp.Header), base64.StdEncoding.EncodeToString(body)
	x.status, x.header, x.body = resp.StatusCode, resp.Header, body
	return r
}

// keptAnswer is how much of an answer is kept, as of an endpoint's.
const keptAnswer = 16 << 10

// header is what the event came with; of another try, signed anew.
func (l *listening) header(x *exchange) http.Header {
	h := http.Header{}
	for _, pair := range x.event.Header {
		h[pair[0]] = append(h[pair[0]], pair[1])
	}
	now := time.Now()
	signature, err := webhook.Sign(x.event.WebhookID, now, x.event.Body, l.session.Secret)
	if x.number > 1 && err == nil {
		h[webhook.HeaderTimestamp] = []string{strconv.FormatInt(now.Unix(), 10)}
		h[webhook.HeaderSignature] = []string{signature}
	}
	return h
}

// plainCause is why a call got no answer, without the address.
func plainCause(err error) string {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	return err.Error()
}

func headerLines(h http.Header) string {
	var lines []string
	for name, values := range h {
		for _, v := range values {
			lines = append(lines, strings.ToLower(name)+": "+v)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// tellAll tells the server what it has not heard, in order.
func (l *listening) tellAll(ctx context.Context) error {
	for len(l.untold) > 0 {
		err := l.server.call(ctx, http.MethodPost, "/tongbo/v1/listen/"+l.session.Session+"/attempts", l.untold[0], nil)
		if r, refused := errors.AsType[*refusedError](err); err != nil && (!refused || r.status >= 500 || r.status == http.StatusTooManyRequests) {
			return err
		}
		l.untold = l.untold[1:] // what the server does not want, it will not want later
	}
	return nil
}
