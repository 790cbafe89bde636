package console

import (
	"errors"
	"net/http"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/ingress"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/store"
)

// noticePage is one notice in three columns: the bytes, what they say, the verdict.
type noticePage struct {
	N           store.NoticeDetail
	Path        string
	ChannelName string
	Gone        bool // its bytes are kept no longer
	Here        bool // it was made here: no PG sent it
	// Raw is there if the bytes are asked for, by who may see them.
	Raw  *rawBytes
	Said *reading // nil if it says nothing that can be read
	// CharsetWhy is how the decoder knew the charset; empty if it is not known, or the bytes
	// are not kept.
	CharsetWhy string
	Checks     []check
	Ack        *ackShown
	Case       *notice.Case // nil if it has none
	Payment    *payment.Payment
	PayPath    string
	// What may be done.
	Open, Linkable, Trusts, Closable bool
}

func (p noticePage) title() string { return string(p.N.ID) }

// oneOf loads a notice of the scope, with its bytes if they are kept.
func (c *Console) noticeOf(v *visit) (noticePage, notice.Inbound, error) {
	id := notice.ID(v.r.PathValue("id"))
	p := noticePage{Path: object(v.reading(), "notices", string(id))}
	var in notice.Inbound
	var err error
	if p.N, err = c.Store.NoticeOf(v.ctx(), v.reading(), id, v.unowned()); err != nil {
		return p, in, err
	}
	p.ChannelName = v.channelName(merchant.ChannelKey(p.N.Channel))
	v.stands("verdict", string(p.N.Verdict), string(id))
	in, err = c.Store.Notice(v.ctx(), id)
	if fault.Is(err, fault.NotFound) {
		p.Gone, err = true, nil
	}
	if err != nil {
		return p, in, err
	}
	if p.N.Payment != "" {
		x, err := c.Store.PaymentByKey(v.ctx(), p.N.Payment)
		if err == nil && v.sees(x.Merchant, x.Store) {
			p.Payment, p.PayPath = &x, object(v.reading(), "payments", string(x.Key))
		} else if err != nil && !fault.Is(err, fault.NotFound) {
			return p, in, err
		}
	}
	p.Open = !notice.Final(p.N.Verdict)
	p.Linkable = p.N.Verdict == payment.Unmatched
	p.Trusts = p.N.Reason == notice.ReasonAddress || p.N.Reason == notice.ReasonNoSenders
	return p, in, nil
}

func (c *Console) oneNotice(v *visit) error {
	p, in, err := c.noticeOf(v)
	if err != nil {
		return err
	}
	if err := c.fillNotice(v, &p, in); err != nil {
		return err
	}
	if v.query("raw") == "on" && v.May(member.Integrate) && !p.Gone {
		if err := c.Actions.SawRaw(v.ctx(), v.caller(v.Scope.Store), p.kept()); err != nil {
			return err
		}
		pg, _ := c.Actions.Providers(p.N.Provider)
		p.Raw = rawOf(in, pg, v.query("charset"))
	}
	v.topics = []string{topicNotices}
	return v.page("notice", p)
}

// fillNotice reads what the notice says, how its verdict came about, and its case.
func (c *Console) fillNotice(v *visit, p *noticePage, in notice.Inbound) error {
	pg, known := c.Actions.Providers(p.N.Provider)
	p.Here = p.N.Method == ingress.MethodInquiry || p.N.Method == ingress.MethodByHand
	if !p.Gone && known && pg != nil {
		p.Said = c.reading(v, pg, in, p.Payment)
		p.CharsetWhy = p.Said.CharsetWhy
		p.Ack = v.ackOf(pg, *p, in)
	}
	p.Checks = v.checks(pg, *p)
	k, err := c.Store.Case(v.ctx(), p.N.ID)
	switch {
	case err == nil:
		p.Case = &k
		p.Closable = k.Closed.At.IsZero() && k.Kind != string(payment.Pending)
		return nil
	case fault.Is(err, fault.NotFound):
		return nil
	}
	return err
}

