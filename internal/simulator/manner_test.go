package simulator_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/simulator"
)

// A receiver is as good as a receiver can be that remembers nothing.
type receiver struct {
	p     provider.Provider
	creds merchant.Credentials
	order payment.Payment

	mu      sync.Mutex
	notices []notice.Notice
	raw     []notice.Request
	ended   []error // of reading each body
}

func (s *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	req := notice.Request{Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Header: r.Header, Body: body}
	n, bad := s.p.Decode(req)
	if bad == nil {
		bad = s.p.Verify(req, n, merchant.Channel{MID: "shop", Credentials: s.creds}, s.order)
	}
	o := provider.Received
	if err != nil || bad != nil && !errors.Is(bad, provider.ErrUnproved) || r.Header.Get("X-Forwarded-For") != "" {
		o = provider.Refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notices, s.raw, s.ended = append(s.notices, n), append(s.raw, req), append(s.ended, err)
	reply := s.p.Ack(req, o)
	w.Header().Set("Content-Type", reply.ContentType)
	w.WriteHeader(reply.Status)
	_, _ = w.Write(reply.Body) // a PG that left doesn't hear it
}

// keys are a channel's credentials, and those of the payment's registration.
func keys(i provider.Info) merchant.Credentials {
	c := merchant.Credentials{}
	for _, f := range i.Fields {
		c[f.Name] = secret.Text("key-of-" + f.Name)
	}
	return c
}

func full() notice.Notice {
	n := notice.Notice{Merchant: "shop", Order: "order-1", Proof: "proof-of-order-1"}
	n.Event, n.Amount, n.HasAmount, n.Depositor = payment.EventDeposited, payment.Won(5000), true, "홍길동"
	n.Account, n.Bank, n.At = "56211992494252", "SHINHAN", time.Date(2026, 8, 1, 12, 0, 0, 0, wire.Seoul)
	return n
}

// TestManners plays every manner of every PG over real connections.
func TestManners(t *testing.T) {
	for _, p := range all.Providers() {
		for _, m := range simulator.Manners() {
			t.Run(p.Info().Code+" "+string(m), func(t *testing.T) {
				t.Parallel()
				s := &receiver{p: p, creds: keys(p.Info()), order: payment.Payment{Transactions: []payment.Transaction{{Order: "order-1", Secret: "proof-of-order-1"}}}}
				play, err := simulator.NewPlay(p, m, full(), s.creds, 0)
				if fault.Is(err, fault.Unsupported) {
					checkUnsupported(t, p, m)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if m == simulator.Burst {
					if len(play.Acts) != 2000 {
						t.Errorf("a burst has %d notices", len(play.Acts))
					}
					play.Acts = play.Acts[:50]
				}
				srv := httptest.NewServer(s)
				defer srv.Close()
				g := simulator.PG{Provider: p, Client: simulator.NewClient(), Speed: 1e6, Drip: 1}
				defer g.Client.CloseIdleConnections()
				scenes, err := g.Perform(t.Context(), srv.URL, play, nil)
				if err != nil {
					t.Fatal(err)
				}
				for _, x := range scenes {
					if !x.Good || len(x.Tries) != 1 {
						t.Errorf("act %d: %+v", x.Act, x)
					}
				}
				checkManner(t, m, s, play)
			})
		}
	}
}

func checkUnsupported(t *testing.T, p provider.Provider, m simulator.Manner) {
	t.Helper()
	i := p.Info()
	switch {
	case m == simulator.WrongSignature && i.Class == provider.AddressOnly:
	case m == simulator.OtherAmount && i.Code == "tosspayments":
	case m == simulator.OtherAccount && slices.Contains([]string{"tosspayments", "daou", "kpn"}, i.Code):
	case m == simulator.Reordered && !slices.Contains(i.Events, payment.EventReversed):
	default:
		t.Errorf("%s can't have it", i.Code)
	}
}

// checkManner sees that the receiver got what the manner says.
func checkManner(t *testing.T, m simulator.Manner, s *receiver, play simulator.Play) { //nolint:gocyclo // long: one case for each manner
	t.Helper()
	if len(s.notices) != len(play.Acts) && m != simulator.Truncated {
		t.Fatalf("%d of %d notices came", len(s.notices), len(play.Acts))
	}
	var first, last notice.Notice
	if len(s.notices) > 0 {
		first, last = s.notices[0], s.notices[len(s.notices)-1]
	}
	switch m {
	case simulator.Duplicate:
		if d := cmp.Diff(s.raw[0].Body, s.raw[1].Body); d != "" || first.Key != last.Key {
			t.Errorf("the second differs: %s", d)
		}
	case simulator.Reordered:
		if first.Event != payment.EventReversed && !first.Reopens || last.Event != payment.EventDeposited {
			t.Errorf("came as %s, %s", first.Event, last.Event)
		}
		if first.Deposit != "" && !first.Reopens && first.Deposit != last.Deposit { // some PGs name no deposit in a reversal, Toss another
			t.Errorf("deposits %q and %q", first.Deposit, last.Deposit)
		}
	case simulator.Late:
		if len(s.notices) == 2 && !first.ExpiresAt.IsZero() && !last.At.After(first.ExpiresAt) {
			t.Errorf("deadline %v, deposit at %v", first.ExpiresAt, last.At)
		}
	case simulator.OtherAmount:
		if last.HasAmount && last.Amount != payment.Won(5001) {
			t.Errorf("amount %v", last.Amount)
		}
	case simulator.OtherAccount:
		if last.Account != "" && last.Account != "56211992494253" {
			t.Errorf("account %s", last.Account.Reveal())
		}
	case simulator.RareSyllables:
		if last.Depositor != "" && last.Depositor != "똠방각하" {
			t.Errorf("depositor %q", last.Depositor)
		}
	case simulator.WrongCharset:
		if last.Depositor != "" && last.Depositor != "홍길동" {
			t.Errorf("silently read as %q", last.Depositor)
		}
	case simulator.Truncated:
		if len(s.ended) > 0 && s.ended[0] == nil {
			t.Error("the body came whole")
		}
	case simulator.Burst:
		seen := map[string]bool{}
		for _, n := range s.notices {
			if seen[n.Key] {
				t.Errorf("key %s came twice", n.Key)
			}
			seen[n.Key] = true
			if strings.ContainsAny(strings.TrimPrefix(n.Order, "order-1"), "-_") {
				t.Errorf("order %s: not every PG's order ids have more than letters and digits", n.Order)
			}
		}
	default:
	}
}

// TestEveryPGGivesUp counts the tries of every PG that never hears what it
// wants: its own schedule, to the second.
func TestEveryPGGivesUp(t *testing.T) {
	for _, p := range all.Providers() {
		i := p.Info()
		for _, answer := range []provider.Reply{refused, {Status: 200, Body: []byte("NOT QUITE")}, {Status: 200}} {
			if p.Acked(answer) {
				continue // Toss reads the status alone
			}
			synctest.Test(t, func(t *testing.T) {
				f := &far{script: []provider.Reply{answer}}
				pg := simulator.PG{Provider: p, Client: &http.Client{Transport: f}}
				tries, err := pg.Deliver(t.Context(), "shop.example", deposit(), nil)
				if !errors.Is(err, simulator.ErrNotAcked) {
					t.Errorf("%s: err = %v", i.Code, err)
				}
				if want := pg.Schedule(); len(tries) != len(want)+1 || cmp.Diff(want, f.gaps()) != "" {
					t.Errorf("%s: %d tries, delays %v; want %v", i.Code, len(tries), f.gaps(), want)
				}
				if i.Resend != nil && cmp.Diff(i.Resend, f.gaps()) != "" {
					t.Errorf("%s: delays %v, want %v", i.Code, f.gaps(), i.Resend)
				}
			})
		}
	}
}

func TestPlayIsResentUntilTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := module(t, "nice")
		play, err := simulator.NewPlay(p, simulator.RareSyllables, full(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		f := &far{script: []provider.Reply{away, refused, taken}}
		var told int
		g := simulator.PG{Provider: p, Client: &http.Client{Transport: f}}
		scenes, err := g.Perform(t.Context(), "shop.example", play, func(simulator.Scene) { told++ })
		if err != nil || len(scenes) != 1 || !scenes[0].Good || len(scenes[0].Tries) != 3 || told != 1 {
			t.Errorf("Perform = %+v, %v; told %d times", scenes, err, told)
		}
	})
}

func TestPlayEndsBadly(t *testing.T) {
	p := module(t, "nice")
	play, err := simulator.NewPlay(p, simulator.Garbage, full(), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	perform := func(ctx context.Context, to string, answer provider.Reply) ([]simulator.Scene, error) {
		g := simulator.PG{Provider: p, Client: &http.Client{Transport: &far{script: []provider.Reply{answer}}}}
		return g.Perform(ctx, to, play, nil)
	}
	if scenes, err := perform(t.Context(), "shop.example", taken); err != nil || scenes[0].Good || scenes[0].Err != nil {
		t.Errorf("garbage that is taken: %+v, %v", scenes, err)
	}
	if scenes, err := perform(t.Context(), "shop.example", away); err != nil || scenes[0].Good || !fault.Is(scenes[0].Err, fault.Unavailable) {
		t.Errorf("nobody there: %+v, %v", scenes, err)
	}
	if _, err := perform(t.Context(), "ftp://x", taken); !fault.Is(err, fault.Invalid) {
		t.Errorf("no address: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if scenes, err := perform(ctx, "shop.example", taken); !errors.Is(err, context.Canceled) || len(scenes) != 0 {
		t.Errorf("cancelled: %d scenes, %v", len(scenes), err)
	}
	if _, err := simulator.NewPlay(p, "politely", full(), nil, 0); !fault.Is(err, fault.Invalid) {
		t.Errorf("an unknown manner: %v", err)
	}
}

func TestSlowAndHalfClosed(t *testing.T) {
	p := module(t, "kcp")
	for _, m := range []simulator.Manner{simulator.SlowBody, simulator.HalfClosedLine} {
		play, err := simulator.NewPlay(p, m, full(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		var first, all int
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b := make([]byte, 4096)
			first, _ = r.Body.Read(b) // what is missing comes below
			rest, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			all = first + len(rest)
			w.WriteHeader(http.StatusOK)
			_, _ = w.Write(p.Ack(notice.Request{}, provider.Received).Body)
		}))
		g := simulator.PG{Provider: p, Client: simulator.NewClient(), Speed: 1e9, Drip: 2 * time.Millisecond} // Speed leaves the pieces alone
		began := time.Now()
		scenes, err := g.Perform(t.Context(), srv.URL, play, nil)
		took := time.Since(began)
		srv.Close()
		if err != nil || !scenes[0].Good || all != len(play.Acts[0].Request.Body) {
			t.Errorf("%s: %+v, %v, %d bytes", m, scenes, err, all)
		}
		if slow := m == simulator.SlowBody; slow && (first == all || took < 38*time.Millisecond) {
			t.Errorf("%s: the first of %d bytes were %d, all took %v", m, all, first, took)
		}
	}
}

// TestBadReceivers: what answers a raw line badly harms nobody.
func TestBadReceivers(t *testing.T) {
	p := module(t, "kcp")
	taken := string(p.Ack(notice.Request{}, provider.Received).Body)
	endless := strings.Repeat("x", 1<<16)
	for _, c := range []struct {
		name   string
		manner simulator.Manner
		answer func(w io.Writer)
		good   bool
	}{
		{"an interim answer first", simulator.HalfClosedLine, func(w io.Writer) {
			_, _ = fmt.Fprintf(w, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(taken), taken)
		}, true},
		{"a head without end", simulator.HalfClosedLine, func(w io.Writer) {
			_, err := io.WriteString(w, "HTTP/1.1 200 OK\r\nX: ")
			for err == nil {
				_, err = io.WriteString(w, endless)
			}
		}, false},
		{"no HTTP at all", simulator.HalfClosedLine, func(w io.Writer) { _, _ = io.WriteString(w, "hello\n") }, false},
		{"nothing, to half a request", simulator.Truncated, func(io.Writer) {}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			var serving sync.WaitGroup
			defer serving.Wait()
			defer func() { _ = l.Close() }()
			serving.Go(func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					_, _ = io.ReadAll(conn) // until the PG closes its half
					c.answer(conn)
					_ = conn.Close()
				}
			})
			play, err := simulator.NewPlay(p, c.manner, full(), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			g := simulator.PG{Provider: p, Resend: []time.Duration{}, Client: simulator.NewClient()}
			scenes, err := g.Perform(t.Context(), l.Addr().String(), simulator.Play{Acts: play.Acts, Want: play.Want}, nil)
			if err != nil || scenes[0].Good != c.good {
				t.Errorf("Perform = %+v, %v; want good: %v", scenes, err, c.good)
			}
		})
	}
	l := httptest.NewServer(http.NotFoundHandler())
	l.Close()
	play, err := simulator.NewPlay(p, simulator.Truncated, full(), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	g := simulator.PG{Provider: p, Client: simulator.NewClient()}
	if scenes, err := g.Perform(t.Context(), l.URL, play, nil); err != nil || scenes[0].Good {
		t.Errorf("half a request to nobody = %+v, %v; want it bad", scenes, err)
	}
	if _, err := simulator.NewPlay(p, simulator.Burst, full(), nil, 1<<40); !fault.Is(err, fault.Invalid) {
		t.Errorf("a burst without end: %v", err)
	}
}
