package action

import (
	"context"
	"net/netip"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/settings"
)

// The widest blocks of addresses that one is trusted as: what is wider belongs into the
// channel's own list, with thought.
const (
	widest4 = 16
	widest6 = 48
)

// TrustAddress has a channel of the caller's admit notices from more addresses (이 주소
// 믿기), beside those that it admits already: where it goes by what the PG publishes, it
// goes on doing so. Notices that were refused are not touched: Replay decides them again.
//
// It returns what changed: nothing if the channel admits them by its list. It reports
// fault.NotFound for a channel that is not the caller's, and fault.Invalid for a block
// wider than /16 (IPv6: /48) and, on a live channel, for addresses that no PG can have.
func (a *Actions) TrustAddress(ctx context.Context, c Caller, key merchant.ChannelKey, more netip.Prefix, reason string) ([]settings.Change, error) {
	more = more.Masked()
	if err := first(checkText("reason", reason, 0, maxName), checkTrust(more)); err != nil {
		return nil, err
	}
	return a.declare(ctx, c.By, reason, func(current settings.All) (settings.File, error) {
		for _, ch := range current.Channels {
			if ch.Key != key || ch.Merchant != c.Merchant || !c.Mode.Sees(ch.Mode) || c.Store != "" && ch.Store != c.Store {
				continue
			}
			if ch.Mode == merchant.Live && !public(more.Addr()) {
				return settings.File{}, invalid("a live channel refuses private addresses, whatever its list says")
			}
			return trusting(ch, more), nil
		}
		return settings.File{}, fault.Errorf(fault.NotFound, "there is no channel %q", string(key))
	}, func(entries []member.Entry) error { return reaches(c, entries) })
}

// checkTrust reports fault.Invalid for what is not trusted as one.
func checkTrust(p netip.Prefix) error {
	widest := widest6
	if p.Addr().Is4() {
		widest = widest4
	}
	switch {
	case !p.IsValid(), p.Addr().Is4In6():
		return invalid("name an address, or a block such as 203.0.113.0/24")
	case p.Bits() < widest:
		return invalid("%s is %d bits wide, and no wider block than /%d is trusted as one address's", p, p.Bits(), widest)
	}
	return nil
}

// public reports whether an address can be one of the internet's.
func public(a netip.Addr) bool {
	return a.IsGlobalUnicast() && !a.IsPrivate() && !netip.MustParsePrefix("100.64.0.0/10").Contains(a)
}

// trusting declares a channel with another block in its list.
func trusting(c merchant.Channel, more netip.Prefix) settings.File {
	var list []string
	has := c.SendersToo
	if c.Senders != nil {
		has = *c.Senders
	} else {
		list = append(list, settings.PublishedSenders)
	}
	covered := false
	for _, p := range has {
		list = append(list, p.String())
		covered = covered || p.Bits() <= more.Bits() && p.Contains(more.Addr())
	}
	if !covered {
		list = append(list, more.String())
	}
	return settings.File{Merchants: []settings.MerchantFile{{ID: string(c.Merchant), Stores: []settings.StoreFile{{
		ID: string(c.Store), Channels: []settings.ChannelFile{{Key: string(c.Key), Senders: &list}},
	}}}}}
}
