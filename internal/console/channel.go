package console

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/attention"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
)

// A channelPage is everything about one channel.
type channelPage struct {
	channelCard
	Heard    attention.ChannelState
	Fields   []credentialField
	Types    []option
	Ticks    []tick
	Others   []tick // the merchant's other stores
	Confirms []option
	Confirm  string
	Unknowns []option
	Guide    guidePart
	Own      string   // addresses of its own, one block a line
	Public   []string // the published ones of its mode
	// PublicAsOf is their date; empty if there are none.
	PublicAsOf string
	Published  bool // they are admitted, too
	Deaf       bool
	Today      string
	Secret     bool // its path ends with a token
}

func (p channelPage) title() string { return p.Name }

// Lacks names what keeps the channel a draft: credentials that prove notices.
func (p channelPage) Lacks() string {
	if p.State != string(attention.Draft) {
		return ""
	}
	return strings.Join(p.Heard.Missing, ", ")
}

// Path is a path below the channel's own.
func (p channelPage) Path(rest string) string { return "/channels/" + string(p.Key) + rest }

func (c *Console) oneChannel(v *visit) error {
	ch, pg, err := v.channelHere()
	if err != nil {
		return err
	}
	p, err := v.channelPage(ch, pg)
	if err != nil {
		return err
	}
	return v.page("channels_one", p)
}

func (v *visit) channelPage(ch merchant.Channel, pg provider.Provider) (p channelPage, err error) {
	desk := attention.Desk{Store: v.c.Store, Providers: v.c.Actions.Providers}
	if p.Heard, err = desk.ChannelState(v.ctx(), ch.Key); err != nil {
		return p, err
	}
	i := pg.Info()
	p.channelCard = v.channelCard(p.Heard)
	if p.Mine { // what an assigned channel proves itself with is for the store that has it
		if p.Fields, err = v.credentialFields(ch, i); err != nil {
			return p, err
		}
		p.Guide = v.guidePart(ch, pg)
	}
	methods := ch.Methods
	if v.posted() && v.form().Has("payment_type") {
		methods = v.form()["method"]
	}
	p.Types, p.Ticks, p.Deaf, p.Secret = v.paymentTypes(), v.methodTicks(methods), i.Deaf(ch), ch.Token != ""
	for _, s := range v.stores() {
		if s.ID != ch.Store {
			p.Others = append(p.Others, tick{string(s.ID), s.Name, slices.Contains(ch.Stores, s.ID)})
		}
	}
	p.Confirm = confirmWord(ch.Confirm)
	for _, x := range []string{"default", "true", "false"} {
		p.Confirms = append(p.Confirms, option{Value: x, Text: v.t("channels.confirms." + x)})
	}
	for _, x := range []merchant.Unknown{merchant.Hold, merchant.Adopt} {
		p.Unknowns = append(p.Unknowns, option{Value: string(x), Text: v.t("channels.unknowns." + string(x))})
	}
	list := i.LiveSenders
	if ch.Mode == merchant.Test {
		list = i.TestSenders
	}
	p.Public, p.PublicAsOf = blocks(list), v.inTongue(i.SendersDate())
	p.Own, p.Published = strings.Join(blocks(ch.SendersToo), "\n"), ch.Senders == nil
	if ch.Senders != nil {
		p.Own = strings.Join(blocks(*ch.Senders), "\n")
	}
	p.Today = v.now().In(page.Seoul).Format(time.DateOnly)
	return p, nil
}

func confirmWord(b *bool) string {
	switch {
	case b == nil:
		return "default"
	case *b:
		return "true"
	}
	return "false"
}

// blocks writes address blocks, single addresses without a mask.
func blocks(list []netip.Prefix) []string {
	out := make([]string, len(list))
	for i, p := range list {
		if out[i] = p.String(); p.IsSingleIP() {
			out[i] = p.Addr().String()
		}
	}
	return out
}

// remade shows a channel again with what was wrong in a form about it.
func (v *visit) remade(ch merchant.Channel, pg provider.Provider, wrong ...mistake) error {
	p, err := v.channelPage(ch, pg)
	if err != nil {
		return err
	}
	return v.mistaken("channels_one", p, wrong)
}

// changed ends a change of a channel: back to its page, or to the wizard's if the form
// stood there.
func (v *visit) changed(ch merchant.Channel, key string) error {
	to := "/channels/" + string(ch.Key)
	if v.value("step") == stepAddress {
		to += "/setup/" + stepAddress
	}
	return v.done(to, key)
}

func (c *Console) changeChannel(v *visit) error {
	ch, pg, err := v.ownChannel()
	if err != nil {
		return err
	}
	if err := v.unmoved(); err != nil {
		return err
	}
	name, mid, kind, unknown, confirm := v.value("name"), v.value("mid"), v.value("payment_type"), v.value("unknown"), v.value("confirm")
	methods := v.form()["method"]
	wrong := v.wrongKind(kind, methods)
	if name == "" {
		wrong = append(wrong, mistake{"name", v.t("form.missing")})
	}
	if i := pg.Info(); i.Wallet != nil {
		if mid == "" && !ch.Disabled {
			wrong = append(wrong, mistake{"mid", v.t("channels.needs_own")})
		}
		if !slices.Equal(methods, []string{string(i.Wallet.Method)}) {
			wrong = append(wrong, mistake{"method", v.t("channels.one_method", "name", v.inTongue(i.Name), "method", v.t("channels.method."+string(i.Wallet.Method)))})
		}
	}
	if unknown != string(merchant.Hold) && unknown != string(merchant.Adopt) {
		wrong = append(wrong, mistake{"unknown", v.t("channels.pick_one")})
	}
	var ask any = confirm
	switch confirm {
	case "default":
	case "true", "false":
		ask = confirm == "true"
	default:
		wrong = append(wrong, mistake{"confirm", v.t("channels.pick_one")})
	}
	if len(wrong) > 0 {
		return v.remade(ch, pg, wrong...)
	}
	err = v.redeclare(ch, settings.ChannelFile{Name: &name, MID: &mid, PaymentType: &kind, Methods: &methods, Unknown: &unknown, Confirm: ask})
	switch {
	case fault.Is(err, fault.Conflict):
		return v.remade(ch, pg, mistake{"mid", v.t("channels.mid_taken")})
	case err != nil:
		return err
	}
	return v.changed(ch, "channels.changed")
}

