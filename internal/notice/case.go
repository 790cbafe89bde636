package notice

import (
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
)

// A Case (확인 필요) waits for the PG, a registration or a person. Its id is that of the
// notice that opened it.
type Case struct {
	ID       ID
	Kind     string // an open verdict's word, or "listed": decided, and for a person's eyes
	Reason   payment.Reason
	Channel  merchant.ChannelKey // empty if it could not be told
	Merchant merchant.ID         // empty if no channel could be told: the installation's own
	Store    merchant.StoreID    // the channel's
	Mode     merchant.Mode       // the channel's; empty if no channel could be told
	Payment  payment.Key         // empty if none is meant
	OpenedAt time.Time
	Resends  int // how often the same message came again

	Closed CaseEnd // its zero value: it is open
}

// A CaseEnd is how a case ended at a person's wish.
type CaseEnd struct {
	At     time.Time
	How    string // "resolved"
	ByKind string // who: as member.By says it
	ByID   string
	ByName string
	Note   string
}

// CaseResolved is how a case ended that a person looked at and left as it is.
const CaseResolved = "resolved"

// A CaseClosing is how a person ends a case.
type CaseClosing struct {
	ID  ID
	End CaseEnd
	// Sees reports whether the person may know of the case.
	Sees func(Case) bool
	// Audit, if it is set, makes what goes into the audit log with it.
	Audit func(Case) []member.Entry
}

// ErrCasePending says that a case waits for the PG's answer, and ends with it.
var ErrCasePending = fault.Errorf(fault.Conflict, "the PG is being asked about the notice: its answer ends the case")

// CaseListed is the kind of a case whose notice is decided, and that waits for a
// person's eyes only.
const CaseListed = "listed"
