package provider

import (
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// ErrNoNotices says that a PG sends no notices.
var ErrNoNotices = fault.Errorf(fault.Unsupported, "the PG sends no notices: there is none to read, to send or to register an address for")

// Silent is the half of a Provider that is about notices, for a PG that sends none. A
// module embeds it. Its Info has neither Paths nor Events, so that no request is ever
// matched with it; see [Info.SendsNotices].
type Silent struct{}

// Decode reports ErrNoNotices.
func (Silent) Decode(notice.Request) (notice.Notice, error) { return notice.Notice{}, ErrNoNotices }

// Verify reports ErrNoNotices: nothing is proved.
func (Silent) Verify(notice.Request, notice.Notice, merchant.Channel, payment.Payment) error {
	return ErrNoNotices
}

// Ack is the answer to a path that leads nowhere.
func (Silent) Ack(notice.Request, Outcome) Reply {
	return Reply{Status: 404, ContentType: "text/plain; charset=utf-8", Body: []byte("not found\n")}
}

// Encode writes a request that nobody reads.
func (Silent) Encode(notice.Notice, merchant.Credentials) notice.Request {
	return notice.Request{Method: "POST"}
}

// Acked reports false: there is nothing to acknowledge.
func (Silent) Acked(Reply) bool { return false }

// SendsNotices reports whether the PG sends notices at all: then the module has a path for
// them.
func (i Info) SendsNotices() bool { return len(i.Paths) > 0 }
