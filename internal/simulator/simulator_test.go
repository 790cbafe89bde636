package simulator_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/simulator"
)

// A far is the other end of a connection that is never made: it answers by a
// script, the last line again and again, and keeps when and what it was sent.
type far struct {
	script []provider.Reply // Status 0: no connection
	at     []time.Time
	bodies [][]byte
	paths  []string
}

func (f *far) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	reply := f.script[min(len(f.at), len(f.script)-1)]
	f.at = append(f.at, time.Now())
	f.bodies = append(f.bodies, body)
	f.paths = append(f.paths, r.URL.RequestURI())
	if reply.Status == 0 {
		return nil, errors.New("connection refused")
	}
	return &http.Response{
		StatusCode: reply.Status, Header: http.Header{"Content-Type": {reply.ContentType}},
		Body: io.NopCloser(bytes.NewReader(reply.Body)), Request: r,
	}, nil
}

func (f *far) gaps() []time.Duration {
	var out []time.Duration
	for i := 1; i < len(f.at); i++ {
		out = append(out, f.at[i].Sub(f.at[i-1]))
	}
	return out
}

func module(t *testing.T, code string) provider.Provider {
	t.Helper()
	p, ok := all.ByCode(code)
	if !ok {
		t.Fatalf("no provider %s", code)
	}
	return p
}

func deposit() notice.Notice {
	n := notice.Notice{Order: "order-1"}
	n.Event, n.Amount, n.HasAmount, n.Depositor = payment.EventDeposited, payment.Won(5000), true, "홍길동"
	return n
}

var (
	away    = provider.Reply{}
	refused = provider.Reply{Status: 400, Body: []byte("FAIL")}
	taken   = provider.Reply{Status: 200, Body: []byte("OK")}
)

func TestDeliverKeepsTheSchedule(t *testing.T) {
	const m = time.Minute
	tests := []struct {
		name   string
		code   string
		pg     simulator.PG
		script []provider.Reply
		want   []time.Duration
		err    string // a part of it; empty if none
	}{
		{"taken at once", "nice", simulator.PG{}, []provider.Reply{taken}, nil, ""},
		{"the third is taken", "nice", simulator.PG{}, []provider.Reply{away, refused, taken}, []time.Duration{m, m}, ""},
		{"the PG gives up", "nice", simulator.PG{}, []provider.Reply{refused}, []time.Duration{m, m, m}, "not acknowledged"},
		{"nobody there", "nice", simulator.PG{}, []provider.Reply{refused, away}, []time.Duration{m, m, m}, "no answer"},
		{"Toss's 91 hours", "tosspayments", simulator.PG{}, []provider.Reply{refused},
			[]time.Duration{m, 4 * m, 16 * m, 64 * m, 256 * m, 1024 * m, 4096 * m}, "not acknowledged"},
		{"sixty times faster", "nice", simulator.PG{Speed: 60}, []provider.Reply{refused},
			[]time.Duration{time.Second, time.Second, time.Second}, "not acknowledged"},
		{"a schedule of one's own", "nice", simulator.PG{Resend: []time.Duration{3 * m}}, []provider.Reply{refused}, []time.Duration{3 * m}, "not acknowledged"},
		{"one try only", "nice", simulator.PG{Resend: []time.Duration{}}, []provider.Reply{refused}, nil, "not acknowledged"},
		{"an unknown schedule", "kcp", simulator.PG{}, []provider.Reply{refused, refused, {Status: 200, Body: []byte(`<input name="result" value="0000">`)}},
			[]time.Duration{m, m}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &far{script: tt.script}
				var logged []simulator.Exchange
				pg := tt.pg
				pg.Provider, pg.Client = module(t, tt.code), &http.Client{Transport: f}
				pg.Log = func(x simulator.Exchange) { logged = append(logged, x) }
				tries, err := pg.Deliver(t.Context(), "shop.example", deposit(), nil)
				if d := cmp.Diff(tt.want, f.gaps()); d != "" {
					t.Errorf("delays (-want +got):\n%s", d)
				}
				if got := errText(err); tt.err == "" && err != nil || !strings.Contains(got, tt.err) {
					t.Errorf("err = %v, want %q", err, tt.err)
				}
				if len(tries) != len(f.at) || len(logged) != len(tries) {
					t.Fatalf("%d tries, %d logged, %d came", len(tries), len(logged), len(f.at))
				}
				if last := tries[len(tries)-1]; last.Acked != (err == nil) || last.Again != 0 || last.Try != len(tries) {
					t.Errorf("last try = %+v", last)
				}
				for i, d := range tt.want {
					if tries[i].Again != d {
						t.Errorf("try %d says that it is sent again in %v, want %v", i+1, tries[i].Again, d)
					}
				}
				for _, b := range f.bodies {
					if !bytes.Equal(b, f.bodies[0]) {
						t.Errorf("a resend has other bytes:\n%s\n%s", b, f.bodies[0])
					}
				}
			})
		})
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestDeliverEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		f := &far{script: []provider.Reply{refused}}
		pg := simulator.PG{Provider: module(t, "nice"), Client: &http.Client{Transport: f}}
		tries, err := pg.Deliver(ctx, "http://shop.example", deposit(), nil)
		if len(tries) != 2 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Deliver = %d tries, %v; want 2 and the deadline", len(tries), err)
		}
	})
}

