package trial

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
)

var (
	_ provider.Charger   = PG{}
	_ provider.KeyIssuer = PG{}
)

// A testCard is a card of which the PG that is played here knows how it ends. Its
// number is published (docs/api.md): no other is taken, least of all a real one's.
type testCard struct {
	Number string
	Card   payment.Card
	fate
	AtOnce bool // no billing key is issued for it either
}

// A fate is how a charge ends.
type fate struct {
	// Code and Message are the no of whoever pays, such as a card's issuer; empty: it is
	// approved.
	Code, Message string
	Lost          bool // the PG's answer is lost
	Nothing       bool // and it never heard of the charge
}

// What the PG that is played here declines charges by.
const (
	codeDeclined = "TRIAL_CARD_DECLINED"
	codeLimit    = "TRIAL_INSUFFICIENT_FUNDS"
	codeStolen   = "TRIAL_STOLEN_CARD"
	codeExpired  = "TRIAL_EXPIRED_CARD"
	codeNoCard   = "TRIAL_UNKNOWN_CARD"
	codeNoKey    = "TRIAL_UNKNOWN_BILLING_KEY"
	codeOther    = "TRIAL_OTHER_CHARGE"
)

// Cards lists the numbers of the cards that the PG takes.
func Cards() []string {
	var out []string
	for _, c := range testCards {
		out = append(out, c.Number)
	}
	return out
}

// testCards are all there are. The first of those that are declined are numbers that
// many PGs use for the same.
var testCards = []testCard{
	{Number: "4242424242424242", Card: card("신한카드", "VISA", "CREDIT", "PERSONAL")},
	{Number: "5555555555554444", Card: card("국민카드", "MASTER", "DEBIT", "PERSONAL")},
	{Number: "9490123400000004", Card: card("비씨카드", "LOCAL", "CREDIT", "CORPORATE")},
	{Number: "4000000000000002", Card: card("신한카드", "VISA", "CREDIT", "PERSONAL"), fate: fate{Code: codeDeclined, Message: "거래거절"}, AtOnce: true},
	{Number: "4000000000009995", Card: card("신한카드", "VISA", "CREDIT", "PERSONAL"), fate: fate{Code: codeLimit, Message: "한도초과"}},
	{Number: "4000000000009979", Card: card("신한카드", "VISA", "CREDIT", "PERSONAL"), fate: fate{Code: codeStolen, Message: "도난카드"}},
	{Number: "4000000000000069", Card: card("신한카드", "VISA", "CREDIT", "PERSONAL"), fate: fate{Code: codeExpired, Message: "유효기간 만료"}},
	{Number: "4000000000001117", Card: card("신한카드", "VISA", "CREDIT", "PERSONAL"), fate: fate{Lost: true}},
	{Number: "4000000000002222", Card: card("신한카드", "VISA", "CREDIT", "PERSONAL"), fate: fate{Lost: true, Code: codeDeclined, Message: "거래거절"}},
	{Number: "4000000000003337", Card: card("신한카드", "VISA", "CREDIT", "PERSONAL"), fate: fate{Lost: true, Nothing: true}},
}

func card(issuer, brand, kind, owner string) payment.Card {
	return payment.Card{Issuer: issuer, Brand: brand, Type: kind, Owner: owner}
}

// describe is the card as PGs describe it.
func (c testCard) describe() payment.Card {
	out := c.Card
	out.Number = c.Number[:4] + "-" + c.Number[4:6] + "**-****-" + c.end()
	return out
}

// end tells the card from all others of the table.
func (c testCard) end() string { return c.Number[12:] }

func cardOf(number string) (testCard, error) {
	for _, c := range testCards {
		if c.Number == number {
			return c, nil
		}
	}
	return testCard{}, declined(codeNoCard, "the PG that is played here knows no such card: take a number from its table of test cards")
}

// A keptKey is a billing key in the books.
type keptKey struct {
	Card    string `json:"card"` // the last digits of its number: all are of the table
	Deleted bool   `json:"deleted,omitempty"`
}

// keyID is under what the books have a billing key.
func keyID(key string) string { return "billing-key/" + key }

// key changes a billing key in the books.
func (g PG) key(ctx context.Context, a provider.Access, key string, change func(*keptKey) error) (keptKey, error) {
	var out keptKey
	err := g.Ledger.Trial(ctx, a.Channel.Key, keyID(key), a.Now, func(known []byte) ([]byte, error) {
		out = keptKey{}
		if known != nil {
			if err := json.Unmarshal(known, &out); err != nil {
				return nil, fault.Errorf(fault.Internal, "the books of a billing key: %w", err)
			}
		}
		switch err := change(&out); {
		case errors.Is(err, errKept):
			return nil, nil
		case err != nil:
			return nil, err
		}
		return json.Marshal(out)
	})
	return out, err
}

// CheckCharge refuses what no Korean PG takes, and what the wallet whose PG is played does
// not.
func (g PG) CheckCharge(_ merchant.Channel, c provider.Charge) error {
	if c.Wallet != nil {
		return g.Info().TakesWallet(c.Wallet.Name, c.Amount.Currency)
	}
	switch i := g.Info(); {
	case i.Wallet != nil:
		return fault.Errorf(fault.Unsupported, "%s takes neither cards nor billing keys", i.Name.EN)
	case c.Amount.Currency != payment.KRW:
		return fault.Errorf(fault.Unsupported, "cards are charged in KRW only")
	}
	return nil
}

