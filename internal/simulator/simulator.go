// Package simulator plays the other two sides over real HTTP: the PGs, which
// send notices and send them again until they are acknowledged ([PG]), and the
// merchant's server, which takes webhooks and checks their signatures ([Shop]).
//
// What a PG sends is its provider's Encode, byte for byte. What it takes for
// an acknowledgement is its provider's Acked. Neither side knows anything of
// this program but what a PG or a shop would know.
package simulator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/safehttp"
)

// MaxAnswer is how much of an answer a PG reads.
const MaxAnswer = 64 << 10

// patience is how long a PG waits for an answer: Toss's ten seconds, for all.
const patience = 10 * time.Second

// A PG sends notices as one payment gateway does. It is safe for concurrent
// use as long as nobody changes its fields.
type PG struct {
	Provider provider.Provider
	// Client makes the calls. NewClient makes a fitting one.
	Client *http.Client
	// Resend are the delays between tries; nil means the PG's own, and an
	// empty list that there is one try only.
	Resend []time.Duration
	// Speed shortens the delays: 60 makes a second of a minute. Zero means 1.
	Speed float64
	// Drip is the pause between the pieces of a slow request, which Speed
	// leaves alone: it is the receiver's patience that is tried. Zero means a
	// fifth of a second.
	Drip time.Duration
	// Log, if set, hears of every try before any wait for the next one.
	Log func(Exchange)
}

// NewClient returns a client that calls as a PG does: it waits ten seconds,
// follows no redirect and reaches any address, this machine's too.
func NewClient() *http.Client {
	return safehttp.New(safehttp.Config{AllowPrivate: true, Timeout: patience})
}

// An Exchange is one try: what was sent and what came back.
type Exchange struct {
	At      time.Time
	Act     int // its place in a play, from 0
	Try     int // 1 for the first
	URL     string
	Request notice.Request // as it was sent
	Reply   provider.Reply // cut off at MaxAnswer; zero if there was none
	Took    time.Duration
	// Acked says that the PG takes this for an acknowledgement.
	Acked bool
	// Again is how long the PG waits before it sends the notice once more;
	// zero if it does not.
	Again time.Duration
	// Err is why no answer came; nil if one came, whatever it says.
	Err error
}

// ErrNotAcked is reported by Deliver when every try was answered, or at least
// the last one, but none with what the PG wants to hear.
var ErrNotAcked = errors.New("not acknowledged")

// assumed is how a PG resends of which nobody knows: ten times, a minute
// apart, which is what the others are mostly set to.
func assumed() []time.Duration {
	out := make([]time.Duration, 10)
	for i := range out {
		out[i] = time.Minute
	}
	return out
}

// Assumed reports whether the delays are a guess: the PG's own are not known,
// and no others were asked for.
func (g *PG) Assumed() bool { return g.Resend == nil && g.Provider.Info().Resend == nil }

// Schedule returns the delays after each failed try, with Speed applied. A PG
// whose schedule is unknown gets ten delays of a minute.
func (g *PG) Schedule() []time.Duration {
	delays := g.Resend
	if delays == nil {
		delays = g.Provider.Info().Resend
	}
	if delays == nil {
		delays = assumed()
	}
	out := make([]time.Duration, len(delays))
	for i, d := range delays {
		if g.Speed > 0 {
			d = max(1, time.Duration(float64(d)/g.Speed))
		}
		out[i] = d
	}
	return out
}

// Send makes one try. Its error says that the address is none
// (fault.Invalid) or that no answer came (fault.Unavailable); a refusal is an
// answer.
func (g *PG) Send(ctx context.Context, to string, n notice.Notice, creds merchant.Credentials) (Exchange, error) {
	return g.SendRaw(ctx, to, g.Provider.Encode(n, creds))
}

// SendRaw is Send for a request that is already in the PG's bytes, or in bytes
// that the PG would never send. Only the request's path gives way to that of
// the address.
func (g *PG) SendRaw(ctx context.Context, to string, r notice.Request) (Exchange, error) {
	x, err := g.try(ctx, to, Act{Request: r}, 1)
	if g.Log != nil {
		g.Log(x)
	}
	return x, err
}

