package console

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// evil is a text from outside that would be an element and attributes, and that has what
// cannot be seen: something that turns the direction, an escape of terminals, one of C1, and
// what takes no room.
const evil = "\u202eQ\"'><xss onx=1>{{.}}</title></textarea>\u202c\x1b[31m\u0085\u200b\ufeff&lt;"

// soft is evil without control characters, which verbs do not take.
var soft = strings.NewReplacer("\x1b", "", "\u0085", "").Replace(evil)

// unseenRaw are characters that no text of a page may have as they are.
var unseenRaw = regexp.MustCompile("[\x01-\x08\x0b-\x1f\x7f\u0080-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")

var (
	tagged   = regexp.MustCompile(`(?s)<[a-zA-Z/!][^<>"]*(?:"[^"]*"[^<>"]*)*>`)
	inQuotes = regexp.MustCompile(`(?s)"[^"]*"`)
	entering = regexp.MustCompile(`(?s)<textarea.*?</textarea>`)
	hrefs    = regexp.MustCompile(`href="([^"]*)"`)
)

// outsiders fills a post with evil in whatever comes from outside.
func outsiders(t *testing.T) *postOffice {
	t.Helper()
	p := newPost(t)
	p.listens()
	p.change(func(x *settings.All) {
		for i := range x.Merchants {
			x.Merchants[i].Name += evil
		}
		for i := range x.Stores {
			x.Stores[i].Name += evil
			x.Stores[i].TierCode += evil
		}
		for i := range x.Channels {
			x.Channels[i].Name += evil
		}
		for i := range x.Endpoints {
			x.Endpoints[i].Name, x.Endpoints[i].URL = "서버"+evil, "https://shop.example/"+url.PathEscape(evil)+"?a=<xss>"
		}
	})
	for as, m := range p.people {
		m.Name, m.Email = evil, evil+as+"@example.kr"
		p.people[as] = m
	}
	caller := action.Caller{Merchant: ours, Store: main1, Mode: merchant.Test, By: p.people["owner"].By("203.0.113.7")}
	register := func(id payment.ID, number secret.Account) {
		_, _, err := p.Actions.RegisterAccount(t.Context(), caller, payment.Registration{
			ID: id, Channel: oursTest, OrderName: soft, Amount: payment.Won(59000), CustomData: soft,
			Customer: payment.Customer{Name: soft, Email: soft, PhoneNumber: soft},
			Account:  payment.Account{Bank: "SHINHAN", Number: number, Holder: soft, ExpiresAt: time.Now().Add(time.Hour)},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	register("1001", "110-123-4567-1001")
	register(`"><xss onx=1>`, "110-123-4567-1002")
	p.sends("127.0.0.1", told("1001", func(n *notice.Notice) { n.Depositor, n.Holder = evil, evil }), func(r *notice.Request) {
		r.Header.Set("User-Agent", evil)
		r.Header[evil] = []string{evil}
		r.Body = append(r.Body, "&"+url.QueryEscape(evil)+"="+url.QueryEscape(evil)...)
	})
	p.sends("203.0.113.7", told(evil, func(n *notice.Notice) { n.Depositor, n.PGTx, n.Deposit = evil, evil, evil }))
	p.sends("127.0.0.1", told(evil))
	p.sends("127.0.0.1", told("1001"), func(r *notice.Request) { r.Body = []byte(evil) })
	jobs := p.claims(time.Now())
	for i, j := range jobs {
		p.tries(j, time.Duration(i)*time.Minute, func(a *webhook.Attempt) {
			a.Error, a.ResponseHeader, a.ResponseBody = evil, "x-"+evil+": "+evil, []byte(evil+"\xff\xfe")
			a.RequestHeader, a.URL = "y: "+evil, "https://shop.example/"+evil
		})
	}
	if _, _, err := p.Console.Listen.Open(t.Context(), webhook.Listener{
		Merchant: ours, Store: main1, Mode: merchant.Test, Credential: "c", Name: evil, Forward: "http://localhost/" + evil,
	}); err != nil {
		t.Fatal(err)
	}
	if err := p.Store.PutCalls(t.Context(), []merchant.Call{{
		ID: storetest.NewID(), At: time.Now().UTC(), Merchant: ours, Store: main1, Mode: merchant.Test, Credential: evil, By: merchant.ByAPISecret, Method: evil,
		Route: "/x/" + evil, Path: "/x/" + evil, Status: 404, Error: evil,
	}}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Actions.DepositByHand(t.Context(), caller, `"><xss onx=1>`, action.HandDeposit{Number: "T" + soft, Reason: soft, Depositor: soft}); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestMarkupFromOutside crawls every page of a store whose every text from outside is markup
// and has what cannot be seen: nothing of it becomes an element or an attribute, and what
// cannot be seen is made visible.
func TestMarkupFromOutside(t *testing.T) {
	p := outsiders(t)
	queue := []string{
		Prefix + "/all/test/", Prefix + "/all/live/", Prefix + "/me", Prefix + "/all/test/search?q=Q", Prefix + "/all/test/search?q=" + url.QueryEscape(evil),
		Prefix + "/all/test/payments?order=" + url.QueryEscape(evil), Prefix + "/all/test/payments?state=" + url.QueryEscape(evil), Prefix + "/all/test/" + url.PathEscape(evil),
		Prefix + "/go/" + url.PathEscape(evil),
	}
	kind := regexp.MustCompile(`^/console/[^/]+/(test|live)|[0-9a-f]{8}-[0-9a-f-]{27}|=[^&]*`)
	visited, ofKind := map[string]bool{}, map[string]int{}
	seen := 0
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		k := kind.ReplaceAllString(path, "*")
		if visited[path] || ofKind[k] == 4 {
			continue
		}
		visited[path] = true
		ofKind[k]++
		w := p.get("owner", path)
		if w.Code >= 500 {
			t.Errorf("%s: %d", path, w.Code)
		}
		if w.Code == http.StatusSeeOther {
			queue = append(queue, w.Header().Get("Location"))
		}
		body := w.Body.String()
		if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			continue
		}
		seen++
		if strings.Contains(strings.ToLower(body), "<xss") {
			t.Errorf("%s: outside text became an element: %.200s", path, body[strings.Index(strings.ToLower(body), "<xss"):])
		}
		for _, tag := range tagged.FindAllString(body, -1) {
			if strings.Contains(inQuotes.ReplaceAllString(tag, ""), "onx") {
				t.Errorf("%s: outside text became an attribute: %.300s", path, tag)
			}
		}
		text := tagged.ReplaceAllString(entering.ReplaceAllString(body, ""), "\n")
		if at := unseenRaw.FindStringIndex(html.UnescapeString(text)); at != nil {
			plain := html.UnescapeString(text)
			t.Errorf("%s: %q is not made visible: …%q", path, plain[at[0]:at[1]], plain[max(0, at[0]-80):min(len(plain), at[1]+40)])
		}
		for _, m := range hrefs.FindAllStringSubmatch(body, -1) {
			if to := html.UnescapeString(m[1]); strings.HasPrefix(to, Prefix+"/") && !strings.Contains(to, "/assets/") {
				queue = append(queue, strings.SplitN(to, "#", 2)[0])
			}
		}
	}
	if seen < 100 || len(ofKind) < 60 {
		t.Errorf("%d pages of %d kinds were seen: the crawl does not get around", seen, len(ofKind))
	}
}
