package settings

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/webhook"
)

// Methods are the ways of paying that a channel may have, by PortOne's names.
func Methods() []string { return slices.Clone(methods) }

var methods = []string{
	"CARD", "VIRTUAL_ACCOUNT", "TRANSFER", "MOBILE", "GIFT_CERTIFICATE", "EASY_PAY", "CONVENIENCE_STORE",
	"CRYPTO", "PAYPAL", "ALIPAY", "ALIPAY_PLUS",
}

// checkID reports fault.Invalid unless id is prefix and a UUID.
func checkID(prefix, id string) error {
	rest, ok := strings.CutPrefix(id, prefix)
	if !ok || len(rest) != 36 || uuid.Validate(rest) != nil {
		return invalid("%q is no id: want %s and a UUID, or leave it out to have one made", id, prefix)
	}
	return nil
}

// noSuch says that an id leads to nothing in a store. Ids of endpoints and of API
// secrets are made here, so one that is unknown cannot be meant for a new thing.
func noSuch(what, id string) error {
	return fault.Errorf(fault.NotFound, "the store has no %s with the id %q: an id names one that exists, leave it out for a new one", what, id)
}

// expiry reads when a credential expires, and what is zero for never. It reports
// fault.Invalid for anything but a time or the word "never".
func expiry(v any) (time.Time, error) {
	switch v := v.(type) {
	case time.Time:
		return v.UTC().Truncate(time.Microsecond), nil // as it is stored
	case string:
		if v == "never" {
			return time.Time{}, nil
		}
	}
	return time.Time{}, invalid("expires_at: want a time with its zone, such as 2027-01-01T00:00:00+09:00 without quotes, or \"never\"")
}

// oneOf reports fault.Invalid unless value is one of those known.
func oneOf[S ~string](field string, value S, known ...S) error {
	if slices.Contains(known, value) {
		return nil
	}
	names := make([]string, len(known))
	for i, k := range known {
		names[i] = string(k)
	}
	return invalid("%s %q is unknown: want %s", field, string(value), strings.Join(names, ", "))
}

// checkEvents reports fault.Invalid if an endpoint would wait for an event
// that never comes.
func checkEvents(list []string) error {
	if len(list) == 0 {
		return invalid("events is empty: the endpoint would hear of nothing; write [\"*\"], or paused = true")
	}
	types := append(webhook.PortOneTypes(), webhook.OwnTypes()...)
	for _, want := range list {
		if !slices.ContainsFunc(types, func(t webhook.Type) bool { return webhook.Wants([]string{want}, t) }) {
			return oneOf("event", webhook.Type(want), append([]webhook.Type{"*"}, types...)...)
		}
	}
	return nil
}

// ParseBlock reads a CIDR block, or one address, which is a block of one. It reports
// fault.Invalid for anything else; a block with host bits is an error that says what
// it would have opened.
func ParseBlock(s string) (netip.Prefix, error) {
	text := s
	if !strings.Contains(s, "/") {
		if a, err := netip.ParseAddr(s); err == nil {
			text = s + "/" + strconv.Itoa(a.BitLen())
		}
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, invalid("%q is no address block: want one such as 203.0.113.0/24 or 203.0.113.7", s)
	}
	if p.Addr().Is4In6() {
		return netip.Prefix{}, invalid("%q: write IPv4 addresses as such, without ::ffff:", s)
	}
	if p != p.Masked() {
		return netip.Prefix{}, invalid("%q would open %s (%s addresses): write that if it is meant, or %s/%d for the one address",
			s, p.Masked(), Opens(p).Count, p.Addr(), p.Addr().BitLen())
	}
	return p, nil
}

func parsePrefixes(list []string) ([]netip.Prefix, error) {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		p, err := ParseBlock(s)
		if err != nil {
			return nil, err
		}
		out[i] = p
	}
	return out, nil
}

// checkBaseURL reports fault.Invalid unless s is empty or a URL that paths can
// be put behind.
func checkBaseURL(s string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return invalid("base_url %q: want http:// or https:// and a host", s)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return invalid("base_url %q has a user name, query or fragment: want only scheme, host and path", s)
	}
	return nil
}

// schedule reads a preset's name or a list of delays.
func schedule(v any) (webhook.Schedule, error) {
	switch v := v.(type) {
	case string:
		return webhook.ParseSchedule(v)
	case []any:
		delays := make([]string, len(v))
		for i, d := range v {
			text, ok := d.(string)
			if !ok {
				return "", invalid("schedule: delay %d is not a text such as \"4m\"", i+1)
			}
			delays[i] = text
		}
		return webhook.CustomSchedule(delays)
	}
	return "", invalid("schedule: want a preset's name or a list such as [\"1m\", \"4m\"]")
}

// sharedMode is the mode that all channels of a store share. It reports
// fault.Invalid if they share none.
func (a All) sharedMode(s merchant.StoreID) (merchant.Mode, error) {
	var mode merchant.Mode
	for _, c := range a.Channels {
		switch {
		case !c.UsedBy(s), c.Mode == mode:
		case mode == "":
			mode = c.Mode
		default:
			return "", invalid("mode is left out, but the store has live and test channels: write mode = \"live\" or \"test\"")
		}
	}
	if mode == "" {
		return "", invalid("mode is left out, but the store has no channels to take it from: write mode = \"live\" or \"test\"")
	}
	return mode, nil
}

// keyMode is the mode of a new API credential.
func (a All) keyMode(mode string, s merchant.StoreID) (merchant.Mode, error) {
	if mode == "" {
		return a.sharedMode(s)
	}
	return merchant.Mode(mode), oneOf("mode", merchant.Mode(mode), merchant.Live, merchant.Test, merchant.Any)
}

// notPublic reports whether a block begins where no PG can send from.
func notPublic(p netip.Prefix) bool { return p.Addr().IsPrivate() || p.Addr().IsLoopback() }
