package simulator

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

// A Manner is a way in which a PG, the network, or somebody in the PG's place
// tells a notice.
type Manner string

// The manners.
const (
	Duplicate      Manner = "duplicate"       // the same bytes again after the acknowledgement
	Reordered      Manner = "reordered"       // the reversal of a deposit before the deposit
	Late           Manner = "late"            // a deposit after the account's deadline
	OtherAmount    Manner = "other-amount"    // one won more
	OtherAccount   Manner = "other-account"   // another account, for the same order
	WrongSignature Manner = "wrong-signature" // proved with keys that are not the channel's
	UnknownAddress Manner = "unknown-address" // passed on by a proxy for an address of nobody
	Garbage        Manner = "garbage"         // bytes that are no notice
	Truncated      Manner = "truncated"       // broken off before its end
	WrongCharset   Manner = "wrong-charset"   // UTF-8 for EUC-KR, or the other way round
	HalfClosedLine Manner = "half-closed"     // the PG closes its half once it has sent all
	SlowBody       Manner = "slow-body"       // in twenty pieces, over four seconds
	RareSyllables  Manner = "rare-syllables"  // a name that EUC-KR proper can't spell
	Burst          Manner = "burst"           // thousands of notices for as many orders, all at once
)

// Manners lists every manner.
func Manners() []Manner {
	return []Manner{
		Duplicate, Reordered, Late, OtherAmount, OtherAccount, WrongSignature, UnknownAddress,
		Garbage, Truncated, WrongCharset, HalfClosedLine, SlowBody, RareSyllables, Burst,
	}
}

// A Want is what the PG should hear.
type Want int

// The wants.
const (
	WantAck     Want = iota // "received": a resend would change nothing
	WantRefusal             // anything else
	WantEither              // whichever: the receiver may read it or not
)

// Met reports whether an answer is what the PG should hear.
func (w Want) Met(acked bool) bool {
	return w == WantEither || acked == (w == WantAck)
}

// String is what the PG should hear, in a word: "received", "resend" or
// "either".
func (w Want) String() string {
	switch w {
	case WantAck:
		return "received"
	case WantRefusal:
		return "resend"
	case WantEither:
	}
	return "either"
}

// An Act is one request of a play.
type Act struct {
	Notice  notice.Notice // what it tells, or should have
	Request notice.Request
	Line    Line
}

// A Play is a notice told in some manner: one request after another, or all at
// once.
type Play struct {
	Acts   []Act
	Want   Want // of every act
	AtOnce bool
}

// burstSize is how many notices a burst has unless it is told, and together
// how many are on the way at the same time.
const (
	burstSize = 2000
	together  = 200
	mostTimes = 1_000_000
)

// unknownSender is of a block that belongs to nobody (RFC 5737).
const unknownSender = "203.0.113.77"

// rareName has syllables that only CP949 has: EUC-KR proper has no 똠.
const rareName = "똠방각하"

// NewPlay writes the requests of a notice told in a manner. times is how often
// a duplicate comes in all and how many notices a burst has; zero means 2 and
// 2,000. It reports fault.Invalid for a manner that does not exist and
// fault.Unsupported for one that the PG can't have, such as a wrong signature
// of a PG that signs nothing.
func NewPlay(p provider.Provider, m Manner, n notice.Notice, creds merchant.Credentials, times int) (Play, error) {
	act := func(n notice.Notice, creds merchant.Credentials) Act {
		return Act{Notice: n, Request: p.Encode(n, creds)}
	}
	if times < 0 || times > mostTimes {
		return Play{}, fault.Errorf(fault.Invalid, "%d times: want 1 to %d", times, mostTimes)
	}
	one := act(n, creds)
	play := Play{Acts: []Act{one}}
	var err error
	switch m {
	case Duplicate:
		play.Acts = slices.Repeat(play.Acts, orDefault(times, 2))
	case Reordered:
		play.Acts, err = reordered(p, n, creds)
	case Late:
		play.Acts, err = late(p, n, creds)
	case OtherAmount:
		n.Amount.Amount++
		play.Acts[0] = act(n, creds)
		err = differs(p, m, one, play.Acts[0])
	case OtherAccount:
		n.Account = otherAccount(n.Account)
		play.Acts[0] = act(n, creds)
		err = differs(p, m, one, play.Acts[0])
	case WrongSignature:
		n, creds, err = misproved(p.Info(), n, creds)
		play = Play{Acts: []Act{act(n, creds)}, Want: WantRefusal}
	case UnknownAddress:
		play.Acts[0].Request.Header = withHeader(one.Request.Header, "X-Forwarded-For", unknownSender)
		play.Want = WantRefusal
	case Garbage:
		play.Acts[0].Request = garbled(one.Request, func([]byte) []byte { return []byte("%00%FFno%20notice") })
		play.Want = WantRefusal
	case Truncated:
		play.Acts[0].Line, play.Want = Cut, WantRefusal
	case WrongCharset:
		play.Acts[0].Request, play.Want = garbled(one.Request, wire.Transcode), WantEither
	case HalfClosedLine:
		play.Acts[0].Line = HalfClosed
	case SlowBody:
		play.Acts[0].Line = Slow
	case RareSyllables:
		n.Depositor = rareName
		play.Acts[0] = act(n, creds)
	case Burst:
		play = Play{AtOnce: true}
		for i := range orDefault(times, burstSize) {
			play.Acts = append(play.Acts, act(numbered(n, i+1), creds))
		}
	default:
		err = fault.Errorf(fault.Invalid, "there is no manner %q", m)
	}
	if err != nil {
		return Play{}, err
	}
	return play, nil
}

