package console

import (
	"net/http"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
)

// paymentRoutes are the list of payments.
func (c *Console) paymentRoutes() []route {
	return []route{
		{http.MethodGet, "/payments", member.See, false, c.payments},
		{http.MethodGet, "/payments.csv", member.See, false, c.paymentsFile},
	}
}

// A paymentsPage is the list of payments.
type paymentsPage struct {
	Rows    []paymentLine
	List    listed
	Changed bool // times are those of the last change
	Many    bool // rows say whose they are
	// What the form of filters offers.
	States, Channels, Bases []option
	Filtered                bool
	Basis                   string // which time is meant, in words
	Most                    filterOut
	File, Resend            string // where the list can be taken away, and its webhooks sent again
}

// A filterOut is the filter that leaves out the most, where nothing is left.
type filterOut struct {
	Text, Path string // empty: no filter is in force
}

// A paymentLine is a row of the list.
type paymentLine struct {
	Key       payment.Key
	Path      string
	At        time.Time
	State     payment.State
	Account   string // due_soon, expired or reversed; empty if there is nothing to say
	ID        string
	Order     string
	Payer     string
	Depositor string // empty if it is the payer too
	Bank      payment.Bank
	Number    string
	Amount    payment.Money
	Channel   string
	Store     string
	Webhook   *webhookLine // nil if there was none
}

// A webhookLine is what became of the latest webhook.
type webhookLine struct {
	State webhook.DeliveryState
	Path  string
	More  string // how far it is, where it is not over
}

func (c *Console) payments(v *visit) error {
	f := &filtering{v: v}
	q := v.paymentFilter(f)
	page := v.paymentsPage(f)
	page.Changed = q.Changed
	if len(f.Mistakes) > 0 {
		return v.mistaken("payments", page, f.Mistakes)
	}
	list, err := c.Store.PaymentRows(v.ctx(), v.reading(), q, v.asked())
	if err != nil {
		return err
	}
	page.List = listedOf(v, list)
	for _, p := range list.Rows {
		page.Rows = append(page.Rows, v.paymentLine(p, q.Changed))
	}
	if len(page.Rows) == 0 && page.Filtered && !list.Cut {
		if page.Most, err = v.excluding(f, q); err != nil {
			return err
		}
	}
	if v.asked() == (store.Page{}) {
		v.topics = []string{topicPayments, topicDeliveries}
	}
	return v.page("payments", page)
}

// Names of parameters of the list of payments.
const (
	byState   = "state"
	byChannel = "channel"
	byBasis   = "basis"
	byAmount  = "amount"
	byUntold  = "untold"
	byFailed  = "failed"
	basisNew  = "requested"
	basisMove = "changed"
)

// paymentFilter reads the filters of the list of payments.
func (v *visit) paymentFilter(f *filtering) store.PaymentFilter {
	var states, channels []string
	for _, s := range payment.States() {
		states = append(states, string(s))
	}
	for _, c := range v.channels() {
		channels = append(channels, string(c.Key))
	}
	q := store.PaymentFilter{
		Channel: merchant.ChannelKey(f.one(byChannel, channels...)), Amount: f.amount(byAmount),
		Untold: f.tick(byUntold), WebhookFailed: f.tick(byFailed),
	}
	if s := f.one(byState, states...); s != "" {
		q.States = []payment.State{payment.State(s)}
	}
	q.From, q.Until = f.period()
	switch basis := v.query(byBasis); basis { // it leaves nothing out
	case "", basisNew:
	case basisMove:
		q.Changed = true
	default:
		f.Mistakes = append(f.Mistakes, mistake{byBasis, v.t("list.unknown", "value", page.Visible(basis))})
	}
	return q
}

