package console

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/attention"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/store"
)

func (c *Console) attentionRoutes() []route {
	return []route{
		{http.MethodGet, "/attention", member.See, false, c.attention},
		{http.MethodPost, "/attention", member.Pay, false, c.resolve},
	}
}

// attentionPage is what needs a person, or what did.
type attentionPage struct {
	Rows     []attentionLine
	Cut      int // how many rows there are in all, if not all are shown
	At       time.Time
	Resolved bool
	Done     []doneLine
	DoneCut  int    // how many are shown of what was resolved, if that may not be all
	Mistaken string // the subject of the form that is wrong
	Many     bool   // rows of several stores
}

// An attentionLine is a row.
type attentionLine struct {
	attention.Item
	ID     string // of the row on the page
	What   string
	Where  string // the channel, endpoint or store
	Number string
	Link   string // the primary action
	Text   string
	Store  string
	Why    string // the reason code's words; empty if there are none
}

// A doneLine is something that a person dealt with.
type doneLine struct {
	At         time.Time
	What, Note string
	Who, Where string
	Link       string
	Text       string
}

// watch is what the visitor may see of what needs a person.
func (v *visit) watch() attention.Scope {
	return attention.Scope{
		Merchant: v.Scope.Merchant, Store: v.Scope.Store, Mode: v.Scope.Mode,
		Installation: v.May(member.Operate) && v.Scope.Store == "",
	}
}

func (c *Console) attention(v *visit) error {
	page, err := v.attentionPage()
	if err != nil {
		return err
	}
	if v.conflict != nil {
		page.Mistaken = v.value("subject")
	}
	return v.page("attention", page)
}

func (v *visit) attentionPage() (attentionPage, error) {
	p := attentionPage{Resolved: v.query("tab") == "resolved", Many: v.manyStores()}
	if p.Resolved {
		var err error
		if p.Done, err = v.resolved(); len(p.Done) == mostDone {
			p.DoneCut = mostDone
		}
		return p, err
	}
	list, err := v.c.Desk.List(v.ctx(), v.watch(), v.now())
	if err != nil {
		return p, err
	}
	p.At = list.At
	if list.Total > len(list.Items) {
		p.Cut = list.Total
	}
	for n, i := range list.Items {
		l := attentionLine{Item: i, ID: "w-" + strconv.Itoa(n), What: v.what(i), Number: v.number(store.Count{N: i.Count, More: i.More}), Where: v.about(i), Store: v.storeName(i.Store)}
		l.Link, l.Text = v.action(i)
		if i.Reason != "" {
			l.Why = page.Visible(string(i.Reason))
		}
		p.Rows = append(p.Rows, l)
	}
	v.topics = []string{topicNotices, topicDeliveries}
	return p, nil
}

// what says what needs a person, in a sentence.
func (v *visit) what(i attention.Item) string {
	key := "attention.what." + string(i.Kind)
	if !i.Ends.IsZero() && i.Ends.Before(v.now()) {
		key += "_past"
	}
	switch {
	case i.Folded > 0:
		key = "attention.many." + string(i.Kind)
	case i.Kind == attention.Refused && v.listed(i):
		key = "attention.refused_listed"
	}
	return v.t(key, "count", v.number(store.Count{N: i.Count, More: i.More}), "n", i.Count, "from", page.Visible(i.Peer), "payment", page.Visible(string(i.PaymentID)), "name", page.Visible(i.Name),
		"target", page.Visible(i.Target), "folded", i.Folded, "days", int(i.Ends.Sub(v.now())/(24*time.Hour)))
}

// listed reports whether what was refused came from an address that its channel admits:
// then it was refused for something else.
func (v *visit) listed(i attention.Item) bool {
	from, err := netip.ParseAddr(i.Peer)
	at := slices.IndexFunc(v.All.Channels, func(c merchant.Channel) bool { return c.Key == i.Channel })
	if err != nil || at < 0 {
		return false
	}
	c := v.All.Channels[at]
	p, ok := v.c.Actions.Providers(c.Provider)
	return ok && provider.Admits(p.Info().Senders(c), from)
}

// number writes how many of something there are.
func (v *visit) number(c store.Count) string {
	if c.More {
		return v.t("attention.n_more", "n", c.N)
	}
	return v.t("attention.n", "n", c.N)
}

// about names what it is about.
func (v *visit) about(i attention.Item) string {
	switch {
	case i.Endpoint != "":
		for _, e := range v.All.Endpoints {
			if e.ID == i.Endpoint {
				return e.Name
			}
		}
		return i.Target
	case i.Channel != "":
		return v.channelName(i.Channel)
	case i.Merchant == "" && i.Case+i.Notice != "":
		return v.t("attention.installation")
	}
	return ""
}

