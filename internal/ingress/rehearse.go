package ingress

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
)

// Rehearsals keeps the tokens of rehearsals. Its methods are safe for concurrent
// use.
type Rehearsals interface {
	// TakeRehearsal uses up a token. It reports fault.NotFound if it opens nothing.
	TakeRehearsal(ctx context.Context, token secret.Text, now time.Time) (notice.Rehearsal, error)
	// EndRehearsal keeps what became of a rehearsal.
	EndRehearsal(ctx context.Context, token secret.Text, seen notice.Rehearsed) error
}

// longestToken bounds what is looked up for anybody who sends the header.
const longestToken = 64

// A rehearsing is a rehearsal that has arrived.
type rehearsing struct {
	notice.Rehearsal
	token secret.Text
	seen  notice.Rehearsed
}

// rehearsal takes the token off a request, which must not be kept with it, and
// uses it up. It is nil for what is no rehearsal of the channel in the path: then
// the header has changed nothing.
func (i *Ingress) rehearsal(ctx context.Context, h http.Header, rt route, at time.Time) *rehearsing {
	token := secret.Text(h.Get(notice.RehearsalHeader))
	h.Del(notice.RehearsalHeader)
	if token == "" || len(token) > longestToken || rt.channel == "" || i.Rehearsals == nil {
		return nil
	}
	r, err := i.Rehearsals.TakeRehearsal(ctx, token, at)
	switch {
	case err != nil && !fault.Is(err, fault.NotFound):
		i.Log.WarnContext(ctx, "the token of a rehearsal was not looked up", "err", err)
		return nil
	case err != nil || r.Channel != rt.channel:
		return nil
	}
	if !r.Given {
		h.Set(notice.RehearsalHeader, notice.RehearsalTaken)
	}
	return &rehearsing{Rehearsal: r, token: token}
}

// passes reports whether the token stands in for the sender's address. On a live
// channel it does only for the reserved payment.
func (r *rehearsing) passes(c merchant.Channel) bool {
	return r != nil && r.Channel == c.Key && (!r.Given || c.Mode == merchant.Test)
}

// rehearse rules on a rehearsal of a reserved payment: as on any notice, but as if
// that payment were all there is. Whatever the verdict, the notice is kept as
// Recorded: no payment, key, case, event or question to the PG comes of it.
func (j *judge) rehearse(in *notice.Inbound, r *rehearsing) {
	ruled := in.Ruled
	if ruled == nil {
		ruled = j.reserved(*in, r.Rehearsal)
	}
	r.seen.Verdict, r.seen.Reason, r.seen.Detail = ruled.Verdict, ruled.Reason, ruled.Detail
	in.Ruled, in.Channels = &notice.Ruling{
		Verdict: payment.Recorded, Reason: notice.ReasonRehearsal, Detail: strings.TrimSpace(string(ruled.Verdict) + " " + string(ruled.Reason)),
		Channel: r.Channel,
	}, nil
}

// heard is the verdict by which a notice's sender is answered: that of a rehearsal
// is not the one by which it is kept.
func (r *rehearsing) heard(res notice.Result) (payment.Verdict, payment.Reason) {
	if r == nil || r.Given {
		return res.Verdict, res.Reason
	}
	return r.seen.Verdict, r.seen.Reason
}

// reserved is the ruling on a notice that meets the reserved payment alone.
func (j *judge) reserved(in notice.Inbound, r notice.Rehearsal) *notice.Ruling {
	c, ok := j.channels.Channel(r.Channel)
	p, known := j.providers[in.Provider]
	if !ok || !known {
		return &notice.Ruling{Verdict: payment.Refused, Reason: notice.ReasonUnknownChannel}
	}
	reserved, err := r.Reserved(c, payment.Env{Now: in.At, NewID: newID})
	if err != nil {
		return &notice.Ruling{Verdict: payment.Unmatched, Reason: notice.ReasonUnknownOrder, Detail: err.Error()}
	}
	in.Notice.PGOrder = in.Notice.Order
	out := trial{judge: j, in: in, p: p}.ruling([]notice.Found{r.Meet(reserved, in.Notice)})
	return &out
}

// rehearsed keeps what became of a rehearsal, before its sender is answered.
func (i *Ingress) rehearsed(ctx context.Context, r *rehearsing, in notice.Inbound, res notice.Result) {
	r.seen.Verdict, r.seen.Reason = r.heard(res)
	r.seen.Notice, r.seen.At, r.seen.Took = res.ID, in.At, time.Since(in.At)
	r.seen.Peer, r.seen.Digest = in.Peer, in.Request.Digest()
	if err := i.Rehearsals.EndRehearsal(ctx, r.token, r.seen); err != nil {
		i.Log.WarnContext(ctx, "what became of a rehearsal was not written", "notice_id", in.ID, "err", err)
	}
}

// rehearsal is the ruling on a kept rehearsal that is judged again: the same as
// when it came.
func rehearsal(found []notice.Found) notice.Ruling {
	r := notice.Ruling{Verdict: payment.Recorded, Reason: notice.ReasonRehearsal}
	if len(found) == 1 {
		r.Channel = found[0].Channel
	}
	return r
}
