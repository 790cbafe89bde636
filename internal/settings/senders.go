package settings

import (
	"cmp"
	"slices"

	"github.com/tongbo/tongbo/internal/merchant"
)

// PublishedSenders stands in a channel's list of senders for the addresses that the PG publishes: alone, as
// if none had ever been given.
const PublishedSenders = "published"

func senders(ch *merchant.Channel, c *Change, f ChannelFile) error {
	if f.Senders == nil {
		return nil
	}
	given := *f.Senders
	i := slices.Index(given, PublishedSenders)
	if i >= 0 {
		given = slices.Delete(slices.Clone(given), i, i+1)
	}
	list, err := parsePrefixes(given)
	if err != nil {
		return fail("senders", err)
	}
	before := sendersText(*ch)
	if ch.Senders, ch.SendersToo = &list, nil; i >= 0 {
		ch.Senders, ch.SendersToo = nil, list
	}
	if sendersText(*ch) != before {
		c.Fields = append(c.Fields, "senders")
	}
	return nil
}

// sendersText is which senders a channel admits, as the file may have it.
func sendersText(c merchant.Channel) string {
	switch {
	case c.Senders != nil:
		return cmp.Or(listed(*c.Senders), "nobody")
	case len(c.SendersToo) == 0:
		return PublishedSenders
	}
	return PublishedSenders + ", " + listed(c.SendersToo)
}
