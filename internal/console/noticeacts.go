package console

import (
	"errors"
	"net/netip"
	"slices"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A foretold is what would become of a notice, for the page that asks whether to do it.
type foretold struct {
	ID      notice.ID
	Path    string
	Was, Is outcomeShown
	Payment payment.ID
	PayPath string
	From    payment.State // of the payment; empty if it is made by it, or none is meant
	To      payment.State
	Amount  string
	Hooks   []hookShown
	Asks    bool
	Changes bool
	Error   string // why it cannot be done
}

// An outcomeShown is a verdict with its reason.
type outcomeShown struct {
	Verdict payment.Verdict
	Reason  payment.Reason
}

// A hookShown is a webhook that would go out.
type hookShown struct {
	Type webhook.Type
	To   string // the endpoint's name, or the address
}

// foretold makes it of what a verb says.
func (v *visit) foretold(r notice.Redecided) foretold {
	f := foretold{
		ID: r.Before.ID, Path: object(v.reading(), "notices", string(r.Before.ID)),
		Was: outcomeShown{r.Before.Verdict, r.Before.Reason}, Is: outcomeShown{r.Verdict, r.Reason}, Asks: r.Asks, Changes: r.Changes,
	}
	if r.Is != nil {
		f.Payment, f.To, f.Amount = r.Is.ID, r.Is.State, page.Money(r.Is.Amount)
		f.PayPath = object(v.reading(), "payments", string(r.Is.Key))
	}
	if r.Was != nil {
		f.From = r.Was.State
	}
	for _, e := range r.Emissions {
		for _, d := range e.Deliveries {
			f.Hooks = append(f.Hooks, hookShown{d.Type, v.endpointName(d.Endpoint, d.URL)})
		}
	}
	return f
}

// replayCaller is on whose behalf a notice is decided again: the installation's, for one that
// no merchant owns and the visitor may see.
func (v *visit) replayCaller(n store.NoticeDetail) action.Caller {
	c := v.caller(v.Scope.Store)
	if n.Merchant == "" && v.unowned() {
		c.Merchant, c.Mode = "", merchant.Any
	}
	return c
}

// replayPage shows what would become of one notice.
type replayPage struct {
	noticePage
	Title string
	Would foretold
}

func (p replayPage) title() string { return p.Title }

func (c *Console) replayNotice(v *visit) error {
	p, _, err := c.noticeOf(v)
	if err != nil {
		return err
	}
	r, err := c.Actions.Replay(v.ctx(), v.replayCaller(p.N), p.N.ID, true)
	out := replayPage{noticePage: p, Title: v.t("page.notice_replay"), Would: v.foretold(r)}
	switch {
	case errors.Is(err, notice.ErrBodyGone):
		out.Would.Error = v.t("notice.body_gone")
	case err != nil:
		return err
	}
	return v.page("notice_replay", out)
}

func (c *Console) replayedNotice(v *visit) error {
	p, _, err := c.noticeOf(v)
	if err != nil {
		return err
	}
	r, err := c.Actions.Replay(v.ctx(), v.replayCaller(p.N), p.N.ID, false)
	if err != nil {
		return err
	}
	key := "notice.replayed"
	if !r.Changes {
		key = "notice.replayed_same"
	}
	return v.done("/notices/"+string(p.N.ID), key, "verdict", v.t("state.verdict."+string(r.Verdict)))
}

// linkingPage asks which payment a notice is about, and shows what would become of it.
type linkingPage struct {
	noticePage
	Title string
	Would *foretold // nil until a payment was named
}

func (p linkingPage) title() string { return p.Title }

func (c *Console) linkNotice(v *visit) error { return c.linking(v, true) }

func (c *Console) linkedNotice(v *visit) error { return c.linking(v, false) }

// linking shows the form, what would become of it, and does it.
func (c *Console) linking(v *visit, dry bool) error {
	p, _, err := c.noticeOf(v)
	if err != nil {
		return err
	}
	to, reason := v.query("payment"), v.query("reason")
	if !dry {
		to, reason = v.value("payment"), v.value("reason")
	}
	out := linkingPage{noticePage: p, Title: v.t("page.notice_link")}
	if to == "" && dry {
		return v.page("notice_link", out)
	}
	var wrong []mistake
	if reason == "" {
		wrong = append(wrong, mistake{"reason", v.t("notice.reason_missing")})
	}
	found, err := c.Store.PaymentsCalled(v.ctx(), v.reading(), to)
	switch {
	case err != nil:
		return err
	case len(found) == 0:
		wrong = append(wrong, mistake{"payment", v.t("notice.no_payment", "id", page.Visible(to))})
	case len(found) > 1:
		wrong = append(wrong, mistake{"payment", v.t("notice.many_payments")})
	}
	if len(wrong) > 0 {
		return v.mistaken("notice_link", out, wrong)
	}
	r, err := c.Actions.Link(v.ctx(), v.caller(found[0].Store), p.N.ID, found[0].ID, reason, dry)
	if why := v.linkProblem(err); why != "" {
		return v.mistaken("notice_link", out, []mistake{{"payment", why}})
	}
	if err != nil {
		return err
	}
	if !dry {
		return v.done("/notices/"+string(p.N.ID), "notice.linked", "id", page.Visible(string(found[0].ID)))
	}
	would := v.foretold(r)
	out.Would = &would
	return v.page("notice_link", out)
}

// linkProblem is why a notice cannot be linked, in words; empty if that is not why.
func (v *visit) linkProblem(err error) string {
	ruled, is := errors.AsType[*action.RuledOutError](err)
	switch {
	case is:
		return v.ruledOut(ruled)
	case errors.Is(err, action.ErrNotUnmatched):
		return v.t("notice.not_unmatched")
	case errors.Is(err, notice.ErrLinkChannel):
		return v.t("notice.link_channel")
	case errors.Is(err, notice.ErrLinkOther):
		return v.t("notice.link_other")
	case fault.Is(err, fault.Invalid):
		return err.Error()
	}
	return ""
}

// ruledOut is what the money rules say against it.
func (v *visit) ruledOut(e *action.RuledOutError) string {
	why := v.t("state.verdict." + string(e.Verdict))
	if e.Reason != payment.ReasonNone {
		why = v.t("reason." + string(e.Reason))
	}
	return v.t("notice.ruled_out", "why", why)
}

// trustPage asks which addresses a channel is to admit.
type trustPage struct {
	noticePage
	Title string
	CIDR  string
}

func (p trustPage) title() string { return p.Title }

func (c *Console) trustNotice(v *visit) error {
	p, _, err := c.noticeOf(v)
	if err != nil {
		return err
	}
	out := trustPage{noticePage: p, Title: v.t("page.notice_trust")}
	if a, err := netip.ParseAddr(p.N.Peer); err == nil {
		out.CIDR = netip.PrefixFrom(a, a.BitLen()).String()
	}
	return v.page("notice_trust", out)
}

func (c *Console) trustedNotice(v *visit) error {
	p, _, err := c.noticeOf(v)
	if err != nil {
		return err
	}
	out := trustPage{noticePage: p, Title: v.t("page.notice_trust"), CIDR: v.value("cidr")}
	block, err := settings.ParseBlock(v.value("cidr"))
	if err == nil {
		ch, _ := v.channel(merchant.ChannelKey(p.N.Channel))
		_, err = c.Actions.TrustAddress(v.ctx(), v.caller(ch.Store), merchant.ChannelKey(p.N.Channel), block, v.value("reason"))
	}
	switch {
	case fault.Is(err, fault.Invalid):
		return v.mistaken("notice_trust", out, []mistake{{"cidr", v.t("notice.trust_wrong", "why", err.Error())}})
	case err != nil:
		return err
	}
	return v.done("/notices/replay?from="+block.String()+"&channel="+p.N.Channel, "notice.trusted", "cidr", block.String())
}

// manyPage shows what would become of the refused notices of an address.
type manyPage struct {
	From    netip.Prefix
	Channel merchant.ChannelKey
	Name    string
	Rows    []foretold
	Counts  []verdictCount
	Cut     bool
	Changes bool
}

// A verdictCount is how many notices would come to a verdict.
type verdictCount struct {
	Verdict payment.Verdict
	N       int
}

// mostReplayed is how many notices one page decides.
const mostReplayed = 200

// refusedFrom are the refused notices that came from a block, the oldest first.
func (c *Console) refusedFrom(v *visit, p *manyPage) ([]store.NoticeRow, error) {
	list, err := c.Store.NoticeRows(v.ctx(), v.reading(), store.NoticeFilter{
		Verdicts: []payment.Verdict{payment.Refused}, Channel: p.Channel,
	}, store.Page{Size: 500})
	if err != nil {
		return nil, err
	}
	rows := slices.DeleteFunc(list.Rows, func(n store.NoticeRow) bool {
		a, err := netip.ParseAddr(n.Peer)
		return err != nil || !p.From.Contains(a)
	})
	p.Cut = list.Cut || list.Older != "" || len(rows) > mostReplayed
	rows = rows[max(0, len(rows)-mostReplayed):]
	slices.Reverse(rows)
	return rows, nil
}

// manyOf reads which notices are meant.
func (v *visit) manyOf(from, channel string) (manyPage, error) {
	block, err := settings.ParseBlock(from)
	p := manyPage{From: block, Channel: merchant.ChannelKey(channel), Name: v.channelName(merchant.ChannelKey(channel))}
	return p, err
}

func (c *Console) replayMany(v *visit) error {
	p, err := v.manyOf(v.query("from"), v.query("channel"))
	if err != nil {
		return errNoThing
	}
	rows, err := c.refusedFrom(v, &p)
	if err != nil {
		return err
	}
	count := make(map[payment.Verdict]int)
	seen := make(map[string]bool)
	for _, n := range rows {
		r, err := c.Actions.Replay(v.ctx(), v.caller(v.Scope.Store), n.ID, true)
		if fault.Is(err, fault.NotFound) {
			continue // it is about another store's payment, or on its way to one
		}
		f := v.foretold(r)
		f.ID, f.Path, f.Was = n.ID, object(v.reading(), "notices", string(n.ID)), outcomeShown{n.Verdict, n.Reason}
		switch {
		case errors.Is(err, notice.ErrBodyGone):
			f.Error = v.t("notice.body_gone")
		case err != nil:
			return err
		}
		if r.Notice.Key != "" && r.Verdict == payment.Applied { // dry, each is decided as if it were alone
			if seen[r.Notice.Key] {
				f.Is = outcomeShown{Verdict: payment.Duplicate}
				f.Hooks = nil
			}
			seen[r.Notice.Key] = true
		}
		count[f.Is.Verdict]++
		p.Changes = p.Changes || f.Changes
		p.Rows = append(p.Rows, f)
	}
	for _, x := range payment.Verdicts() {
		if count[x] > 0 {
			p.Counts = append(p.Counts, verdictCount{x, count[x]})
		}
	}
	return v.page("notice_many", p)
}

func (c *Console) replayedMany(v *visit) error {
	p, err := v.manyOf(v.value("from"), v.value("channel"))
	if err != nil {
		return errNoThing
	}
	rows, err := c.refusedFrom(v, &p)
	if err != nil {
		return err
	}
	applied, decided := 0, 0
	for _, n := range rows {
		r, err := c.Actions.Replay(v.ctx(), v.caller(v.Scope.Store), n.ID, false)
		if errors.Is(err, notice.ErrBodyGone) || fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if r.Changes {
			decided++
		}
		if r.Changes && r.Verdict == payment.Applied {
			applied++
		}
	}
	return v.done("/notices?channel="+string(p.Channel), "notice.replayed_many", "n", decided, "applied", applied)
}
