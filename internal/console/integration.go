package console

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/settings"
)

// integrationRoutes are the pages where payments are tried before there is a contract, or a
// shop that is open.
func (c *Console) integrationRoutes() []route {
	return []route{
		{http.MethodGet, "/integration", member.See, false, c.integration},
		{http.MethodPost, "/integration", member.Integrate, false, c.makeTestChannel},
		{http.MethodPost, "/integration/{key}/run", member.Integrate, false, c.runPath},
		{http.MethodGet, "/integration/runs/{id}", member.See, false, c.pathTest},
	}
}

// What answers for a PG on a test channel.
const (
	answersHere = "here" // the PG is played here
	answersPG   = "pg"   // its API is called, and issues accounts
	answersNone = "none" // it would be called, and issues no accounts by what is known
)

// An integrationPage has a card for each module.
type integrationPage struct {
	Test      bool
	Store     *settings.Store // that channels are made for; nil if there is none yet
	Many      bool            // others could be chosen
	Endpoints int             // of the store, for tests
	May       bool
	Cards     []integrationCard
}

// An integrationCard is a module with the test channels that there are and that could be.
type integrationCard struct {
	Code, Name, Serves string
	V1                 bool
	Channels           []triedChannel
	Offers             []testOffer // that were not taken yet
	None               bool        // the PG publishes nothing to make one by
	Wallet             bool        // it is an easy-pay service, and wants the merchant's own credentials
	NewKey             string
}

// Shown is how many offers are seen at once: one, as long as the card has no channel.
func (c integrationCard) Shown() int {
	if len(c.Channels) > 0 {
		return 0
	}
	return min(1, len(c.Offers))
}

// More is how many are behind a click.
func (c integrationCard) More() int { return len(c.Offers) - c.Shown() }

// Final is where the last of them is.
func (c integrationCard) Final() int { return len(c.Offers) - 1 }

// A triedChannel is a test channel as its card shows it.
type triedChannel struct {
	merchant.Channel
	Of      string // the store that has it
	Answers string
	PG      string // what V1 calls it by
	Last    *pathResult
}

// A testOffer is a ready-made test channel: a MID that the PG publishes, with the keys that
// it publishes with it or without.
type testOffer struct {
	MID, Source string
	Keys        int    // that are published
	Missing     string // labels of keys without which the PG issues nothing; empty if there are all
	With        string // who answers with the published keys
	NewKey      string // of the channel that a press makes, so that two presses make one
}

// Best reports whether the published keys are what to take first.
func (o testOffer) Best() bool {
	return o.Keys > 0 && o.With != answersNone
}

// Bare reports whether the channel can also be made without the published keys, and that
// makes a difference.
func (o testOffer) Bare() bool { return o.Keys == 0 || o.With != answersHere }

// StoreName is the store's name, as text.
func (p integrationPage) StoreName() string { return page.Visible(p.Store.Name) }

func (c *Console) integration(v *visit) error {
	p, err := v.integrationPage()
	if err != nil {
		return err
	}
	return v.page("integration", p)
}

func (v *visit) integrationPage() (integrationPage, error) {
	p := integrationPage{Test: v.Scope.Mode == merchant.Test, May: v.May(member.Integrate)}
	if !p.Test {
		return p, nil
	}
	if list := v.scopeStores(); len(list) > 0 {
		p.Store, p.Many = &list[0], len(list) > 1
		p.Endpoints = v.testEndpoints(list[0])
	}
	for _, m := range slices.Concat(all.Providers(), all.Wallets()) {
		card, err := v.integrationCard(m, p.Store)
		if err != nil {
			return p, err
		}
		p.Cards = append(p.Cards, card)
	}
	slices.SortStableFunc(p.Cards, func(a, b integrationCard) int {
		switch {
		case len(a.Channels) > 0 && len(b.Channels) == 0:
			return -1
		case len(a.Channels) == 0 && len(b.Channels) > 0:
			return 1
		}
		return 0
	})
	return p, nil
}

// testEndpoints counts where a store's test payments are told.
func (v *visit) testEndpoints(s settings.Store) int {
	hear := v.All.Planner(nil)
	rep, _ := hear.Merchants.Representative(s.Merchant)
	return len(hear.Endpoints.Of(s.ID, rep.ID, merchant.Test))
}

func (v *visit) integrationCard(m provider.Provider, s *settings.Store) (integrationCard, error) {
	i := m.Info()
	card := integrationCard{
		Code: i.Code, Name: v.inTongue(i.Name), Serves: i.Modules, V1: strings.Contains(i.Modules, "V1"), NewKey: newChannelKey(),
	}
	for _, ch := range v.All.Channels {
		if ch.Provider != i.Code || ch.Mode != merchant.Test || ch.Merchant != v.Scope.Merchant || !v.usesChannel(ch) {
			continue
		}
		x := triedChannel{Channel: ch, Answers: whoAnswers(m, ch), PG: pgOf(ch)}
		if of, ok := v.store(ch.Store); ok {
			x.Of = of.Name
		}
		var err error
		if x.Last, err = v.lastPath(ch); err != nil {
			return card, err
		}
		card.Channels = append(card.Channels, x)
	}
	card.None, card.Wallet = len(published(i)) == 0, i.Wallet != nil
	for _, t := range published(i) {
		if s == nil || v.madeOf(s.ID, i.Code, t.MID) == "" {
			card.Offers = append(card.Offers, v.testOffer(m, t))
		}
	}
	return card, nil
}

