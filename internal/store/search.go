package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
)

// A SearchKind is what of a payment was found.
type SearchKind string

// The kinds, in the order in which a person would read them.
const (
	FoundAccount   SearchKind = "account"
	FoundAmount    SearchKind = "amount"
	FoundPaymentID SearchKind = "payment_id"
	FoundOrderName SearchKind = "order_name"
	FoundPayer     SearchKind = "payer"
	FoundDepositor SearchKind = "depositor"
)

// SearchKinds lists every kind, in their order.
func SearchKinds() []SearchKind {
	return []SearchKind{FoundAccount, FoundAmount, FoundPaymentID, FoundOrderName, FoundPayer, FoundDepositor}
}

// A Search is what is searched, in both modes.
type Search struct {
	Merchant merchant.ID
	Store    merchant.StoreID // empty: all of the merchant's
	// One of these is asked for: any part of an account number, in digits; an
	// amount in minor units; or any part of a payment's id, of its order's name,
	// or of the name of who was to pay or did. Blanks and letters' case do not
	// matter.
	Digits string
	Amount *int64
	Text   string
	// Whole finds only account numbers that are the digits as a whole.
	Whole bool
	// Older goes on behind where an earlier search stopped; see SearchResult.
	Older string
	// Within is how long the search may go on; 0 means 150 ms. What it is doing
	// then it still ends.
	Within time.Duration
}

// MostFound is how many payments of a kind a search finds.
const MostFound = 5

const searchWithin = 150 * time.Millisecond

// A SearchHit is one payment with what of it was found.
type SearchHit struct {
	Kind SearchKind
	payment.Payment
}

// A SearchResult is what was found: of each kind the payments of which something
// became last.
type SearchResult struct {
	Hits []SearchHit // by kind, the newest first
	// Older is where to go on with what is older; empty if all was searched.
	// Then Since is how far back that was.
	Older string
	Since time.Time
	// Behind is set if what came since was not searched, since it is too much.
	Behind time.Time
}

// Search finds payments by what people know of them. Going through the records
// of a million payments takes some half a second; a search ends before, where it has
// found enough of every kind, and after its time, and says so. What became of
// payments in the last seconds is looked at one by one.
func (r *Reader) Search(ctx context.Context, q Search) (SearchResult, error) {
	stores, err := r.storesOf(ctx, Scope{Merchant: q.Merchant, Store: q.Store, Mode: merchant.Test})
	if err != nil || len(stores) == 0 {
		return SearchResult{}, err
	}
	s := &searching{r: r, q: q, began: time.Now(), stores: stores, scopes: make(map[uint32]bool), seen: make(map[payment.Key]bool)}
	for _, id := range stores {
		for _, m := range []merchant.Mode{merchant.Live, merchant.Test} {
			s.scopes[scopeOf(id, m)] = true
		}
	}
	if !s.prepare() {
		return SearchResult{}, nil
	}
	if q.Older == "" {
		if err := s.lately(ctx); err != nil {
			return SearchResult{}, away(err)
		}
	}
	if err := s.pages(ctx); err != nil {
		return SearchResult{}, away(err)
	}
	slices.SortStableFunc(s.out.Hits, func(a, b SearchHit) int {
		return slices.Index(SearchKinds(), a.Kind) - slices.Index(SearchKinds(), b.Kind)
	})
	return s.out, nil
}

// A searching is a search under way.
type searching struct {
	r      *Reader
	q      Search
	began  time.Time
	needle []byte
	part   string // of the pages, that is gone through
	kinds  []SearchKind
	stores []merchant.StoreID
	scopes map[uint32]bool
	seen   map[payment.Key]bool // opened already
	out    SearchResult
}

