package store

import (
	"errors"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

// doubt finds out what is wrong where sums and accounts say that something is.
func (v *verifier) doubt() error {
	if err := v.sweep(v.sums.doubts(v.floors)); err != nil {
		return err
	}
	if !v.payers.allEven() {
		if !v.known.over && v.whole() { // if not, it was said before
			if err := v.sweep(unbalanced); err != nil {
				return err
			}
		}
		if err := v.groups(walked{name: "payment", columns: []string{keyText}}, "key", v.payers, v.doubtPayments); err != nil {
			return err
		}
	}
	if v.bringers.allEven() {
		return nil
	}
	return v.groups(walked{name: "notice", columns: []string{"cast(id as text)"}, where: `verdict = '` + string(payment.Applied) +
		`' and event = '` + string(payment.EventDeposited) + `'`}, "id", v.bringers, v.doubtNotices)
}

// unbalanced are rules for what was entered in accounts of no payment.
var unbalanced = []rule{
	{ProblemEvent, noPaymentOfEvent, `select e.id from event e left join payment p on p.key = e.payment_key
		where e.type = '` + string(webhook.Paid) + `' and e.payment_key is not null and p.key is null`, nil},
	{ProblemDeposit, noPaymentOfDeposit, `select d.payment_key from deposit d left join payment p on p.key = d.payment_key
		where p.key is null`, nil},
}

// errFull ends a scan.
var errFull = errors.New("there is room for no more")

// groups calls look with the ids, as text, of what has an uneven account.
func (v *verifier) groups(t walked, id string, l *ledger, look func(ids []string) error) error {
	where := t.where
	if where != "" {
		where = ` and ` + where
	}
	for after, more := firstID, true; more; {
		var group []string
		t.where = id + ` > '` + after + `'` + where + ` order by ` + id
		err := v.scan(t, func(f [][]byte) error {
			if l.even(f[0]) {
				return nil
			}
			if len(group) == v.bounds.group {
				return errFull
			}
			group = append(group, string(f[0]))
			return nil
		})
		if more = errors.Is(err, errFull); err != nil && !more {
			return err
		}
		if len(group) == 0 {
			return nil
		}
		after = group[len(group)-1]
		if err := look(group); err != nil {
			return err
		}
	}
	return nil
}

// A payer is what others say of a payment.
type payer struct {
	notes []keyIn // deposits that are noted as its own
	told  int64   // how often it was told that the payment is paid
}

// doubtPayments holds payments against their deposits and events, one by one.
func (v *verifier) doubtPayments(keys []string) error {
	payers := make(map[string]*payer, len(keys))
	for _, k := range keys {
		payers[k] = new(payer)
	}
	if err := v.scan(deposits, func(f [][]byte) error {
		if p := payers[string(f[0])]; p != nil {
			p.notes = append(p.notes, keyIn{merchant.ChannelKey(f[2]), string(f[3])})
		}
		return nil
	}); err != nil {
		return err
	}
	if err := v.scan(walked{name: "event", columns: []string{payerText}, where: `type = '` + string(webhook.Paid) + `'`}, func(f [][]byte) error {
		if p := payers[string(f[0])]; p != nil {
			p.told++
		}
		return nil
	}); err != nil {
		return err
	}
	for _, k := range keys {
		var doc []byte
		if err := v.q.QueryRowContext(v.ctx, `select doc from payment where key = $1`, k).Scan(&doc); err != nil {
			return err
		}
		if p, err := v.r.openSummary(payment.Key(k), doc); err == nil { // if not, it was said before
			v.payer(k, p, payers[k])
		}
	}
	return nil
}

// payer checks that each deposit of a payment with an id is noted as its own,
// that what is noted is among its deposits, and that each time it was paid was
// told.
func (v *verifier) payer(key string, p summary, by *payer) {
	noted := make(map[keyIn]bool, len(by.notes))
	for _, n := range by.notes {
		noted[n] = true
	}
	came := make(map[string]bool, len(p.deposits))
	for _, d := range p.deposits {
		if !d.foretold {
			came[name(d.key)], came[name(d.number)] = true, true
		}
	}
	for _, at := range p.named() {
		if !noted[at] {
			v.problem(ProblemDeposit, key, "a deposit of the payment is not noted as its own")
		}
	}
	for _, n := range by.notes {
		if !came[n.key] {
			v.problem(ProblemDeposit, key, "a deposit is noted for the payment, which does not know it")
		}
	}
	if paid := p.timesPaid(); by.told > paid || by.told < paid && key >= v.floors.sure("event") {
		v.problem(ProblemEvent, key, "the payment was paid %d times, and told %d times", paid, by.told)
	}
}

// doubtNotices checks that what notices applied is noted, one by one.
func (v *verifier) doubtNotices(ids []string) error {
	for _, id := range ids {
		var sealed []byte
		var key string
		// Index: notice_pkey, notice_body_pkey.
		if err := v.q.QueryRowContext(v.ctx, `select coalesce(b.request, $2), coalesce(cast(n.payment_key as text), '')
			from notice n left join notice_body b on b.id = n.id where n.id = $1`, id, []byte{}).Scan(&sealed, &key); err != nil {
			return err
		}
		deposit, err := v.r.openSaid(id, sealed)
		if err != nil || deposit == "" || key == "" {
			continue // it was said before, or there is nothing to say
		}
		if err := v.moved(id, key, deposit); err != nil {
			return err
		}
	}
	return nil
}
