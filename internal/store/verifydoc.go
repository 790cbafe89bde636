package store

import (
	"bytes"
	"strconv"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// A summary is what Verify looks at in a payment. Reading it alone takes a
// tenth of the time that the whole payment does.
type summary struct {
	key, store, id, state string
	amount                int64
	paid                  bool // it has a time at which it was paid
	unlimited             bool // its account takes any number of deposits
	deposits              []keptDeposit
}

// A keptDeposit is a deposit within a summary.
type keptDeposit struct {
	key                        string
	number                     string              // that a person gave, of one entered by hand
	channel                    merchant.ChannelKey // of its attempt
	applied, counted, foretold bool
}

// summaryOf is the summary of a payment.
func summaryOf(p payment.Payment) summary {
	t, ok := p.Transaction()
	s := summary{
		key: string(p.Key), store: string(p.Store), id: string(p.ID), state: string(p.State), amount: p.Amount.Amount,
		paid: !p.PaidAt.IsZero(), unlimited: ok && t.Account != nil && t.Account.Type == payment.FixedUnlimited,
	}
	channels := make(map[payment.TransactionID]merchant.ChannelKey)
	for _, t := range p.Transactions {
		channels[t.ID] = t.Channel
	}
	for _, d := range p.Deposits {
		k := keptDepositOf(d)
		k.channel = channels[d.Transaction]
		s.deposits = append(s.deposits, k)
	}
	return s
}

// openSummary opens a sealed payment as far as Verify needs it.
func (r *Reader) openSummary(k payment.Key, sealed []byte) (summary, error) {
	b, err := r.key.Open(sealed, docContext(k))
	if err != nil {
		return summary{}, err
	}
	if s, ok := readSummary(b); ok {
		return s, nil
	}
	p, err := r.openPayment(k, sealed)
	return summaryOf(p), err
}

// readSummary reads a payment's summary out of a document that sealPayment
// wrote. It gives up at whatever is not written plainly.
func readSummary(b []byte) (s summary, ok bool) {
	r := &summaryReader{walk: walk{b: b}, current: -1}
	r.object(func(name []byte) {
		if string(name) != "payment" {
			r.skip()
			return
		}
		r.object(r.payment)
	})
	for i, attempt := range r.of {
		for _, a := range r.attempts {
			if a.id == attempt {
				r.s.deposits[i].channel = a.channel
			}
		}
	}
	r.s.unlimited = r.current >= 0 && r.current < int64(len(r.attempts)) && r.attempts[r.current].unlimited
	return r.s, !r.odd && r.at == len(b) && r.s.key != ""
}

// A summaryReader reads a summary.
type summaryReader struct {
	walk
	s        summary
	attempts []attempt
	current  int64    // of attempts
	of       []string // the attempt of each deposit
}

// An attempt is what a summary needs of a transaction.
type attempt struct {
	id        string
	channel   merchant.ChannelKey
	unlimited bool
}

func (r *summaryReader) payment(name []byte) {
	switch string(name) {
	case "key":
		r.s.key = r.text()
	case "store":
		r.s.store = r.text()
	case "id":
		r.s.id = r.text()
	case "state":
		r.s.state = r.text()
	case "amount":
		r.object(func(name []byte) {
			if string(name) == "amount" {
				r.s.amount = r.number()
				return
			}
			r.skip()
		})
	case "paidAt":
		r.s.paid = r.text() != ""
	case "current":
		r.current = r.number()
	case "transactions":
		r.array(r.attempt)
	case "deposits":
		r.array(r.deposit)
	default:
		r.skip()
	}
}

func (r *summaryReader) attempt() {
	var a attempt
	r.object(func(name []byte) {
		switch string(name) {
		case "id":
			a.id = r.text()
		case "channel":
			a.channel = merchant.ChannelKey(r.text())
		case "account":
			r.object(func(name []byte) {
				if string(name) == "type" {
					a.unlimited = r.text() == string(payment.FixedUnlimited)
					return
				}
				r.skip()
			})
		default:
			r.skip()
		}
	})
	r.attempts = append(r.attempts, a)
}

func (r *summaryReader) deposit() {
	var d payment.Deposit
	r.object(func(name []byte) {
		switch string(name) {
		case "key":
			d.Key = r.text()
		case "state":
			d.State = payment.DepositState(r.text())
		case "transaction":
			d.Transaction = payment.TransactionID(r.text())
		case "byHand":
			d.ByHand = new(payment.HandDeposit)
			r.object(func(name []byte) {
				if string(name) == "number" {
					d.ByHand.Number = r.text()
					return
				}
				r.skip()
			})
		default:
			r.skip()
		}
	})
	r.s.deposits = append(r.s.deposits, keptDepositOf(d))
	r.of = append(r.of, string(d.Transaction))
}

func keptDepositOf(d payment.Deposit) keptDeposit {
	k := keptDeposit{key: d.Key, applied: d.State == payment.DepositApplied, counted: d.Counted(), foretold: d.State == payment.DepositForetold}
	if d.ByHand != nil {
		k.number = d.ByHand.Number
	}
	return k
}

// A walk goes through JSON that encoding/json wrote, without looking at what
// it passes over. At anything else it becomes odd, and what it read is void.
type walk struct {
	b   []byte
	at  int
	odd bool
}

// object calls field with each name; field takes the value.
func (w *walk) object(field func(name []byte)) {
	if !w.take('{') || w.try('}') {
		return
	}
	for !w.odd {
		name := w.plain()
		if !w.take(':') {
			return
		}
		field(name)
		if !w.try(',') {
			w.take('}')
			return
		}
	}
}

// array calls element at each element, which takes it.
func (w *walk) array(element func()) {
	if bytes.HasPrefix(w.b[w.at:], []byte("null")) {
		w.at += len("null")
		return
	}
	if !w.take('[') || w.try(']') {
		return
	}
	for !w.odd {
		element()
		if !w.try(',') {
			w.take(']')
			return
		}
	}
}

func (w *walk) text() string { return string(w.plain()) }

// plain takes a string that has no escapes.
func (w *walk) plain() []byte {
	if !w.take('"') {
		return nil
	}
	n := bytes.IndexByte(w.b[w.at:], '"')
	if n < 0 {
		w.odd = true
		return nil
	}
	s := w.b[w.at : w.at+n]
	w.at += n + 1
	w.odd = bytes.IndexByte(s, '\\') >= 0
	return s
}

func (w *walk) number() int64 {
	from := w.at
	for w.at < len(w.b) && (w.b[w.at] == '-' || w.b[w.at] >= '0' && w.b[w.at] <= '9') {
		w.at++
	}
	n, err := strconv.ParseInt(string(w.b[from:w.at]), 10, 64)
	w.odd = w.odd || err != nil
	return n
}

// skip passes over a value of any kind.
func (w *walk) skip() {
	depth := 0
	for w.at < len(w.b) {
		switch c := w.b[w.at]; c {
		case '"':
			w.skipText()
			if depth == 0 {
				return
			}
			continue
		case '{', '[':
			depth++
		case '}', ']', ',':
			if depth == 0 {
				return
			}
			if c != ',' {
				depth--
				if depth == 0 {
					w.at++
					return
				}
			}
		}
		w.at++
	}
	w.odd = true
}

func (w *walk) skipText() {
	for w.at++; w.at < len(w.b); w.at++ {
		n := bytes.IndexByte(w.b[w.at:], '"')
		if n < 0 {
			break
		}
		w.at += n
		slashes := 0
		for i := w.at - 1; w.b[i] == '\\'; i-- {
			slashes++
		}
		if slashes%2 == 0 {
			w.at++
			return
		}
	}
	w.odd = true
}

func (w *walk) take(c byte) bool {
	if !w.try(c) {
		w.odd = true
	}
	return !w.odd
}

func (w *walk) try(c byte) bool {
	if w.odd || w.at >= len(w.b) || w.b[w.at] != c {
		return false
	}
	w.at++
	return true
}

// openSaid opens a notice's sealed request as far as Verify needs it: what
// stands last in it.
func (r *Reader) openSaid(id string, sealed []byte) (deposit string, err error) {
	b, err := r.key.Open(sealed, "notice_body/"+id)
	if err != nil {
		return "", err
	}
	if at := bytes.LastIndex(b, []byte(`,"said":{`)); at >= 0 {
		w := &walk{b: b, at: at + len(`,"said":`)}
		w.object(func(name []byte) {
			if string(name) == "deposit" {
				deposit = w.text()
				return
			}
			w.skip()
		})
		if w.take('}') && w.at == len(b) {
			return deposit, nil
		}
	}
	k, err := r.openRequest(notice.ID(id), sealed)
	return k.Said.Deposit, err
}