// prepare says what is looked for, and where. It is false if that is nothing.
func (s *searching) prepare() bool {
	switch {
	case s.q.Digits != "":
		s.needle, s.part, s.kinds = []byte(digitsIn(s.q.Digits)), numbersPart, []SearchKind{FoundAccount}
	case s.q.Amount != nil:
		s.part, s.kinds = numbersPart, []SearchKind{FoundAmount}
		return true
	default:
		s.needle, s.part = []byte(folded(s.q.Text)), wordsPart
		s.kinds = []SearchKind{FoundPaymentID, FoundOrderName, FoundPayer, FoundDepositor}
	}
	return len(s.needle) > 0
}

// kindsOf are the kinds of what a payment has of what is looked for, as it is
// now.
func (s *searching) kindsOf(p payment.Payment) (kinds []SearchKind) {
	needle := string(s.needle)
	switch s.kinds[0] {
	case FoundAmount:
		if p.Amount.Amount == *s.q.Amount {
			return s.kinds
		}
		return nil
	case FoundAccount:
		if slices.ContainsFunc(numbersOf(p), func(n string) bool {
			return n == needle || (!s.q.Whole && strings.Contains(n, needle))
		}) {
			return s.kinds
		}
		return nil
	default:
	}
	by := map[byte]SearchKind{tagID: FoundPaymentID, tagOrder: FoundOrderName, tagPayer: FoundPayer, tagDepositor: FoundDepositor}
	for _, w := range wordsOf(p) {
		if k := by[w.tag]; !slices.Contains(kinds, k) && strings.Contains(folded(w.text), needle) {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// found is how many payments of a kind were found.
func (s *searching) found(k SearchKind) (n int) {
	for _, h := range s.out.Hits {
		if h.Kind == k {
			n++
		}
	}
	return n
}

// enough reports whether nothing more is looked for.
func (s *searching) enough() bool {
	return !slices.ContainsFunc(s.kinds, func(k SearchKind) bool { return s.found(k) < MostFound })
}

// wanted reports whether one of some kinds is still looked for.
func (s *searching) wanted(kinds []SearchKind) bool {
	return slices.ContainsFunc(kinds, func(k SearchKind) bool { return s.found(k) < MostFound })
}

// take opens payments that may have what is looked for, in order, and keeps
// those that do.
func (s *searching) take(ctx context.Context, keys []payment.Key) error {
	keys = slices.DeleteFunc(keys, func(k payment.Key) bool {
		before := s.seen[k]
		s.seen[k] = true
		return before
	})
	list, err := s.r.openable(ctx, keys)
	if err != nil {
		return err
	}
	for _, p := range list {
		if p.Merchant != s.q.Merchant || !slices.Contains(s.stores, p.Store) {
			continue
		}
		for _, k := range s.kindsOf(p) {
			if s.found(k) < MostFound {
				s.out.Hits = append(s.out.Hits, SearchHit{k, p})
			}
		}
	}
	return nil
}

// mostLately bounds how many payments are looked at one by one, and mostSince
// how many events tell which those are.
const (
	mostLately = 2000
	mostSince  = 20_000
)

// lately looks at the payments that pages do not know yet.
func (s *searching) lately(ctx context.Context) error {
	after, err := s.r.searchedUpto(ctx)
	if err != nil {
		return err
	}
	var keys []payment.Key
	n := 0
	if err := each(ctx, over(s.r.db), sinceQuery, []any{after, mostSince, string(s.q.Merchant), mostLately}, func(rows rowSet) error {
		var k payment.Key
		err := rows.Scan(&k)
		n++
		if !slices.Contains(keys[max(0, len(keys)-8):], k) {
			keys = append(keys, k)
		}
		return err
	}); err != nil {
		return err
	}
	if n >= mostLately {
		if s.out.Behind, err = timeOf(after); err != nil {
			return &programError{err}
		}
	}
	due, err := s.r.dueForSearch(ctx, mostLately)
	if err != nil {
		return err
	}
	return s.take(ctx, append(keys, due...))
}

// sinceQuery reads of which payments of a merchant events tell that pages do not
// know, the newest first. Index: event_pkey.
const sinceQuery = `select payment_key from (select payment_key, merchant_id from event where id > $1 order by id desc limit $2) as t
	where merchant_id = $3 and payment_key is not null limit $4`
