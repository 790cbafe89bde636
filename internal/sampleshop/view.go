package sampleshop

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/words"
)

//go:embed assets
var assetFiles embed.FS

//go:embed pages
var pageFiles embed.FS

// A view is what a page's template gets.
type view struct {
	Lang     words.Lang
	Chosen   string // of the address: the language, to go on with
	Path     string // of the page
	Hub      string
	Products []Product
	Order    Order
	Methods  []method
	Request  string // for PortOne.requestPayment, as JSON
	Says     string // what came of a window that was a redirection
}

// A method is a way to pay for an order: what requestPayment is given for it, and under which
// key the catalogue has its name.
type method struct{ Value, PayMethod, Channel, Text string }

// methods are the ways to pay for an order, by its currency.
func (s *Shop) methods(o Order) (out []method) {
	if o.Amount.Currency == payment.KRW {
		out = []method{
			{"VIRTUAL_ACCOUNT", string(payment.VirtualAccount), s.ChannelKey, "shop.account"},
			{"CARD", string(payment.ByCard), s.ChannelKey, "shop.card"},
		}
	}
	for _, w := range []payment.Wallet{payment.NaverPay, payment.TossPay, payment.PayPal} {
		by := payment.ByWallet
		if w == payment.PayPal {
			by = payment.ByPayPal
		}
		if key := s.Wallets[w]; key != "" && (w == payment.PayPal) == (o.Amount.Currency != payment.KRW) {
			out = append(out, method{string(w), string(by), key, "wallet." + string(w)})
		}
	}
	return out
}

func language(r *http.Request) words.Lang {
	if l, ok := words.ParseLang(r.URL.Query().Get("lang")); ok {
		return l
	}
	return words.Accepted(r.Header.Get("Accept-Language"))
}

// request is what the order's page gives PortOne.requestPayment, apart from what the buyer
// chooses there, such as a method that has a channel of its own. All of it is public.
func (s *Shop) request(r *http.Request, o Order) (string, error) {
	l := language(r)
	text, err := json.Marshal(map[string]any{
		"storeId": s.StoreID, "channelKey": s.ChannelKey,
		"paymentId": o.ID, "orderName": words.Text(l, "shop.product."+o.Product), "totalAmount": o.Amount.Amount, "currency": o.Amount.Currency,
		"redirectUrl": s.Origin + "/orders/" + o.ID + chosen(r),
		"locale":      map[words.Lang]string{words.Ko: "KO_KR", words.En: "EN_US"}[l],
	})
	return string(text), err
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
	t := template.New("frame.html").Funcs(page.Functions(l, page.KST)).Funcs(template.FuncMap{
		"asset": assets.Path,
		"chip":  func(s State) words.Chip { return words.ChipOf("shop.state." + string(s)) },
	})
	t, err := t.ParseFS(pageFiles, "pages/frame.html", "pages/"+name+".html")
	if err == nil {
		parsed.Store(key, t)
	}
	return t, err
}

// write makes a page and sends it whole.
func (s *Shop) write(w http.ResponseWriter, r *http.Request, status int, name string, v view) {
	v.Lang, v.Chosen, v.Path, v.Hub = language(r), chosen(r), r.URL.Path, s.Hub
	if name == "lost" {
		v.Path = "/"
	}
	t, err := templates(v.Lang, name)
	var out bytes.Buffer
	if err == nil {
		err = t.ExecuteTemplate(&out, "frame.html", v)
	}
	if err != nil {
		http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Vary", "Accept-Language")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // whoever asked may be gone
}

// heartbeat is how often a stream says something, so that one that nobody hears ends.
const heartbeat = 15 * time.Second

// news is a stream of events: the order's version, now and at each change.
func (s *Shop) news(w http.ResponseWriter, r *http.Request) {
	o, changed, ok := s.orders.watch(r.PathValue("id"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	send := http.NewResponseController(w)
	for text := fmt.Sprintf("data: %d\n\n", o.Version); ; {
		if _, err := w.Write([]byte(text)); err != nil || send.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
			text = ": still here\n\n"
		case <-changed:
			if o, changed, ok = s.orders.watch(o.ID); !ok {
				return
			}
			text = fmt.Sprintf("data: %d\n\n", o.Version)
		}
	}
}
