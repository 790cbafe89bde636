package wire

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// errLate says that a call's time was over before its request was sent.
var errLate = errors.New("the time for the call is over")

// late reports whether ctx's deadline has passed by the clock on the wall. A timer
// stands still while the machine sleeps, and a context that was to end meanwhile ends
// only some time after it woke.
func late(ctx context.Context) bool {
	end, ok := ctx.Deadline()
	return ok && time.Now().Round(0).After(end.Round(0))
}

// A timely is a request's body that is not sent when it is late.
type timely struct {
	io.ReadCloser
	ctx context.Context //nolint:containedctx // it is the request's, and lives as long
}

func (t timely) Read(b []byte) (int, error) {
	if late(t.ctx) {
		return 0, errLate
	}
	return t.ReadCloser.Read(b)
}

// inTime has a request with a body not sent any more once it is late, also where
// connecting took long.
func inTime(r *http.Request) {
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = timely{r.Body, r.Context()}
	}
}
