package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/settings"
)

const (
	// recordsOnPage is how many records a page has at most, and longestPage for
	// how long it is written on.
	recordsOnPage = 1000
	longestPage   = 31 * 24 * time.Hour
	// searchLag is how far search stays behind: ids of events are drawn before
	// they are committed, and clocks of nodes differ.
	searchLag = 15 * time.Second
)

// errOvertaken says that another node wrote the same records.
var errOvertaken = errors.New("another node was quicker")

// PutSearchable notes for search what became of payments until shortly before
// now: of those that up to n events tell of, and of up to n that changed without
// one. It returns how many of these it took up: fewer than n say that there are
// no more. It waits for no other node; if one does the same, it does nothing.
func (s *Store) PutSearchable(ctx context.Context, now time.Time, n int) (int, error) {
	after, err := s.searchedUpto(ctx)
	if err != nil {
		return 0, away(err)
	}
	upto, taken, keys, err := s.changedAfter(ctx, after, idAt(now.Add(-searchLag)), n)
	if err != nil {
		return 0, away(err)
	}
	due, err := s.dueForSearch(ctx, n)
	if err != nil || taken+len(due) == 0 {
		return 0, away(err)
	}
	keys = append(keys, due...)
	list, err := s.openable(ctx, keys)
	if err != nil {
		return 0, err
	}
	err = s.write(ctx, func(t *tx) error { return t.putSearchables(now, after, upto, due, list) })
	if errors.Is(err, errOvertaken) {
		return 0, nil
	}
	return max(taken, len(due)), err
}

// searchedUpto is the event up to which pages know of payments; before the first
// if they know of none.
func (r *Reader) searchedUpto(ctx context.Context) (string, error) {
	upto := firstID
	err := r.db.QueryRowContext(ctx, `select event from search_upto where id = 1`).Scan(&upto)
	if isNoRows(err) {
		err = nil
	}
	return upto, err
}

// changedAfter are the payments that the next events tell of, each once, how
// many events those are, and the last of them. Index: event_pkey.
func (r *Reader) changedAfter(ctx context.Context, after, before string, n int) (upto string, taken int, keys []payment.Key, err error) {
	upto = after
	seen := make(map[string]bool)
	err = each(ctx, over(r.db), changedAfterQuery, []any{after, before, n}, func(rows rowSet) error {
		var key sql.NullString
		err := rows.Scan(&upto, &key)
		if taken++; key.Valid && !seen[key.String] {
			seen[key.String] = true
			keys = append(keys, payment.Key(key.String))
		}
		return err
	})
	return upto, taken, keys, err
}

const changedAfterQuery = `select id, payment_key from event where id > $1 and id < $2 order by id limit $3`

func (r *Reader) dueForSearch(ctx context.Context, n int) (keys []payment.Key, err error) {
	// Index: search_due_pkey.
	err = each(ctx, over(r.db), `select payment_key from search_due order by payment_key limit $1`, []any{n}, func(rows rowSet) error {
		var k payment.Key
		err := rows.Scan(&k)
		keys = append(keys, k)
		return err
	})
	return keys, err
}

// openable opens payments, without those that cannot be: one such must not keep
// others from being found.
func (r *Reader) openable(ctx context.Context, keys []payment.Key) ([]payment.Payment, error) {
	list, err := r.OpenPayments(ctx, keys)
	if err == nil || !isProgram(err) {
		return list, err
	}
	list = nil
	for _, k := range keys {
		one, err := r.OpenPayments(ctx, []payment.Key{k})
		if err != nil && !isProgram(err) {
			return nil, err
		}
		list = append(list, one...)
	}
	return list, nil
}

// putSearchables writes payments behind what the pages of their merchants have, and
// how far that goes.
func (t *tx) putSearchables(now time.Time, after, upto string, due []payment.Key, list []payment.Payment) error {
	n, err := t.exec(`insert into search_upto (id, event) values (1, $2) on conflict (id) do update set event = excluded.event
		where search_upto.event = $1`, after, upto)
	if err != nil {
		return err
	}
	if n == 0 {
		return &programError{errOvertaken}
	}
	for _, k := range due {
		if err := t.must(`delete from search_due where payment_key = $1`, string(k)); err != nil {
			return err
		}
	}
	of := make(map[merchant.ID][]searchable)
	var merchants []merchant.ID
	for _, p := range list {
		r, err := recordOf(p)
		if err != nil {
			return &programError{err}
		}
		if of[p.Merchant] == nil {
			merchants = append(merchants, p.Merchant)
		}
		of[p.Merchant] = append(of[p.Merchant], r)
	}
	slices.Sort(merchants)
	for _, m := range merchants {
		if err := t.putPages(now, m, of[m]); err != nil {
			return err
		}
	}
	return nil
}

