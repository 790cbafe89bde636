package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
)

// Audit adds entries to the audit log, for what changes nothing else: bytes that
// were looked at, an export, a sign-in. What changes something has its entries
// written by the method that does.
func (s *Store) Audit(ctx context.Context, entries ...member.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	return s.write(ctx, func(t *tx) error { return t.audit(entries) })
}

// An auditDoc is the part of an entry that is sealed.
type auditDoc struct {
	Object  string         `json:"object,omitempty"` // as it is; the column is for looking it up
	Name    string         `json:"name,omitempty"`
	Address string         `json:"address,omitempty"`
	Before  []member.Field `json:"before,omitempty"`
	After   []member.Field `json:"after,omitempty"`
	Reason  string         `json:"reason,omitempty"`
}

func auditContext(id string) string { return "audit/" + id }

var newAudit = inserting("audit", `id uuid, at bigint, merchant_id text, store_id text, mode text, by_kind text, by_id text,
	action text, kind text, object text, doc bytea`, "")

// audit adds entries to the audit log, in order. What nobody did is left out.
func (t *tx) audit(entries []member.Entry) error {
	for _, e := range entries {
		if e.By.IsZero() {
			continue
		}
		if e.ID == "" {
			id, err := uuid.NewV7()
			if err != nil {
				return err
			}
			e.ID = id.String()
		}
		if e.At.IsZero() {
			at, err := timeOf(e.ID)
			if err != nil {
				return &programError{fmt.Errorf("audit entry %q: %w", e.ID, err)}
			}
			e.At = at
		}
		doc, err := json.Marshal(auditDoc{e.Object, e.By.Name, e.By.Address, e.Before, e.After, e.Reason})
		if err != nil {
			return &programError{err}
		}
		sealed, err := t.s.key.Seal(doc, auditContext(e.ID))
		if err != nil {
			return &programError{err}
		}
		t.put(newAudit, e.ID, micros(e.At), string(e.Merchant), string(e.Store), string(e.Mode), string(e.By.Kind), text(e.By.ID),
			e.Action, e.Kind, name(e.Object), sealed)
	}
	return nil
}

// AuditQuery narrows the audit log. The zero query is all of the installation.
type AuditQuery struct {
	Merchant merchant.ID      // empty: any, and what is of none
	Store    merchant.StoreID // empty: any, and what is of no one store
	By       string           // the id of who did it; empty: anybody
	Action   string           // what the action begins with, such as "endpoint."; empty: any
	Object   string           // empty: any
	// From and Until bound when it was done, to a millisecond, the second
	// exclusively; zero does not.
	From, Until time.Time
	Before      string // only what is older than the entry with this id; empty: from the newest
	Limit       int    // at most; 0 means 100
}

// mostAudited bounds how many entries one look at the audit log returns.
const mostAudited = 10_000

// AuditLog lists entries of the audit log, the newest first. It reports
// fault.Invalid for a Before that is no id.
func (r *Reader) AuditLog(ctx context.Context, q AuditQuery) ([]member.Entry, error) {
	query, args, err := q.statement(r.d)
	if err != nil {
		return nil, err
	}
	var out []member.Entry
	err = r.along(ctx, query, args, func(rows rowSet) error {
		e, err := r.scanAudit(rows)
		out = append(out, e)
		return err
	})
	return out, away(err)
}

// statement is the query for a list: it goes backwards along the index of the first
// thing that is asked for, and what no index tells is passed over. That something is not
// empty is said for the sake of the index. PostgreSQL plans it for what it asks: planned
// for anything, it would walk through all entries by their ids until it has found enough.
// Index: audit_by_object, audit_by_who, audit_by_merchant, audit_pkey.
func (q AuditQuery) statement(d dialect) (query string, args []any, err error) {
	before := "ffffffff-ffff-ffff-ffff-ffffffffffff"
	if q.Before != "" {
		if !isID(q.Before) {
			return "", nil, fault.Errorf(fault.Invalid, "%q is no id of an entry", q.Before)
		}
		before = q.Before
	}
	if !q.Until.IsZero() {
		before = min(before, idAt(q.Until))
	}
	if q.Limit <= 0 {
		q.Limit = 100
	}
	p := newPlaces(idAt(q.From), before, min(q.Limit, mostAudited))
	unindexed := "+" // SQLite would go along the other index, and sort
	if d.postgres {
		unindexed = ""
	}
	along, conditions := "", []string{`id >= $1`, `id < $2`}
	for _, c := range []struct{ column, value string }{
		{"object", name(q.Object)}, {"by_id", text(q.By)}, {"merchant_id", string(q.Merchant)}, {"store_id", string(q.Store)},
	} {
		switch {
		case c.value == "":
		case along == "" && c.column != "store_id":
			along = c.column
			conditions = append(conditions, c.column+` <> ''`, c.column+` = `+p.place(c.value))
		default:
			conditions = append(conditions, unindexed+c.column+` = `+p.place(c.value))
		}
	}
	if q.Action != "" {
		length := strconv.Itoa(utf8.RuneCountInString(q.Action))
		conditions = append(conditions, `substr(action, 1, `+length+`) = `+p.place(text(q.Action)))
	}
	return `select id, at, merchant_id, store_id, mode, by_kind, by_id, action, kind, doc from audit where ` +
		strings.Join(conditions, ` and `) + ` order by id desc limit $3`, p.args, nil
}

func (r *Reader) scanAudit(rows rowSet) (e member.Entry, err error) {
	var at int64
	var sealed []byte
	if err := rows.Scan(&e.ID, &at, &e.Merchant, &e.Store, &e.Mode, &e.By.Kind, &e.By.ID, &e.Action, &e.Kind, &sealed); err != nil {
		return e, err
	}
	b, err := r.key.Open(sealed, auditContext(e.ID))
	var doc auditDoc
	if err == nil {
		err = json.Unmarshal(b, &doc)
	}
	if err != nil {
		return e, &programError{fmt.Errorf("audit entry %s: %w", e.ID, err)}
	}
	e.At, e.Object, e.By.Name, e.By.Address = moment(at), doc.Object, doc.Name, doc.Address
	e.Before, e.After, e.Reason = doc.Before, doc.After, doc.Reason
	return e, nil
}

// auditing is what an argument that may be left out tells of a change.
func auditing[T any](entries []func(T) []member.Entry, of T) []member.Entry {
	var out []member.Entry
	for _, f := range entries {
		if f != nil {
			out = slices.Concat(out, f(of))
		}
	}
	return out
}