// changeCredentials replaces what is entered; the rest stays.
func (c *Console) changeCredentials(v *visit) error {
	ch, pg, err := v.ownChannel()
	if err != nil {
		return err
	}
	f := settings.ChannelFile{Credentials: v.enteredCredentials(pg.Info())}
	if wrong := v.lacksOwn(ch, pg.Info(), ch.MID, f.Credentials); len(wrong) > 0 {
		return v.remade(ch, pg, wrong...)
	}
	if err := v.redeclare(ch, f); err != nil {
		return err
	}
	return v.changed(ch, "channels.credentials_kept")
}

// assignChannel says which other stores of the merchant use a channel.
func (c *Console) assignChannel(v *visit) error {
	ch, _, err := v.ownChannel()
	switch {
	case err != nil:
		return err
	case v.Member.Store != "":
		return errNoThing // others' stores are nothing to who is limited to one
	}
	ids := v.form()["store"]
	for _, id := range ids {
		if _, ok := v.store(merchant.StoreID(id)); !ok {
			return errNoThing
		}
	}
	if err := v.redeclare(ch, settings.ChannelFile{Stores: &ids}); err != nil {
		return err
	}
	return v.changed(ch, "channels.assigned_kept")
}

// changeSenders gives a channel its own address list, or the PG's published one back.
func (c *Console) changeSenders(v *visit) error {
	ch, pg, err := v.ownChannel()
	if err != nil {
		return err
	}
	list := strings.Fields(strings.ReplaceAll(v.value("senders"), ",", " "))
	for _, s := range list {
		if !isBlock(s) {
			return v.remade(ch, pg, mistake{"senders", v.t("channels.bad_sender", "text", page.Visible(s))})
		}
	}
	if v.value("published") == "on" {
		list = append([]string{settings.PublishedSenders}, list...)
	}
	if err := v.redeclare(ch, settings.ChannelFile{Senders: &list}); err != nil {
		return err
	}
	return v.changed(ch, "channels.senders_kept")
}

// isBlock reports whether a text is an address, or a block that begins where it says.
func isBlock(s string) bool {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Zone() == "" && !a.Is4In6()
	}
	p, err := netip.ParsePrefix(s)
	return err == nil && p == p.Masked() && !p.Addr().Is4In6()
}

// changeToken makes the end of a channel's notice path anew, or takes it away. The PG must
// be told: what it sends to the old address is refused.
func (c *Console) changeToken(v *visit) error {
	ch, pg, err := v.ownChannel()
	if err != nil {
		return err
	}
	if v.value("sure") != "on" {
		return v.remade(ch, pg, mistake{"sure", v.t("channels.not_sure")})
	}
	to := secret.Text("")
	if v.value("want") == "new" {
		to = settings.NewToken()
	}
	if err := v.redeclare(ch, settings.ChannelFile{Token: &to}); err != nil {
		return err
	}
	return v.changed(ch, "channels.token_kept")
}

// markAsked notes the day on which the PG was asked to register the address.
func (c *Console) markAsked(v *visit) error {
	ch, pg, err := v.ownChannel()
	if err != nil {
		return err
	}
	day := v.value("asked")
	if _, err := time.Parse(time.DateOnly, day); err != nil && day != "" {
		return v.remade(ch, pg, mistake{"asked", v.t("key.no_day")})
	}
	if err := v.redeclare(ch, settings.ChannelFile{Asked: &day}); err != nil {
		return err
	}
	return v.changed(ch, "channels.asked_kept")
}

// keepNotes keeps what people write about how a channel is set up.
func (c *Console) keepNotes(v *visit) error {
	ch, pg, err := v.ownChannel()
	if err != nil {
		return err
	}
	text := strings.ReplaceAll(v.value("notes"), "\r\n", "\n")
	err = v.redeclare(ch, settings.ChannelFile{Notes: &text})
	switch {
	case fault.Is(err, fault.Invalid):
		return v.remade(ch, pg, mistake{"notes", v.t("channels.notes_long")})
	case err != nil:
		return err
	}
	return v.changed(ch, "channels.notes_kept")
}

// switchChannel takes a channel out of use, or into it.
func (c *Console) switchChannel(v *visit) error {
	ch, _, err := v.ownChannel()
	if err != nil {
		return err
	}
	off, said := v.value("to") == "off", "channels.enabled"
	if off {
		said = "channels.disabled"
	}
	if err := v.redeclare(ch, settings.ChannelFile{Disabled: &off}); err != nil {
		return err
	}
	return v.changed(ch, said)
}

// dropChannel deletes a draft: what was ever in use stays, since payments know it.
func (c *Console) dropChannel(v *visit) error {
	ch, _, err := v.ownChannel()
	if err != nil {
		return err
	}
	if card := v.channelCard(attention.ChannelState{Channel: ch, Setup: attention.Waiting}); !card.Draft() {
		return errNoThing
	}
	if err := v.redeclare(ch, settings.ChannelFile{Absent: true}); err != nil {
		return err
	}
	return v.done("/channels", "channels.dropped")
}