// paymentsPage is the page without its rows.
func (v *visit) paymentsPage(f *filtering) paymentsPage {
	p := paymentsPage{Filtered: len(f.Active) > 0, Many: v.manyStores(), Basis: v.t("payments.basis." + basisNew)}
	if v.query(byBasis) == basisMove {
		p.Basis = v.t("payments.basis." + basisMove)
	}
	p.File, p.Resend = v.besides("/payments.csv"), v.besides("/deliveries/resend", "from", "until")
	p.States = []option{{Value: "", Text: v.t("list.any")}}
	for _, s := range payment.States() {
		p.States = append(p.States, option{Value: string(s), Text: v.t("state.payment." + string(s))})
	}
	p.Channels = []option{{Value: "", Text: v.t("list.any")}}
	for _, c := range v.channels() {
		p.Channels = append(p.Channels, option{Value: string(c.Key), Text: v.channelName(c.Key)})
	}
	p.Bases = []option{{Value: basisNew, Text: v.t("payments.basis." + basisNew)}, {Value: basisMove, Text: v.t("payments.basis." + basisMove)}}
	return p
}

// excluding finds the filter without which the most would be left. Each is tried alone.
func (v *visit) excluding(f *filtering, q store.PaymentFilter) (filterOut, error) {
	most, best := store.Count{}, ""
	for _, name := range f.Active {
		other := q
		switch name {
		case byState:
			other.States = nil
		case byChannel:
			other.Channel = ""
		case byAmount:
			other.Amount = nil
		case byUntold:
			other.Untold = false
		case byFailed:
			other.WebhookFailed = false
		case "from":
			other.From = time.Time{}
		case "until":
			other.Until = time.Time{}
		}
		list, err := v.c.Store.PaymentRows(v.ctx(), v.reading(), other, store.Page{Size: 1})
		if err != nil {
			return filterOut{}, err
		}
		if list.Count.N > most.N {
			most, best = list.Count, name
		}
	}
	if best == "" {
		return filterOut{v.t("payments.none_without_any"), v.without(f.Active...)}, nil
	}
	return filterOut{v.t("payments.none_without", "filter", v.t("payments.filter."+best), "count", v.count(most)), v.without(best)}, nil
}

// dueSoon is how near a deadline is when people are told.
const dueSoon = 3 * time.Hour

// paymentLine is a payment as the visitor may see it in the list.
func (v *visit) paymentLine(p store.PaymentRow, changed bool) paymentLine {
	of := store.Scope{Store: p.Store, Mode: p.Mode}
	line := paymentLine{
		Key: p.Key, Path: object(of, "payments", string(p.Key)), At: p.At(changed), State: p.State, ID: string(p.ID), Order: p.OrderName,
		Payer: v.person(p.Customer.Name), Amount: p.Amount, Store: v.storeName(p.Store), Account: accountState(p.Payment, v.now()),
	}
	t, ok := p.Transaction()
	if ok {
		line.Channel = v.channelName(t.Channel)
		if t.Account != nil {
			line.Bank, line.Number = t.Account.Bank, v.account(t.Account.Number)
		}
		if t.Depositor != p.Customer.Name {
			line.Depositor = v.person(t.Depositor)
		}
	}
	if p.Webhook != nil {
		line.Webhook = v.webhookLine(of, *p.Webhook)
	}
	return line
}

// accountState is what is to be said of a virtual account beside its payment's state.
func accountState(p payment.Payment, now time.Time) string {
	reversed := func(d payment.Deposit) bool { return d.State == payment.DepositReversed }
	deadline := p.Deadline()
	switch {
	case p.State != payment.Paid && slices.ContainsFunc(p.Deposits, reversed):
		return "reversed"
	case p.State != payment.Issued:
		return ""
	case p.Expired || !deadline.IsZero() && !deadline.After(now):
		return "expired"
	case !deadline.IsZero() && deadline.Sub(now) < dueSoon:
		return "due_soon"
	}
	return ""
}

// webhookLine is the latest webhook of a payment.
func (v *visit) webhookLine(of store.Scope, w store.WebhookState) *webhookLine {
	out := &webhookLine{State: w.State, Path: object(of, "deliveries", string(w.ID))}
	switch {
	case w.State == webhook.Held:
		out.More = v.t("payments.webhook_held")
	case w.State == webhook.Waiting && w.Tries > 0:
		out.More = v.t("payments.webhook_failing", "tries", w.Tries, "max", w.MaxTries, "time", w.DueAt.In(page.Location(v.zone())).Format(time.TimeOnly))
	}
	return out
}
