package console

import (
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
)

// searchRoutes are search, and the way from an id to what has it.
func (c *Console) searchRoutes() []route {
	return []route{
		{http.MethodGet, "/search", member.See, false, c.search},
		{http.MethodGet, Prefix + "/go/{id}", member.See, false, c.goTo},
	}
}

// A searchPage is what was found.
type searchPage struct {
	Query string
	Taken string // what the words were taken for
	Wrong string // why nothing was searched; empty if it was
	Note  string // what the visitor's role leaves out
	Kinds []foundKind
	Found []foundThing // by id
	Older string       // the path that goes on; empty if all was searched
	Since string       // how far back was searched
	Late  string       // what of the newest was not searched
}

// A foundKind is what was found in one way.
type foundKind struct {
	Name string
	Rows []foundPayment
}

// A foundPayment is a payment that was found.
type foundPayment struct {
	paymentLine
	Mode merchant.Mode
}

// A foundThing is something that was found by its id.
type foundThing struct {
	What, ID, Path, Store string
	Mode                  merchant.Mode
}

// fewestDigits is how much of an account number must be given.
const fewestDigits = 4

// longestQuery bounds what is searched, in letters.
const longestQuery = 100

func (c *Console) search(v *visit) error {
	text := v.query("q")
	page := searchPage{Query: text}
	if _, id, ok := strings.Cut(text, Prefix+"/go/"); ok {
		return v.seeOther(Prefix + "/go/" + url.PathEscape(id))
	}
	q := store.Search{Merchant: v.Member.Merchant, Store: v.Scope.Store, Older: v.query("older")}
	if page.Wrong = v.readSearch(text, &q, &page); page.Wrong != "" {
		return v.page("search", page)
	}
	if q.Older == "" {
		found, err := c.Store.Find(v.ctx(), v.Member.Merchant, v.Scope.Store, text, v.Member.Operator)
		if err != nil {
			return err
		}
		if len(found) == 1 && q.Digits == "" {
			return v.seeOther(pathOf(found[0]))
		}
		page.Found = v.foundThings(found)
	}
	res, err := c.Store.Search(v.ctx(), q)
	if err != nil {
		return err
	}
	v.fillSearch(&page, res)
	return v.page("search", page)
}

// readSearch makes a search of what was typed: digits are an account number, a number with
// the sign of money is an amount, and all else is a name or an id. It returns why that
// cannot be searched.
func (v *visit) readSearch(text string, q *store.Search, p *searchPage) (wrong string) {
	plain := strings.NewReplacer("-", "", " ", "").Replace(text)
	amount, isAmount := wonOf(text)
	switch {
	case plain == "":
		return v.t("search.nothing")
	case utf8.RuneCountInString(text) > longestQuery:
		return v.t("search.too_long", "n", longestQuery)
	case strings.Trim(plain, "0123456789") == "" && len(plain) < fewestDigits:
		return v.t("search.few_digits", "n", fewestDigits)
	case strings.Trim(plain, "0123456789") == "":
		q.Digits, q.Whole, p.Taken = plain, !v.reveals(), v.t("search.taken_account")
		if q.Whole {
			p.Note = v.t("search.whole")
		}
	case isAmount && strings.ContainsAny(text, "₩￦원"):
		q.Amount, p.Taken = &amount, v.t("search.taken_amount", "amount", page.Money(payment.Won(amount)))
	default:
		q.Text, p.Taken = text, v.t("search.taken_text")
	}
	return ""
}

// fillSearch puts what was found on the page.
func (v *visit) fillSearch(p *searchPage, res store.SearchResult) {
	for _, h := range res.Hits {
		name := v.t("search.kind." + string(h.Kind))
		if n := len(p.Kinds); n == 0 || p.Kinds[n-1].Name != name {
			p.Kinds = append(p.Kinds, foundKind{Name: name})
		}
		k := &p.Kinds[len(p.Kinds)-1]
		k.Rows = append(k.Rows, foundPayment{v.paymentLine(store.PaymentRow{Payment: h.Payment}, false), h.Mode})
	}
	at := func(t time.Time) string { return page.Clock(t, v.zone()) }
	if res.Older != "" {
		p.Older, p.Since = v.part("older", res.Older), v.t("search.since", "time", at(res.Since))
	}
	if !res.Behind.IsZero() {
		p.Late = v.t("search.behind", "time", at(res.Behind))
	}
}

// foundThings are things with ids, as links. Payments are among what is searched, unless
// they were found by an id of ours.
func (v *visit) foundThings(found []store.Found) (out []foundThing) {
	for _, f := range found {
		out = append(out, foundThing{
			What: v.t("search.what." + string(f.What)), ID: f.ID, Path: pathOf(f), Store: v.storeName(f.Scope.Store), Mode: f.Scope.Mode,
		})
	}
	return out
}

// pathOf is the page of what was found.
func pathOf(f store.Found) string {
	switch f.What {
	case store.APayment, store.AnEvent:
		return object(f.Scope, "payments", string(f.Payment))
	case store.ANotice:
		return object(f.Scope, "notices", f.ID)
	case store.ADelivery:
		return object(f.Scope, "deliveries", f.ID)
	case store.AnEndpoint:
		return object(f.Scope, "endpoints", f.ID)
	case store.AChannel:
		return object(f.Scope, "channels", f.ID)
	case store.AStore:
	}
	return scope{Store: f.Scope.Store, Mode: merchant.Live}.Base() + "/"
}

// goTo leads from an id, or the beginning of one, to the page of what has it.
func (c *Console) goTo(v *visit) error {
	id := v.r.PathValue("id")
	found, err := c.Store.Find(v.ctx(), v.Member.Merchant, v.Member.Store, id, v.Member.Operator)
	if err != nil {
		return err
	}
	switch len(found) {
	case 0:
		return errNoThing
	case 1:
		return v.seeOther(pathOf(found[0]))
	}
	return v.page("search", searchPage{Query: id, Taken: v.t("search.taken_id"), Found: v.foundThings(found)})
}