// Deliver sends a notice, and the same bytes again after each delay of the
// schedule, until it is acknowledged. It returns all tries, and a nil error
// only if the last one was acknowledged: ErrNotAcked says that the PG gave up,
// fault.Unavailable that the last try got no answer, fault.Invalid that the
// address is none. When ctx ends so does Deliver, with the context's error.
func (g *PG) Deliver(ctx context.Context, to string, n notice.Notice, creds merchant.Credentials) ([]Exchange, error) {
	return g.deliver(ctx, to, Act{Request: g.Provider.Encode(n, creds)}, g.Schedule())
}

func (g *PG) deliver(ctx context.Context, to string, a Act, delays []time.Duration) ([]Exchange, error) {
	var tries []Exchange
	for {
		x, err := g.try(ctx, to, a, len(tries)+1)
		if fault.Is(err, fault.Invalid) {
			return tries, err
		}
		last := x.Acked || len(tries) == len(delays) || ctx.Err() != nil
		if !last {
			x.Again = delays[len(tries)]
		}
		tries = append(tries, x)
		if g.Log != nil {
			g.Log(x)
		}
		switch {
		case x.Acked:
			return tries, nil
		case ctx.Err() != nil:
			return tries, context.Cause(ctx)
		case last && err != nil:
			return tries, err
		case last:
			return tries, ErrNotAcked
		}
		if err := wait(ctx, x.Again); err != nil {
			return tries, err
		}
	}
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the next try: %w", context.Cause(ctx))
	}
}

// try sends a request and reads the answer.
func (g *PG) try(ctx context.Context, to string, a Act, number int) (Exchange, error) {
	at, r := time.Now(), a.Request
	x := Exchange{At: at, Try: number, URL: to, Request: r}
	path := r.Path
	if paths := g.Provider.Info().Paths; !slices.Contains(paths, path) {
		path = paths[0]
	}
	u, err := Target(to, path)
	if err != nil {
		x.Err = err
		return x, err
	}
	if r.Query != "" {
		u.RawQuery = r.Query
	}
	x.URL, x.Request.Path, x.Request.Query = u.String(), u.EscapedPath(), u.RawQuery
	if x.Reply, err = g.call(ctx, u, a); err != nil {
		x.Err = fault.Errorf(fault.Unavailable, "no answer: %w", err)
	}
	x.Took = time.Since(at)
	x.Acked = err == nil && g.Provider.Acked(x.Reply)
	return x, x.Err
}

func (g *PG) call(ctx context.Context, u *url.URL, a Act) (provider.Reply, error) {
	req, err := http.NewRequestWithContext(ctx, a.Request.Method, u.String(), bytes.NewReader(a.Request.Body))
	if err != nil {
		return provider.Reply{}, err
	}
	req.Header = a.Request.Header.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	if req.Header.Get("User-Agent") == "" {
		// What the PGs call themselves is not known, and matters to nobody.
		req.Header.Set("User-Agent", "tongbo-simulator")
	}
	if a.Line != Whole {
		return g.callOn(a.Line, req)
	}
	resp, err := g.Client.Do(req)
	if err != nil {
		return provider.Reply{}, cause(err)
	}
	defer func() { _ = resp.Body.Close() }() // what matters was read
	return read(resp)
}

// read takes from an answer what a PG looks at.
func read(resp *http.Response) (provider.Reply, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxAnswer))
	if err != nil {
		return provider.Reply{}, fmt.Errorf("answer broke off: %w", err)
	}
	return provider.Reply{Status: resp.StatusCode, ContentType: resp.Header.Get("Content-Type"), Body: body}, nil
}

// cause takes off what an HTTP client says around an error: the method and the
// address, which stand beside it anyway.
func cause(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// Target returns the address that a PG calls: to as it is, or with the given
// notice path if it has none. Without a scheme http is meant. It reports
// fault.Invalid if to is no HTTP address.
func Target(to, path string) (*url.URL, error) {
	full := to
	if !strings.Contains(to, "://") {
		full = "http://" + to
	}
	u, err := url.Parse(full)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fault.Errorf(fault.Invalid, "%q is no address to send to", to)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path, u.RawPath = path, ""
	}
	return u, nil
}