// differs reports fault.Unsupported if a manner changed nothing, since the PG
// does not tell what it changes.
func differs(p provider.Provider, m Manner, good, bad Act) error {
	told, err := p.Decode(good.Request)
	if err != nil {
		return fmt.Errorf("read the notice back: %w", err)
	}
	if m == OtherAmount && !told.HasAmount || m == OtherAccount && told.Account == "" {
		return fault.Errorf(fault.Unsupported, "%s tells no %s of a %s notice", p.Info().Code, strings.TrimPrefix(string(m), "other-"), bad.Notice.Event)
	}
	return nil
}

func orDefault(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

// reordered is the reversal of a deposit, and then the deposit.
func reordered(p provider.Provider, n notice.Notice, creds merchant.Credentials) ([]Act, error) {
	n.Event = payment.EventDeposited
	deposit := p.Encode(n, creds)
	told, err := p.Decode(deposit)
	if err != nil {
		return nil, fmt.Errorf("read the deposit back: %w", err)
	}
	back := n
	back.Event, back.At, back.Deposit, back.Account = payment.EventReversed, n.At.Add(time.Minute), told.Deposit, told.Account
	reversal := p.Encode(back, creds)
	// Toss's word for a reversal is an issue that opens the account again.
	if told, err = p.Decode(reversal); err != nil || told.Event != payment.EventReversed && !told.Reopens {
		return nil, fault.Errorf(fault.Unsupported, "%s tells no reversals", p.Info().Code)
	}
	return []Act{{Notice: back, Request: reversal}, {Notice: n, Request: deposit}}, nil
}

// late is a deposit an hour after the deadline that the issue named. A PG that
// tells no issues leaves the deadline to the merchant, who must have named one
// that has passed.
func late(p provider.Provider, n notice.Notice, creds merchant.Credentials) ([]Act, error) {
	n.Event = payment.EventDeposited
	deposit := p.Encode(n, creds)
	acts := []Act{{Notice: n, Request: deposit}}
	if !slices.Contains(p.Info().Events, payment.EventIssued) {
		return acts, nil
	}
	told, err := p.Decode(deposit)
	if err != nil {
		return nil, fmt.Errorf("read the deposit back: %w", err)
	}
	issue := n
	issue.Event, issue.Deposit, issue.Account = payment.EventIssued, "", told.Account
	issue.At, issue.ExpiresAt = n.At.Add(-25*time.Hour), n.At.Add(-time.Hour)
	return slices.Insert(acts, 0, Act{Notice: issue, Request: p.Encode(issue, creds)}), nil
}

// otherAccount changes the last digit of an account.
func otherAccount(a secret.Account) secret.Account {
	digits := []byte(a.Reveal())
	if len(digits) == 0 {
		return "1100000000001"
	}
	last := &digits[len(digits)-1]
	if *last++; *last > '9' {
		*last = '0'
	}
	return secret.Account(digits)
}

// misproved puts wrong keys in place of all that the PG could prove itself
// with.
func misproved(i provider.Info, n notice.Notice, creds merchant.Credentials) (notice.Notice, merchant.Credentials, error) {
	if i.Class == provider.AddressOnly {
		return n, nil, fault.Errorf(fault.Unsupported, "%s proves nothing but its address", i.Code)
	}
	wrong := maps.Clone(creds)
	if wrong == nil {
		wrong = merchant.Credentials{}
	}
	for _, f := range i.Fields {
		if f.Secret {
			wrong[f.Name] = "not-the-key-of-this-channel"
		}
	}
	n.Proof = "not-the-secret-of-this-order"
	return n, wrong, nil
}

func withHeader(h http.Header, name, value string) http.Header {
	if h = h.Clone(); h == nil {
		h = http.Header{}
	}
	h.Set(name, value)
	return h
}

// garbled changes what a request says.
func garbled(r notice.Request, change func([]byte) []byte) notice.Request {
	if r.Method == http.MethodGet {
		r.Query = string(change([]byte(r.Query)))
	} else {
		r.Body = change(r.Body)
	}
	return r
}

// numbered is one of many notices: with an order and a deposit of its own. The
// number begins with a letter, since some PGs' order ids are letters and digits
// alone.
func numbered(n notice.Notice, i int) notice.Notice {
	n.Order = fmt.Sprintf("%sn%d", n.Order, i)
	if n.Deposit != "" {
		n.Deposit = fmt.Sprintf("%s%d", n.Deposit, i)
	}
	if n.PGTx != "" {
		n.PGTx = fmt.Sprintf("%s%d", n.PGTx, i)
	}
	return n
}
