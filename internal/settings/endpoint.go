package settings

import (
	"cmp"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
)

// endpoints declares the endpoints of a store.
func (d *declarer) endpoints(p part) error {
	for _, f := range p.file.Endpoints {
		if err := d.endpoint(p, f); err != nil {
			return fail(inside(p.where, "endpoint", cmp.Or(f.Name, f.ID)), err)
		}
	}
	return nil
}

func (d *declarer) endpointMode(p part, f EndpointFile) (merchant.Mode, error) {
	if f.Mode == "" {
		return d.next.sharedMode(p.store.ID)
	}
	return merchant.ParseMode(f.Mode)
}

// findEndpoint returns where the declared endpoint is, or -1 if it is new or, by
// an id, gone.
func (d *declarer) findEndpoint(p part, f EndpointFile) (i int, mode merchant.Mode, err error) {
	if f.ID == "" {
		if f.Name == "" {
			return 0, "", invalid("an endpoint needs an id or a name")
		}
		if mode, err = d.endpointMode(p, f); err != nil {
			return 0, "", err
		}
		return endpointNamed(d.next.Endpoints, p.store.ID, mode, f.Name), mode, nil
	}
	i = slices.IndexFunc(d.next.Endpoints, func(e webhook.Endpoint) bool { return string(e.ID) == f.ID && e.Store == p.store.ID })
	switch {
	case i < 0 && f.Absent:
		return i, "", nil
	case i < 0:
		return 0, "", noSuch("endpoint", f.ID)
	}
	mode = d.next.Endpoints[i].Mode
	if f.Mode != "" && f.Mode != string(mode) {
		return 0, "", invalid("the endpoint is a %s endpoint and stays one, since deliveries belong to it: declare another endpoint", mode)
	}
	return i, mode, nil
}

func endpointNamed(list []webhook.Endpoint, s merchant.StoreID, mode merchant.Mode, name string) int {
	return slices.IndexFunc(list, func(e webhook.Endpoint) bool { return e.Store == s && e.Mode == mode && e.Name == name })
}

func (d *declarer) endpoint(p part, f EndpointFile) error {
	i, mode, err := d.findEndpoint(p, f)
	if err != nil {
		return err
	}
	if f.Absent {
		return d.dropEndpoint(p, i, mode, f)
	}
	c := Change{What: "endpoint", Where: p.where}
	e := webhook.Endpoint{}
	if i >= 0 {
		e = d.next.Endpoints[i]
	} else if e, err = d.newEndpoint(p.store, mode, f); err != nil {
		return err
	}
	if i < 0 && f.Secrets == nil {
		e.Secrets = []secret.Text{webhook.NewSecret()}
		c.Secret = e.Secrets[0]
	}
	if err := d.nameEndpoint(&e, &c, f); err != nil {
		return err
	}
	if err := fillEndpoint(&e, &c, f); err != nil {
		return err
	}
	if i >= 0 {
		d.next.Endpoints[i] = e
	} else {
		d.next.Endpoints = append(d.next.Endpoints, e)
	}
	c.Name, c.ID = e.Name, string(e.ID)
	d.made(i < 0, c)
	if (i < 0 || slices.Contains(c.Fields, "url")) && private(e.URL) {
		c.Kind, c.Fields, c.Secret = Warning, nil, ""
		c.Key = "apply.warn.private_url"
		d.changes = append(d.changes, c)
	}
	return d.once("endpoint", c.ID)
}

