package settings

import (
	"slices"
	"strings"

	"github.com/tongbo/tongbo/internal/merchant"
)

// Deaf reports that a sub-merchant uses its own endpoints and has none in a mode: nobody
// hears of its payments then.
func (a All) Deaf(s merchant.Store, mode merchant.Mode) bool {
	return s.OwnWebhooks && !s.Representative && a.endpointsOf(s.ID, mode) == 0
}

// Unheard is how many endpoints of a sub-merchant in a mode hear nothing, since it uses
// the merchant's.
func (a All) Unheard(s merchant.Store, mode merchant.Mode) int {
	if s.OwnWebhooks || s.Representative {
		return 0
	}
	return a.endpointsOf(s.ID, mode)
}

func (a All) endpointsOf(s merchant.StoreID, mode merchant.Mode) (n int) {
	for _, e := range a.Endpoints {
		if e.Store == s && e.Mode == mode {
			n++
		}
	}
	return n
}

// uses reports whether payments of a store come in a mode: a channel of that mode is for it.
func (a All) uses(s merchant.StoreID, mode merchant.Mode) bool {
	return slices.ContainsFunc(a.Channels, func(c merchant.Channel) bool { return c.Mode == mode && c.UsedBy(s) })
}

// unheard warns of stores of the file whose endpoints, or whose payments, nobody hears of
// by what was declared: not again of what was so before.
func (d *declarer) unheard(parts []part) {
	told := make(map[merchant.StoreID]bool)
	for _, p := range parts {
		is := d.next.Stores[d.storeAt(p.store.ID)].Store
		if told[is.ID] {
			continue
		}
		told[is.ID] = true
		was := merchant.Store{Representative: true} // of which there is nothing to say
		for _, s := range d.current.Stores {
			if s.ID == is.ID {
				was = s.Store
			}
		}
		for _, mode := range []merchant.Mode{merchant.Live, merchant.Test} {
			c := Change{Kind: Warning, What: "store", Where: strings.TrimSuffix(p.where, inside("", "store", is.Name)), Name: is.Name, ID: string(is.ID)}
			before := d.current.Deaf(was, mode) && d.current.uses(is.ID, mode)
			switch {
			case !before && d.next.Deaf(is, mode) && d.next.uses(is.ID, mode):
				c.Message = "own_webhooks is true and the store has no " + string(mode) + " endpoint: nobody hears of its " + string(mode) + " payments"
			case d.next.Unheard(is, mode) > d.current.Unheard(was, mode):
				c.Message = "the store uses the merchant's webhooks: its own " + string(mode) + " endpoints hear nothing unless own_webhooks = true"
			default:
				continue
			}
			d.changes = append(d.changes, c)
		}
	}
}
