package store

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// A known is what a transaction knows of all that its notices may touch: read
// at the beginning for all of them together, and kept up with what is decided
// on one after the other. The payments in it are locked.
type known struct {
	claimed  map[keyIn]bool                       // messages that were decided
	deposits map[keyIn]payment.Key                // whose each deposit is
	cases    map[keyIn]string                     // the open case of a message
	elsewise map[keyIn]bool                       // orders that payments of the other mode have
	names    map[payment.MatchKey][]payment.Key   // sorted
	payments map[payment.Key]payment.Payment      // all that names lead to
	channels map[merchant.ChannelKey]channelOwner // all that may be meant
}

// A keyIn is a PG's key within a channel, as name spells it.
type keyIn struct {
	channel merchant.ChannelKey
	key     string
}

// A channelOwner is what a notice's row says of its channel.
type channelOwner struct {
	merchant merchant.ID
	store    merchant.StoreID
	mode     merchant.Mode
}

// know reads what notices may touch, apart from those that someone else is
// busy with. On PostgreSQL it locks the payments, without waiting for anyone:
// a notice whose payment is not to be had becomes busy.
func (t *tx) know(in []notice.Inbound, busy []bool) (*known, error) {
	k := &known{
		claimed: make(map[keyIn]bool), deposits: make(map[keyIn]payment.Key), cases: make(map[keyIn]string),
		elsewise: make(map[keyIn]bool), names: make(map[payment.MatchKey][]payment.Key),
		payments: make(map[payment.Key]payment.Payment), channels: make(map[merchant.ChannelKey]channelOwner),
	}
	free := make([]notice.Inbound, 0, len(in))
	for i, n := range in {
		if !busy[i] {
			free = append(free, n)
		}
	}
	if err := t.readNames(k, free); err != nil {
		return nil, err
	}
	missed, err := t.readPayments(k)
	if err != nil {
		return nil, err
	}
	for i, n := range in {
		busy[i] = busy[i] || slices.ContainsFunc(n.Keys(), func(mk payment.MatchKey) bool {
			return slices.ContainsFunc(k.names[mk], func(key payment.Key) bool { return missed[key] })
		})
	}
	return k, t.readKeys(k, free)
}

// readNames reads to which payments the names in the notices lead, and the
// version of the settings.
func (t *tx) readNames(k *known, in []notice.Inbound) error {
	var keys []payment.MatchKey
	var asked [][]string
	for _, n := range in {
		for _, mk := range n.Keys() {
			if _, ok := k.names[mk]; ok {
				continue
			}
			k.names[mk] = nil
			keys = append(keys, mk)
			asked = append(asked, []string{string(mk.Channel), string(mk.Kind), t.s.nameOf(mk)})
		}
	}
	err := t.askAll(asking{versionOf, [][]string{{""}}, func(_ int, version string) (err error) {
		t.version, err = strconv.ParseInt(version, 10, 64)
		return err
	}}, asking{namesOf, asked, func(n int, key string) error {
		k.names[keys[n]] = append(k.names[keys[n]], payment.Key(key))
		return nil
	}})
	for mk := range k.names {
		slices.Sort(k.names[mk])
	}
	return err
}

// readPayments reads the payments that the names lead to, and tells which of
// them another node has.
func (t *tx) readPayments(k *known) (missed map[payment.Key]bool, err error) {
	missed = make(map[payment.Key]bool)
	var asked [][]string
	for _, list := range k.names {
		for _, key := range list {
			if !missed[key] {
				missed[key] = true
				asked = append(asked, []string{string(key)})
			}
		}
	}
	var keys []payment.Key
	var docs [][]byte
	if err := t.ask(paymentsOf, asked, func(n int, doc []byte) error {
		keys, docs = append(keys, payment.Key(asked[n][0])), append(docs, doc)
		return nil
	}); err != nil {
		return nil, err
	}
	opened := make([]payment.Payment, len(docs))
	if err := spread(len(docs), func(i int) (err error) {
		opened[i], err = t.s.openPayment(keys[i], docs[i])
		return err
	}); err != nil {
		return nil, err
	}
	for i, key := range keys {
		k.payments[key] = opened[i]
		delete(missed, key)
	}
	return missed, nil
}