func TestBytesAndPath(t *testing.T) {
	raw := notice.Request{Method: "POST", Path: "/ignored", Header: http.Header{"Content-Type": {"text/odd"}}, Body: []byte("a= &b=%zz\xb0\xa1\n")}
	for _, tt := range []struct{ name, to, want string }{
		{"no path", "", "/nice_payments/notice_vbank"},
		{"a bare slash", "/", "/nice_payments/notice_vbank"},
		{"a path of its own", "/nice_payments/notice_vbank/channel-key-1/", "/nice_payments/notice_vbank/channel-key-1/"},
		{"an escaped path and a query", "/a%2Fb?x=1", "/a%2Fb?x=1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var path, kind string
			var body []byte
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				path, kind = r.RequestURI, r.Header.Get("Content-Type")
				body, _ = io.ReadAll(r.Body) // the comparison below sees an error
				_, _ = io.WriteString(w, "OK")
			}))
			defer srv.Close()
			pg := simulator.PG{Provider: module(t, "nice"), Client: simulator.NewClient()}
			x, err := pg.SendRaw(t.Context(), srv.URL+tt.to, raw)
			if err != nil {
				t.Fatal(err)
			}
			if path != tt.want || kind != "text/odd" || !bytes.Equal(body, raw.Body) {
				t.Errorf("came: %s, %s, %q", path, kind, body)
			}
			if !x.Acked || string(x.Reply.Body) != "OK" || x.Took <= 0 {
				t.Errorf("exchange = %+v", x)
			}
		})
	}
}

func TestSendJudgesAsThePG(t *testing.T) {
	long := provider.Reply{Status: 200, Body: bytes.Repeat([]byte("O"), simulator.MaxAnswer+9)}
	for _, tt := range []struct {
		name  string
		reply provider.Reply
		acked bool
		kind  fault.Kind // Internal: no error
	}{
		{"taken", taken, true, fault.Internal},
		{"refused", refused, false, fault.Internal},
		{"too long", long, false, fault.Internal},
		{"nobody there", away, false, fault.Unavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pg := simulator.PG{Provider: module(t, "inicis_v2"), Client: &http.Client{Transport: &far{script: []provider.Reply{tt.reply}}}}
			x, err := pg.Send(t.Context(), "http://shop.example", deposit(), nil)
			if x.Acked != tt.acked || fault.KindOf(err) != tt.kind || (x.Err == nil) != (err == nil) {
				t.Errorf("Send = %+v, %v", x, err)
			}
			if len(x.Reply.Body) > simulator.MaxAnswer {
				t.Errorf("read %d bytes of the answer", len(x.Reply.Body))
			}
		})
	}
}

func TestBadAddress(t *testing.T) {
	for _, to := range []string{"", "http://", "ftp://a.example/", "http://a b/", "file:///etc/passwd"} {
		pg := simulator.PG{Provider: module(t, "nice"), Client: simulator.NewClient()}
		if _, err := pg.Deliver(t.Context(), to, deposit(), nil); !fault.Is(err, fault.Invalid) {
			t.Errorf("Deliver to %q = %v, want Invalid", to, err)
		}
		if _, err := pg.Send(t.Context(), to, deposit(), nil); !fault.Is(err, fault.Invalid) {
			t.Errorf("Send to %q = %v, want Invalid", to, err)
		}
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	followed := false
	mux := http.NewServeMux()
	mux.Handle("/inicis-v2", http.RedirectHandler("/elsewhere", http.StatusTemporaryRedirect))
	mux.HandleFunc("/elsewhere", func(w http.ResponseWriter, _ *http.Request) {
		followed = true
		_, _ = io.WriteString(w, "OK")
	})
	srv := httptest.NewServer(mux)
	defer srv.Close()
	pg := simulator.PG{Provider: module(t, "inicis_v2"), Client: simulator.NewClient()}
	x, err := pg.Send(t.Context(), srv.URL, deposit(), nil)
	if err != nil || x.Acked || followed || x.Reply.Status != http.StatusTemporaryRedirect {
		t.Errorf("Send = %+v, %v; followed: %t", x, err, followed)
	}
}
