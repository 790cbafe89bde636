package console

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/words"
)

const auditPath = "/settings/audit"

// auditRoutes are the audit log, for who owns the merchant.
func (c *Console) auditRoutes() []route {
	return []route{
		{http.MethodGet, auditPath, member.Own, false, c.audit},
		{http.MethodGet, auditPath + ".ndjson", member.Own, false, c.auditFile},
	}
}

// An auditPage is a part of the audit log.
type auditPage struct {
	Who, Actions []option
	Entries      []auditLine
	Filtered     bool
	Older, File  string
}

// An auditLine is an entry as it is shown.
type auditLine struct {
	member.Entry
	What    string // the action in words, or as it is
	Changes []auditChange
}

// An auditChange is what one field was and became; either may be empty.
type auditChange struct{ Name, Before, After string }

// auditShown is how many entries a page shows.
const auditShown = 50

// auditThings are the first parts of actions, by which the log can be filtered.
var auditThings = []string{
	"payment", "webhook", "webhooks", "notice", "case", "attention", "billing_key", "schedule", "channel", "endpoint", "api_secret", "api_key", "allow",
	"store", "merchant", "member", "installation", "audit",
}

// auditQuery is what the filter asks for: what the visitor's merchant may know.
func (v *visit) auditQuery() (q store.AuditQuery, filtered bool) {
	q = store.AuditQuery{
		Merchant: v.Member.Merchant, Store: v.Scope.Store, By: v.query("who"), Object: v.query("object"), Before: v.query("before"), Limit: auditShown + 1,
	}
	if thing := v.query("what"); thing != "" {
		q.Action = thing + "."
	}
	if d, err := time.ParseInLocation("2006-01-02", v.query("from"), page.Location(v.zone())); err == nil {
		q.From = d
	}
	if d, err := time.ParseInLocation("2006-01-02", v.query("until"), page.Location(v.zone())); err == nil {
		q.Until = d.AddDate(0, 0, 1) // the day is included
	}
	return q, q.By != "" || q.Object != "" || q.Action != "" || !q.From.IsZero() || !q.Until.IsZero()
}

func (c *Console) audit(v *visit) error {
	q, filtered := v.auditQuery()
	list, err := c.Store.AuditLog(v.ctx(), q)
	if err != nil {
		return err
	}
	people, err := v.colleagues()
	if err != nil {
		return err
	}
	p := auditPage{Filtered: filtered, File: v.Scope.Base() + auditPath + ".ndjson" + query(v.r.URL.RawQuery)}
	if len(list) > auditShown {
		list = list[:auditShown]
		p.Older = v.with("before", list[auditShown-1].ID)
	}
	p.Who = []option{{Text: v.t("audit.anybody")}}
	for _, m := range people {
		p.Who = append(p.Who, option{Value: string(m.ID), Text: m.Email})
	}
	p.Actions = []option{{Text: v.t("audit.anything")}}
	for _, a := range auditThings {
		key := "audit.thing_" + a
		p.Actions = append(p.Actions, option{Value: a, Text: v.t(key)})
	}
	for _, e := range list {
		p.Entries = append(p.Entries, v.auditLine(e))
	}
	return v.page("settings_audit", p)
}

// auditLine is an entry with its fields side by side. Actions and fields of which the
// catalogue has no words are shown as they are.
func (v *visit) auditLine(e member.Entry) auditLine {
	out := auditLine{Entry: e, What: v.wordOr("audit.action_"+strings.ReplaceAll(e.Action, ".", "_"), e.Action)}
	at := make(map[string]int)
	said := func(f member.Field) string {
		if f.Name == "role" {
			return v.wordOr("account.role_"+f.Text, f.Text)
		}
		return f.Text
	}
	add := func(fields []member.Field, set func(*auditChange, string)) {
		seen := make(map[string]bool)
		for _, f := range fields {
			i, known := at[f.Name]
			if !known || seen[f.Name] { // of several fields of one name each has a line
				i = len(out.Changes)
				at[f.Name] = i
				out.Changes = append(out.Changes, auditChange{Name: v.wordOr("audit.field_"+f.Name, f.Name)})
			}
			seen[f.Name] = true
			set(&out.Changes[i], said(f))
		}
	}
	add(e.Before, func(c *auditChange, text string) { c.Before = text })
	add(e.After, func(c *auditChange, text string) { c.After = text })
	return out
}

// wordOr is a text of the catalogue, or what it would stand for.
func (v *visit) wordOr(key, or string) string {
	if words.Has(key) {
		return v.t(key)
	}
	return or
}

// An auditRow is an entry in a file.
type auditRow struct {
	ID       string         `json:"id"`
	At       time.Time      `json:"at"`
	Merchant string         `json:"merchant,omitempty"`
	Store    string         `json:"store,omitempty"`
	Mode     string         `json:"mode,omitempty"`
	ByKind   string         `json:"by_kind"`
	By       string         `json:"by,omitempty"`
	Name     string         `json:"name,omitempty"`
	Address  string         `json:"address,omitempty"`
	Action   string         `json:"action"`
	Kind     string         `json:"kind,omitempty"`
	Object   string         `json:"object,omitempty"`
	Before   []member.Field `json:"before,omitempty"`
	After    []member.Field `json:"after,omitempty"`
	Reason   string         `json:"reason,omitempty"`
}

// auditFile sends all that the filter leaves, an object a line, the newest first. That
// somebody took it is in the log as well.
func (c *Console) auditFile(v *visit) error {
	q, _ := v.auditQuery()
	q.Limit = 1000
	if err := c.Actions.Exported(v.ctx(), v.caller(v.Scope.Store), "audit", v.r.URL.RawQuery); err != nil {
		return err
	}
	list, err := c.Store.AuditLog(v.ctx(), q)
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "application/x-ndjson; charset=utf-8")
	v.w.Header().Set("Content-Disposition", `attachment; filename="audit-`+v.now().Format("20060102-150405")+`.ndjson"`)
	out := json.NewEncoder(v.w)
	for len(list) > 0 && err == nil {
		for _, e := range list {
			if err := out.Encode(auditRow{
				e.ID, e.At, string(e.Merchant), string(e.Store), string(e.Mode), string(e.By.Kind), e.By.ID, e.By.Name, e.By.Address,
				e.Action, e.Kind, e.Object, e.Before, e.After, e.Reason,
			}); err != nil {
				return nil //nolint:nilerr // whoever asked is gone
			}
		}
		q.Before = list[len(list)-1].ID
		list, err = c.Store.AuditLog(v.ctx(), q)
	}
	if err != nil {
		// What was sent cannot be taken back: the file ends in the middle, which a reader
		// sees.
		v.c.Log.ErrorContext(v.ctx(), "the audit log was cut short", "request_id", v.ID, "err", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}
