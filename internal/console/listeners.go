package console

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/listen"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

func (c *Console) listenRoutes() []route {
	return []route{
		{http.MethodGet, "/developers/listen", member.Integrate, false, c.listeners},
		{http.MethodGet, "/developers/listen/{id}", member.Integrate, false, c.listener},
		{http.MethodPost, "/developers/listen/{id}/end", member.Integrate, false, c.endListener},
	}
}

// listenersPage lists the sessions of developers' machines, and says how to open one.
type listenersPage struct {
	Sessions []listenerRow
	Command  string
	Mode     merchant.Mode
}

// A listenerRow is a session.
type listenerRow struct {
	webhook.Listener
	Shown     string // its id
	StoreName string
	Secret    string // name of the API secret that opened it; empty if that is gone
	State     string // see state.listener
}

// connectedFor is how long after a heartbeat a session counts as connected.
const connectedFor = 2*listen.Heartbeat + 5*time.Second

func (v *visit) listenerRow(l webhook.Listener) listenerRow {
	row := listenerRow{Listener: l, Shown: webhook.ListenerPrefix + string(l.ID), State: "away"}
	l.Secret = "" // no page shows it
	row.Listener = l
	if v.now().Sub(l.HeardAt) < connectedFor {
		row.State = "connected"
	}
	if s, ok := v.store(l.Store); ok {
		row.StoreName = s.Name
	}
	for _, s := range v.All.APISecrets {
		if s.ID == l.Credential {
			row.Secret = s.Name
		}
	}
	return row
}

func (c *Console) listeners(v *visit) error {
	stores := v.scopeStores()
	ids := make([]merchant.StoreID, len(stores))
	for i, s := range stores {
		ids[i] = s.ID
	}
	list, err := c.Store.Listeners(v.ctx(), ids, v.Scope.Mode, v.now())
	if err != nil {
		return err
	}
	server := c.PublicURL
	if server == "" {
		server = "http://" + v.r.Host
	}
	p := listenersPage{Mode: v.Scope.Mode, Command: "tongbo listen --server " + server + " --forward localhost:3000/webhook"}
	if v.Scope.Mode == merchant.Live {
		p.Command += " --live"
	}
	for _, l := range list {
		p.Sessions = append(p.Sessions, v.listenerRow(l))
	}
	return v.page("developers_listen", p)
}

// listenerPage is one session with what its machine reported last.
type listenerPage struct {
	listenerRow
	Tries []webhook.Listened
}

func (p listenerPage) title() string { return p.Name }

// mostTries is how many tries a page shows.
const mostTries = 50

// session is the one of the path, if the visitor's scope has it.
func (c *Console) session(v *visit) (webhook.Listener, error) {
	id, ok := strings.CutPrefix(v.r.PathValue("id"), webhook.ListenerPrefix)
	if !ok {
		return webhook.Listener{}, errNoThing
	}
	l, err := c.Store.Listener(v.ctx(), webhook.ListenerID(id))
	if err != nil {
		return l, err
	}
	if !v.sees(l.Merchant, l.Store) || v.Scope.Store != "" && l.Store != v.Scope.Store || l.Mode != v.Scope.Mode {
		return l, errNoThing
	}
	return l, nil
}

func (c *Console) listener(v *visit) error {
	l, err := c.session(v)
	if err != nil {
		return err
	}
	tries, err := c.Store.Listened(v.ctx(), l.ID, mostTries)
	if err != nil {
		return err
	}
	return v.page("developers_listener", listenerPage{v.listenerRow(l), tries})
}

// endListener ends a session for good.
func (c *Console) endListener(v *visit) error {
	l, err := c.session(v)
	if err != nil {
		return err
	}
	if err := c.Listen.End(v.ctx(), l, v.by()); err != nil {
		return err
	}
	return v.done("/developers/listen", "listen.ended", "name", l.Name)
}

// heardBy are the rows of what machines of developers answered to a payment's events: they
// say nothing of an endpoint, good or bad.
func (c *Console) heardBy(v *visit, p payment.Payment) (out []moment, err error) {
	list, err := c.Store.ListenedOf(v.ctx(), p.Key, mostTries)
	if err != nil {
		return nil, err
	}
	for _, a := range list {
		m := moment{At: a.At, Who: "shop", Shop: true, Text: v.t("listen.heard_row", "type", string(a.Type), "url", page.Visible(a.URL)), Kind: "listened", Value: "try"}
		m.Detail = page.Visible(a.Error)
		if a.Status != 0 {
			m.Detail = strconv.Itoa(a.Status)
		}
		m.Detail += "  " + page.Lasts(a.Took)
		if v.May(member.Integrate) {
			m.Path = v.Scope.Base() + "/developers/listen/" + webhook.ListenerPrefix + string(a.Listener)
		}
		out = append(out, m)
	}
	return out, nil
}
