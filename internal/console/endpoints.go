package console

import (
	"html/template"
	"math"
	"net/http"
	"time"

	"github.com/tongbo/tongbo/internal/console/chart"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
)

// endpointRoutes are the pages about where shops are told.
func (c *Console) endpointRoutes() []route {
	const one = "/endpoints/{id}"
	return []route{
		{http.MethodGet, "/endpoints", member.Integrate, false, c.listEndpoints},
		// A new endpoint comes with a signing secret, which is shown once.
		{http.MethodGet, "/endpoints/new", member.Integrate, true, c.newEndpoint},
		{http.MethodPost, "/endpoints/new", member.Integrate, true, c.makeEndpoint},
		{http.MethodPost, "/endpoints/test", member.Integrate, false, c.testEndpoint},
		{http.MethodGet, one, member.Integrate, false, c.oneEndpoint},
		{http.MethodPost, one, member.Integrate, false, c.changeEndpoint},
		{http.MethodPost, one + "/pause", member.Integrate, false, c.pauseEndpoint},
		{http.MethodPost, one + "/resume", member.Integrate, false, c.resumeEndpoint},
		{http.MethodGet, one + "/rotate", member.Integrate, true, c.askRotate},
		{http.MethodPost, one + "/rotate", member.Integrate, true, c.rotate},
		{http.MethodPost, one + "/overlap", member.Integrate, true, c.endOverlap},
		{http.MethodGet, one + "/delete", member.Integrate, true, c.askDelete},
		{http.MethodPost, one + "/delete", member.Integrate, true, c.deleteEndpoint},
	}
}

// endpointsPage lists the endpoints of the scope.
type endpointsPage struct {
	Rows   []endpointSeen
	Many   bool
	Egress []string
}

// An endpointSeen is an endpoint with how it answers.
type endpointSeen struct {
	webhook.Endpoint
	Path      string
	StoreName string
	Health    webhook.Health
	LastGood  time.Time
	webhook.Figures
	Spark   template.HTML // how long good tries took; empty if there was none
	Unheard bool          // it hears nothing: its store uses the merchant's
}

func (v *visit) endpointSeen(e webhook.Endpoint) (endpointSeen, error) {
	row := endpointSeen{Endpoint: e, Path: v.endpointPath(e), StoreName: v.storeName(e.Store)}
	if s, ok := v.store(e.Store); ok {
		row.Unheard = v.All.Unheard(s.Store, e.Mode) > 0
	}
	tries, err := v.c.Store.Tries(v.ctx(), e.ID)
	if err != nil {
		return row, err
	}
	row.Health, row.LastGood = webhook.HealthOf(e.Paused, tries, v.now()), tries.LastGood
	row.Figures, err = v.c.Store.EndpointFigures(v.ctx(), e.ID)
	row.Spark = v.tookSpark(row.Figures)
	return row, err
}

// tookSpark draws how long good tries took, the oldest first: a gap is where none was good.
func (v *visit) tookSpark(f webhook.Figures) template.HTML {
	if f.Good == 0 {
		return ""
	}
	var values []int
	least, most := time.Duration(math.MaxInt64), time.Duration(0)
	for _, took := range f.Steps[:f.Parts()] {
		if took == 0 {
			values = append(values, -1)
			continue
		}
		values = append(values, int(took.Microseconds()))
		least, most = min(least, took), max(most, took)
	}
	return chart.Spark{Title: v.t("endpoints.spark", "n", f.Tries, "least", page.Lasts(least), "most", page.Lasts(most)), Values: values}.SVG()
}

// endpointPath is the page of an endpoint.
func (v *visit) endpointPath(e webhook.Endpoint) string {
	return object(store.Scope{Store: e.Store, Mode: e.Mode}, "endpoints", string(e.ID))
}

// egress are the addresses that webhooks come from, as far as they are known.
func (c *Console) egress() (out []string) {
	for _, a := range c.Egress {
		out = append(out, a.String())
	}
	return out
}

func (c *Console) listEndpoints(v *visit) error {
	p := endpointsPage{Many: v.manyStores(), Egress: c.egress()}
	for _, e := range v.endpoints() {
		row, err := v.endpointSeen(e)
		if err != nil {
			return err
		}
		p.Rows = append(p.Rows, row)
	}
	v.topics = []string{topicDeliveries}
	return v.page("endpoints", p)
}

// pathEndpoint finds the one of the path.
func (v *visit) pathEndpoint() (webhook.Endpoint, error) {
	id := webhook.EndpointID(v.r.PathValue("id"))
	for _, e := range v.endpoints() {
		if e.ID == id {
			v.stands("pause", onOff(e.Paused), string(e.ID), e.Name, e.URL, e.Events, e.Version, e.ContentType, e.Schedule, e.InFlight,
				e.Timeout, e.Headers)
			return e, nil
		}
	}
	return webhook.Endpoint{}, errNoThing
}

// waitingFor is how many webhooks wait for an endpoint.
func (v *visit) waitingFor(e webhook.Endpoint) (store.Count, error) {
	list, err := v.c.Store.DeliveryRows(v.ctx(), store.Scope{Merchant: e.Merchant, Mode: e.Mode},
		store.DeliveryFilter{Endpoint: e.ID, States: []webhook.DeliveryState{webhook.Waiting, webhook.Held}}, store.Page{Size: 1})
	return list.Count, err
}

