package store

import (
	"errors"
	"slices"
	"strconv"

	"github.com/tongbo/tongbo/internal/payment"
)

// Keys of payments are read as text everywhere, since their sealed forms hold
// them as that.
const (
	keyText   = "cast(key as text)"
	payerText = "cast(payment_key as text)"
)

// know learns the keys of all payments, unless they are too many.
func (v *verifier) know() error {
	// Index: payment_pkey, alone.
	err := v.scan(walked{name: "payment", columns: []string{keyText}, paged: "key"}, func(f [][]byte) error {
		if v.known.n == v.bounds.known {
			return errFull
		}
		v.known.add(f[0])
		return nil
	})
	if errors.Is(err, errFull) {
		v.known.over, err = true, nil
	}
	if err == nil {
		close(v.known.ready)
	}
	return err
}

// knowing is a pass that begins once the keys of payments are known.
func knowing(pass func(*verifier) error) func(*verifier) error {
	return func(v *verifier) error {
		select {
		case <-v.known.ready:
			return pass(v)
		case <-v.ctx.Done():
			return v.ctx.Err()
		}
	}
}

// exists reports whether there is a payment, and that there is if nobody knows:
// then rules find out.
func (v *verifier) exists(key []byte) bool { return v.known.over || v.known.has(key) }

// whole reports whether no payment was ever pruned. Then all that is entered in a
// payment's account must be balanced by a payment, so nobody need ask first
// whether there is one.
func (v *verifier) whole() bool { return v.floors.of("payment") == firstID }

// A paymentRow is a payment as it is kept.
type paymentRow struct {
	key, state, amount []byte
	place              []byte // its store and its id
	doc                []byte
}

// payments checks each payment against its columns, and enters its deposits and
// how often it was paid in its account.
func (v *verifier) payments() error {
	var batch []paymentRow
	t := walked{name: "payment", columns: []string{keyText, "state", "amount", "store_id", "id"}, blob: "doc"}
	if err := v.scan(t, func(f [][]byte) error {
		all := slices.Concat(f[0], f[1], f[2], f[3], []byte{nextColumn}, f[4], f[5])
		take := func(n int) (b []byte) {
			b, all = all[:n:n], all[n:]
			return b
		}
		batch = append(batch, paymentRow{
			key: take(len(f[0])), state: take(len(f[1])), amount: take(len(f[2])), place: take(len(f[3]) + 1 + len(f[4])), doc: take(len(f[5])),
		})
		v.checked.Payments++
		return full(v, &batch, v.payment)
	}); err != nil {
		return err
	}
	return rest(v, batch, v.payment)
}

// payment opens a payment, and enters it.
func (v *verifier) payment(row *paymentRow) (later func() error) {
	key := string(row.key)
	p, err := v.r.openSummary(payment.Key(key), row.doc)
	if err != nil {
		v.problem(ProblemSealed, key, "the payment cannot be opened with this key")
		return nil
	}
	if p.state != string(row.state) || strconv.FormatInt(p.amount, 10) != string(row.amount) || p.store+string(rune(nextColumn))+p.id != string(row.place) || p.key != key {
		v.problem(ProblemPayment, key, "the payment's columns say %s of %s, its sealed form %s of %d", row.state, row.amount, p.state, p.amount)
	}
	v.once(p)
	if key >= v.floors.sure("event") {
		v.payers.add(-p.timesPaid(), row.key, row.key)
	}
	for _, d := range p.named() {
		v.payers.add(-1, row.key, noted(p.key, string(d.channel), d.key))
	}
	return nil
}

// named are the names that the deposits of a payment are noted by: the PG's, and of those
// entered by hand the person's, too.
func (p summary) named() []keyIn {
	out := make([]keyIn, 0, len(p.deposits))
	for _, d := range p.deposits {
		for _, id := range []string{d.key, d.number} {
			at := keyIn{d.channel, name(id)}
			if d.counted && id != "" && !slices.Contains(out, at) {
				out = append(out, at)
			}
		}
	}
	return out
}

// noted is the entry of a deposit in its payment's account.
func noted(payment, channel, key string) []byte {
	return []byte(payment + channel + string(rune(nextColumn)) + key)
}

// timesPaid is how often a payment was paid.
func (p summary) timesPaid() (n int64) {
	for _, d := range p.deposits {
		if d.counted {
			n++
		}
	}
	if n == 0 && p.paid {
		return 1 // by another method
	}
	return n
}

// once checks that a payment keeps no deposit twice, and counts one at most.
func (v *verifier) once(p summary) {
	applied := 0
	for i, d := range p.deposits {
		if d.counted && d.applied {
			applied++
		}
		if d.key != "" && slices.ContainsFunc(p.deposits[:i], func(before keptDeposit) bool { return before.key == d.key }) {
			v.problem(ProblemDeposit, p.key, "the payment keeps a deposit twice")
		}
	}
	if applied > 1 && !p.unlimited {
		v.problem(ProblemDeposit, p.key, "%d deposits count for the payment", applied)
	}
}

// deposits are what payments and notices are held against: a channel and a key may
// hold anything.
var deposits = walked{name: "deposit", columns: []string{payerText, "cast(notice_id as text)", "channel_key", "key"}}

// readable is from which notice on each can be read whole: of those before, bodies
// or rows were pruned, so they do not come out even with the deposits they brought.
func (v *verifier) readable() string { return max(v.floors.of("notice"), v.floors.of("notice_body")) }

// deposits enters those that are noted in the accounts of their payments and
// notices.
func (v *verifier) deposits() error {
	sure, since := v.floors.sure("payment"), v.readable()
	t := deposits
	if v.known.over && v.floors.of("payment") != firstID {
		t.where = `exists (select 1 from payment p where p.key = payment_key)` // Index: payment_pkey
	}
	return v.scan(t, func(f [][]byte) error {
		v.checked.Deposits++
		switch exists := v.whole() || v.exists(f[0]); {
		case exists:
			v.payers.add(1, f[0], noted(string(f[0]), string(f[2]), string(f[3])))
		case string(f[0]) >= sure:
			v.problem(ProblemDeposit, string(f[0]), noPaymentOfDeposit)
		}
		if string(f[1]) >= since {
			v.bringers.add(1, f[1], brought(string(f[0]), string(f[3])))
		}
		return nil
	})
}

// names checks that every name leads to a payment.
func (v *verifier) names() error {
	if v.known.over {
		return nil
	}
	missing := newIDSet()
	return v.scan(walked{name: "match_key", columns: []string{payerText}}, func(f [][]byte) error {
		if !v.known.has(f[0]) && !missing.has(f[0]) {
			missing.add(f[0])
			v.problem(ProblemName, string(f[0]), noPaymentOfName)
		}
		return nil
	})
}
