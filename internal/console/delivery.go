package console

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/delivery"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A oneDeliveryPage is one delivery.
type oneDeliveryPage struct {
	store.DeliveryDetail
	Line      deliveryLine
	Endpoint  string // the endpoint's page; empty if there is none
	StoreName string
	Planned   string // its schedule
	Paused    bool
	Now       string // where a resend goes
	Then      string // where its last try went, if that is somewhere else
	Gone      bool   // the endpoint was deleted
	Stopped   bool   // a person stopped its tries
	MayStop   bool
	Ladder    ladder
	Tries     []tryView // the newest first
	Again     []deliveryLine
}

func (p oneDeliveryPage) title() string { return p.ID.WebhookID() }

// A tryView is one try with all that is known of it.
type tryView struct {
	webhook.Attempt
	Answer string
	Good   bool
	Manual bool // of a resend
	Parts  []tryPart
	Curl   string
	Hidden bool // values of headers are masked, in the command too
	// Advice is one sentence on what is wrong with the receiver; empty if nothing is.
	Advice string
	Marked string // the answer's body, with what cannot be seen made visible
	// Withheld says that the answer's headers and body are left out: the visitor has not
	// the right to them. Size is then how long the body is that was kept.
	Withheld bool
	Size     int
}

// A tryPart is a part of a try and how long it took.
type tryPart struct {
	Key  string
	Took time.Duration
}

// oneDelivery finds the delivery of the path.
func (v *visit) oneDelivery() (store.DeliveryDetail, error) {
	d, err := v.c.Store.Delivery(v.ctx(), v.reading(), v.r.PathValue("id"))
	if err == nil {
		v.stands("delivery", string(d.State), string(d.ID))
	}
	return d, err
}

func (c *Console) delivery(v *visit) error {
	d, err := v.oneDelivery()
	if err != nil {
		return err
	}
	v.topics = []string{topicDeliveries + ":" + string(d.ID)}
	for _, other := range d.Others {
		v.topics = append(v.topics, topicDeliveries+":"+string(other.ID))
	}
	return v.page("delivery", v.deliveryPageOf(d))
}

func (v *visit) deliveryPageOf(d store.DeliveryDetail) oneDeliveryPage {
	p := oneDeliveryPage{DeliveryDetail: d, Line: v.deliveryLine(d.DeliveryRow), StoreName: v.storeName(d.Store), Planned: v.scheduleText(d.Schedule), Now: d.URL}
	var own []webhook.Attempt
	for _, a := range d.Attempts {
		if a.Delivery == d.ID {
			own = append(own, a)
		}
		p.Tries = append(p.Tries, v.tryView(a))
	}
	slices.Reverse(p.Tries)
	if d.Endpoint != "" {
		e, ok := v.endpointOf(d.Endpoint)
		p.Gone, p.Paused, p.Now = !ok, e.Paused, e.URL
		if ok && v.May(member.Integrate) {
			p.Endpoint = object(store.Scope{Store: e.Store, Mode: e.Mode}, "endpoints", string(e.ID))
		}
		if n := len(own); n > 0 && ok && own[n-1].URL != "" && own[n-1].URL != e.URL {
			p.Then = own[n-1].URL
		}
	}
	p.MayStop = d.State == webhook.Waiting || d.State == webhook.Held
	// What ends by itself has used up its tries, lost its endpoint, or was one by hand.
	p.Stopped = d.State == webhook.Undone && d.Tries < d.MaxTries && (len(own) == 0 || own[len(own)-1].Outcome != webhook.Gone)
	p.Ladder = v.ladder(d, own)
	for _, other := range d.Others {
		p.Again = append(p.Again, v.deliveryLine(other))
	}
	return p
}

