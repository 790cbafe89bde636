package console

import (
	"net/netip"
	"slices"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/store"
)

// A check is one thing that was looked at before the verdict.
type check struct {
	Name   string
	Passed string // "yes", "no", or "none": not looked at, or nothing to look at
	Text   string
}

// checkNames are what is looked at, in the order in which it is.
var checkNames = []string{"read", "channel", "address", "match", "proof", "amount", "account", "state", "seen"}

// failedAt is which of them each reason is about; other reasons are about the state.
var failedAt = map[payment.Reason]string{
	notice.ReasonMethod: "read", notice.ReasonTooLarge: "read", notice.ReasonUnreadable: "read", "body_cut_off": "read",
	notice.ReasonUnknownChannel: "channel", notice.ReasonWrongToken: "channel", notice.ReasonDisabled: "channel", notice.ReasonOtherMID: "channel",
	notice.ReasonAddress: "address", notice.ReasonNoSenders: "address", notice.ReasonProxy: "address", notice.ReasonTestSender: "address",
	notice.ReasonUnknownOrder: "match", notice.ReasonAmbiguous: "match", notice.ReasonOtherOrder: "match",
	notice.ReasonProof:           "proof",
	payment.ReasonOtherAmount:    "amount",
	payment.ReasonNoAmount:       "amount",
	payment.ReasonOtherCurrency:  "amount",
	payment.ReasonCancelTooLarge: "amount",
	payment.ReasonOtherAccount:   "account",
}

// failed reports whether a verdict says that something was not in order.
func failed(v payment.Verdict) bool {
	return v == payment.Refused || v == payment.Unreadable || v == payment.Unmatched || v == payment.Conflict
}

// checks say how the verdict that counts came about.
func (v *visit) checks(pg provider.Provider, p noticePage) []check {
	if p.Here {
		return []check{{"made", "none", v.t(madeAs(p.N.Reason))}}
	}
	stop := ""
	if failed(p.N.Verdict) {
		if stop = failedAt[p.N.Reason]; stop == "" {
			stop = "state"
		}
	}
	var out []check
	reached := true
	for _, name := range checkNames {
		c := check{Name: name, Passed: "none", Text: v.t("notice.check." + name + "_none")}
		switch {
		case name == stop:
			c.Passed, c.Text = "no", v.checkText(pg, p, name, "no")
			if p.N.Reason != "" {
				c.Text += " — " + v.t("reason."+string(p.N.Reason))
			}
		case reached && v.looked(pg, p, name):
			c.Passed, c.Text = "yes", v.checkText(pg, p, name, "yes")
		}
		reached = reached && name != stop
		out = append(out, c)
	}
	return out
}

// madeAs is how a notice that no PG sent came about.
func madeAs(why payment.Reason) string {
	if why == payment.ReasonByHand {
		return "notice.check.made_hand"
	}
	return "notice.check.made_inquiry"
}

// looked reports whether there was anything to look at.
func (v *visit) looked(pg provider.Provider, p noticePage, name string) bool {
	switch name {
	case "read":
		return p.N.Verdict != payment.Unreadable
	case "channel", "address":
		return p.N.Channel != ""
	case "match", "state":
		return p.N.Payment != ""
	case "proof":
		return p.N.Payment != "" && pg != nil && pg.Info().Class != provider.AddressOnly
	case "amount":
		return p.Payment != nil && p.N.Amount != nil
	case "account":
		return p.Payment != nil && p.Said != nil && slices.ContainsFunc(p.Said.Ours, func(f saidField) bool { return f.Name == "account" && f.Differs == "" })
	case "seen":
		return p.N.Verdict == payment.Duplicate || p.N.Payment != ""
	}
	return false
}

// checkText says what a check found.
func (v *visit) checkText(pg provider.Provider, p noticePage, name, found string) string {
	key := "notice.check." + name + "_" + found
	switch name {
	case "channel":
		return v.t(key, "name", page.Visible(p.ChannelName))
	case "address":
		return v.t(key, "peer", page.Visible(p.N.Peer), "list", v.listText(pg, p))
	case "match":
		return v.t(key, "by", v.matchedBy(p))
	case "proof":
		if pg != nil && found == "yes" {
			return v.text(pg.Info().Proves)
		}
	case "amount":
		if p.Payment != nil && p.N.Amount != nil {
			return v.t(key, "told", page.Money(payment.Money{Amount: *p.N.Amount, Currency: p.N.Currency}), "wants", page.Money(p.Payment.Amount))
		}
		return v.t("notice.check.amount_absent")
	case "state":
		if p.Payment != nil {
			return v.t(key, "state", v.t("state.payment."+string(p.Payment.State)))
		}
		return v.t("notice.check.state_unknown")
	case "seen":
		if p.N.Verdict == payment.Duplicate {
			return v.t("notice.check.seen_before")
		}
	}
	return v.t(key)
}

// listText says which list a sender was looked for in.
func (v *visit) listText(pg provider.Provider, p noticePage) string {
	ch, ok := v.channel(merchant.ChannelKey(p.N.Channel))
	switch {
	case !ok || pg == nil:
		return v.t("notice.list_unknown")
	case ch.Senders != nil:
		return v.t("notice.list_own")
	}
	a, err := netip.ParseAddr(p.N.Peer)
	switch i := pg.Info(); {
	case err == nil && provider.Admits(ch.SendersToo, a):
		return v.t("notice.list_too")
	case i.LiveSenders == nil && i.TestSenders == nil:
		return v.t("notice.list_none")
	case i.SendersAsOf == "":
		return v.t("notice.list_undated", "in", i.SendersIn)
	default:
		return v.t("notice.list_published", "day", i.SendersAsOf)
	}
}

// channel is a channel of the visitor's merchant.
func (v *visit) channel(key merchant.ChannelKey) (merchant.Channel, bool) {
	for _, c := range v.All.Channels {
		if c.Key == key && c.Merchant == v.Member.Merchant {
			return c, true
		}
	}
	return merchant.Channel{}, false
}

// matchedBy says by which of its names a notice found its payment.
func (v *visit) matchedBy(p noticePage) string {
	if p.Payment != nil {
		for _, t := range p.Payment.Transactions {
			if p.N.Order != "" && t.Order == p.N.Order {
				return v.t("notice.by_order")
			}
		}
		waited := slices.ContainsFunc(p.N.Past, func(x store.PastVerdict) bool { return x.Verdict == payment.Unmatched })
		if p.N.Order != "" && waited {
			return v.t("notice.by_person") // a registration would have had the order
		}
		for _, t := range p.Payment.Transactions {
			if p.N.PGTx != "" && t.PGTx == p.N.PGTx {
				return v.t("notice.by_pgtx")
			}
		}
		if p.N.Order != "" {
			return v.t("notice.by_person")
		}
	}
	return v.t("notice.by_account")
}
