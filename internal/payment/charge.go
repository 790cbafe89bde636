package payment

import (
	"time"

	"github.com/tongbo/tongbo/internal/fault"
)

// A Charge is what is kept of an attempt that takes money from a card or from an
// easy-pay wallet: never the card's number.
type Charge struct {
	BillingKey BillingKeyID `json:"billingKey,omitempty"` // empty: by the card's number, or by a wallet
	Wallet     Wallet       `json:"wallet,omitempty"`     // that pays; empty: a card does
	Schedule   ScheduleID   `json:"schedule,omitempty"`   // that it was made for
	Card       Card         `json:"card,omitzero"`
	Receipt    string       `json:"receipt,omitempty"` // the address of the PG's receipt
	Quiet      bool         `json:"quiet,omitempty"`   // its success is told to no endpoint
	Failure    *Failure     `json:"failure,omitempty"` // why it came to nothing
	// Presumed says that it FAILED because the PG did not know of it: the PG never
	// said no. LostAt is when its answer was lost after that.
	Presumed  bool      `json:"presumed,omitempty"`
	LostAt    time.Time `json:"lostAt,omitzero"`
	TakenBack bool      `json:"takenBack,omitempty"` // it FAILED because the PG gave all of it back
}

// A Card is a card as its PG describes it. What the PG does not tell is empty.
type Card struct {
	Number       string `json:"number,omitempty"` // masked, such as "4330-12**-****-1234"
	Issuer       string `json:"issuer,omitempty"` // 발급사
	Brand        string `json:"brand,omitempty"`  // LOCAL, VISA and so on, in PortOne's words
	Type         string `json:"type,omitempty"`   // CREDIT, DEBIT or GIFT
	Owner        string `json:"owner,omitempty"`  // PERSONAL or CORPORATE
	Approval     string `json:"approval,omitempty"`
	Months       int    `json:"months,omitempty"` // of the instalments (할부); 0: at once
	InterestFree bool   `json:"interestFree,omitempty"`
}

// A Failure is why an attempt came to nothing.
type Failure struct {
	Reason    string `json:"reason,omitempty"`
	PGCode    string `json:"pgCode,omitempty"`
	PGMessage string `json:"pgMessage,omitempty"`
}

// ErrUnderWay says that a payment takes no attempt while a charge of it has not
// ended: the buyer could pay twice.
var ErrUnderWay = fault.Errorf(fault.Conflict, "a charge of the payment is under way, or what came of it is not known yet: read the payment before you charge again")

// charging reports whether a charge has begun and not ended.
func (t Transaction) charging() bool {
	return t.Charge != nil && (t.State == Ready || t.State == PayPending)
}

func (p Payment) charging() bool {
	for _, t := range p.Transactions {
		if t.charging() {
			return true
		}
	}
	return false
}

// BeginCharge is Begin of an attempt that takes money from a card or a wallet: READY until
// ChargeDone, ChargeRefused or ChargeUnclear.
func BeginCharge(known *Payment, g Registration, c Charge, e Env) (Payment, Transaction, error) {
	p, t, err := Begin(known, g, e)
	if err != nil {
		return p, t, err
	}
	t.Charge = &c
	p.Transactions[p.Current] = t
	return p, t, nil
}

// A Taken is money that a PG took from a card or a wallet. What a wallet paid by it
// does not tell.
type Taken struct {
	PGTx    string
	Card    Card
	Receipt string
	At      time.Time // the PG's time; zero if it told none
}

// ChargeDone ends a charge that the PG made. If a notice of it was quicker, only
// what that did not tell is filled in. If the payment was paid by another attempt
// meanwhile, the buyer paid twice: that is listed for a person, and moves nothing. So
// is a charge of which the PG said before that it gave all of it back.
func (p Payment) ChargeDone(id TransactionID, x Taken, e Env) (Decision, error) {
	d := decider{p: p.clone(), before: p, e: e, r: Report{At: x.At}}
	i := d.attempt(id)
	if i < 0 || d.p.Transactions[i].Charge == nil {
		return Decision{}, errNoSuchAttempt
	}
	t := &d.p.Transactions[i]
	if t.PGTx == "" {
		t.PGTx = x.PGTx
	}
	if t.Charge.Card.Number == "" {
		t.Charge.Card = x.Card
	}
	if t.Charge.Receipt == "" {
		t.Charge.Receipt = x.Receipt
	}
	switch t.State {
	case Paid, PartiallyCancelled, Cancelled:
		return d.remembered(ReasonNone), nil
	case Failed:
		if t.Charge.TakenBack {
			return d.listed(), nil
		}
	case Ready, Issued, PayPending:
	}
	t.State, t.PaidAt, t.Charge.Failure, t.Charge.Presumed = Paid, d.at(), nil, false
	switch d.p.State {
	case Paid, PartiallyCancelled, Cancelled:
		return d.listed(), nil
	case Ready, Issued, PayPending, Failed:
	}
	d.p.show(i)
	d.p.PaidAt, d.p.Expired = d.at(), false
	return d.applied(Paid, ChangePaid, ""), nil
}

// ChargeRefused ends a charge that the PG did not make. The payment goes on with
// an account that waits, and fails if there is none.
func (p Payment) ChargeRefused(id TransactionID, why Failure, e Env) (Decision, error) {
	return p.chargeFailed(id, Charge{Failure: &why}, e)
}

// chargeFailed ends a charge by its failure, Presumed or TakenBack as how says.
func (p Payment) chargeFailed(id TransactionID, how Charge, e Env) (Decision, error) {
	d := decider{p: p.clone(), before: p, e: e}
	i := d.attempt(id)
	switch {
	case i < 0 || d.p.Transactions[i].Charge == nil:
		return Decision{}, errNoSuchAttempt
	case d.p.Transactions[i].Charge.Presumed && !how.Presumed: // now the PG says it
		d.p.Transactions[i].Charge.end(how)
		return d.remembered(ReasonNone), nil
	case !d.p.Transactions[i].charging():
		return d.recorded(ReasonNone), nil
	}
	d.p.Transactions[i].Charge.end(how)
	return d.fail(i, how.Failure.Reason), nil
}

func (c *Charge) end(how Charge) {
	c.Failure, c.Presumed, c.TakenBack = how.Failure, how.Presumed, how.TakenBack
}

// ChargeUnclear notes that the PG's answer to a charge was lost: the payment is
// pending until the PG says what came of it. That holds, too, for one that was given
// up because the PG knew nothing of it: the PG may have got it since. pgTx is the PG's
// id of it, where it is known already.
func (p Payment) ChargeUnclear(id TransactionID, pgTx string, e Env) (Decision, error) {
	d := decider{p: p.clone(), before: p, e: e}
	i := d.attempt(id)
	switch {
	case i < 0 || d.p.Transactions[i].Charge == nil:
		return Decision{}, errNoSuchAttempt
	case d.p.Transactions[i].Charge.Presumed:
		c := d.p.Transactions[i].Charge
		c.Failure, c.Presumed, c.LostAt = nil, false, e.Now
	case d.p.Transactions[i].State != Ready:
		return d.recorded(ReasonNone), nil
	}
	t := &d.p.Transactions[i]
	if t.PGTx == "" {
		t.PGTx = pgTx
	}
	t.State = PayPending
	if i == d.p.Current && (d.p.State == Ready || d.p.State == Failed) {
		return d.applied(PayPending, ChangePayPending, ""), nil
	}
	return d.remembered(ReasonNone), nil
}
