package console

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/words"
)

func (c *Console) onePaymentRoutes() []route {
	const one = "/payments/{id}"
	return []route{
		{http.MethodGet, one, member.See, false, c.onePayment},
		{http.MethodPost, one + "/resend", member.Resend, false, c.resendPayment},
		{http.MethodPost, one + "/ask", member.Pay, false, c.askPayment},
		{http.MethodGet, one + "/cancel", member.Pay, false, c.cancelPayment},
		{http.MethodPost, one + "/cancel", member.Pay, false, c.cancelledPayment},
		{http.MethodGet, one + "/deposit", member.Pay, true, c.enterDeposit},
		{http.MethodPost, one + "/deposit", member.Pay, true, c.enteredDeposit},
	}
}

// paymentPage is one payment.
type paymentPage struct {
	P         payment.Payment
	Path      string
	Provider  string
	Channel   string
	StoreName string
	Method    string       // what it is paid by; empty before that is known
	Account   *accountCard // nil if there is none
	Flag      string       // see state.account; empty if there is nothing to say
	Customer  string
	Back      string // what was given back; empty if nothing was
	// What may be done, and why not: a key of a text.
	ResendWhy, AskWhy, CancelWhy, DepositWhy string

	Tab, Only  string
	Tabs       []choice
	Onlys      []choice
	Line       []moment
	Notices    []noticeLine
	Deliveries []deliveryLine
	JSON       string
	Audit      []entryShown
	AuditWhy   string
	Many       bool // more happened than is read
}

func (p paymentPage) title() string { return string(p.P.ID) }

// An accountCard is a virtual account as the visitor may see it.
type accountCard struct {
	payment.Account
	Shown, Depositor, HolderName string
	Deposits                     []depositShown
}

// A depositShown is money that came in.
type depositShown struct {
	payment.Deposit
	Who string
}

// An entryShown is a line of the audit log.
type entryShown struct {
	member.Entry
	Change string
}

// tabs of the page.
var paymentTabs = []string{"timeline", "notices", "webhooks", "json", "audit"}

// paymentOf finds the payment of the path, by our key or the merchant's id.
func (v *visit) paymentOf() (paymentPage, error) {
	found, err := v.c.Store.PaymentsCalled(v.ctx(), v.reading(), v.r.PathValue("id"))
	switch {
	case err != nil:
		return paymentPage{}, err
	case len(found) != 1 || !v.sees(found[0].Merchant, found[0].Store):
		return paymentPage{}, errNoThing
	}
	p := found[0]
	v.stands("payment", string(p.State), string(p.ID))
	out := paymentPage{
		P: p, Path: object(v.reading(), "payments", string(p.Key)), StoreName: v.storeName(p.Store), Flag: accountState(p, v.now()),
		Customer: v.person(p.Customer.Name),
	}
	if n := p.GivenBack(); n > 0 {
		out.Back = page.Money(payment.Money{Amount: n, Currency: p.Amount.Currency})
	}
	t, ok := p.Transaction()
	if ok {
		out.Channel = v.channelName(t.Channel)
		if ch, ok := v.channel(t.Channel); ok {
			out.Provider = ch.Provider
		}
	}
	out.Method = v.paidBy(p.Method(), t)
	if ok && t.Account != nil {
		card := accountCard{Account: *t.Account, HolderName: v.person(t.Account.Holder), Shown: v.account(t.Account.Number), Depositor: v.person(t.Depositor)}
		for _, d := range p.Deposits {
			if d.Counted() {
				card.Deposits = append(card.Deposits, depositShown{d, v.person(d.Depositor)})
			}
		}
		out.Account = &card
	}
	v.mayOn(&out, t, ok)
	return out, nil
}

// paidBy is what an attempt is paid by, as people call it; empty before that is known.
func (v *visit) paidBy(m payment.Method, t payment.Transaction) string {
	switch {
	case m == "":
		return ""
	case t.Charge != nil && t.Charge.Wallet != "":
		return v.wallet(t.Charge.Wallet)
	}
	return v.t("channels.method." + string(m))
}

// wallet is what people call an easy-pay wallet.
func (v *visit) wallet(w payment.Wallet) string {
	if key := "wallet." + string(w); words.Has(key) {
		return v.t(key)
	}
	return page.Visible(string(w))
}

