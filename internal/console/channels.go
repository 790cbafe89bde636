package console

import (
	"cmp"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/attention"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/settings"
)

func (c *Console) channelRoutes() []route {
	const one = "/channels/{key}"
	return []route{
		{http.MethodGet, "/channels", member.Integrate, false, c.channels},
		{http.MethodGet, "/channels/new", member.Integrate, false, c.newChannel},
		{http.MethodPost, "/channels/new", member.Integrate, false, c.makeChannel},
		{http.MethodGet, one, member.Integrate, false, c.oneChannel},
		{http.MethodPost, one, member.Integrate, false, c.changeChannel},
		{http.MethodPost, one + "/credentials", member.Integrate, true, c.changeCredentials},
		{http.MethodPost, one + "/stores", member.Integrate, false, c.assignChannel},
		{http.MethodPost, one + "/senders", member.Administer, true, c.changeSenders},
		{http.MethodPost, one + "/token", member.Integrate, true, c.changeToken},
		{http.MethodPost, one + "/asked", member.Integrate, false, c.markAsked},
		{http.MethodPost, one + "/notes", member.Integrate, false, c.keepNotes},
		{http.MethodPost, one + "/state", member.Integrate, false, c.switchChannel},
		{http.MethodPost, one + "/delete", member.Integrate, false, c.dropChannel},
		{http.MethodGet, one + "/setup/{step}", member.Integrate, false, c.setUpChannel},
		{http.MethodPost, one + "/setup/credentials", member.Integrate, true, c.enterCredentials},
		{http.MethodPost, one + "/setup/test", member.Integrate, false, c.testChannel},
		{http.MethodPost, one + "/setup/issue", member.Integrate, false, c.issueTest},
	}
}

// A channelCard is a channel as the list shows it.
type channelCard struct {
	merchant.Channel
	Info     provider.Info
	PG       string // the company, whatever the module
	State    string // see state.channel
	Last     time.Time
	Of       string   // the store that has it
	Assigned []string // the stores that use it besides
	Mine     bool     // the visitor may change it
	Spark    template.HTML
}

// Draft reports whether the wizard has not got beyond its first page.
func (x channelCard) Draft() bool { return x.State == string(attention.Draft) && x.Disabled }

// Next is the page of the wizard with which it goes on, below the channel's path.
func (x channelCard) Next() string {
	if x.Draft() || !x.Info.SendsNotices() {
		return "/setup/" + stepCredentials
	}
	return "/setup/" + stepAddress
}

// A channelGroup is the channels at one PG.
type channelGroup struct {
	PG    string
	Cards []channelCard
}

// channelsPage lists the channels of the scope.
type channelsPage struct{ Groups []channelGroup }

func (c *Console) channels(v *visit) error {
	desk := attention.Desk{Store: c.Store, Providers: c.Actions.Providers}
	list, err := desk.ChannelStates(v.ctx(), attention.Scope{Merchant: v.Scope.Merchant, Store: v.Scope.Store, Mode: v.Scope.Mode})
	if err != nil {
		return err
	}
	flows, err := v.channelFlows(v.now())
	if err != nil {
		return err
	}
	var p channelsPage
	for _, s := range list {
		card := v.channelCard(s)
		for _, f := range flows {
			if f.Channel == s.Channel.Key {
				card.Spark = v.noticeSpark(f)
			}
		}
		i := slices.IndexFunc(p.Groups, func(g channelGroup) bool { return g.PG == card.PG })
		if i < 0 {
			i = len(p.Groups)
			p.Groups = append(p.Groups, channelGroup{PG: card.PG})
		}
		p.Groups[i].Cards = append(p.Groups[i].Cards, card)
	}
	slices.SortFunc(p.Groups, func(a, b channelGroup) int { return cmp.Compare(a.PG, b.PG) })
	return v.page("channels", p)
}

func (v *visit) channelCard(s attention.ChannelState) channelCard {
	out := channelCard{Channel: s.Channel, PG: s.Channel.Provider, Last: s.Last.At, Mine: v.sees(s.Channel.Merchant, s.Channel.Store)}
	if p, ok := v.c.Actions.Providers(s.Channel.Provider); ok {
		out.Info = p.Info()
		out.PG = v.company(out.Info)
	}
	out.State = channelState(s)
	for _, x := range v.All.Stores {
		switch {
		case !v.sees(x.Merchant, x.ID):
		case x.ID == s.Channel.Store:
			out.Of = x.Name
		case slices.Contains(s.Channel.Stores, x.ID):
			out.Assigned = append(out.Assigned, x.Name)
		}
	}
	return out
}

