package settings

import (
	"strings"

	"github.com/tongbo/tongbo/internal/merchant"
)

// Unheard is how many endpoints of a sub-merchant in a mode hear nothing, since it always
// uses the merchant's.
func (a All) Unheard(s merchant.Store, mode merchant.Mode) int {
	if !s.MerchantWebhooks || s.Representative {
		return 0
	}
	return a.endpointsOf(s.ID, mode)
}

// TurnsTo reports that a sub-merchant's payments in a mode are heard by one endpoint of
// its own, and by those of the representative store once that one is gone.
func (a All) TurnsTo(s merchant.Store, mode merchant.Mode) bool {
	if s.MerchantWebhooks || s.Representative || a.endpointsOf(s.ID, mode) != 1 {
		return false
	}
	for _, o := range a.Stores {
		if o.Merchant == s.Merchant && o.Representative {
			return a.endpointsOf(o.ID, mode) > 0
		}
	}
	return false
}

func (a All) endpointsOf(s merchant.StoreID, mode merchant.Mode) (n int) {
	for _, e := range a.Endpoints {
		if e.Store == s && e.Mode == mode {
			n++
		}
	}
	return n
}

// unheard warns of stores of the file whose endpoints hear nothing by what was declared:
// not again of what was so before.
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
			if d.next.Unheard(is, mode) <= d.current.Unheard(was, mode) {
				continue
			}
			d.changes = append(d.changes, Change{
				Kind: Warning, What: "store", Where: strings.TrimSuffix(p.where, inside("", "store", is.Name)), Name: is.Name, ID: string(is.ID),
				Key: "apply.warn.unheard_" + string(mode),
			})
		}
	}
}