// Charge charges a test card, as its number says, or a wallet, as its ending does. The same
// Key gets the same answer.
func (g PG) Charge(ctx context.Context, a provider.Access, c provider.Charge) (provider.Charged, error) {
	by, card, err := g.meant(ctx, a, c)
	switch {
	case err != nil:
		return provider.Charged{}, unclear(err)
	case by.Code != "" && !by.Lost:
		return provider.Charged{}, declined(by.Code, "%s", by.Message)
	case by.Nothing:
		return provider.Charged{}, errLost
	}
	x, err := g.change(ctx, a, c.ID, func(x *entry) error {
		switch {
		case x.Order != "" && x.Key == c.Key:
			return errKept
		case x.Order != "":
			return declined(codeOther, "the order has another payment already")
		}
		x.enter(a, c, by, card)
		return nil
	})
	switch {
	case err != nil:
		return provider.Charged{}, unclear(err)
	case by.Lost:
		return provider.Charged{}, errLost
	}
	out := provider.Charged{PGTx: x.PGTx, Receipt: x.Receipt, At: x.PaidAt}
	if x.Card != nil {
		out.Card = *x.Card
	}
	return out, nil
}

// errLost is that of an answer which is lost.
var errLost = fault.Errorf(fault.Unclear, "the PG that is played here did not answer, as was asked for")

// meant is how a charge ends, and the card that it is to; nil: none.
func (g PG) meant(ctx context.Context, a provider.Access, c provider.Charge) (fate, *payment.Card, error) {
	if c.Wallet != nil {
		by, err := walletFate(c.Wallet.Ending)
		return by, nil, err
	}
	by, err := g.cardMeant(ctx, a, c)
	if err != nil {
		return fate{}, nil, err
	}
	described := by.describe()
	described.Months, described.InterestFree = c.Terms.Months, c.Terms.FreeInterest
	return by.fate, &described, nil
}

// cardMeant is the card that a charge is to.
func (g PG) cardMeant(ctx context.Context, a provider.Access, c provider.Charge) (testCard, error) {
	if c.Card != nil {
		return cardOf(c.Card.Number.Reveal())
	}
	k, err := g.key(ctx, a, c.BillingKey.Key.Reveal(), func(*keptKey) error { return errKept })
	switch {
	case err != nil:
		return testCard{}, err
	case k.Card == "" || k.Deleted:
		return testCard{}, declined(codeNoKey, "there is no such billing key")
	}
	for _, by := range testCards {
		if by.end() == k.Card {
			return by, nil
		}
	}
	return testCard{}, declined(codeNoCard, "the card of the billing key is no test card any more")
}

// enter writes a charge into the books: made, or declined behind a lost answer.
func (x *entry) enter(a provider.Access, c provider.Charge, by fate, card *payment.Card) {
	id := made("pg", string(a.Channel.Key), c.ID)
	*x = entry{Order: c.ID, Key: c.Key, Amount: c.Amount, PGTx: id[:24], Card: card}
	if c.Wallet != nil {
		x.Wallet = c.Wallet.Name
	}
	if by.Code != "" {
		x.State, x.ClosedAt = payment.Failed, a.Now
		x.Failure = &payment.Failure{Reason: by.Message, PGCode: by.Code, PGMessage: by.Message}
		return
	}
	if card != nil {
		card.Approval = digits(8, "approval", id)
	}
	x.State, x.Paid, x.PaidAt = payment.Paid, c.Amount, a.Now.Truncate(time.Second)
}

// CheckIssueKey lets every card pass; a wallet has none.
func (g PG) CheckIssueKey(merchant.Channel, provider.KeyOrder) error {
	if i := g.Info(); i.Wallet != nil {
		return fault.Errorf(fault.Unsupported, "%s issues no billing keys for cards", i.Name.EN)
	}
	return nil
}

// IssueKey issues a billing key for a test card. The same Key gets the same one.
func (g PG) IssueKey(ctx context.Context, a provider.Access, o provider.KeyOrder) (provider.KeyIssued, error) {
	by, err := cardOf(o.Card.Number.Reveal())
	switch {
	case err != nil:
		return provider.KeyIssued{}, err
	case by.AtOnce:
		return provider.KeyIssued{}, declined(by.Code, "%s", by.Message)
	}
	key := made("billing key", string(a.Channel.Key), o.Key)[:32]
	if _, err := g.key(ctx, a, key, func(k *keptKey) error {
		k.Card = by.end()
		return nil
	}); err != nil {
		return provider.KeyIssued{}, unclear(err)
	}
	return provider.KeyIssued{Key: secret.Text(key), Card: by.describe(), At: a.Now}, nil
}

// DeleteKey deletes a billing key.
func (g PG) DeleteKey(ctx context.Context, a provider.Access, key provider.BillingKey) (time.Time, error) {
	_, err := g.key(ctx, a, key.Key.Reveal(), func(k *keptKey) error {
		if k.Card == "" || k.Deleted {
			return declined(codeNoKey, "there is no such billing key")
		}
		k.Deleted = true
		return nil
	})
	return a.Now, unclear(err)
}

// errCard says that nothing becomes of a charge as it does of an account.
var errCard = fault.Errorf(fault.Conflict, "the order was charged at once: it has no account")
