package attention

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

// An Item is a thing that needs a person: what, since when, how many.
type Item struct {
	Kind Kind
	// Subject tells it from others of its kind, for acknowledging it; empty where a
	// row stands for several.
	Subject  string
	Merchant merchant.ID // empty: of the installation
	Store    merchant.StoreID
	Mode     merchant.Mode

	Since time.Time // when the first of it came
	// Mark is up to when it is acknowledged if a person does so now: what is of a
	// later time shows again.
	Mark  time.Time
	Count int
	More  bool // there may be more than Count

	// What it is about, as far as that is known and one thing.
	Channel   merchant.ChannelKey
	Endpoint  webhook.EndpointID
	Target    string // where webhooks go, if no endpoint is known
	Case      notice.ID
	Notice    notice.ID // the latest
	Payment   payment.Key
	PaymentID payment.ID
	Part      string // of a payment: the id of a cancellation
	Peer      string
	Reason    payment.Reason
	Name      string    // of a secret
	Ends      time.Time // of a secret or a certificate
	Folded    int       // how many things a row stands for that stands for several
}

// Closes reports whether the thing is a case, which a person closes; else, if it has a
// subject, it is acknowledged.
func (i Item) Closes() bool { return i.Case != "" && i.Kind != PendingLong }

// Acknowledgeable reports whether a note can hide the row until something new comes.
func (i Item) Acknowledgeable() bool { return i.Case == "" && i.Subject != "" }

// Named is what a form names the thing by: its case, or its subject; empty for a row that
// stands for several.
func (i Item) Named() string {
	if i.Case != "" {
		return string(i.Case)
	}
	return i.Subject
}

// Of is what an acknowledgement was about, as far as its subject tells.
func Of(a Ack) Item {
	i := Item{Kind: a.Kind, Subject: a.Subject, Merchant: a.Merchant, Store: a.Store, Mode: a.Mode, Mark: a.Upto, Count: a.Count}
	first, second, _ := strings.Cut(a.Subject, " ")
	switch a.Kind {
	case Refused, Unreadable:
		i.Peer, i.Channel = first, merchant.ChannelKey(second)
	case DeliveriesFailed:
		i.Endpoint, i.Target = webhook.EndpointID(second), second
	case EndpointDown, EndpointNeverGood, CertificateEnding:
		i.Endpoint = webhook.EndpointID(first)
	case ChannelSilent:
		i.Channel = merchant.ChannelKey(first)
	case DepositOverdue:
		i.Channel = merchant.ChannelKey(second)
	case CancelUnclear, PaymentListed:
		i.Payment, i.Part = payment.Key(first), second
	case Unmatched, Conflict, PendingLong, Listed, SecretEnding:
	}
	return i
}

// An Ack is a person's word on something that needs one and is no case: it hides what
// came until Upto.
type Ack struct {
	ID       string // a UUIDv7
	Merchant merchant.ID
	Store    merchant.StoreID
	Mode     merchant.Mode
	Kind     Kind
	Subject  string
	Upto     time.Time
	Count    int // how many there were
	At       time.Time
	ByKind   string // who: as member.By says it
	ByID     string
	ByName   string
	Note     string
}

// acknowledged leaves out what was acknowledged.
func acknowledged(list []Item, acks []Ack) []Item {
	type thing struct {
		kind    Kind
		subject string
	}
	upto := make(map[thing]time.Time)
	for _, a := range acks {
		at := thing{a.Kind, a.Subject}
		if a.Upto.After(upto[at]) || upto[at].IsZero() {
			upto[at] = a.Upto
		}
	}
	return slices.DeleteFunc(list, func(i Item) bool {
		until, ok := upto[thing{i.Kind, i.Subject}]
		return ok && i.Acknowledgeable() && !i.Mark.After(until)
	})
}

// mostOfAKind is how many rows of one kind and channel a list has before they become one.
const mostOfAKind = 20

// fold makes one row of those kinds and channels of which there are many rows.
func fold(list []Item) []Item {
	type many struct {
		kind    Kind
		channel merchant.ChannelKey
	}
	count := make(map[many]int)
	for _, i := range list {
		count[many{i.Kind, i.Channel}]++
	}
	at := make(map[many]int)
	var out []Item
	for _, i := range list {
		of := many{i.Kind, i.Channel}
		if count[of] <= mostOfAKind {
			out = append(out, i)
			continue
		}
		n, seen := at[of]
		if !seen {
			n = len(out)
			at[of] = n
			out = append(out, Item{Kind: i.Kind, Channel: i.Channel, Merchant: i.Merchant, Store: i.Store, Mode: i.Mode, Since: i.Since})
		}
		one := &out[n]
		one.Count += i.Count
		one.Folded++
		one.More = one.More || i.More
		if one.Store != i.Store {
			one.Store = ""
		}
		if i.Since.Before(one.Since) {
			one.Since = i.Since
		}
	}
	return out
}

// sorted brings rows into the order of the list: the oldest first.
func sorted(list []Item) []Item {
	slices.SortStableFunc(list, func(a, b Item) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Subject, b.Subject))
	})
	return list
}
