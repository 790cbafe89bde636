package action

import (
	"context"
	"strconv"

	"github.com/tongbo/tongbo/internal/attention"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
)

// Acknowledge hides something that needs a person and is no case (확인함), with a note,
// until something new of it happens: what comes after the item's Mark. The item is one
// that attention.Desk listed for the caller. It reports fault.Invalid without a note, and
// fault.Unsupported for a case, which is closed, and for a row that stands for several
// things.
func (a *Actions) Acknowledge(ctx context.Context, c Caller, i attention.Item, note string) error {
	if err := checkText("note", note, 1, maxNote); err != nil {
		return err
	}
	if !i.Acknowledgeable() {
		return fault.Errorf(fault.Unsupported, "%s is not acknowledged: it ends when it is dealt with", i.Kind)
	}
	at := now()
	ack := attention.Ack{
		ID: a.newID(), Merchant: i.Merchant, Store: i.Store, Mode: i.Mode, Kind: i.Kind, Subject: i.Subject, Upto: i.Mark, Count: i.Count,
		At: at, ByKind: string(c.By.Kind), ByID: c.By.ID, ByName: c.By.Name, Note: note,
	}
	e := c.entry("attention.acknowledged", string(i.Kind), i.Subject, note)
	e.At, e.Merchant, e.Store, e.Mode = at, i.Merchant, i.Store, i.Mode
	e.Before = []member.Field{{Name: "count", Text: strconv.Itoa(i.Count)}, {Name: "since", Text: i.Since.UTC().Format("2006-01-02T15:04:05Z")}}
	return a.Store.Acknowledge(ctx, ack, e)
}
