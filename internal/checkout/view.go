package checkout

import (
	"embed"
	"html/template"
	"net/http"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/words"
)

//go:embed pages
var pageFiles embed.FS

// A view is what a page's template gets.
type view struct {
	Lang      words.Lang
	Langs     []langLink
	Title     string
	Origin    string
	Window    string
	TxID      payment.TransactionID
	End       string // what the script tells the shop's page: ended, left, or nothing
	Version   string // of what the page shows; empty if it is not told of changes
	Test      bool
	Trial     bool
	Shop      string
	OrderName string
	Amount    payment.Money
	Until     string
	Answered  bool
	Onward    template.URL // where the buyer goes afterwards; its scheme was checked
	RequestID string
	Mistakes  []mistake
	NameLimit int

	// of an account that is asked for
	Banks []payment.Bank
	Due   time.Time
	// of a card or a wallet that is played
	Endings []ending
	Wallet  string // as people call it
	// of what came of it
	Account *payment.Account
	Number  string
	Paid    bool
	PaidAt  time.Time
	Expired bool
	// of an end
	Headline, Says, Why string
	Bad                 bool
	Again               bool // it may go better

	visit *visit
}

type langLink struct {
	Lang words.Lang
	Text string
	Path string
	Here bool
}

// A mistake is what is wrong with a form: the field that it is in, if it is in one, and
// what to do.
type mistake struct{ Field, Text string }

// An ending is how a payment that is played ends.
type ending struct {
	Value provider.Ending
	Text  string
}

// Path is an address of the window, in the buyer's language if they chose one.
func (w view) Path(rest string) string { return w.visit.path(rest) }

// State is where the page's script hears of changes.
func (w view) State() string { return Prefix + "/" + w.visit.token + "/state" }

// Typed is what a form's field holds.
func (w view) Typed(field string) string {
	if w.visit.r.Method == http.MethodPost {
		return w.visit.r.PostFormValue(field)
	}
	switch field {
	case "depositor":
		return w.visit.window.Customer.Name
	case "bank":
		if len(w.Banks) == 1 {
			return string(w.Banks[0])
		}
	}
	return ""
}

// Wrong is what is wrong with a field; empty if nothing is.
func (w view) Wrong(field string) string {
	for _, m := range w.Mistakes {
		if m.Field == field {
			return m.Text
		}
	}
	return ""
}

func (v *visit) path(rest string) string {
	out := Prefix + "/" + v.token + rest
	if l, ok := words.ParseLang(v.r.URL.Query().Get("lang")); ok {
		out += "?lang=" + string(l)
	}
	return out
}

// How much of a depositor's name the form takes: in characters, and in bytes, which is
// what the action takes.
const (
	maxDepositor     = 30
	maxDepositorSize = 100
)

// leaving is the window as the shop hears of it by a buyer who goes back now. Without a code
// it would hear of a success, and who has chosen nothing has paid nothing.
func (v *visit) leaving() payment.Checkout {
	x := v.window
	if x.EndedAt.IsZero() && len(v.seen.Transactions) == 0 {
		x.Outcome = payment.Left()
	}
	return x
}

// view is what every page of a window shows.
func (v *visit) view() view {
	w := view{
		Lang: v.lang, Title: v.t("checkout.title"), Origin: v.window.Origin, Window: v.window.Window, TxID: v.window.Transaction, Test: v.window.Mode == merchant.Test,
		Trial: v.offer.Trial, Shop: v.offer.StoreName, OrderName: v.window.OrderName, Amount: v.window.Amount,
		Until: v.window.ExpiresAt.In(page.Seoul).Format("15:04"), Answered: !v.window.AnsweredAt.IsZero(), NameLimit: maxDepositor, visit: v,
	}
	if to := onward(told(v.leaving(), v.lang)); to != "" {
		w.Onward = template.URL(to) //nolint:gosec // the action takes http, https and the store's app schemes alone
	}
	if w.Answered {
		w.End = "ended"
	}
	for _, l := range words.Langs() {
		w.Langs = append(w.Langs, langLink{l, map[words.Lang]string{words.Ko: "한국어", words.En: "English"}[l], Prefix + "/" + v.token + "?lang=" + string(l), l == v.lang})
	}
	return w
}

type pageKey struct {
	lang words.Lang
	name string
}

var parsed sync.Map // pageKey → *template.Template

// templates is a page with the frame around it. Each is parsed once.
func templates(l words.Lang, name string) (*template.Template, error) {
	key := pageKey{l, name}
	if t, ok := parsed.Load(key); ok {
		return t.(*template.Template), nil //nolint:forcetypeassert // nothing else is stored
	}
	t := template.New("checkout.html").Funcs(page.Functions(l, page.KST)).Funcs(template.FuncMap{"asset": assets.Path})
	t, err := t.ParseFS(pageFiles, "pages/checkout.html", "pages/"+name+".html")
	if err == nil {
		parsed.Store(key, t)
	}
	return t, err
}