// published is what a PG publishes for trials. The MID is empty where it has only keys.
func published(i provider.Info) []provider.TestMID {
	if i.TestKeys == nil {
		return i.TestMIDs
	}
	return append(slices.Clone(i.TestMIDs), *i.TestKeys)
}

func newChannelKey() string { return "channel-key-" + uuid.NewString() }

// pgOf is how a page of V1 names a channel: its module, and its MID if it has one.
func pgOf(ch merchant.Channel) string {
	if ch.MID == "" {
		return ch.Provider
	}
	return ch.Provider + "." + ch.MID
}

func (v *visit) testOffer(m provider.Provider, t provider.TestMID) testOffer {
	i := m.Info()
	keyed := merchant.Channel{Provider: i.Code, Mode: merchant.Test, MID: t.MID, Credentials: t.Credentials}
	o := testOffer{MID: t.MID, Source: v.inTongue(t.Source), With: whoAnswers(m, keyed), NewKey: newChannelKey()}
	for _, value := range t.Credentials {
		if value != "" {
			o.Keys++
		}
	}
	if o.Keys > 0 && o.With == answersNone {
		var missing []string
		for _, f := range i.Fields {
			if f.Secret && t.Credentials[f.Name] == "" {
				missing = append(missing, v.inTongue(f.Label))
			}
		}
		o.Missing = strings.Join(missing, ", ")
	}
	return o
}

// madeOf is the store's own test channel of a module and MID; empty if there is none.
func (v *visit) madeOf(s merchant.StoreID, code, mid string) merchant.ChannelKey {
	for _, ch := range v.All.Channels {
		if ch.Store == s && ch.Provider == code && ch.Mode == merchant.Test && ch.MID == mid && (mid != "" || !ch.Disabled) {
			return ch.Key
		}
	}
	return ""
}

// whoAnswers is who does what a test channel's PG is asked for.
func whoAnswers(p provider.Provider, ch merchant.Channel) string {
	if provider.OnTrial(p, ch) {
		return answersHere
	}
	issuer, ok := p.(provider.Issuer)
	if ok && issuer.CheckIssue(ch, triedOrder()) == nil {
		return answersPG
	}
	return answersNone
}

// triedOrder is an order that every PG takes which is called with all that it wants.
func triedOrder() provider.Order {
	return provider.Order{
		ID: "tongbotest0001", Name: "Test", Amount: payment.Won(1000), Bank: "SHINHAN", Type: payment.Normal, Holder: "Test",
		Customer:  payment.Customer{Name: "Test", Email: "test@example.com", PhoneNumber: "01000000000"},
		ExpiresAt: time.Now().AddDate(0, 0, 1), Key: "00000000-0000-4000-8000-000000000000",
	}
}

// makeTestChannel makes a ready-made test channel, or finds that it is there.
func (c *Console) makeTestChannel(v *visit) error {
	s, ok := v.store(merchant.StoreID(v.value("store")))
	m, known := c.Actions.Providers(v.value("provider"))
	if !ok || !known || v.Scope.Mode != merchant.Test || v.Scope.Store != "" && s.ID != v.Scope.Store {
		return errNoThing
	}
	i, mid, key := m.Info(), v.value("mid"), v.value("key")
	ready := published(i)
	at := slices.IndexFunc(ready, func(t provider.TestMID) bool { return t.MID == mid })
	if at < 0 && (mid != "" || len(ready) > 0 || i.Wallet != nil) {
		return errNoThing
	}
	if there := v.madeOf(s.ID, i.Code, mid); there != "" {
		return v.done(v.cardOf(i.Code), "integration.there", "key", string(there))
	}
	if slices.ContainsFunc(v.All.Channels, func(ch merchant.Channel) bool { return string(ch.Key) == key }) {
		return errNoThing // of another module, or another store: nothing is made over
	}
	name := v.company(i)
	f := settings.ChannelFile{Key: key, Provider: i.Code, Mode: string(merchant.Test), MID: &mid}
	if at >= 0 && v.value("keys") == "on" {
		f.Credentials = ready[at].Credentials
	} else {
		methods := []string{"VIRTUAL_ACCOUNT", "CARD"} // the PG that is played here takes both
		f.Methods = &methods
	}
	if mid != "" {
		name += " " + mid
	}
	f.Name = &name
	if _, err := v.declare(settings.StoreFile{ID: string(s.ID), Channels: []settings.ChannelFile{f}}, ""); err != nil {
		return err
	}
	return v.done(v.cardOf(i.Code), "integration.made", "key", key)
}

// cardOf is where a module's card stands.
func (v *visit) cardOf(code string) string { return "/integration#pg-" + code }
