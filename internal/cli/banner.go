package cli

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/tongbo/tongbo/internal/doctor"
	"github.com/tongbo/tongbo/internal/server"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/words"
)

// banner says where a server listens, on l above all, and what its store has to do. It
// reports fault.Unavailable if the store does not answer.
func (c *serveCmd) banner(ctx context.Context, w io.Writer, s *server.Server, l net.Listener) error {
	v, err := s.Store.Vitals(ctx)
	if err != nil {
		return err
	}
	q, err := s.Store.Queue(ctx, time.Now())
	if err != nil {
		return err
	}
	at := clickable(l.Addr())
	say := func(key string, args ...any) { fmt.Fprintln(w, words.Text(c.lang(), "cli.serve."+key, args...)) }
	if c.PublicURL == "" {
		say("ingress", "at", at)
	} else {
		say("ingress_public", "at", at, "public", c.PublicURL)
	}
	say("api", "at", at)
	say("store", "database", store.Redact(c.Database), "schema", v.Schema, "queue", queueText(c.lang(), q.Waiting, s.Store.Resumed()))
	if s.V1 != nil {
		say("api_v1", "at", clickable(s.V1.Addr()))
	}
	return invite(ctx, say, s, l)
}

// queueText says how many webhooks wait, resumed of them since a server that ended
// abruptly had taken them up.
func queueText(l words.Lang, waiting, resumed int) string {
	text := grouped(int64(min(waiting, doctor.MostCounted)))
	if waiting > doctor.MostCounted {
		text += "+"
	}
	if resumed > 0 {
		return words.Text(l, "cli.serve.resumed", "n", text, "resumed", resumed)
	}
	return words.Text(l, "cli.serve.waiting", "n", text)
}