// putPages writes records of a merchant: on its last page as long as there is
// room, then on new ones.
func (t *tx) putPages(now time.Time, m merchant.ID, records []searchable) error {
	var id string
	var page searchPage
	var n int
	// Index: search_page_by_merchant.
	found, err := t.has(`select id, records from search_page where merchant_id = $1 and part = 'words' order by id desc limit 1`,
		[]any{string(m)}, &id, &n)
	if err != nil {
		return err
	}
	if found && n < recordsOnPage && id > idAt(now.Add(-longestPage)) {
		if page, err = t.searchPage(id); err != nil {
			return err
		}
	} else {
		id = ""
	}
	for len(records) > 0 {
		some := min(len(records), recordsOnPage-len(page.words.ends))
		for _, r := range records[:some] {
			page.add(r)
		}
		if err := t.putPage(now, m, id, page); err != nil {
			return err
		}
		records, page, id = records[some:], searchPage{}, ""
	}
	return nil
}

// searchPage reads both parts of a page. Index: search_page_pkey; on SQLite the
// primary key.
func (t *tx) searchPage(id string) (p searchPage, err error) {
	err = t.each(`select part, body from search_page where id = $1`, []any{id}, func(rows rowSet) error {
		var part string
		var sealed []byte
		if err := rows.Scan(&part, &sealed); err != nil {
			return err
		}
		return t.s.openPart(&p, id, part, sealed)
	})
	if err == nil && len(p.words.ends) != len(p.numbers.ends) {
		err = &programError{errPage}
	}
	return p, err
}

// openPart opens a part of a page.
func (r *Reader) openPart(p *searchPage, id, part string, sealed []byte) error {
	b, err := r.key.Open(sealed, searchContext(id, part))
	switch {
	case err != nil:
	case part == wordsPart:
		p.words, err = decodeTexts(b)
	default:
		err = p.decodeNumbers(b)
	}
	if err != nil {
		return &programError{err}
	}
	return nil
}

func searchContext(id, part string) string { return "search_page/" + id + "/" + part }

// putPage writes a page: a new one, if it has no id yet.
func (t *tx) putPage(now time.Time, m merchant.ID, id string, p searchPage) error {
	made := id == ""
	if made {
		v7, err := uuid.NewV7()
		if err != nil {
			return err
		}
		id = v7.String()
	}
	for part, b := range map[string][]byte{wordsPart: p.words.encode(), numbersPart: p.encodeNumbers()} {
		sealed, err := t.s.key.Seal(b, searchContext(id, part))
		if err != nil {
			return err
		}
		if made {
			err = t.must(`insert into search_page (id, part, merchant_id, upto, records, body) values ($1, $2, $3, $4, $5, $6)`,
				id, part, string(m), micros(now), len(p.words.ends), sealed)
		} else {
			err = t.must(`update search_page set upto = $3, records = $4, body = $5 where id = $1 and part = $2`,
				id, part, micros(now), len(p.words.ends), sealed)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// newSearchDue has search look at a payment of whose change no event tells.
var newSearchDue = inserting("search_due", "payment_key uuid", "on conflict do nothing")

// searchPages takes pages of search whose newest record is before cut.
func (p *pruning) searchPages(cut time.Time, out *settings.Pruned) error {
	for {
		var some bool
		// Index: search_page_by_age.
		if err := p.s.db.QueryRowContext(p.ctx, `select exists (select 1 from search_page where upto < $1)`, micros(cut)).Scan(&some); err != nil || !some {
			return err
		}
		if err := p.batch(func(t *tx) error {
			n, err := t.exec(`delete from search_page where (id, part) in (select id, part from search_page where upto < $1 order by upto limit $2)`,
				micros(cut), atOncePruned)
			out.Rows += n
			return err
		}); err != nil {
			return err
		}
	}
}
