package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/payment"
)

// searchedAtOnce is how many pages of search one statement reads, which are then
// gone through on all processors.
const searchedAtOnce = 32

// A sealedPage is a part of a page as it is kept.
type sealedPage struct {
	id   string
	body []byte
}

// pagesQuery reads a part of the pages of a merchant, the newest first. Index:
// search_page_by_merchant.
const pagesQuery = `select id, body from search_page where (merchant_id, part, id) < ($1, $2, $3) and (merchant_id, part) >= ($1, $2)
	order by merchant_id desc, part desc, id desc limit $4`

// pages goes through the pages of the merchant, the newest first. The next are
// read while some are gone through.
func (s *searching) pages(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	before := cmp.Or(s.q.Older, lastID)
	if !isID(before) {
		return errCursor
	}
	type batch struct {
		pages []sealedPage
		err   error
	}
	next := make(chan batch)
	go func() { // ends with ctx, or with the last page
		defer close(next)
		for {
			list, err := s.r.sealedPages(ctx, string(s.q.Merchant), s.part, before)
			select {
			case next <- batch{list, err}:
			case <-ctx.Done():
				return
			}
			if len(list) < searchedAtOnce || err != nil {
				return
			}
			before = list[len(list)-1].id
		}
	}()
	for b := range next {
		if b.err != nil {
			return b.err
		}
		done, err := s.through(ctx, b.pages)
		if err != nil || done {
			return err
		}
	}
	return nil
}

func (r *Reader) sealedPages(ctx context.Context, merchant, part, before string) (list []sealedPage, err error) {
	err = each(ctx, over(r.db), pagesQuery, []any{merchant, part, before, searchedAtOnce}, func(rows rowSet) error {
		var p sealedPage
		err := rows.Scan(&p.id, &p.body)
		list = append(list, p)
		return err
	})
	return list, err
}

// through goes through pages and takes what they have. It reports whether the
// search is over; if that is for now only, the result says where to go on.
func (s *searching) through(ctx context.Context, pages []sealedPage) (done bool, err error) {
	open := make([]searchPage, len(pages))
	finds := make([][]find, len(pages))
	if err := spread(len(pages), func(i int) error {
		if err := s.r.openPart(&open[i], pages[i].id, s.part, pages[i].body); err != nil {
			return fmt.Errorf("page %s of search: %w", pages[i].id, err)
		}
		finds[i] = s.look(&open[i])
		return nil
	}); err != nil {
		return false, err
	}
	for i := range pages {
		if len(finds[i]) > 0 {
			if err := s.keep(ctx, pages[i].id, &open[i], finds[i]); err != nil {
				return false, err
			}
		}
		if s.enough() {
			return true, nil
		}
		if time.Since(s.began) > cmp.Or(s.q.Within, searchWithin) {
			s.out.Older = pages[i].id
			s.out.Since, err = timeOf(pages[i].id)
			return true, err
		}
	}
	return false, nil
}

// look finds what is looked for in a page.
func (s *searching) look(p *searchPage) []find {
	switch {
	case s.part == wordsPart:
		return p.words.find(s.needle)
	case s.q.Amount == nil:
		return p.numbers.find(s.needle)
	}
	var out []find
	for i := range len(p.fixed) / fixedSize {
		if _, _, amount := p.record(i); amount == *s.q.Amount {
			out = append(out, find{row: i})
		}
	}
	return out
}

// keep opens the payments that were found on a page, the newest first, until
// there are enough. Those of other stores are left out before.
func (s *searching) keep(ctx context.Context, id string, p *searchPage, finds []find) error {
	if s.part == wordsPart {
		if err := s.r.readNumbers(ctx, p, id); err != nil {
			return err
		}
	}
	slices.Reverse(finds)
	for some := range slices.Chunk(finds, 4*MostFound) {
		var keys []payment.Key
		for _, f := range some {
			if f.row >= len(p.fixed)/fixedSize || !s.wanted(s.kindsFor(f.tag)) {
				continue
			}
			if key, scope, _ := p.record(f.row); s.scopes[scope] && !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
		if err := s.take(ctx, keys); err != nil || s.enough() {
			return err
		}
	}
	return nil
}

// kindsFor are the kinds that a text with a tag may be.
func (s *searching) kindsFor(tag byte) []SearchKind {
	switch tag {
	case tagID:
		return []SearchKind{FoundPaymentID}
	case tagOrder:
		return []SearchKind{FoundOrderName}
	case tagPayer:
		return []SearchKind{FoundPayer}
	case tagDepositor:
		return []SearchKind{FoundDepositor}
	}
	return s.kinds
}

// readNumbers reads what is fixed of a page's records. Index: search_page_pkey;
// on SQLite the primary key.
func (r *Reader) readNumbers(ctx context.Context, p *searchPage, id string) error {
	var sealed []byte
	if err := r.db.QueryRowContext(ctx, `select body from search_page where id = $1 and part = 'numbers'`, id).Scan(&sealed); err != nil {
		if isNoRows(err) {
			return nil // pruned just now
		}
		return err
	}
	return r.openPart(p, id, numbersPart, sealed)
}