// mayOn says what may be done with a payment.
func (v *visit) mayOn(out *paymentPage, t payment.Transaction, has bool) {
	p := out.P
	pg, known := v.c.Actions.Providers(out.Provider)
	ch, _ := v.channel(t.Channel)
	if !known || pg == nil || t.Opened || !provider.CanBeAsked(pg, ch) {
		out.AskWhy = "payment.why_no_inquiry"
	}
	switch {
	case p.State == payment.Paid || p.State == payment.PartiallyCancelled:
	case p.State == payment.Issued && has && t.Account != nil:
	default:
		out.CancelWhy = "payment.why_no_cancel"
	}
	unlimited := has && t.Account != nil && t.Account.Type == payment.FixedUnlimited
	switch {
	case !has || t.Charge != nil || t.Opened:
		out.DepositWhy = "payment.why_no_account"
	case p.State == payment.Issued, p.State == payment.Ready, p.State == payment.PayPending, unlimited && p.State == payment.Paid:
	default:
		out.DepositWhy = "payment.why_paid"
	}
}

func (c *Console) onePayment(v *visit) error {
	p, err := v.paymentOf()
	if err != nil {
		return err
	}
	p.Tab, p.Only = v.query("tab"), v.query("only")
	if !slices.Contains(paymentTabs, p.Tab) {
		p.Tab = paymentTabs[0]
	}
	if p.Only != "shop" && p.Only != "failed" {
		p.Only = ""
	}
	for _, tab := range paymentTabs {
		key := "payment.tab_" + tab
		p.Tabs = append(p.Tabs, choice{v.t(key), v.with("tab", tab), tab == p.Tab})
	}
	for _, only := range []string{"", "shop", "failed"} {
		key := "payment.only_all"
		if only != "" {
			key = "payment.only_" + only
		}
		p.Onlys = append(p.Onlys, choice{v.t(key), v.with("only", only), only == p.Only})
	}
	if err := c.fillPayment(v, &p); err != nil {
		return err
	}
	v.topics = []string{topicPayments + ":" + string(p.P.Key)}
	return v.page("payment", p)
}

// mostOfPayment is how many notices and webhooks of a payment one page reads.
const mostOfPayment = 200

// fillPayment reads what the chosen tab shows.
func (c *Console) fillPayment(v *visit, p *paymentPage) error {
	at := store.Page{Size: mostOfPayment}
	notices, err := c.Store.NoticeRows(v.ctx(), v.reading(), store.NoticeFilter{Payment: p.P.Key}, at)
	if err != nil {
		return err
	}
	hooks, err := c.Store.DeliveryRows(v.ctx(), v.reading(), store.DeliveryFilter{Payment: p.P.Key}, at)
	if err != nil {
		return err
	}
	p.Many = notices.Older != "" || hooks.Older != ""
	if len(hooks.Rows) == 0 {
		p.ResendWhy = "payment.why_no_webhook"
	}
	switch p.Tab {
	case "notices":
		p.Notices, err = c.noticeLines(v, notices.Rows)
	case "webhooks":
		for _, d := range hooks.Rows {
			p.Deliveries = append(p.Deliveries, v.deliveryLine(d))
		}
	case "json":
		p.JSON, err = v.documentOf(p.P)
	case "audit":
		p.Audit, err = c.auditOf(v, p)
	default:
		p.Line, err = c.timeline(v, p.P, notices.Rows, hooks.Rows)
		p.Line = only(p.Line, p.Only)
	}
	return err
}

// documentOf is the payment as it is kept, with account numbers hidden, and for who may only
// look without what tells of people.
func (v *visit) documentOf(p payment.Payment) (string, error) {
	if !v.reveals() {
		p.Customer = payment.Customer{ID: p.Customer.ID, Name: v.person(p.Customer.Name)}
		p.CustomData = ""
		p.Transactions, p.Deposits = slices.Clone(p.Transactions), slices.Clone(p.Deposits)
		for i := range p.Transactions {
			t := &p.Transactions[i]
			t.Depositor = v.person(t.Depositor)
			if t.Account != nil {
				a := *t.Account
				a.Holder = v.person(a.Holder)
				t.Account = &a
			}
		}
		for i := range p.Deposits {
			p.Deposits[i].Depositor = v.person(p.Deposits[i].Depositor)
		}
	}
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false) // the template escapes
	e.SetIndent("", "  ")
	err := e.Encode(p)
	return out.String(), err
}

// auditOf is what people did with the payment, for those who may see it.
func (c *Console) auditOf(v *visit, p *paymentPage) (out []entryShown, err error) {
	if !v.May(member.Own) {
		p.AuditWhy = "right.own"
		return nil, nil
	}
	list, err := c.Store.AuditLog(v.ctx(), store.AuditQuery{Merchant: v.Member.Merchant, Object: string(p.P.ID), Limit: mostOfPayment})
	for _, e := range list {
		if e.Kind != "payment" || e.Store != p.P.Store && e.Store != "" {
			continue
		}
		out = append(out, entryShown{e, fieldsText(e.Before) + " → " + fieldsText(e.After)})
	}
	return out, err
}

func fieldsText(list []member.Field) string {
	var out []string
	for _, f := range list {
		out = append(out, f.Name+"="+f.Text)
	}
	return strings.Join(out, " ")
}
