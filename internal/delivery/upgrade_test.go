package delivery

import (
	"bufio"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/safehttp"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A shop that answers 101 and keeps the connection open ends its try at once:
// the bytes after it are no answer, and HTTP's time-outs no longer hold.
func TestSwitchingProtocolsIsABadAnswer(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = c.Close() }()
		r := bufio.NewReader(c)
		if _, err := http.ReadRequest(r); err != nil {
			return
		}
		_, _ = c.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: evil\r\n\r\n"))
		for { // until the other end has hung up
			if _, err := r.ReadByte(); err != nil {
				return
			}
		}
	}()
	client := safehttp.New(safehttp.Config{AllowPrivate: true})
	done := make(chan result, 1)
	go func() { done <- tryOnce(t, client, sampleJob(), plannerOf("http://"+l.Addr().String()+"/")) }()
	select {
	case res := <-done:
		if res.attempt.Outcome != webhook.BadAnswer || res.attempt.Status != http.StatusSwitchingProtocols {
			t.Errorf("outcome %s, status %d", res.attempt.Outcome, res.attempt.Status)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the try does not end")
	}
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Error("the connection stays open")
	}
}
