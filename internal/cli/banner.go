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
	fmt.Fprintf(w, "  ingress   http://%s/%s   notice paths: tongbo providers\n  api       http://%s/payments/{paymentId}\n", at, c.public(), at)
	fmt.Fprintf(w, "  store     %s   schema %d   queue %s\n", store.Redact(c.Database), v.Schema, queueText(q.Waiting, s.Store.Resumed()))
	if s.V1 != nil {
		fmt.Fprintf(w, "  api v1    http://%s\n", clickable(s.V1.Addr()))
	}
	return invite(ctx, w, s, l)
}

// queueText says how many webhooks wait, resumed of them since a server that ended
// abruptly had taken them up.
func queueText(waiting, resumed int) string {
	text := grouped(int64(min(waiting, doctor.MostCounted)))
	if waiting > doctor.MostCounted {
		text += "+"
	}
	text += " waiting"
	if resumed > 0 {
		text += fmt.Sprintf(", %s resumed", grouped(int64(resumed)))
	}
	return text
}