// channelState is how far a channel is set up, as people are told. One that was begun and
// has nothing of the PG's yet is a draft; else one that is not in use is told as such.
func channelState(s attention.ChannelState) string {
	c := s.Channel
	switch {
	case c.Disabled && c.MID == "" && len(c.Credentials) == 0:
		return string(attention.Draft)
	case c.Disabled:
		return "disabled"
	}
	return string(s.Setup)
}

// company is the name of a PG without that of its module.
func (v *visit) company(i provider.Info) string {
	name, _, _ := strings.Cut(v.inTongue(i.Name), " (")
	return name
}

// inTongue is a module's text in the visitor's language.
func (v *visit) inTongue(t provider.Text) string {
	if v.Lang == "en" {
		return t.EN
	}
	return t.KO
}

// channelHere finds the channel of the path: one that the scope's stores use.
func (v *visit) channelHere() (merchant.Channel, provider.Provider, error) {
	key := v.r.PathValue("key")
	for _, ch := range v.All.Channels {
		if string(ch.Key) != key || ch.Merchant != v.Scope.Merchant || ch.Mode != v.Scope.Mode || v.Scope.Store != "" && !ch.UsedBy(v.Scope.Store) {
			continue
		}
		p, ok := v.c.Actions.Providers(ch.Provider)
		if !ok {
			break
		}
		v.stands("use", onOff(!ch.Disabled), string(ch.Key), ch.Name, ch.MID, ch.PaymentType, ch.Methods, ch.Unknown, confirmWord(ch.Confirm))
		return ch, p, nil
	}
	return merchant.Channel{}, nil, errNoThing
}

// ownChannel is channelHere for one that the visitor may change: an assigned one belongs to
// the store that has it.
func (v *visit) ownChannel() (merchant.Channel, provider.Provider, error) {
	ch, p, err := v.channelHere()
	if err == nil && !v.sees(ch.Merchant, ch.Store) {
		err = errNoThing
	}
	return ch, p, err
}

// redeclare changes a channel.
func (v *visit) redeclare(ch merchant.Channel, f settings.ChannelFile) error {
	f.Key = string(ch.Key)
	_, err := v.declare(settings.StoreFile{ID: string(ch.Store), Channels: []settings.ChannelFile{f}}, v.value("reason"))
	return err
}

// The pages of the wizard, in their order; the first makes the channel.
const (
	stepModule      = "module"
	stepCredentials = "credentials"
	stepAddress     = "address"
	stepTest        = "test"
	stepIssue       = "issue"
)

// wizard lists the pages of the wizard for a channel, or for one that is yet to be made. A
// channel whose PG sends no notices has no address to register, and nothing to test there.
func (v *visit) wizard(ch *merchant.Channel) []string {
	if ch != nil {
		if p, ok := v.c.Actions.Providers(ch.Provider); ok && !p.Info().SendsNotices() {
			return []string{stepModule, stepCredentials}
		}
	}
	return []string{stepModule, stepCredentials, stepAddress, stepTest, stepIssue}
}

// A wizardStep is a page of the wizard as its head shows it.
type wizardStep struct {
	Key, Path string // no path: it cannot be gone to yet
	Here      bool
}

// wizardSteps are the wizard's pages; those behind the first have addresses once there is a
// channel.
func (v *visit) wizardSteps(here string, ch *merchant.Channel) (out []wizardStep) {
	for _, key := range v.wizard(ch) {
		s := wizardStep{Key: key, Here: key == here}
		switch {
		case ch == nil || key == stepModule:
		case ch.Disabled && key != stepCredentials: // nothing works before the credentials are in
		default:
			s.Path = v.Scope.Base() + "/channels/" + string(ch.Key) + "/setup/" + key
		}
		out = append(out, s)
	}
	return out
}

// newChannelPage is the wizard's first page: which PG and module.
type newChannelPage struct {
	Steps   []wizardStep
	Modules []moduleGroup
	Stores  []option
	Types   []option
	Methods []tick
	Chosen  string
}

// A moduleGroup is the modules of one PG.
type moduleGroup struct {
	PG      string
	Modules []moduleChoice
}