// readKeys reads which messages and deposits were decided before, which have a
// case, which orders without a payment are those of the other mode, and whose
// the channels are.
func (t *tx) readKeys(k *known, in []notice.Inbound) error {
	var messages, deposits, cases, orders []keyIn
	for _, n := range in {
		key, deposit := n.Notice.Key, n.Notice.Deposit
		if n.Notice.Event != payment.EventDeposited {
			deposit = ""
		}
		channels := n.Channels
		for _, c := range channels {
			messages, deposits = add(messages, c, key), add(deposits, c, deposit)
			order := payment.Shorten(n.Notice.Order)
			if !slices.ContainsFunc(payment.ReportKeys(c, n.Notice.Order, n.Notice.Report), func(mk payment.MatchKey) bool { return len(k.names[mk]) > 0 }) {
				orders = add(orders, c, order)
			}
		}
		if n.Ruled != nil {
			channels = append(slices.Clip(channels), n.Ruled.Channel)
		}
		for _, c := range append(slices.Clip(channels), "") {
			cases = add(cases, c, key)
		}
	}
	owners := meant(in)
	return t.askAll(
		inChannel(messagesOf, messages, func(at keyIn, _ string) { k.claimed[at] = true }),
		inChannel(depositsOf, deposits, func(at keyIn, p string) { k.deposits[at] = payment.Key(p) }),
		inChannel(casesOf, cases, func(at keyIn, id string) { k.cases[at] = id }),
		inChannel(elsewiseOf, orders, func(at keyIn, _ string) { k.elsewise[at] = true }),
		asking{channelsOf, owners, func(n int, owner string) error {
			of := strings.Split(owner, "\x1f")
			if len(of) != 3 {
				return &programError{fmt.Errorf("channel %s: its owner reads %q", owners[n][0], owner)}
			}
			k.channels[merchant.ChannelKey(owners[n][0])] = channelOwner{merchant.ID(of[0]), merchant.StoreID(of[1]), merchant.Mode(of[2])}
			return nil
		}},
	)
}

// inChannel asks about keys within channels, each once.
func inChannel(q question, keys []keyIn, answer func(keyIn, string)) asking {
	slices.SortFunc(keys, func(a, b keyIn) int {
		return cmp.Or(cmp.Compare(a.channel, b.channel), cmp.Compare(a.key, b.key))
	})
	keys = slices.Compact(keys)
	asked := make([][]string, len(keys))
	for i, at := range keys {
		asked[i] = []string{string(at.channel), at.key}
	}
	return asking{q, asked, func(n int, value string) error {
		answer(keys[n], value)
		return nil
	}}
}

func add(list []keyIn, c merchant.ChannelKey, key string) []keyIn {
	if key == "" {
		return list
	}
	return append(list, keyIn{c, name(key)})
}

// meant are the channels that notices may mean.
func meant(in []notice.Inbound) (asked [][]string) {
	var keys []string
	for _, n := range in {
		for _, c := range n.Channels {
			keys = append(keys, string(c))
		}
		if n.Ruled != nil && n.Ruled.Channel != "" {
			keys = append(keys, string(n.Ruled.Channel))
		}
	}
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		asked = append(asked, []string{key})
	}
	return asked
}

// find is what is known for a notice, in each channel that it may mean.
func (k *known) find(in notice.Inbound) []notice.Found {
	out := make([]notice.Found, 0, len(in.Channels))
	for _, c := range in.Channels {
		out = append(out, k.findIn(c, in.Notice))
	}
	return out
}

func (k *known) findIn(c merchant.ChannelKey, n notice.Notice) notice.Found {
	f := notice.Found{Channel: c, Claimed: n.Key != "" && k.claimed[keyIn{c, name(n.Key)}]}
	if n.Deposit != "" && n.Event == payment.EventDeposited {
		f.DepositOf = k.deposits[keyIn{c, name(n.Deposit)}]
	}
	for _, mk := range payment.ReportKeys(c, n.Order, n.Report) {
		if f.Payments = k.named(mk, n.Report); len(f.Payments) > 0 {
			f.By = mk.Kind
			return f
		}
	}
	f.OtherMode = n.Order != "" && k.elsewise[keyIn{c, name(payment.Shorten(n.Order))}]
	return f
}

// named are the payments that a name leads to. An account number leads only
// to payments that expect the report.
func (k *known) named(mk payment.MatchKey, r payment.Report) []payment.Payment {
	var out []payment.Payment
	for _, key := range k.names[mk] {
		p, ok := k.payments[key]
		if ok && (mk.Kind != payment.ByAccount || p.Expects(r)) {
			out = append(out, p)
		}
	}
	return out
}

// learn keeps up with a ruling.
func (k *known) learn(in notice.Inbound, r notice.Ruling) {
	if r.Claims && in.Notice.Key != "" && r.Channel != "" {
		k.claimed[keyIn{r.Channel, name(in.Notice.Key)}] = true
	}
	if r.Payment == nil {
		return
	}
	p := *r.Payment
	if id := in.Notice.Deposit; in.Notice.Event == payment.EventDeposited && id != "" && keeps(p, id) {
		k.deposits[keyIn{r.Channel, name(id)}] = p.Key
	}
	if !r.Changed && !r.Created {
		return
	}
	k.payments[p.Key] = p
	for _, mk := range p.MatchKeys() {
		if at, there := slices.BinarySearch(k.names[mk], p.Key); !there {
			k.names[mk] = slices.Insert(k.names[mk], at, p.Key)
		}
	}
}
