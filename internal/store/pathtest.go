package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

// pathTestsKept is how many tests of one channel's path are kept.
const pathTestsKept = 20

// KeepPathTest writes how far a test of a channel's path has come. A new one takes the
// place of the oldest of its channel.
func (s *Store) KeepPathTest(ctx context.Context, x notice.PathTest) error {
	doc, err := json.Marshal(x)
	if err == nil {
		doc, err = s.key.Seal(doc, pathTestContext(x.ID))
	}
	if err != nil {
		return err
	}
	return s.write(ctx, func(t *tx) error {
		// Index: path_test_pkey.
		n, err := t.exec(`update path_test set doc = $2 where id = $1`, x.ID, doc)
		if err != nil || n > 0 {
			return err
		}
		if err := t.must(`insert into path_test (id, channel_key, store_id, doc) values ($1, $2, $3, $4)`, x.ID, string(x.Channel), string(x.Store), doc); err != nil {
			return err
		}
		// Index: path_test_by_channel.
		return t.must(`delete from path_test where channel_key = $1 and id not in
			(select id from path_test where channel_key = $1 order by id desc limit $2)`, string(x.Channel), pathTestsKept)
	})
}

// PathTest returns a test of a channel's path. It reports fault.NotFound if there is none.
func (r *Reader) PathTest(ctx context.Context, id string) (notice.PathTest, error) {
	var doc []byte
	// Index: path_test_pkey.
	err := r.db.QueryRowContext(ctx, `select doc from path_test where id = $1`, id).Scan(&doc)
	return r.pathTest(id, doc, err)
}

// LastPathTest returns the latest test of a channel's path on behalf of a store; of any
// store if that is empty. It reports fault.NotFound if there is none.
func (r *Reader) LastPathTest(ctx context.Context, c merchant.ChannelKey, s merchant.StoreID) (notice.PathTest, error) {
	var id string
	var doc []byte
	// Index: path_test_by_channel.
	err := r.db.QueryRowContext(ctx, `select id, doc from path_test where channel_key = $1 and ($2 = '' or store_id = $2) order by id desc limit 1`,
		string(c), string(s)).Scan(&id, &doc)
	return r.pathTest(id, doc, err)
}

func (r *Reader) pathTest(id string, doc []byte, err error) (x notice.PathTest, _ error) {
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return x, fault.Errorf(fault.NotFound, "there is no such test")
	case err != nil:
		return x, away(err)
	}
	plain, err := r.key.Open(doc, pathTestContext(id))
	if err == nil {
		err = json.Unmarshal(plain, &x)
	}
	if err != nil {
		return x, &programError{fmt.Errorf("path test %s: %w", id, err)}
	}
	return x, nil
}

func pathTestContext(id string) string { return "path_test/" + id }

// FirstTriesOf returns the webhooks of a type that were made for a payment, those sent again
// by hand aside, each with its first try, nil if that has not ended.
func (r *Reader) FirstTriesOf(ctx context.Context, k payment.Key, t webhook.Type) ([]webhook.FirstTry, error) {
	list, err := r.deliveryRows(ctx, "payment_key", string(k))
	if err != nil {
		return nil, away(err)
	}
	var out []webhook.FirstTry
	for _, d := range list {
		if d.Type != t || d.Webhook != d.ID {
			continue
		}
		x := webhook.FirstTry{Delivery: d.ID, Endpoint: d.Endpoint, URL: d.URL, State: d.State}
		tries, err := r.Attempts(ctx, d.Webhook)
		if err != nil {
			return nil, err
		}
		for _, a := range tries {
			if a.Delivery == d.ID && a.Number == 1 {
				x.Try = &a
			}
		}
		out = append(out, x)
	}
	return out, nil
}
