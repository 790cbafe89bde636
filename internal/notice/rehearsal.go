package notice

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
)

// RehearsalHeader carries the one-time token of a rehearsal. In a request that is
// kept it has RehearsalTaken instead, and no other request is kept with it.
const (
	RehearsalHeader = "Tongbo-Rehearsal"
	RehearsalTaken  = "taken"
)

// RehearsalLife is for how long the token of a rehearsal opens anything.
const RehearsalLife = time.Minute

// ReasonRehearsal is that of a notice which this installation sent itself.
const ReasonRehearsal payment.Reason = "rehearsal"

// A Rehearsal (시험 통보) is a notice that this installation sends to itself over the
// network, as a PG would, to see whether a PG's would arrive and count. Its token
// stands in for the sender's address and for nothing else.
//
// It is about a payment that is reserved for it: that is made of the Rehearsal
// while the notice is judged, and stands in no store, so that no real notice ever
// meets it and a rehearsal never meets a real payment. Only on a test channel may
// it be about a payment that is there.
type Rehearsal struct {
	Channel merchant.ChannelKey
	Until   time.Time // of its token
	// Given says that it is about a payment of the store. Live channels do not
	// heed that.
	Given bool
	// What the reserved payment is known by.
	Order, PGTx string
	Amount      payment.Money
	Bank        payment.Bank
	Account     secret.Account
	Secret      secret.Text
}

// IsRehearsal reports whether a request was kept as a rehearsal's: nothing may
// come of it, however often it is judged.
func (r Request) IsRehearsal() bool { return r.Header.Get(RehearsalHeader) == RehearsalTaken }

// Digest identifies what a PG said: a hash of the request's query and body.
func (r Request) Digest() string {
	sum := sha256.New()
	_, _ = sum.Write([]byte(r.Query)) // never fails
	_, _ = sum.Write([]byte{'\n'})
	_, _ = sum.Write(r.Body)
	return hex.EncodeToString(sum.Sum(nil))
}

// Reserved makes the payment that is reserved for a rehearsal: it waits for its
// deposit. It is never to be stored.
func (r Rehearsal) Reserved(c merchant.Channel, e payment.Env) (payment.Payment, error) {
	p, _, err := payment.Register(nil, payment.Registration{
		Merchant: c.Merchant, Store: c.Store, Channel: c.Key, Mode: c.Mode, ID: payment.ID(r.Order), Order: r.Order, PGTx: r.PGTx,
		Amount: r.Amount, Secret: r.Secret, Account: payment.Account{Bank: r.Bank, Number: r.Account, Type: payment.Normal},
	}, e)
	return p, err
}

// Meet is what a store would find if the reserved payment were the only one in it.
func (r Rehearsal) Meet(p payment.Payment, n Notice) Found {
	f := Found{Channel: r.Channel}
	for _, k := range payment.ReportKeys(r.Channel, n.Order, n.Report) {
		if !slices.Contains(p.MatchKeys(), k) || k.Kind == payment.ByAccount && !p.Expects(n.Report) {
			continue
		}
		f.By, f.Payments = k.Kind, []payment.Payment{p}
		break
	}
	return f
}

// A Rehearsed is what became of a rehearsal where it arrived.
type Rehearsed struct {
	Notice ID            // under which it is kept; empty if it is not
	At     time.Time     // when it came
	Took   time.Duration // until it was committed
	Peer   netip.Addr    // who seems to have sent it
	Digest string        // of what arrived
	// Verdict and Reason are those that a PG's notice would have had.
	Verdict payment.Verdict
	Reason  payment.Reason
	Detail  string
}
