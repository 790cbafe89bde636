package console

import (
	"fmt"
	"net"
	"net/http/httptest"
	"runtime"
	"testing"
)

// BenchmarkOpenPages opens a thousand streams and says what the server holds for each:
// heap and stacks of both ends, of which the other end is a bare connection.
func BenchmarkOpenPages(b *testing.B) {
	h := newHouseOn(b, sqliteStore(b))
	srv := httptest.NewServer(h.handler)
	b.Cleanup(srv.Close)
	b.Cleanup(h.Console.End)
	const pages = 1000
	held := func() uint64 {
		var m runtime.MemStats
		for range 4 { // stacks shrink by half at each
			runtime.GC()
		}
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	hello := make([]byte, 1024)
	for b.Loop() {
		before := held()
		conns := make([]net.Conn, 0, pages)
		for range pages {
			c, err := net.Dial("tcp", srv.Listener.Addr().String())
			if err != nil {
				b.Fatal(err)
			}
			conns = append(conns, c)
			fmt.Fprintf(c, "GET %s/stream?store=all&mode=test&topics=payments,notices HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: %s=owner\r\n\r\n", Prefix, sessionCookie)
			if _, err := c.Read(hello); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(held()-before)/pages, "B/page")
		for _, c := range conns {
			_ = c.Close()
		}
	}
}
