package member

import (
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
)

// A ByKind says what sort of somebody does something.
type ByKind string

// The kinds.
const (
	Person ByKind = "person" // in the console
	API    ByKind = "api"    // a merchant's server
	CLI    ByKind = "cli"    // whoever has the machine
	System ByKind = "system" // the program itself, such as what undoes itself after a time
)

// A By is who does something. The zero By says that nobody asks: what is done by
// it goes into no audit log.
type By struct {
	Kind ByKind
	ID   string // of the member, API secret or V1 key; empty for the others
	// Name is what people know it by: an e-mail address, the name of a secret, the
	// machine's user.
	Name    string
	Address string // the IP address it came from; empty if it came over no network
}

// IsZero reports whether nobody is named.
func (b By) IsZero() bool { return b == By{} }

// A Field is a name with what it stands for. Texts are shown as they are: secrets
// are masked before they come here.
type Field struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// An Entry is a line of the audit log: who did what, when and why. Entries are
// only ever added.
type Entry struct {
	// ID is a UUIDv7, and At when it was done; the store fills in what is left
	// empty.
	ID string
	At time.Time

	Merchant merchant.ID      // empty: of the installation
	Store    merchant.StoreID // empty: of no one store
	Mode     merchant.Mode    // empty: of neither
	By       By
	// Action is a thing and what was done to it, such as "endpoint.paused".
	Action string
	// Kind and Object say to what: "payment" and the merchant's id of it.
	Kind, Object string
	// Before and After are what it was and what it became, in one order; only what
	// differs needs to be there. See Differences.
	Before, After []Field
	Reason        string // as the person gave it; may be empty
}

// Differences leaves out of two lists what is the same in both.
func Differences(before, after []Field) (b, a []Field) {
	return without(before, after), without(after, before)
}

func without(list, other []Field) (out []Field) {
	has := make(map[Field]bool, len(other))
	for _, f := range other {
		has[f] = true
	}
	for _, f := range list {
		if !has[f] {
			out = append(out, f)
		}
	}
	return out
}