// A moduleChoice is a module with what tells it from others.
type moduleChoice struct {
	Code, Name, Serves string
	Letter, Test       bool // the PG is asked by mail; it publishes ids for trials
	Own                bool // it publishes none, and its approvals are played
}

// A tick is a box that may be ticked.
type tick struct {
	Value, Text string
	Ticked      bool
}

func (v *visit) newChannelPage() newChannelPage {
	p := newChannelPage{Steps: v.wizardSteps(stepModule, nil), Chosen: cmp.Or(v.value("provider"), v.query("provider"))}
	list := all.Providers()
	if v.Scope.Mode == merchant.Test { // there are no others of wallets
		list = append(list, all.Wallets()...)
	}
	for _, m := range list {
		i := m.Info()
		choice := moduleChoice{Code: i.Code, Name: v.inTongue(i.Name), Serves: i.Modules, Letter: i.Letter != nil, Test: len(i.TestMIDs) > 0, Own: i.Wallet != nil}
		at := slices.IndexFunc(p.Modules, func(g moduleGroup) bool { return g.PG == v.company(i) })
		if at < 0 {
			at = len(p.Modules)
			p.Modules = append(p.Modules, moduleGroup{PG: v.company(i)})
		}
		p.Modules[at].Modules = append(p.Modules[at].Modules, choice)
	}
	for _, s := range v.scopeStores() {
		p.Stores = append(p.Stores, option{Value: string(s.ID), Text: s.Name})
	}
	p.Types = v.paymentTypes()
	p.Methods = v.methodTicks([]string{"VIRTUAL_ACCOUNT"})
	return p
}

func (v *visit) paymentTypes() (out []option) {
	for _, x := range merchant.PaymentTypes() {
		out = append(out, option{Value: string(x), Text: v.t("channels.type." + string(x))})
	}
	return out
}

// methodTicks are the ways of paying, those of the form or else the given ones ticked.
func (v *visit) methodTicks(chosen []string) (out []tick) {
	if v.form().Has("provider") || v.form().Has("name") {
		chosen = v.form()["method"]
	}
	for _, m := range settings.Methods() {
		out = append(out, tick{m, v.t("channels.method." + m), slices.Contains(chosen, m)})
	}
	return out
}

func (c *Console) newChannel(v *visit) error { return v.page("channels_new", v.newChannelPage()) }

// makeChannel makes a draft: a channel that takes nothing until its credentials are in.
func (c *Console) makeChannel(v *visit) error {
	var wrong []mistake
	code := v.value("provider")
	p, known := c.Actions.Providers(code)
	if !known {
		wrong = append(wrong, mistake{"provider", v.t("channels.pick_module")})
	}
	s, ok := v.store(merchant.StoreID(v.value("store")))
	if !ok {
		return errNoThing
	}
	kind, methods := v.value("payment_type"), v.form()["method"]
	if known && p.Info().Wallet != nil { // it has one way of paying, whatever is ticked
		kind, methods = string(merchant.WindowSimple), []string{string(p.Info().Wallet.Method)}
	}
	wrong = append(wrong, v.wrongKind(kind, methods)...)
	if len(wrong) > 0 {
		return v.mistaken("channels_new", v.newChannelPage(), wrong)
	}
	name := cmp.Or(v.value("name"), v.company(p.Info()))
	key, off := "channel-key-"+uuid.NewString(), true
	_, err := v.declare(settings.StoreFile{ID: string(s.ID), Channels: []settings.ChannelFile{{
		Key: key, Provider: code, Mode: string(v.Scope.Mode), Name: &name, PaymentType: &kind, Methods: &methods, Disabled: &off,
	}}}, "")
	if err != nil {
		return err
	}
	return v.done("/channels/"+key+"/setup/"+stepCredentials, "channels.draft_made")
}

// wrongKind says what is wrong with a payment type and ways of paying.
func (v *visit) wrongKind(kind string, methods []string) (wrong []mistake) {
	if !slices.Contains(merchant.PaymentTypes(), merchant.PaymentType(kind)) {
		wrong = append(wrong, mistake{"payment_type", v.t("channels.no_type")})
	}
	if len(methods) == 0 || slices.ContainsFunc(methods, func(m string) bool { return !slices.Contains(settings.Methods(), m) }) {
		wrong = append(wrong, mistake{"method", v.t("channels.no_method")})
	}
	return wrong
}