// action is the one thing to do first: a page that the visitor may open.
func (v *visit) action(i attention.Item) (path, text string) {
	at := v.Scope.Base()
	dev := v.May(member.Integrate)
	of := func(section, key string, pairs ...string) (string, string) {
		q := url.Values{}
		for n := 0; n+1 < len(pairs); n += 2 {
			if pairs[n+1] != "" {
				q.Set(pairs[n], pairs[n+1])
			}
		}
		return at + section + query(q.Encode()), v.t("attention.do." + key)
	}
	switch i.Kind {
	case attention.Unmatched, attention.Conflict, attention.PendingLong, attention.Listed:
		if i.Folded > 0 {
			return of("/notices", "notices", "verdict", string(i.Kind), "channel", string(i.Channel))
		}
		return of("/notices/"+url.PathEscape(string(i.Notice)), "notice")
	case attention.Refused, attention.Unreadable:
		if i.Count == 1 && i.Notice != "" {
			return of("/notices/"+url.PathEscape(string(i.Notice)), "notice")
		}
		return of("/notices", "notices", "verdict", string(i.Kind), "peer", i.Peer, "channel", string(i.Channel))
	case attention.EndpointDown, attention.EndpointNeverGood, attention.CertificateEnding:
		if dev {
			return of("/endpoints/"+url.PathEscape(string(i.Endpoint)), "endpoint")
		}
		return of("/deliveries", "deliveries", "endpoint", string(i.Endpoint))
	case attention.DeliveriesFailed:
		return of("/deliveries", "failed", "state", "failed", "endpoint", string(i.Endpoint))
	case attention.ChannelSilent:
		if dev {
			return of("/channels/"+url.PathEscape(string(i.Channel)), "channel")
		}
		return of("/notices", "notices", "channel", string(i.Channel))
	case attention.DepositOverdue:
		return of("/payments", "payments", "state", "VIRTUAL_ACCOUNT_ISSUED", "channel", string(i.Channel))
	case attention.SecretEnding:
		if dev {
			return of("/developers/keys/"+url.PathEscape(i.Subject), "key")
		}
	case attention.CancelUnclear, attention.PaymentListed:
		if i.Payment != "" {
			return of("/payments/"+url.PathEscape(string(i.Payment)), "payment")
		}
		return of("/payments", "payments", "channel", string(i.Channel))
	}
	return "", ""
}

// mostDone is how many of each are looked at for what was dealt with.
const mostDone = 200

// resolved is what people dealt with, the latest first: cases that were closed, and things
// that were acknowledged.
func (v *visit) resolved() (out []doneLine, err error) {
	sees := v.watch()
	owners := []attention.Scope{{Merchant: v.Scope.Merchant, Mode: v.Scope.Mode}}
	if sees.Installation {
		owners = append(owners, attention.Scope{})
	}
	for _, o := range owners {
		cases, err := v.c.Store.ClosedCases(v.ctx(), o.Merchant, v.now().Add(time.Minute), mostDone)
		if err != nil {
			return nil, err
		}
		for _, k := range cases {
			if sees.Sees(k.Merchant, k.Store) && k.Mode == o.Mode {
				i := attention.Item{
					Kind: attention.Kind(k.Kind), Merchant: k.Merchant, Count: 1 + k.Resends, Channel: k.Channel, Case: k.ID, Notice: k.ID, Store: k.Store,
				}
				out = append(out, v.doneLine(i, k.Closed.At, k.Closed.ByName, k.Closed.Note))
			}
		}
		acks, err := v.c.Store.Acks(v.ctx(), o.Merchant, o.Mode, mostDone)
		if err != nil {
			return nil, err
		}
		for _, a := range acks {
			if sees.Sees(a.Merchant, a.Store) {
				out = append(out, v.doneLine(attention.Of(a), a.At, a.ByName, a.Note))
			}
		}
	}
	slices.SortStableFunc(out, func(a, b doneLine) int { return b.At.Compare(a.At) })
	return out[:min(len(out), mostDone)], nil
}

func (v *visit) doneLine(i attention.Item, at time.Time, who, note string) doneLine {
	l := doneLine{At: at, What: v.t("attention.kind." + string(i.Kind)), Note: note, Who: who, Where: v.about(i)}
	l.Link, l.Text = v.action(i)
	return l
}

// resolve closes a case, or acknowledges what is none.
func (c *Console) resolve(v *visit) error {
	kind, subject, note := attention.Kind(v.value("kind")), v.value("subject"), v.value("note")
	list, err := c.Desk.List(v.ctx(), v.watch(), v.now())
	if err != nil {
		return err
	}
	n := slices.IndexFunc(list.Items, func(i attention.Item) bool { return i.Kind == kind && i.Named() == subject && subject != "" })
	if n < 0 {
		return v.done("/attention", "attention.gone")
	}
	i := list.Items[n]
	if us, err := strconv.ParseInt(v.value("mark"), 10, 64); err == nil && time.UnixMicro(us).Before(i.Mark) {
		i.Mark = time.UnixMicro(us).UTC() // what came since the page was made is not hidden
	}
	if err := v.resolveItem(v.ctx(), i, note); err != nil {
		if fault.Is(err, fault.NotFound) {
			return v.done("/attention", "attention.gone") // somebody ended it this moment
		}
		if !fault.Is(err, fault.Invalid) {
			return err
		}
		page, failed := v.attentionPage()
		if failed != nil {
			return failed
		}
		page.Mistaken = subject
		return v.mistaken("attention", page, []mistake{{Text: v.t("attention.note_wrong")}})
	}
	c.Desk.Recount()
	return v.done("/attention", "attention.done")
}

func (v *visit) resolveItem(ctx context.Context, i attention.Item, note string) error {
	caller := action.Caller{Merchant: i.Merchant, Store: i.Store, Mode: v.Scope.Mode, By: v.by()}
	if !i.Closes() {
		return v.c.Actions.Acknowledge(ctx, caller, i, note)
	}
	// The desk knows that the visitor sees it: by the store of its payment, where the case
	// itself is of its channel's.
	caller.Store = ""
	_, err := v.c.Actions.CloseCase(ctx, caller, i.Case, note)
	return err
}
