package server_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/ingress"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/provider/all"
)

// BenchmarkSettle decides and commits deposit notices, each for a payment of
// its own, one or 64 to a transaction. An operation is one notice.
func BenchmarkSettle(b *testing.B) {
	for _, size := range []int{1, 64} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			onEngines(b, func(b *testing.B, database string) { benchSettle(b, database, size) })
		})
	}
}

func benchSettle(b *testing.B, database string, size int) {
	s, _ := benchServer(b, database, "")
	bodies := benchPayments(b, s, b.N)
	now, err := s.Store.Settings(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	judge := (&ingress.Ingress{Providers: all.Providers()}).Judge(now)
	p, _ := all.ByCode("kcp_v2")
	in := make([]notice.Inbound, b.N)
	for i, body := range bodies {
		req := notice.Request{Method: http.MethodPost, Path: "/kcp-v2", Header: http.Header{}, Body: body}
		n, err := p.Decode(req)
		if err != nil {
			b.Fatal(err)
		}
		in[i] = notice.Inbound{
			ID: notice.ID(uuid.Must(uuid.NewV7()).String()), At: time.Now(), Provider: "kcp_v2", Request: req,
			Peer: netip.MustParseAddr("127.0.0.1"), Notice: n, Channels: []merchant.ChannelKey{benchChannel}, Version: now.Version,
		}
	}
	b.ResetTimer()
	for at := 0; at < len(in); at += size {
		results, err := s.Store.Settle(b.Context(), in[at:min(at+size, len(in))], judge)
		if err != nil {
			b.Fatal(err)
		}
		for _, r := range results {
			if r.Err != nil || r.Verdict != "applied" {
				b.Fatalf("%+v", r)
			}
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "notices/s")
}
