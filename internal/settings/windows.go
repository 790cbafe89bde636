package settings

import (
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
)

// How many origins and schemes a store may have.
const (
	maxOrigins = 50
	maxSchemes = 20
)

// windows declares what a store says of its checkout: which pages may open windows,
// where those may send buyers back, and how long they wait for a webhook.
func windows(c *Change, s *Store, f StoreFile) error {
	if f.WebhookLimit != nil {
		limit, err := webhookLimit(*f.WebhookLimit)
		if err != nil {
			return err
		}
		if limit == merchant.DefaultWebhookLimit {
			limit = 0 // as it is where nobody says so
		}
		set(&c.Fields, "webhook_first_limit", &s.WebhookFirstLimit, &limit)
	}
	if f.Origins != nil {
		list, err := distinct("origins", *f.Origins, maxOrigins, merchant.ParseOrigin)
		if err != nil {
			return err
		}
		setList(&c.Fields, "origins", &s.Origins, list)
	}
	if f.AppSchemes != nil {
		list, err := distinct("app_schemes", *f.AppSchemes, maxSchemes, merchant.ParseAppScheme)
		if err != nil {
			return err
		}
		setList(&c.Fields, "app_schemes", &s.AppSchemes, list)
	}
	return nil
}

func webhookLimit(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < merchant.ShortestLimit || d > merchant.LongestLimit {
		return 0, invalid("webhook_first_limit %q: want a time from %v to %v, such as \"10s\"", s, merchant.ShortestLimit, merchant.LongestLimit)
	}
	return d.Truncate(time.Millisecond), nil
}

// distinct reads a list, and leaves out what is in it twice.
func distinct(field string, list []string, most int, read func(string) (string, error)) ([]string, error) {
	var out []string
	seen := make(map[string]bool)
	for _, s := range list {
		v, err := read(s)
		if err != nil {
			return nil, fail(field, err)
		}
		if !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	if len(out) > most {
		return nil, invalid("%s has %d entries: at most %d", field, len(out), most)
	}
	return out, nil
}

// MayOpen reports whether a page of an origin may open windows of a store in a mode, or
// be where they send buyers back. On a live channel it must be among the store's. In
// test mode the buyer's own machine may, and any page while none is registered: then
// origin may be empty.
func (a All) MayOpen(s merchant.StoreID, mode merchant.Mode, origin string) bool {
	list := a.windowsOf(s).Origins
	if origin != "" && slices.Contains(list, origin) {
		return true
	}
	return mode == merchant.Test && (len(list) == 0 || merchant.LoopbackOrigin(origin))
}

// MayBeTold reports whether a page may have a store's server say at an origin, under the
// store's signature, what becomes of a payment: at one of the store's own, and in test mode
// on the machine that asks. Where none is registered, a page names no other.
func (a All) MayBeTold(s merchant.StoreID, mode merchant.Mode, origin string) bool {
	own := origin != "" && slices.Contains(a.windowsOf(s).Origins, origin)
	return own || mode == merchant.Test && merchant.LoopbackOrigin(origin)
}

// MayReturn reports whether windows of a store may send buyers to an app.
func (a All) MayReturn(s merchant.StoreID, scheme string) bool {
	return slices.Contains(a.windowsOf(s).AppSchemes, scheme)
}

// windowsOf is the store by whose origins and schemes a store goes: itself, or where it
// has none its merchant's representative store.
func (a All) windowsOf(id merchant.StoreID) merchant.Store {
	var own, rep merchant.Store
	for _, s := range a.Stores {
		if s.ID == id {
			own = s.Store
		}
	}
	for _, s := range a.Stores {
		if s.Merchant == own.Merchant && s.Representative {
			rep = s.Store
		}
	}
	if len(own.Origins) == 0 {
		own.Origins = rep.Origins
	}
	if len(own.AppSchemes) == 0 {
		own.AppSchemes = rep.AppSchemes
	}
	return own
}
