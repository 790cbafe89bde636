package settings

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
)

// endpoints declares the endpoints of a store.
func (d *declarer) endpoints(p part) error {
	for _, f := range p.file.Endpoints {
		if err := d.endpoint(p, f); err != nil {
			return fail(inside(p.where, "endpoint", f.Name), err)
		}
	}
	return nil
}

func (d *declarer) endpointMode(p part, f fileEndpoint) (merchant.Mode, error) {
	if f.Mode == "" {
		return d.next.sharedMode(p.store.ID)
	}
	return merchant.ParseMode(f.Mode)
}

func (d *declarer) endpoint(p part, f fileEndpoint) error {
	if f.Name == "" {
		return invalid("an endpoint needs a name")
	}
	mode, err := d.endpointMode(p, f)
	if err != nil {
		return err
	}
	if err := d.once("endpoint", string(p.store.ID)+string(mode)+f.Name); err != nil {
		return err
	}
	i := slices.IndexFunc(d.next.Endpoints, func(e webhook.Endpoint) bool {
		return e.Store == p.store.ID && e.Mode == mode && e.Name == f.Name
	})
	c := Change{What: "endpoint", Where: p.where, Name: f.Name}
	if f.Absent {
		if i >= 0 {
			c.Kind, c.ID = Deleted, string(d.next.Endpoints[i].ID)
			d.next.Endpoints = slices.Delete(d.next.Endpoints, i, i+1)
			d.changes = append(d.changes, c)
		}
		return nil
	}
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
	if err := fillEndpoint(&e, &c, f); err != nil {
		return err
	}
	if i >= 0 {
		d.next.Endpoints[i] = e
	} else {
		d.next.Endpoints = append(d.next.Endpoints, e)
	}
	c.ID = string(e.ID)
	d.made(i < 0, c)
	if (i < 0 || slices.Contains(c.Fields, "url")) && private(e.URL) {
		c.Kind, c.Fields, c.Secret = Warning, nil, ""
		c.Message = "the url is a private or loopback address: webhooks go there only if serve runs with --allow-private-webhooks"
		d.changes = append(d.changes, c)
	}
	return nil
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

func (d *declarer) newEndpoint(s merchant.Store, mode merchant.Mode, f fileEndpoint) (webhook.Endpoint, error) {
	if f.URL == nil {
		return webhook.Endpoint{}, invalid("a new endpoint needs a url")
	}
	// The oldest endpoint is the one that notice URLs follow, so those made
	// together get different times.
	d.endpointsMade++
	return webhook.Endpoint{
		ID: webhook.EndpointID(d.NewID()), Merchant: s.Merchant, Store: s.ID, Name: f.Name, Mode: mode,
		Events: []string{"*"}, Version: webhook.V20240425, ContentType: webhook.JSON, Schedule: webhook.Default,
		CreatedAt: d.Now.Add(time.Duration(d.endpointsMade-1) * time.Microsecond),
	}, nil
}

func fillEndpoint(e *webhook.Endpoint, c *Change, f fileEndpoint) error {
	set(&c.Fields, "url", &e.URL, f.URL)
	set(&c.Fields, "version", &e.Version, (*webhook.Version)(f.Version))
	set(&c.Fields, "content_type", &e.ContentType, (*webhook.ContentType)(f.ContentType))
	set(&c.Fields, "paused", &e.Paused, f.Paused)
	if f.InFlight != nil && *f.InFlight < 1 {
		return invalid("in_flight %d: want 1 to %d", *f.InFlight, webhook.MaxInFlight)
	}
	set(&c.Fields, "in_flight", &e.InFlight, f.InFlight)
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
