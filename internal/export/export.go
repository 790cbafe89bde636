// Package export writes payments, notices and deliveries as tables for people and
// programs: CSV, or one JSON object a line. Rows are read and written a page at a time,
// so a table may be of any length.
//
// Columns keep their names, meaning and order; new ones come at the end. docs/export.md
// lists them.
//
// Texts come from outside. In CSV a cell that a spreadsheet would take for a formula gets
// an apostrophe before it, so that nothing in a depositor's name runs on the desk of who
// opens the file. In a file for spreadsheets (BOM) account numbers and other ids that look
// like numbers are written as text, or their zeros would go.
package export

import (
	"context"
	"io"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/store"
)

// A Thing is what is exported.
type Thing string

// The things.
const (
	Payments   Thing = "payments"
	Notices    Thing = "notices"
	Deliveries Thing = "deliveries"
)

// Things lists them.
func Things() []Thing { return []Thing{Payments, Notices, Deliveries} }

// A Format is how a table is written.
type Format string

// The formats.
const (
	CSV    Format = "csv"
	NDJSON Format = "ndjson"
)

// An Order says what is exported and how.
type Order struct {
	What  Thing
	Scope store.Scope
	From  time.Time // of being asked for, coming or being made; both ends are included
	Until time.Time
	// Payments narrows payments further; its own period is not looked at.
	Payments store.PaymentFilter
	Format   Format
	BOM      bool // for spreadsheets; of CSV alone
	Reveal   bool // account numbers and names as they are
}

// Check reports fault.Invalid for an order that cannot be.
func (o Order) Check() error {
	switch {
	case !slices.Contains(Things(), o.What):
		return fault.Errorf(fault.Invalid, "there is nothing called %.40q: want payments, notices or deliveries", string(o.What))
	case o.Format != CSV && o.Format != NDJSON:
		return fault.Errorf(fault.Invalid, "format %.40q: want csv or ndjson", string(o.Format))
	case o.BOM && o.Format != CSV:
		return fault.Errorf(fault.Invalid, "only csv has a byte order mark")
	case !o.From.IsZero() && !o.Until.IsZero() && o.Until.Before(o.From):
		return fault.Errorf(fault.Invalid, "the period ends before it begins")
	}
	return nil
}

// Entry is the line of the audit log that says of an order who gave it. It is to be
// written before anything is shown.
func (o Order) Entry(by member.By) member.Entry {
	masked := "masked"
	if o.Reveal {
		masked = "revealed"
	}
	after := []member.Field{{Name: "format", Text: string(o.Format)}, {Name: "accounts and names", Text: masked}}
	for _, end := range []struct {
		name string
		at   time.Time
	}{{"from", o.From}, {"until", o.Until}} {
		if !end.at.IsZero() {
			after = append(after, member.Field{Name: end.name, Text: end.at.UTC().Format(time.RFC3339)})
		}
	}
	return member.Entry{
		Merchant: o.Scope.Merchant, Store: o.Scope.Store, Mode: o.Scope.Mode, By: by, Action: string(o.What) + ".exported",
		Kind: "export", Object: string(o.What), After: after,
	}
}

// pageSize is how many rows are in memory at once.
const pageSize = 500

// Write writes the table, the newest rows first, and returns how many there are. An
// error midway leaves what was written: the table is not whole.
func Write(ctx context.Context, r *store.Reader, o Order, w io.Writer) (rows int64, err error) {
	if err := o.Check(); err != nil {
		return 0, err
	}
	out := newTable(o, w)
	if err := out.begin(); err != nil {
		return 0, err
	}
	for page := (store.Page{Size: pageSize}); ; {
		some, older, err := read(ctx, r, o, page)
		if err != nil {
			return rows, err
		}
		for _, row := range some {
			if err := out.row(row); err != nil {
				return rows, err
			}
			rows++
		}
		if err := out.flush(); err != nil {
			return rows, err
		}
		if older == "" {
			return rows, nil
		}
		page.Older = older
	}
}

// read reads one page as rows of cells.
func read(ctx context.Context, r *store.Reader, o Order, p store.Page) (rows [][]cell, older string, err error) {
	switch o.What {
	case Payments:
		f := o.Payments
		f.From, f.Until = o.From, o.Until
		list, err := r.PaymentRows(ctx, o.Scope, f, p)
		return cellsOf(list.Rows, o, paymentCells), list.Older, err
	case Notices:
		list, err := r.NoticeRows(ctx, o.Scope, store.NoticeFilter{From: o.From, Until: o.Until}, p)
		return cellsOf(list.Rows, o, noticeCells), list.Older, err
	case Deliveries:
	}
	list, err := r.DeliveryRows(ctx, o.Scope, store.DeliveryFilter{From: o.From, Until: o.Until}, p)
	return cellsOf(list.Rows, o, deliveryCells), list.Older, err
}

func cellsOf[Row any](list []Row, o Order, cells func(Row, Order) []cell) [][]cell {
	out := make([][]cell, len(list))
	for i, row := range list {
		out[i] = cells(row, o)
	}
	return out
}
