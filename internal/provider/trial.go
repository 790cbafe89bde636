package provider

import (
	"context"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
)

// OnTrial reports whether the PG of a channel is played inside this program (모의
// PG) instead of being called: on a test channel without base_url that has nothing
// to call the PG's API by, or whose PG publishes no API. It is never true of a live
// channel.
func OnTrial(p Provider, c merchant.Channel) bool {
	return c.Mode == merchant.Test && c.BaseURL == "" && (!called(p) || !p.Info().HasSecret(c))
}

// called reports whether a module has a call at all.
func called(p Provider) bool {
	switch p.(type) {
	case Issuer, Inquirer, Closer, Refunder:
		return true
	}
	return false
}

// HasSecret reports whether a channel has any secret that the PG gave the merchant.
func (i Info) HasSecret(c merchant.Channel) bool {
	for _, f := range i.Fields {
		if f.Secret && c.Credentials[f.Name] != "" {
			return true
		}
	}
	return false
}

// A Depositary lets its accounts be paid into by a call (모의 입금). No real PG does:
// it is what only the PG that is played here has.
type Depositary interface {
	// Deposit pays money into an account, and returns the notice that the PG sends
	// of it, as it sends it to the channel. The money of an account that was paid
	// is told of once more: then again is true, and what is asked for must not
	// differ. It reports fault.Conflict if the account takes no money any more, and
	// fault.Unsupported if the PG's banks would refuse that amount.
	Deposit(context.Context, Access, Deposit) (paid Paid, err error)
	// Tell has something happen to an order at the PG's side, and returns the notice
	// of it: EventReversed, after which the account waits again, and EventRefunded
	// and EventRefundFailed, which end the oldest transfer of a refund that is under
	// way. Where that cannot happen any more, the notices since the latest deposit
	// are returned again, the earliest first. It reports fault.Conflict if it cannot
	// happen and never did, and fault.Unsupported if the PG sends no such notice.
	Tell(ctx context.Context, a Access, order string, e payment.Event) (notice.Request, error)
}

// A Deposit is money to be paid into an account.
type Deposit struct {
	Order   string // at the PG
	PGTx    string
	Account payment.Account
	Secret  secret.Text // of the order, if it has one
	Amount  payment.Money
	// Give is what is paid in; zero means Amount.
	Give      payment.Money
	Depositor string
}

// A Paid is money that came in.
type Paid struct {
	Amount    payment.Money
	Depositor string
	At        time.Time
	Again     bool // it came in before
	Notice    notice.Request
}

// NoticePath is where a channel's notices go on this server: a path of its module,
// and behind it what makes it the channel's own.
func NoticePath(path string, c merchant.Channel) string {
	path += "/" + string(c.Key)
	if c.Token != "" {
		path += "/" + c.Token // letters that no URL escapes
	}
	return path
}
