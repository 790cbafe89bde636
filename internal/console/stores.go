package console

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/settings"
)

func (c *Console) storeRoutes() []route {
	const stores = "/settings/stores"
	return []route{
		{http.MethodGet, stores, member.Administer, false, c.stores},
		{http.MethodPost, stores, member.Administer, false, c.renameMerchant},
		// A new store comes with a signing secret, which is shown once.
		{http.MethodGet, stores + "/new", member.Administer, true, c.newStore},
		{http.MethodPost, stores + "/new", member.Administer, true, c.makeStore},
		{http.MethodGet, stores + "/{id}", member.Administer, false, c.oneStore},
		{http.MethodPost, stores + "/{id}", member.Administer, false, c.changeStore},
	}
}

// storesPage is the merchant with its stores.
type storesPage struct {
	Merchant merchant.Merchant
	Stores   []storeRow
}

// A storeRow is a store with what it uses in the page's mode.
type storeRow struct {
	settings.Store
	Own, Assigned []merchant.Channel // of its own, and of other stores
	Endpoints     int                // of its own
	Unheard       int                // of its own, which hear nothing: it always uses the merchant's
	Members       int                // who are limited to it
}

func (v *visit) storeRow(s settings.Store) storeRow {
	out := storeRow{Store: s, Unheard: v.All.Unheard(s.Store, v.Scope.Mode)}
	for _, ch := range v.All.Channels {
		switch {
		case ch.Mode != v.Scope.Mode || ch.Merchant != s.Merchant || !ch.UsedBy(s.ID):
		case ch.Store == s.ID:
			out.Own = append(out.Own, ch)
		default:
			out.Assigned = append(out.Assigned, ch)
		}
	}
	for _, e := range v.All.Endpoints {
		if e.Store == s.ID && e.Mode == v.Scope.Mode {
			out.Endpoints++
		}
	}
	return out
}

func (v *visit) storesPage() (storesPage, error) {
	var p storesPage
	for _, m := range v.All.Merchants {
		if m.ID == v.Member.Merchant {
			p.Merchant = m
		}
	}
	people, err := v.c.Store.Members(v.ctx(), v.Member.Merchant)
	if err != nil {
		return p, err
	}
	limited := map[merchant.StoreID]int{}
	for _, m := range people {
		if !m.Disabled {
			limited[m.Store]++
		}
	}
	for _, s := range v.stores() {
		row := v.storeRow(s)
		row.Members = limited[s.ID]
		p.Stores = append(p.Stores, row)
	}
	return p, nil
}

func (c *Console) stores(v *visit) error {
	p, err := v.storesPage()
	if err != nil {
		return err
	}
	return v.page("settings_stores", p)
}

func (c *Console) renameMerchant(v *visit) error {
	p, err := v.storesPage()
	if err != nil {
		return err
	}
	name := v.value("merchant")
	if name == "" {
		return v.mistaken("settings_stores", p, []mistake{{"merchant", v.t("form.missing")}})
	}
	_, err = c.Actions.Declare(v.ctx(), v.caller(v.Member.Store), settings.File{
		Merchants: []settings.MerchantFile{{ID: string(v.Member.Merchant), Name: name}},
	}, "")
	switch {
	case fault.Is(err, fault.Conflict):
		return v.mistaken("settings_stores", p, []mistake{{"merchant", v.t("settings.name_taken")}})
	case err != nil:
		return err
	}
	return v.done("/settings/stores", "settings.saved")
}

// storePage is the form of a store, or of a new one.
type storePage struct {
	New      bool
	Founding bool // the merchant has none yet: it becomes the representative one
	Row      storeRow
	Name     string // its heading
	Hears    string // own_webhooks, as a box has it
	First    string // webhook_first, likewise
	Limit    string // webhook_first_limit, as it is declared; empty: nobody did
	Origins  string // one a line, as are Schemes
	Schemes  string
	Channels []storeChannel
}

func (p storePage) title() string { return p.Name }

// A storeChannel is a channel of another store, which may be assigned to this one.
type storeChannel struct {
	merchant.Channel
	Of     string // the store whose channel it is
	Is     bool   // assigned, as it is stored
	Ticked bool   // as the form has it
}

// storePage is the page of a store; nil is a new one.
func (v *visit) storePage(s *settings.Store) storePage {
	p := storePage{New: s == nil, Name: v.t("page.settings_newstore"), Hears: onIf(true)}
	if p.New && len(v.stores()) == 0 {
		p.Founding, p.Name = true, v.t("page.settings_firststore")
	}
	if s != nil {
		p.Row, p.Name, p.First, p.Hears = v.storeRow(*s), s.Name, onIf(s.WebhookFirst), onIf(!s.MerchantWebhooks)
		v.stands("store", "", string(s.ID), s.Name, s.TierCode, s.MerchantWebhooks, s.WebhookFirst, s.WebhookFirstLimit, s.Origins, s.AppSchemes)
		p.Limit, p.Origins, p.Schemes = limitText(s.WebhookFirstLimit), strings.Join(s.Origins, "\n"), strings.Join(s.AppSchemes, "\n")
	}
	posted := v.posted()
	if posted {
		p.First, p.Hears = v.value("webhook_first"), v.value("own_webhooks")
	}
	for _, ch := range v.All.Channels {
		of, ok := v.store(ch.Store)
		if !ok || s != nil && ch.Store == s.ID {
			continue
		}
		x := storeChannel{Channel: ch, Of: of.Name, Is: s != nil && slices.Contains(ch.Stores, s.ID)}
		x.Ticked = x.Is
		if posted {
			x.Ticked = slices.Contains(v.form()["channel"], string(ch.Key))
		}
		p.Channels = append(p.Channels, x)
	}
	return p
}

