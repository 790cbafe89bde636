package store_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// A pooler stands before a database and, while it is on, lets no connection
// listen, as one in transaction mode does: the statement is taken and has no
// effect.
type pooler struct {
	server string
	on     atomic.Bool
}

// newPooler returns a pooler and the URL of a database by way of it.
func newPooler(t *testing.T, database string) (p *pooler, through string) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p = &pooler{server: u.Host}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				if err := p.serve(t, c); err != nil {
					t.Error(err)
				}
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	u.Host = l.Addr().String()
	return p, u.String()
}

// serve carries bytes until either side ends.
func (p *pooler) serve(t *testing.T, client net.Conn) error {
	server, err := (&net.Dialer{}).DialContext(context.WithoutCancel(t.Context()), "tcp", p.server)
	if err != nil {
		return errors.Join(err, client.Close())
	}
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(client, server)
		_ = client.Close()
	})
	b := make([]byte, 64<<10)
	for {
		n, err := client.Read(b)
		if err != nil {
			break
		}
		if p.on.Load() { // as long, and taken without an effect here
			copy(b, bytes.ReplaceAll(b[:n], []byte("listen tongbo"), []byte("notify nobody")))
		}
		if _, err := server.Write(b[:n]); err != nil {
			break
		}
	}
	_ = server.Close()
	back.Wait()
	return nil
}

// TestDeafNode puts a pooler between a node and its database that lets nobody
// listen: the node says so once, finds work all the same, and listens again
// when it can.
func TestDeafNode(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	pooler, through := newPooler(t, database)
	pooler.on.Store(true)
	key, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	open := func(url string, log *journal) *store.Store {
		s, err := store.Open(t.Context(), url, store.Options{Key: key, Log: log.logger()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	var log, others journal
	other, s := open(database, &others), open(through, &log)
	if err := other.SaveSettings(t.Context(), storetest.Scene(), storetest.Noon); err != nil {
		t.Fatal(err)
	}
	attend(t, s)
	eventually(t, soon, "the node is counted", func() bool { return s.Share(10) == 10 })
	due := make(chan struct{}, 1000)
	s.OnDue(func() { due <- struct{}{} })
	register(t, other, storetest.Registration("o-1"))
	within(t, soon, due)
	eventually(t, soon, "the log tells", func() bool { return log.count("do not come through") == 1 })
	pooler.on.Store(false)
	eventually(t, soon, "the node listens again", func() bool { return log.count("come through again") == 1 })
	claim(t, other, 0, 10, all) // leased: what is heard from here on was told
	for len(due) > 0 {
		<-due
	}
	register(t, other, storetest.Registration("o-2"))
	within(t, atOnce, due)
	if n := log.count("do not come through"); n != 1 {
		t.Errorf("it was logged %d times, want once", n)
	}
}
