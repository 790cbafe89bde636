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

	sealed []sealedPayment // of payments, until all is read
}

// A sealedPayment is a payment as it came from the database.
type sealedPayment struct {
	key payment.Key
	doc []byte
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

// know reads what notices may touch, and tells which of them someone else is
// busy with. On PostgreSQL it locks their names and payments, without waiting for
// anyone. All of that is one round trip, in which each statement sees what was
// committed before it began: so nothing is read that is not locked yet. What is
// read and locked for a busy notice is of no use, and does no harm.
func (t *tx) know(in []notice.Inbound) (k *known, busy []bool, err error) {
	k = &known{
		claimed: make(map[keyIn]bool), deposits: make(map[keyIn]payment.Key), cases: make(map[keyIn]string),
		elsewise: make(map[keyIn]bool), names: make(map[payment.MatchKey][]payment.Key),
		payments: make(map[payment.Key]payment.Payment), channels: make(map[merchant.ChannelKey]channelOwner),
	}
	missed := make(map[string]bool)
	if err := t.take(in, missed); err != nil {
		return nil, nil, err
	}
	if err := t.readNamed(k, in); err != nil {
		return nil, nil, err
	}
	if err := t.readKeys(k, in); err != nil {
		return nil, nil, err
	}
	if err := t.send(); err != nil {
		return nil, nil, err
	}
	if err := t.open(k); err != nil {
		return nil, nil, err
	}
	for mk := range k.names {
		slices.Sort(k.names[mk])
	}
	busy = make([]bool, len(in))
	free := make([]notice.Inbound, 0, len(in))
	for i, n := range in {
		busy[i] = slices.ContainsFunc(locksOf(n), func(key string) bool { return missed[name(key)] }) || k.lacks(n)
		if !busy[i] {
			free = append(free, n)
		}
	}
	return k, busy, t.readElsewise(k, free)
}

// open opens the payments that were read.
func (t *tx) open(k *known) error {
	opened := make([]payment.Payment, len(k.sealed))
	if err := spread(len(k.sealed), func(i int) (err error) {
		opened[i], err = t.s.openPayment(k.sealed[i].key, k.sealed[i].doc)
		return err
	}); err != nil {
		return err
	}
	for i, p := range k.sealed {
		k.payments[p.key] = opened[i]
	}
	k.sealed = nil
	return nil
}

// lacks reports whether a payment to which a notice's names lead was not to be
// had.
func (k *known) lacks(n notice.Inbound) bool {
	return slices.ContainsFunc(n.Keys(), func(mk payment.MatchKey) bool {
		return slices.ContainsFunc(k.names[mk], func(key payment.Key) bool {
			_, ok := k.payments[key]
			return !ok
		})
	})
}

// readNamed reads to which payments the names in the notices lead, and those
// payments.
func (t *tx) readNamed(k *known, in []notice.Inbound) error {
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
	if len(asked) == 0 {
		return nil
	}
	read := func(key payment.Key, doc []byte) { k.sealed = append(k.sealed, sealedPayment{key, doc}) }
	if t.d.postgres {
		return t.soon(namedPayments, columnsOf(asked), func(rows rowSet) error {
			var n int
			var key payment.Key
			var doc []byte
			if err := rows.Scan(&n, &key, &doc); err != nil {
				return err
			}
			if n == 0 {
				read(key, doc)
				return nil
			}
			k.names[keys[n-1]] = append(k.names[keys[n-1]], key)
			return nil
		})
	}
	var found [][]string
	if err := t.ask(namesOf, asked, func(n int, key []byte) error {
		k.names[keys[n]] = append(k.names[keys[n]], payment.Key(key))
		found = append(found, []string{string(key)})
		return nil
	}); err != nil {
		return err
	}
	slices.SortFunc(found, slices.Compare)
	found = slices.CompactFunc(found, slices.Equal)
	return t.ask(paymentsOf, found, func(n int, doc []byte) error {
		read(payment.Key(found[n][0]), doc)
		return nil
	})
}

// readKeys reads which messages and deposits were decided before, which have a
// case, whose the channels are, and the version of the settings.
func (t *tx) readKeys(k *known, in []notice.Inbound) error {
	var messages, deposits, cases []keyIn
	for _, n := range in {
		key, deposit := n.Notice.Key, n.Notice.Deposit
		if n.Notice.Event != payment.EventDeposited {
			deposit = ""
		}
		channels := n.Channels
		for _, c := range channels {
			messages, deposits = add(messages, c, key), add(deposits, c, deposit)
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
		asking{versionOf, [][]string{{""}}, func(_ int, version string) (err error) {
			t.version, err = strconv.ParseInt(version, 10, 64)
			return err
		}},
		inChannel(messagesOf, messages, func(at keyIn, _ string) { k.claimed[at] = true }),
		inChannel(depositsOf, deposits, func(at keyIn, p string) { k.deposits[at] = payment.Key(p) }),
		inChannel(casesOf, cases, func(at keyIn, id string) { k.cases[at] = id }),
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

// readElsewise reads which orders without a payment are those of the other mode.
func (t *tx) readElsewise(k *known, in []notice.Inbound) error {
	var orders []keyIn
	for _, n := range in {
		for _, c := range n.Channels {
			if !slices.ContainsFunc(payment.ReportKeys(c, n.Notice.Order, n.Notice.Report), func(mk payment.MatchKey) bool { return len(k.names[mk]) > 0 }) {
				orders = add(orders, c, payment.Shorten(n.Notice.Order))
			}
		}
	}
	if err := t.askAll(inChannel(elsewiseOf, orders, func(at keyIn, _ string) { k.elsewise[at] = true })); err != nil {
		return err
	}
	return t.send()
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