// onIf is the value of a box.
func onIf(ticked bool) string {
	if ticked {
		return "on"
	}
	return ""
}

func (c *Console) newStore(v *visit) error { return v.page("settings_store", v.storePage(nil)) }

// pathStore is the store of the path.
func (v *visit) pathStore() (settings.Store, error) {
	s, ok := v.store(merchant.StoreID(v.r.PathValue("id")))
	if !ok {
		return s, errNoThing
	}
	return s, nil
}

func (c *Console) oneStore(v *visit) error {
	s, err := v.pathStore()
	if err != nil {
		return err
	}
	return v.page("settings_store", v.storePage(&s))
}

// storeFile declares what the form says of a store. id is empty for a new one.
func (v *visit) storeFile(id merchant.StoreID) (settings.StoreFile, []mistake) {
	name, tier, first := v.value("name"), v.value("tier_code"), v.value("webhook_first") == "on"
	f := settings.StoreFile{ID: string(id), New: id == "", Name: &name, TierCode: &tier, WebhookFirst: &first}
	if s, known := v.store(id); known && !s.Representative || !known && len(v.stores()) > 0 { // the representative one always uses its own
		own := v.value("own_webhooks") == "on"
		f.OwnWebhooks = &own
	}
	wrong := v.windowsFile(&f)
	if name == "" {
		wrong = append(wrong, mistake{"name", v.t("form.missing")})
	}
	for _, s := range v.stores() {
		switch {
		case s.ID == id:
		case s.Name == name && name != "":
			wrong = append(wrong, mistake{"name", v.t("settings.name_taken")})
		case s.TierCode == tier && tier != "":
			wrong = append(wrong, mistake{"tier_code", v.t("settings.tier_taken", "store", s.Name)})
		}
	}
	return f, wrong
}

// assignments declares the channels that were ticked, and are not assigned, or the other
// way round. stands is how the declaration calls the store.
func (p storePage) assignments(stands string, id merchant.StoreID) []settings.StoreFile {
	of := map[merchant.StoreID][]settings.ChannelFile{}
	for _, x := range p.Channels {
		if x.Ticked == x.Is {
			continue
		}
		list := make([]string, 0, len(x.Stores)+1)
		for _, s := range x.Stores {
			if s != id {
				list = append(list, string(s))
			}
		}
		if x.Ticked {
			list = append(list, stands)
		}
		of[x.Store] = append(of[x.Store], settings.ChannelFile{Key: string(x.Key), Stores: &list})
	}
	var out []settings.StoreFile
	for _, s := range slices.Sorted(maps.Keys(of)) {
		out = append(out, settings.StoreFile{ID: string(s), Channels: of[s]})
	}
	return out
}

// makeStore makes a sub-merchant. Its signing secret is on the answer alone.
func (c *Console) makeStore(v *visit) error {
	p := v.storePage(nil)
	f, wrong := v.storeFile("")
	if len(wrong) > 0 {
		return v.mistaken("settings_store", p, wrong)
	}
	changes, err := v.declareAll(append([]settings.StoreFile{f}, p.assignments(*f.Name, "")...), "")
	switch {
	case fault.Is(err, fault.Conflict):
		return v.mistaken("settings_store", p, []mistake{{"name", v.t("settings.name_taken")}})
	case err != nil:
		return err
	}
	out := issued{head: v.t("settings.store_made", "store", *f.Name), Say: v.t("settings.store_once"), Next: v.Scope.Base() + "/settings/stores"}
	for _, ch := range changes {
		if ch.Kind == settings.Created && ch.What == "store" {
			out.Lines = append(out.Lines, issuedLine{v.t("settings.store_id"), ch.ID}, issuedLine{v.t("settings.store_secret"), ch.Secret.Reveal()})
		}
	}
	return v.page("issued", out)
}

func (c *Console) changeStore(v *visit) error {
	s, err := v.pathStore()
	if err != nil {
		return err
	}
	p := v.storePage(&s)
	if err := v.unmoved(); err != nil {
		return err
	}
	f, wrong := v.storeFile(s.ID)
	if len(wrong) > 0 {
		return v.mistaken("settings_store", p, wrong)
	}
	_, err = v.declareAll(append([]settings.StoreFile{f}, p.assignments(string(s.ID), s.ID)...), "")
	if err != nil {
		return err
	}
	return v.done("/settings/stores", "settings.saved")
}
