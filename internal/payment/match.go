package payment

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
)

// A MatchKind is a way in which a notice names a payment.
type MatchKind string

// The ways, in the order in which they are tried (money rules §2).
const (
	ByOrder   MatchKind = "order"   // the PG's order id
	ByPGTx    MatchKind = "pgtx"    // the PG's transaction id of the issue
	ByAccount MatchKind = "account" // the account number; only if there is no order id

	// ByAttempt is no way of a notice's: people name a payment by our own id of an
	// attempt. It is unique without a channel.
	ByAttempt MatchKind = "attempt"
)

// A MatchKey is one name of a payment within a channel.
type MatchKey struct {
	Channel merchant.ChannelKey
	Kind    MatchKind
	Value   string
}

// String returns the key as one text, for locking in a fixed order.
func (k MatchKey) String() string {
	return string(k.Channel) + "\x1f" + string(k.Kind) + "\x1f" + k.Value
}

// Names are the names under which p is found: its MatchKeys, and the ids of its
// attempts, which are in no channel.
func (p Payment) Names() []MatchKey {
	names := p.MatchKeys()
	for _, t := range p.Transactions {
		names = append(names, MatchKey{Kind: ByAttempt, Value: string(t.ID)})
	}
	return names
}

// MatchKeys are the names under which notices may speak of p. An attempt that was
// merely opened has none.
func (p Payment) MatchKeys() []MatchKey {
	var keys []MatchKey
	seen := make(map[MatchKey]bool)
	add := func(k MatchKey) {
		k.Value = Shorten(k.Value)
		if k.Value != "" && !seen[k] {
			seen[k] = true
			keys = append(keys, k)
		}
	}
	for _, t := range p.Transactions {
		if t.Opened {
			continue // no PG knows of it
		}
		add(MatchKey{t.Channel, ByOrder, t.Order})
		add(MatchKey{t.Channel, ByPGTx, t.PGTx})
		if t.Account != nil {
			add(MatchKey{t.Channel, ByAccount, digits(t.Account.Number.Reveal())})
		}
	}
	return keys
}

// ReportKeys are the names by which a report speaks of a payment in a
// channel: its order and the PG's id, or its account if it has no order.
func ReportKeys(c merchant.ChannelKey, order string, r Report) []MatchKey {
	var keys []MatchKey
	if order != "" {
		keys = append(keys, MatchKey{c, ByOrder, Shorten(order)})
	}
	if r.PGTx != "" {
		keys = append(keys, MatchKey{c, ByPGTx, Shorten(r.PGTx)})
	}
	if account := digits(r.Account.Reveal()); order == "" && account != "" {
		keys = append(keys, MatchKey{c, ByAccount, Shorten(account)})
	}
	return keys
}

// longestName is how long an outside name may be before it is hashed: what a
// database indexes must be short, and no length makes a notice unreadable.
const longestName = 256

// Shorten is a name from outside as it is indexed: itself, or the hash of one
// that is longer than any PG documents.
func Shorten(name string) string {
	if len(name) <= longestName {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Expects reports whether p may be meant by a report that names only an
// account: it is unpaid (or takes deposits without end), and its account is not
// closed and was issued in a window that holds the report's time. A fixed number also needs
// the amount, since many payments share it.
func (p Payment) Expects(r Report) bool {
	for _, t := range p.Transactions {
		a := t.Account
		if a == nil || !sameAccount(a.Number, r.Account) {
			continue
		}
		if a.Type == FixedUnlimited {
			return true
		}
		if (p.State != Issued || t.State == Failed) && r.Event == EventDeposited {
			continue
		}
		if a.Type == Fixed && (!r.HasAmount || r.Amount != p.Amount) {
			continue
		}
		if inWindow(*a, r.At) {
			return true
		}
	}
	return false
}

// inWindow reports whether money at that time can be for an account that was
// issued and closes when a says.
func inWindow(a Account, at time.Time) bool {
	if at.IsZero() {
		return true
	}
	if !a.IssuedAt.IsZero() && at.Before(a.IssuedAt.Add(-earlyWindow)) {
		return false
	}
	return a.ExpiresAt.IsZero() || !at.After(a.ExpiresAt.Add(lateWindow))
}

// earlyWindow is how long an account may have lived before it was registered
// here, since a registration may come after its deposit.
const earlyWindow = time.Hour

// lateWindow is how long after its deadline an account number is still taken
// to be the same payment's. After that banks may have given it to another.
const lateWindow = 24 * time.Hour
