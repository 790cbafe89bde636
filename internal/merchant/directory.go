package merchant

import (
	"iter"
	"maps"
)

// A Directory is every store and channel of the installation at one moment,
// indexed for the notice path. It is a value: once built it never changes and
// is safe for concurrent use.
type Directory struct {
	stores   map[StoreID]Store
	byKey    map[ChannelKey]Channel
	byMID    map[providerMID][]ChannelKey
	byModule map[string][]ChannelKey
	rep      map[ID]Store
	shut     map[providerMID]ChannelKey // disabled channels
}

type providerMID struct{ provider, mid string }

// NewDirectory indexes stores and channels. Disabled channels are left out.
func NewDirectory(stores []Store, channels []Channel) Directory {
	d := Directory{
		stores:   make(map[StoreID]Store, len(stores)),
		byKey:    make(map[ChannelKey]Channel, len(channels)),
		byMID:    make(map[providerMID][]ChannelKey, len(channels)),
		byModule: make(map[string][]ChannelKey),
		rep:      make(map[ID]Store),
		shut:     make(map[providerMID]ChannelKey),
	}
	for _, s := range stores {
		d.stores[s.ID] = s
		if s.Representative {
			d.rep[s.Merchant] = s
		}
	}
	for _, c := range channels {
		if c.Disabled {
			d.shut[providerMID{c.Provider, c.MID}] = c.Key
			continue
		}
		d.byKey[c.Key] = c
		at := providerMID{c.Provider, c.MID}
		d.byMID[at] = append(d.byMID[at], c.Key)
		d.byModule[c.Provider] = append(d.byModule[c.Provider], c.Key)
	}
	return d
}

// Store returns the store with the id.
func (d Directory) Store(id StoreID) (Store, bool) { s, ok := d.stores[id]; return s, ok }

// Channel returns the channel with the key.
func (d Directory) Channel(key ChannelKey) (Channel, bool) { c, ok := d.byKey[key]; return c, ok }

// Channels goes through the channels that are in use, in no order.
func (d Directory) Channels() iter.Seq2[ChannelKey, Channel] { return maps.All(d.byKey) }

// ByMID returns the channels of a provider module with that merchant id. More
// than one is normal for published test ids, which are everybody's.
func (d Directory) ByMID(provider, mid string) []ChannelKey {
	return d.byMID[providerMID{provider, mid}]
}

// Shut reports whether a disabled channel has that merchant id.
func (d Directory) Shut(provider, mid string) bool {
	_, ok := d.shut[providerMID{provider, mid}]
	return ok
}

// ByProvider returns every channel of a provider module.
func (d Directory) ByProvider(provider string) []ChannelKey { return d.byModule[provider] }

// Representative returns the representative store of a merchant.
func (d Directory) Representative(m ID) (Store, bool) {
	s, ok := d.rep[m]
	return s, ok
}
