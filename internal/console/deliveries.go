package console

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
)

// deliveryRoutes are the pages about what shops are told.
func (c *Console) deliveryRoutes() []route {
	const bulk = "/deliveries/resend"
	return []route{
		{http.MethodGet, "/deliveries", member.See, false, c.deliveries},
		{http.MethodGet, bulk, member.Resend, false, c.planResends},
		{http.MethodPost, bulk, member.Resend, false, c.startResends},
		{http.MethodGet, bulk + "/{id}", member.See, false, c.resendJob},
		{http.MethodPost, bulk + "/{id}/stop", member.Resend, false, c.stopResends},
		{http.MethodGet, "/deliveries/{id}", member.See, false, c.delivery},
		{http.MethodPost, "/deliveries/{id}/resend", member.Resend, false, c.resendOne},
		{http.MethodPost, "/deliveries/{id}/stop", member.Resend, false, c.stopRetries},
	}
}

// A deliveriesPage is the list of deliveries.
type deliveriesPage struct {
	Rows                     []deliveryLine
	List                     listed
	Many                     bool
	States, Endpoints, Types []option
	Filtered                 bool
	Bulk                     string // the address at which what is listed is sent again
}

// A deliveryLine is a row of the list.
type deliveryLine struct {
	ID       webhook.DeliveryID
	Path     string
	Type     webhook.Type
	Manual   bool
	Payment  string
	Pays     string // the payment's page
	Endpoint string
	Store    string
	State    webhook.DeliveryState
	More     string // how far it is, while it is not over
	Marks    string // a mark for each try: made ones, and those that are left
	Answer   string // the last one: a status, or why there was none
	DueAt    time.Time
	At       time.Time
}

// deliveryStates are the states by which deliveries are listed.
var deliveryStates = []webhook.DeliveryState{webhook.Waiting, webhook.Held, webhook.Completed, webhook.Undone}

func (c *Console) deliveries(v *visit) error {
	f := &filtering{v: v}
	q := v.deliveryFilter(f)
	page := v.deliveriesPage(f)
	if len(f.Mistakes) > 0 {
		return v.mistaken("deliveries", page, f.Mistakes)
	}
	list, err := c.Store.DeliveryRows(v.ctx(), v.reading(), q, v.asked())
	if err != nil {
		return err
	}
	page.List = listedOf(v, list)
	for _, d := range list.Rows {
		page.Rows = append(page.Rows, v.deliveryLine(d))
	}
	if v.asked() == (store.Page{}) {
		v.topics = []string{topicDeliveries}
	}
	return v.page("deliveries", page)
}

// deliveryFilter reads the filters of the list of deliveries.
func (v *visit) deliveryFilter(f *filtering) store.DeliveryFilter {
	var states, endpoints, types []string
	for _, s := range deliveryStates {
		states = append(states, string(s))
	}
	for _, e := range v.endpoints() {
		endpoints = append(endpoints, string(e.ID))
	}
	for _, t := range allTypes() {
		types = append(types, string(t))
	}
	q := store.DeliveryFilter{Endpoint: webhook.EndpointID(f.one("endpoint", endpoints...)), Type: webhook.Type(f.one("type", types...))}
	if s := f.one("state", states...); s != "" {
		q.States = []webhook.DeliveryState{webhook.DeliveryState(s)}
	}
	q.From, q.Until = f.period()
	return q
}

// allTypes are all types of events.
func allTypes() []webhook.Type { return append(webhook.PortOneTypes(), webhook.OwnTypes()...) }