// nameEndpoint gives an endpoint its name, which is its own in store and mode. One
// that is renamed cannot have a name that another gives up in the same file.
func (d *declarer) nameEndpoint(e *webhook.Endpoint, c *Change, f EndpointFile) error {
	renamed := e.Name != "" // and not new
	if f.Name != "" {
		set(&c.Fields, "name", &e.Name, &f.Name)
	}
	lists := [][]webhook.Endpoint{d.next.Endpoints}
	if renamed && slices.Contains(c.Fields, "name") {
		stays := slices.DeleteFunc(slices.Clone(d.current.Endpoints), func(o webhook.Endpoint) bool {
			return !slices.ContainsFunc(d.next.Endpoints, func(n webhook.Endpoint) bool { return n.ID == o.ID })
		})
		lists = append(lists, stays)
	}
	for _, list := range lists {
		if i := endpointNamed(list, e.Store, e.Mode, e.Name); i >= 0 && list[i].ID != e.ID {
			return fault.Errorf(fault.Conflict, "the store has another %s endpoint of this name", e.Mode)
		}
	}
	return d.once("endpoint", string(e.Store)+string(e.Mode)+e.Name)
}

func (d *declarer) dropEndpoint(p part, i int, mode merchant.Mode, f EndpointFile) error {
	if f.ID == "" {
		if err := d.once("endpoint", string(p.store.ID)+string(mode)+f.Name); err != nil {
			return err
		}
	}
	if i < 0 {
		return nil
	}
	e := d.next.Endpoints[i]
	d.next.Endpoints = slices.Delete(d.next.Endpoints, i, i+1)
	d.changes = append(d.changes, Change{Kind: Deleted, What: "endpoint", Where: p.where, Name: e.Name, ID: string(e.ID)})
	return d.once("endpoint", string(e.ID))
}

// private reports whether a URL names this machine or an address of a private
// network. What other names lead to is seen only when a webhook is sent.
func private(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	a = a.Unmap()
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsUnspecified()
}

func (d *declarer) newEndpoint(s merchant.Store, mode merchant.Mode, f EndpointFile) (webhook.Endpoint, error) {
	if f.URL == nil {
		return webhook.Endpoint{}, invalid("a new endpoint needs a url")
	}
	// The oldest endpoint is the one that notice URLs follow, so those made
	// together get different times.
	d.endpointsMade++
	return webhook.Endpoint{
		ID: webhook.EndpointID(d.NewID()), Merchant: s.Merchant, Store: s.ID, Mode: mode,
		Events: []string{"*"}, Version: webhook.V20240425, ContentType: webhook.JSON, Schedule: webhook.Default,
		CreatedAt: d.Now.Add(time.Duration(d.endpointsMade-1) * time.Microsecond),
	}, nil
}

func fillEndpoint(e *webhook.Endpoint, c *Change, f EndpointFile) error {
	if err := headersStay(*e, f); err != nil {
		return err
	}
	set(&c.Fields, "url", &e.URL, f.URL)
	set(&c.Fields, "version", &e.Version, (*webhook.Version)(f.Version))
	set(&c.Fields, "content_type", &e.ContentType, (*webhook.ContentType)(f.ContentType))
	set(&c.Fields, "paused", &e.Paused, f.Paused)
	if f.InFlight != nil && *f.InFlight < 1 {
		return invalid("in_flight %d: want 1 to %d", *f.InFlight, webhook.MaxInFlight)
	}
	set(&c.Fields, "in_flight", &e.InFlight, f.InFlight)
	if err := fillCall(e, c, f); err != nil {
		return err
	}
	if f.Events != nil {
		if err := checkEvents(*f.Events); err != nil {
			return err
		}
		setList(&c.Fields, "events", &e.Events, *f.Events)
	}
	if f.Schedule != nil {
		s, err := schedule(f.Schedule)
		if err != nil {
			return err
		}
		set(&c.Fields, "schedule", &e.Schedule, &s)
	}
	if f.Secrets != nil {
		if len(*f.Secrets) == 0 {
			return invalid("secrets is empty: leave it out to have one made")
		}
		if !slices.Equal(e.Secrets, *f.Secrets) {
			e.OldUntil = time.Time{} // what is declared signs as long as it is declared
		}
		setList(&c.Fields, "secrets", &e.Secrets, *f.Secrets)
	}
	return e.Check()
}
