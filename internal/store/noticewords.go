package store

import (
	"context"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// Requests returns the requests of notices whose bytes are still kept, as they came.
func (r *Reader) Requests(ctx context.Context, ids []notice.ID) (map[notice.ID]notice.Request, error) {
	list, err := many(r, ids)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	out := make(map[notice.ID]notice.Request, len(ids))
	// Index: notice_body_pkey.
	err = each(ctx, over(r.db), `select id, request from notice_body where `+r.among("id", "uuid", 1), []any{list}, func(rows rowSet) error {
		var id notice.ID
		var sealed []byte
		if err := rows.Scan(&id, &sealed); err != nil {
			return err
		}
		kept, err := r.openRequest(id, sealed)
		if err == nil {
			out[id] = kept.request()
		}
		return err
	})
	return out, away(err)
}

// FirstVerdicts returns of notices that were decided again the verdict by which their
// senders were answered; of all others it is the one that counts.
func (r *Reader) FirstVerdicts(ctx context.Context, ids []notice.ID) (map[notice.ID]payment.Verdict, error) {
	list, err := many(r, ids)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	out := make(map[notice.ID]payment.Verdict)
	// Index: verdict_by_notice.
	err = each(ctx, over(r.db), `select notice_id, verdict from verdict where number = 1 and `+r.among("notice_id", "uuid", 1), []any{list}, func(rows rowSet) error {
		var id notice.ID
		var v payment.Verdict
		err := rows.Scan(&id, &v)
		out[id] = v
		return err
	})
	return out, away(err)
}