// An endpointPage is one endpoint, or the form of a new one.
type endpointPage struct {
	endpointSeen
	New         bool
	Form        endpointForm
	Stores      []option
	Egress      []string
	Waits       store.Count
	Certificate time.Time
	CertDays    int
	OldUntil    time.Time // when the old secret stops to sign; zero if there is none
	Secrets     int       // that sign now
	Test        *testedPage
}

func (p endpointPage) title() string { return p.Form.title }

// pageOf is the page of an endpoint with a form that may hold other values.
func (v *visit) pageOf(e webhook.Endpoint, form endpointForm) (endpointPage, error) {
	p := endpointPage{Form: form, Egress: v.c.egress()}
	p.Form.title = e.Name
	var err error
	if p.endpointSeen, err = v.endpointSeen(e); err != nil {
		return p, err
	}
	if p.Waits, err = v.waitingFor(e); err != nil {
		return p, err
	}
	if p.Certificate, err = v.c.Store.Certificate(v.ctx(), e.ID); err != nil {
		return p, err
	}
	if !p.Certificate.IsZero() {
		p.CertDays = int(p.Certificate.Sub(v.now()) / (24 * time.Hour))
	}
	signing := e.Signing(v.now())
	if p.Secrets = len(signing); p.Secrets > 1 {
		p.OldUntil = e.OldUntil
	}
	v.topics = []string{topicDeliveries}
	return p, nil
}

// newPage is the page of a new endpoint.
func (v *visit) newPage(form endpointForm) endpointPage {
	p := endpointPage{New: true, Form: form, Egress: v.c.egress()}
	p.Form.title = v.t("endpoints.new")
	for _, s := range v.scopeStores() {
		p.Stores = append(p.Stores, option{Value: string(s.ID), Text: s.Name})
	}
	return p
}

func (c *Console) newEndpoint(v *visit) error {
	return v.page("endpoint", v.newPage(v.formOf(webhook.Endpoint{
		Events: []string{"*"}, Version: webhook.V20240425, ContentType: webhook.JSON, Schedule: webhook.Default,
	})))
}

func (c *Console) oneEndpoint(v *visit) error {
	e, err := v.pathEndpoint()
	if err != nil {
		return err
	}
	form := v.formOf(e)
	if v.conflict != nil && v.form().Has("url") {
		form = v.postedForm(e)
	}
	p, err := v.pageOf(e, form)
	if err != nil {
		return err
	}
	return v.page("endpoint", p)
}

// makeEndpoint makes an endpoint, and shows its signing secret this once.
func (c *Console) makeEndpoint(v *visit) error {
	form := v.postedForm(webhook.Endpoint{})
	file, wrong := v.endpointFile(form, webhook.Endpoint{})
	s, ok := v.store(merchant.StoreID(form.Store))
	if !ok || v.Scope.Store != "" && s.ID != v.Scope.Store {
		return errNoThing
	}
	for _, e := range v.All.Endpoints {
		if e.Store == s.ID && e.Mode == v.Scope.Mode && e.Name == form.Name {
			wrong = append(wrong, mistake{"name", v.t("endpoints.name_taken")})
		}
	}
	if len(wrong) > 0 {
		return v.mistaken("endpoint", v.newPage(form), wrong)
	}
	file.Mode = string(v.Scope.Mode)
	changes, err := v.declare(settings.StoreFile{ID: string(s.ID), Endpoints: []settings.EndpointFile{file}}, "")
	switch {
	case fault.Is(err, fault.Conflict), fault.Is(err, fault.Invalid):
		return v.mistaken("endpoint", v.newPage(form), []mistake{{"", err.Error()}})
	case err != nil:
		return err
	}
	out := issued{head: v.t("endpoints.made", "name", form.Name), Say: v.t("endpoints.secret_once"), Next: v.Scope.Base() + "/endpoints"}
	for _, ch := range changes {
		if ch.Shown {
			out.Lines = append(out.Lines, issuedLine{v.t("endpoints.secret"), ch.Secret.Reveal()})
		}
		if ch.What == "endpoint" && ch.Kind != settings.Warning {
			out.Next = v.Scope.Base() + "/endpoints/" + ch.ID
		}
	}
	return v.page("issued", out)
}

// changeEndpoint saves the form of an endpoint.
func (c *Console) changeEndpoint(v *visit) error {
	e, err := v.pathEndpoint()
	if err != nil {
		return err
	}
	if err := v.unmoved(); err != nil {
		return err
	}
	form := v.postedForm(e)
	file, wrong := v.endpointFile(form, e)
	for _, o := range v.All.Endpoints {
		if o.Store == e.Store && o.Mode == e.Mode && o.Name == form.Name && o.ID != e.ID {
			wrong = append(wrong, mistake{"name", v.t("endpoints.name_taken")})
		}
	}
	if len(wrong) == 0 {
		file.ID = string(e.ID)
		_, err = v.declare(settings.StoreFile{ID: string(e.Store), Endpoints: []settings.EndpointFile{file}}, v.value("reason"))
		switch {
		case err == nil:
			return v.done("/endpoints/"+string(e.ID), "endpoints.saved")
		case !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Invalid):
			return err
		}
		wrong = []mistake{{"", err.Error()}}
	}
	p, err := v.pageOf(e, form)
	if err != nil {
		return err
	}
	return v.mistaken("endpoint", p, wrong)
}