// endpoints are those of the scope that the visitor may know of.
func (v *visit) endpoints() (out []webhook.Endpoint) {
	for _, e := range v.All.Endpoints {
		if v.sees(e.Merchant, e.Store) && e.Mode == v.Scope.Mode && (v.Scope.Store == "" || e.Store == v.Scope.Store) {
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(a, b webhook.Endpoint) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return out
}

// endpointOf is the endpoint of a delivery, as it is now; false if it was deleted.
func (v *visit) endpointOf(id webhook.EndpointID) (webhook.Endpoint, bool) {
	for _, e := range v.All.Endpoints {
		if e.ID == id && v.Member.Merchant == e.Merchant {
			return e, true
		}
	}
	return webhook.Endpoint{}, false
}

// endpointName is where a delivery goes, in words: the endpoint's name, or the host of a
// notice URL.
func (v *visit) endpointName(id webhook.EndpointID, url string) string {
	if id == "" {
		return v.t("deliveries.notice_url", "host", hostOf(url))
	}
	if e, ok := v.endpointOf(id); ok {
		return e.Name
	}
	return v.t("deliveries.gone")
}

// deliveriesPage is the page without its rows.
func (v *visit) deliveriesPage(f *filtering) deliveriesPage {
	p := deliveriesPage{Filtered: len(f.Active) > 0, Many: v.manyStores()}
	whichever := option{Value: "", Text: v.t("list.any")}
	p.States, p.Endpoints, p.Types = []option{whichever}, []option{whichever}, []option{whichever}
	for _, s := range deliveryStates {
		p.States = append(p.States, option{Value: string(s), Text: v.t("deliveries.state." + string(s))})
	}
	for _, e := range v.endpoints() {
		p.Endpoints = append(p.Endpoints, option{Value: string(e.ID), Text: e.Name})
	}
	for _, t := range allTypes() {
		p.Types = append(p.Types, option{Value: string(t), Text: string(t)})
	}
	q := v.r.URL.Query()
	for _, name := range []string{"state", "older", "newer"} {
		q.Del(name)
	}
	p.Bulk = v.Scope.Base() + "/deliveries/resend" + query(q.Encode())
	return p
}

func (v *visit) deliveryLine(d store.DeliveryRow) deliveryLine {
	of := store.Scope{Store: d.Store, Mode: d.Mode}
	line := deliveryLine{
		ID: d.ID, Path: object(of, "deliveries", string(d.ID)), Type: d.Type, Manual: d.Manual, Payment: string(d.PaymentID),
		Endpoint: v.endpointName(d.Endpoint, d.URL), Store: v.storeName(d.Store), State: d.State, More: v.deliveryMore(d),
		Marks: marks(d), At: d.CreatedAt,
	}
	if d.Payment != "" {
		line.Pays = object(of, "payments", string(d.Payment))
	}
	if d.Last != nil {
		line.Answer = v.answer(*d.Last)
	}
	if d.State == webhook.Waiting {
		line.DueAt = d.DueAt
	}
	return line
}

// deliveryMore is the second part of a state: how far a delivery is that is not over.
func (v *visit) deliveryMore(d store.DeliveryRow) string {
	switch {
	case d.State == webhook.Held:
		return v.t("deliveries.held")
	case d.State == webhook.Waiting && d.Tries > 0:
		return v.t("deliveries.failing", "tries", d.Tries, "max", d.MaxTries, "time", d.DueAt.In(page.Location(v.zone())).Format(time.TimeOnly))
	}
	return ""
}

// mostMarks bounds how many tries a row draws: own schedules may have fifty.
const mostMarks = 12

// marks draws the tries of a delivery: made ones as they ended, and those that are left
// while it is not over.
func marks(d store.DeliveryRow) string {
	var b strings.Builder
	drawn := 0
	for _, o := range d.Outcomes[max(0, len(d.Outcomes)-mostMarks):] {
		drawn++
		if o == webhook.Good {
			b.WriteString("●")
		} else {
			b.WriteString("✕")
		}
	}
	if d.State == webhook.Waiting || d.State == webhook.Held {
		b.WriteString(strings.Repeat("○", max(0, min(d.MaxTries-d.Tries, mostMarks-drawn))))
	}
	return b.String()
}

// answer is what a try came to, in short: its status, or why there was none.
func (v *visit) answer(a webhook.Attempt) string {
	if a.Status > 0 {
		return strconv.Itoa(a.Status)
	}
	switch a.Cause {
	case webhook.CauseTimeout, webhook.CauseRefused, webhook.CauseDNS, webhook.CauseTLS:
		return v.t("state.attempt." + string(a.Cause))
	case webhook.CauseBlocked, webhook.CauseBroken, "":
	}
	return v.t("state.attempt." + string(a.Outcome))
}
