package ingress

import (
	"context"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
)

// A route is what a notice path says by itself.
type route struct {
	module
	channel merchant.ChannelKey // empty on a bare path
	token   string
}

// Matches reports whether a path, as it was sent, is a notice path. Such paths
// are served as they are: no cleaning, no redirect.
func (i *Ingress) Matches(path string) bool {
	_, ok := i.route(path)
	return ok
}

func (i *Ingress) route(path string) (route, bool) {
	i.init()
	path = plain(path)
	if m, ok := i.modules[path]; ok {
		return route{module: m}, true
	}
	at := strings.Index(path, "/channel-key-")
	if at < 0 {
		return route{}, false
	}
	m, ok := i.modules[path[:at]]
	key, token, _ := strings.Cut(path[at+1:], "/")
	return route{m, merchant.ChannelKey(key), token}, ok
}

// plain is a path as it is compared: without needless escapes, without the
// doubled slash of a base URL that ended in one, and without the last slash.
func plain(path string) string {
	if p, err := url.PathUnescape(path); err == nil {
		path = p
	}
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	return strings.TrimSuffix(path, "/")
}

// ServeHTTP answers a notice.
func (i *Ingress) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rt, ok := i.route(r.URL.EscapedPath())
	if !ok {
		http.NotFound(w, r)
		return
	}
	if (r.Method == http.MethodGet || r.Method == http.MethodHead) && r.URL.RawQuery == "" {
		// Admin screens and monitors look whether the address answers.
		answer(w, provider.Reply{Status: http.StatusOK, ContentType: "text/plain; charset=utf-8", Body: []byte("tongbo\n")})
		return
	}
	_, _ = i.take(w, r, rt) // answered
}

// take reads one notice, has it settled, and answers. It returns what became of it.
func (i *Ingress) take(w http.ResponseWriter, r *http.Request, rt route) (notice.Result, error) {
	began := time.Now()
	in := notice.Inbound{ID: notice.ID(newID()), Began: began, Provider: rt.info.Code}
	peer := peerOf(r)
	if !i.readers.begin(peer) {
		unavailable(w)
		return notice.Result{}, errNotNow
	}
	cut := i.read(w, r, &in)
	i.readers.end(peer)
	// A slot is taken only now: who sends slowly holds none.
	select {
	case i.slots <- struct{}{}:
		defer func() { <-i.slots }()
	default:
		unavailable(w)
		return notice.Result{}, errNotNow
	}
	in.At, in.Peer = time.Now().UTC(), peer
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), Patience)
	defer cancel()
	own := i.rehearsal(ctx, in.Request.Header, rt, in.At)
	res, err := i.decide(ctx, r, rt, arrival{&in, cut, own})
	if own != nil && err == nil {
		i.rehearsed(ctx, own, in, res)
	}
	i.note(r, in, res, err, time.Since(began))
	switch verdict, why := own.heard(res); {
	case err != nil, why == notice.ReasonProxy:
		unavailable(w)
	default:
		answer(w, rt.Ack(in.Request, outcome(verdict)))
	}
	return res, err
}

// errNotNow says that there are too many notices in hand.
var errNotNow = fault.Errorf(fault.Unavailable, "too many notices are in hand")

// An arrival is a notice that was read, and what of it is not whole or not a PG's.
type arrival struct {
	*notice.Inbound
	cut payment.Reason
	own *rehearsing // nil: it is no rehearsal
}

// decide has a notice judged by the settings as they are, again if they
// change meanwhile.
func (i *Ingress) decide(ctx context.Context, r *http.Request, rt route, in arrival) (notice.Result, error) {
	var res notice.Result
	for {
		v, err := i.current(ctx)
		if err != nil {
			return res, err
		}
		i.admit(v, r, rt, in)
		if in.own != nil && !in.own.Given {
			v.judge.rehearse(in.Inbound, in.own)
		}
		res, err = i.submit(ctx, v, *in.Inbound)
		if !fault.Is(err, fault.Stale) || ctx.Err() != nil {
			return res, err
		}
		i.forget(v)
	}
}

// read takes the request's bytes and says why they are not whole, if so.
func (i *Ingress) read(w http.ResponseWriter, r *http.Request, in *notice.Inbound) payment.Reason {
	path, query, _ := strings.Cut(r.RequestURI, "?")
	in.Request = notice.Request{Method: r.Method, Path: path, Query: query, Header: r.Header}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readLimit))
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
	if len(body) > MaxBody {
		in.Request.Body, in.Truncated = body[:MaxBody], true
		w.Header().Set("Connection", "close")
		return notice.ReasonTooLarge
	}
	in.Request.Body = body
	if err != nil {
		in.Truncated = true
		w.Header().Set("Connection", "close")
		return ReasonCut
	}
	return payment.ReasonNone
}

// ReasonCut is given to a request whose body ended early or came too slowly.
const ReasonCut payment.Reason = "body_cut_off"

// outcome is what a PG hears of a verdict.
func outcome(v payment.Verdict) provider.Outcome {
	if v == payment.Refused || v == payment.Unreadable {
		return provider.Refused
	}
	return provider.Received
}

// answer writes a reply with its exact length. Nothing is compressed.
func answer(w http.ResponseWriter, r provider.Reply) {
	h := w.Header()
	if r.ContentType != "" {
		h.Set("Content-Type", r.ContentType)
	} else {
		h["Content-Type"] = nil // nothing is guessed from the body
	}
	h.Set("Content-Length", strconv.Itoa(len(r.Body)))
	w.WriteHeader(r.Status)
	_, _ = w.Write(r.Body)
}

func unavailable(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "60")
	answer(w, provider.Reply{Status: http.StatusServiceUnavailable, ContentType: "text/plain; charset=utf-8", Body: []byte("not now: send it again\n")})
}

// note logs one line per notice. It names no account and no secret.
func (i *Ingress) note(r *http.Request, in notice.Inbound, res notice.Result, err error, took time.Duration) {
	args := []any{
		"notice_id", in.ID, "provider", in.Provider, "peer", in.Peer.String(), "verdict", res.Verdict, "reason", res.Reason,
		"channel", res.Channel, "payment_key", res.Payment, "bytes", len(in.Request.Body), "took", took,
	}
	switch {
	case err != nil:
		i.Log.ErrorContext(r.Context(), "notice not committed", append(args, "err", err)...)
	case res.Verdict == payment.Refused || res.Verdict == payment.Unreadable:
		i.Log.WarnContext(r.Context(), "notice refused", args...)
	default:
		i.Log.InfoContext(r.Context(), "notice settled", args...)
	}
}

// peerOf is who is at the other end of the connection.
func peerOf(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}
