package action

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/safehttp"
	"github.com/tongbo/tongbo/internal/secret"
)

// send sends a notice, again while the answer is 503.
func (x enacting) send(ctx context.Context, t telling) (out Played) {
	out = Played{Event: t.event, Request: t.request, Charset: charsetOf(t.request), From: t.from}
	began := time.Now()
	pause := firstResend
	for n := 1; ; n++ {
		if t.from.IsValid() {
			x.inside(ctx, t, &out)
		} else {
			x.outside(ctx, t, &out)
		}
		if out.Answer.Status != http.StatusServiceUnavailable || n == mostNotices || t.from.IsValid() {
			break
		}
		select {
		case <-time.After(pause):
			pause *= 2
		case <-ctx.Done():
			out.Err = ctx.Err()
		}
	}
	out.Took = time.Since(began)
	out.Acked = out.Err == nil && x.pg.Acked(out.Answer)
	return out
}

// inside gives a notice to the ingress as if it had come from an address, which
// cannot be done over the network.
func (x enacting) inside(ctx context.Context, t telling, out *Played) {
	var res notice.Result
	out.Answer, res, out.Err = x.a.NotifyFrom(ctx, t.from, t.request)
	out.Notice, out.Verdict, out.Reason = res.ID, res.Verdict, res.Reason
	if out.Answer.Status != 0 {
		out.Err = nil // it was answered, whatever became of it
	}
}

// outside sends a notice over the network, under a token of its own.
func (x enacting) outside(ctx context.Context, t telling, out *Played) {
	client, base := x.a.HTTP, x.a.PublicURL
	if base == "" && x.a.Own != nil {
		client, base = x.a.Own()
	}
	if base == "" {
		out.Err = ErrNoPublicURL
		return
	}
	token, at := secret.Text(rand.Text()+rand.Text()), now()
	if out.Err = x.a.Store.BeginRehearsal(ctx, token, notice.Rehearsal{Channel: x.channel.Key, Until: at.Add(notice.RehearsalLife), Given: true}, at); out.Err != nil {
		return
	}
	out.URL = base + t.request.Path
	if t.request.Query != "" {
		out.URL += "?" + t.request.Query
	}
	out.Answer, out.Err = post(ctx, client, out.URL, t.request, token)
	seen, err := x.a.Store.Rehearsed(context.WithoutCancel(ctx), token)
	if err != nil {
		return // it did not arrive; the answer says what did
	}
	out.Notice, out.Verdict, out.Reason = seen.Notice, seen.Verdict, seen.Reason
}

// post makes the call of a PG, with a token.
func post(ctx context.Context, client *http.Client, to string, r notice.Request, token secret.Text) (got provider.Reply, err error) {
	ctx, cancel := context.WithTimeout(ctx, rehearsalTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.Method, to, bytes.NewReader(r.Body))
	if err != nil {
		return got, err
	}
	if req.Header = r.Header.Clone(); req.Header == nil {
		req.Header = http.Header{}
	}
	req.Header.Set("User-Agent", "tongbo-simulator")
	req.Header.Set(notice.RehearsalHeader, token.Reveal())
	resp, err := safehttp.Once(client).Do(req)
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // its text has the address, with whatever the query says
	}
	if err != nil {
		return got, err
	}
	defer func() { _ = resp.Body.Close() }() // what matters was read
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	return provider.Reply{Status: resp.StatusCode, ContentType: resp.Header.Get("Content-Type"), Body: body}, err
}

// charsetOf is the charset of what a notice says.
func charsetOf(r notice.Request) string {
	said := string(r.Body)
	if said == "" {
		said = r.Query
	}
	if bare, err := url.QueryUnescape(said); err == nil {
		said = bare
	}
	switch {
	case !strings.ContainsFunc(said, func(c rune) bool { return c >= utf8.RuneSelf }):
		return "ASCII"
	case utf8.ValidString(said):
		return "UTF-8"
	}
	return "EUC-KR"
}
