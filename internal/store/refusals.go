package store

import (
	"net/netip"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// What is kept of refused or unreadable notices in a day; beyond it they are
// counted.
const (
	RefusalCap      = 500       // of one address: an IPv4 address, or an IPv6 /64
	RefusedBytesCap = 256 << 20 // of all addresses together
)

// refusalLock is held by whoever counts refusals.
const refusalLock = "refusals"

// A refusal is a notice of a batch that was refused or not understood.
type refusal struct {
	place  int // in the batch
	in     notice.Inbound
	ruling notice.Ruling
}

// refuses reports whether a ruling's notice is kept only up to a cap.
func refuses(r notice.Ruling) bool {
	return r.Verdict == payment.Refused || r.Verdict == payment.Unreadable
}

// putRefusals counts the refusals of a batch and writes those that are under
// the caps. It comes last in the transaction, and waits for nobody: if another
// node counts, they are busy.
func (t *tx) putRefusals(k *known, list []refusal, results []notice.Result) error {
	if len(list) == 0 {
		return nil
	}
	missed, err := t.try([]string{refusalLock})
	if err != nil {
		return err
	}
	c := refusalCount{t: t, days: make(map[int64]*int64), peers: make(map[refusalOf]*counted)}
	for _, f := range list {
		if missed[refusalLock] {
			results[f.place] = notice.Result{ID: f.in.ID, Err: busy(f.in)}
			continue
		}
		kept, err := c.keeps(f.in)
		if err != nil {
			return err
		}
		results[f.place] = resultOf(f.in, f.ruling)
		if !kept {
			continue
		}
		if err := t.record(k, f.in, f.ruling, nil); err != nil {
			return err
		}
	}
	return c.write()
}

// A refusalOf is whose refusals are counted together.
type refusalOf struct {
	day  int64
	peer string
}

// A counted is how many refusals there were before, and how many come now.
type counted struct{ before, kept, dropped int64 }

// A refusalCount counts the refusals of one transaction.
type refusalCount struct {
	t     *tx
	days  map[int64]*int64 // bytes kept
	peers map[refusalOf]*counted
}

// keeps counts a refusal and reports whether its bytes are kept.
func (c *refusalCount) keeps(in notice.Inbound) (bool, error) {
	day := in.At.UTC().Unix() / 86400
	size, ok := c.days[day]
	if !ok {
		size = new(int64)
		if _, err := c.t.has(`select bytes from refusal_day where day = $1`, []any{day}, size); err != nil {
			return false, err
		}
		c.days[day] = size
	}
	of := refusalOf{day, neighbourhood(in.Peer)}
	n, ok := c.peers[of]
	if !ok {
		n = new(counted)
		if _, err := c.t.has(`select kept from refusal where day = $1 and peer = $2`, []any{day, of.peer}, &n.before); err != nil {
			return false, err
		}
		c.peers[of] = n
	}
	if n.before+n.kept >= RefusalCap || *size+weight(in) > RefusedBytesCap {
		n.dropped++
		return false, nil
	}
	n.kept++
	*size += weight(in)
	return true, nil
}

func (c *refusalCount) write() error {
	for day, bytes := range c.days {
		if err := c.t.must(`insert into refusal_day (day, bytes) values ($1, $2)
			on conflict (day) do update set bytes = excluded.bytes`, day, *bytes); err != nil {
			return err
		}
	}
	for of, n := range c.peers {
		if err := c.t.must(`insert into refusal (day, peer, kept, dropped) values ($1, $2, $3, $4)
			on conflict (day, peer) do update set kept = refusal.kept + excluded.kept, dropped = refusal.dropped + excluded.dropped`,
			of.day, of.peer, n.kept, n.dropped); err != nil {
			return err
		}
	}
	return nil
}

// neighbourhood is what one sender can freely choose its address from: with
// IPv6 a whole /64.
func neighbourhood(a netip.Addr) string {
	a = a.Unmap()
	if !a.Is6() {
		return a.String()
	}
	return netip.PrefixFrom(a.WithZone(""), 64).Masked().String()
}

// weight is about how many bytes a request takes in the database.
func weight(in notice.Inbound) int64 {
	n := len(in.Request.Method) + len(in.Request.Path) + len(in.Request.Query) + len(in.Request.Body)
	for k, values := range in.Request.Header {
		for _, v := range values {
			n += len(k) + len(v)
		}
	}
	return int64(n)
}