// kept names the notice for the audit log.
func (p noticePage) kept() notice.Kept {
	return notice.Kept{
		Inbound: notice.Inbound{ID: p.N.ID}, Merchant: p.N.Merchant, Store: p.N.Store, Mode: merchant.Mode(p.N.Mode),
		Channel: merchant.ChannelKey(p.N.Channel), Verdict: p.N.Verdict, Reason: p.N.Reason,
	}
}

// rawNotice gives the body away as it came.
func (c *Console) rawNotice(v *visit) error {
	p, in, err := c.noticeOf(v)
	switch {
	case err != nil:
		return err
	case p.Gone:
		return notice.ErrBodyGone
	}
	if err := c.Actions.SawRaw(v.ctx(), v.caller(v.Scope.Store), p.kept()); err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", `attachment; filename="notice-`+string(p.N.ID)+`.bin"`)
	_, _ = v.w.Write(in.Request.Body) // whoever asked may be gone
	return nil
}

// An ackShown is what the PG heard, and what it does next.
type ackShown struct {
	Status            int
	ContentType, Body string
	Hex               string
	Next              string // in words
}

// ackOf is the answer that the notice's sender got: by the first verdict, whatever became
// of it since.
func (v *visit) ackOf(pg provider.Provider, p noticePage, in notice.Inbound) *ackShown {
	if p.Here {
		return nil
	}
	first, why := p.N.Verdict, p.N.Reason
	if len(p.N.Past) > 0 {
		first, why = p.N.Past[0].Verdict, p.N.Past[0].Reason
	}
	if why == notice.ReasonProxy {
		return &ackShown{Status: http.StatusServiceUnavailable, ContentType: "text/plain; charset=utf-8", Body: "not now: send it again", Next: v.next(pg, false)}
	}
	r := pg.Ack(in.Request, outcomeOf(first))
	return &ackShown{Status: r.Status, ContentType: r.ContentType, Body: page.Visible(strings.ToValidUTF8(string(r.Body), "\uFFFD")), Hex: hexLine(r.Body), Next: v.next(pg, pg.Acked(r))}
}

// next is what the PG does after an answer, as far as it publishes that.
func (v *visit) next(pg provider.Provider, acked bool) string {
	info := pg.Info()
	switch {
	case acked:
		return v.t("notice.next_none")
	case len(info.Resend) > 0:
		return v.t("notice.next_again", "after", page.Lasts(info.Resend[0]), "n", len(info.Resend))
	}
	return v.t("notice.next_unknown")
}

// text is a provider's text in the visitor's language.
func (v *visit) text(t provider.Text) string {
	if v.Lang == "ko" {
		return t.KO
	}
	return t.EN
}

// closedNotice ends the case of a notice.
func (c *Console) closedNotice(v *visit) error {
	p, in, err := c.noticeOf(v)
	if err != nil {
		return err
	}
	note, why, status := v.value("note"), "", http.StatusUnprocessableEntity
	if note == "" {
		why = v.t("notice.note_missing")
	} else {
		_, err = c.Actions.CloseCase(v.ctx(), v.caller(v.Scope.Store), p.N.ID, note)
		switch {
		case errors.Is(err, notice.ErrCasePending):
			why, status = v.t("notice.case_pending"), http.StatusConflict
		case fault.Is(err, fault.NotFound):
			if why = v.closedMeanwhile(p.N.ID, note); why == "" {
				return err
			}
			status = http.StatusConflict
		case fault.Is(err, fault.Invalid):
			why = err.Error()
		case err != nil:
			return err
		}
	}
	if why == "" {
		return v.done("/notices/"+string(p.N.ID), "notice.closed")
	}
	if err := c.fillNotice(v, &p, in); err != nil {
		return err
	}
	return v.show(status, "notice", p, []mistake{{"note", why}})
}

// closedMeanwhile says who closed the case of a notice; empty if it has none.
func (v *visit) closedMeanwhile(id notice.ID, note string) string {
	k, err := v.c.Store.Case(v.ctx(), id)
	if err != nil || k.Closed.At.IsZero() {
		return ""
	}
	return v.t("conflict.case_closed", "who", page.Visible(k.Closed.ByName), "note", page.Visible(note))
}