func (v *visit) tryView(a webhook.Attempt) tryView {
	out := tryView{
		Attempt: a, Answer: v.answer(a), Good: a.Outcome == webhook.Good, Manual: a.Delivery != a.Webhook,
		Curl: curl(a), Hidden: strings.Contains(a.RequestHeader, webhook.HeaderMask), Marked: page.Visible(string(a.ResponseBody)),
	}
	// What a shop prints may be personal data, and so may the address that it redirects to,
	// and what an error quotes that came in place of an answer.
	may := v.May(member.Resend)
	if f, ok := delivery.Diagnose(a); ok && (may || f.Location == "" && a.Cause != webhook.CauseBroken) {
		egress := cmp.Or(strings.Join(v.c.egress(), ", "), v.t("calltest.egress_unknown"))
		key, args := f.Words(egress)
		out.Advice = v.t(key, args...)
	}
	if !may && a.Cause == webhook.CauseBroken {
		out.Error = ""
	}
	if !may && a.ResponseHeader+string(a.ResponseBody) != "" {
		out.Withheld, out.Size = true, len(a.ResponseBody)
		out.ResponseHeader, out.ResponseBody, out.Marked = "", nil, ""
	}
	t := a.Trace
	for _, part := range []tryPart{{"dns", t.DNS}, {"connect", t.Connect}, {"tls", t.Handshake}, {"wait", t.Wait}, {"read", t.Read}} {
		if part.Took > 0 {
			out.Parts = append(out.Parts, part)
		}
	}
	return out
}

// curl is a command that makes the same request: the bytes and the headers of then. The
// signature is of then too, so that a receiver that looks at the time refuses it.
func curl(a webhook.Attempt) string {
	if a.Pruned || a.URL == "" {
		return ""
	}
	var b strings.Builder
	b.WriteString("curl -i -X POST " + quoted(a.URL))
	for line := range strings.Lines(a.RequestHeader) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "accept-encoding:") {
			b.WriteString(" \\\n  -H " + quoted(line))
		}
	}
	b.WriteString(" \\\n  --data-binary " + quoted(string(a.RequestBody)))
	return b.String()
}

// quoted is a text as a shell takes it, whatever is in it: what cannot be seen, or turns the
// direction of what is copied, is spelt in bytes, as bash, zsh and ksh read them.
func quoted(s string) string {
	if strings.IndexFunc(s, page.Unseen) < 0 {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\'' || r == '\\':
			b.WriteString(`\` + string(r))
		case page.Unseen(r):
			for _, c := range []byte(string(r)) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
		default:
			b.WriteRune(r)
		}
	}
	return "$'" + b.String() + "'"
}

// hostOf is the host of an address; the address itself if it has none.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return cmp.Or(u.Host, address)
}

// resendOne sends a webhook once more.
func (c *Console) resendOne(v *visit) error {
	d, err := v.oneDelivery()
	if err != nil {
		return err
	}
	again, err := c.Actions.ResendDelivery(v.ctx(), v.caller(d.Store), string(d.ID), v.value("address") == "then")
	switch {
	case errors.Is(err, webhook.ErrTooManyResends):
		return v.mistaken("delivery", v.deliveryPageOf(d), []mistake{{"", v.t("deliveries.too_many", "n", webhook.MaxResends)}})
	case err != nil:
		return err
	}
	key := "deliveries.resent"
	if e, ok := v.endpointOf(d.Endpoint); ok && e.Paused {
		key = "deliveries.resent_held"
	}
	return v.done("/deliveries/"+string(again.ID), key)
}

// stopRetries ends the tries of a delivery.
func (c *Console) stopRetries(v *visit) error {
	d, err := v.oneDelivery()
	if err != nil {
		return err
	}
	_, err = c.Actions.StopRetries(v.ctx(), v.caller(d.Store), string(d.ID))
	if fault.Is(err, fault.Conflict) {
		// It is over by now, or being tried: the page says which, and can be sent again.
		if d, err = v.oneDelivery(); err != nil {
			return err
		}
		key := "deliveries.stop_busy"
		if d.State == webhook.Completed || d.State == webhook.Undone {
			key = "deliveries.stop_over"
		}
		return v.show(409, "delivery", v.deliveryPageOf(d), []mistake{{"", v.t(key)}})
	}
	if err != nil {
		return err
	}
	return v.done("/deliveries/"+string(d.ID), "deliveries.stopped")
}
