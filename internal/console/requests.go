package console

import (
	"net/http"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/store"
)

func (c *Console) requestRoutes() []route {
	return []route{{http.MethodGet, "/developers/requests", member.Integrate, false, c.requests}}
}

// requestsPage is the log of API calls.
type requestsPage struct {
	Classes, Keys []option
	Rows          []requestLine
	Older         string
	Cut           time.Time // how far back it was looked, if not all was
	Dropped       int64     // calls that this server could not keep
	Filtered      bool
	One           bool   // one call alone is shown
	Failed        string // that a request id names nothing; empty if it does, or none was given
}

// A requestLine is a call.
type requestLine struct {
	merchant.Call
	Key   string // the credential by its name
	Class string // of the status: a chip
}

func (c *Console) requests(v *visit) error {
	f := &filtering{v: v}
	q := store.CallQuery{
		Merchant: v.Scope.Merchant, Store: v.Scope.Store, Mode: v.Scope.Mode, Route: f.text("route"), Before: v.query("older"),
	}
	page := requestsPage{Keys: v.keyOptions()}
	if class := f.one("class", "2", "4", "5"); class != "" {
		q.Class = int(class[0] - '0')
	}
	var keys []string
	for _, k := range page.Keys {
		keys = append(keys, k.Value)
	}
	q.Credential = f.one("key", keys...)
	q.From, q.Until = f.period()
	if !q.Until.IsZero() {
		q.Until = q.Until.Add(time.Millisecond)
	}
	page.Filtered = len(f.Active) > 0
	page.Classes = []option{{Value: "", Text: v.t("list.any")}}
	for _, class := range []string{"2", "4", "5"} {
		page.Classes = append(page.Classes, option{Value: class, Text: v.t("requests.class." + class)})
	}
	if c.Dropped != nil {
		page.Dropped = c.Dropped()
	}
	if id := f.text("id"); id != "" {
		return c.oneRequest(v, page, id)
	}
	if len(f.Mistakes) > 0 {
		return v.mistaken("developers_requests", page, f.Mistakes)
	}
	list, err := c.Store.Calls(v.ctx(), q)
	if err != nil {
		return err
	}
	for _, x := range list.Calls {
		page.Rows = append(page.Rows, v.requestLine(x))
	}
	page.Cut = list.Cut
	if list.Before != "" {
		page.Older = v.with("older", list.Before)
	}
	return v.page("developers_requests", page)
}

// oneRequest shows the call that an answer named.
func (c *Console) oneRequest(v *visit, p requestsPage, id string) error {
	p.Filtered, p.One = true, true
	x, err := c.Store.Call(v.ctx(), strings.ToLower(id))
	switch {
	case fault.Is(err, fault.NotFound), err == nil && (!v.sees(x.Merchant, x.Store) || !x.Mode.Sees(v.Scope.Mode)):
		p.Failed = v.t("requests.unknown", "id", page.Visible(id))
	case err != nil:
		return err
	default:
		p.Rows = []requestLine{v.requestLine(x)}
	}
	return v.page("developers_requests", p)
}

func (v *visit) requestLine(x merchant.Call) requestLine {
	l := requestLine{Call: x, Class: "requests.code.other"}
	switch x.Status / 100 {
	case 2:
		l.Class = "requests.code.2"
	case 4:
		l.Class = "requests.code.4"
	case 5:
		l.Class = "requests.code.5"
	}
	if l.Key = v.credentialName(x.Credential); l.Key == "" {
		l.Key = v.t("requests.key_gone")
	}
	return l
}

// credentialName is an API secret or V1 key of the visitor's merchant by its name; empty if
// it is there no more.
func (v *visit) credentialName(id string) string {
	for _, s := range v.All.APISecrets {
		if s.ID == id && v.sees(s.Merchant, s.Store) {
			return s.Name
		}
	}
	for _, k := range v.All.APIKeys {
		if k.ID == id && v.sees(k.Merchant, k.Store) {
			return k.Key
		}
	}
	return ""
}

// keyOptions are the credentials of the scope, for a filter.
func (v *visit) keyOptions() []option {
	out := []option{{Value: "", Text: v.t("list.any")}}
	for _, k := range v.credentials() {
		out = append(out, option{Value: k.ID, Text: k.Name})
	}
	return out
}
