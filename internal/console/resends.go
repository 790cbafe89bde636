package console

import (
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A resendsPage plans the resend of many webhooks: filter, preview, and what was done
// before.
type resendsPage struct {
	Kinds, Endpoints, Types []option
	Rate                    string
	Asked                   bool // a filter was sent: there is a preview
	Preview                 webhook.ResendPreview
	Targets                 []targetLine
	Lasts                   string // how long it takes, about
	Confirm                 bool   // so many that the password is asked for
	Here                    string // the form's address, with the filter in it
	Jobs                    []resendLine
}

// A targetLine is how many webhooks go to one endpoint.
type targetLine struct {
	Name   string
	N      int
	Paused bool
	Gone   bool
}

// A resendLine is a job in the list.
type resendLine struct {
	webhook.ResendJob
	Path string
}

// resendFilter reads the filter of a resend from the page's address.
func (v *visit) resendFilter(f *filtering) (webhook.ResendFilter, int) {
	var kinds, endpoints, types []string
	for _, k := range webhook.ResendKinds() {
		kinds = append(kinds, string(k))
	}
	for _, e := range v.endpoints() {
		endpoints = append(endpoints, string(e.ID))
	}
	for _, t := range allTypes() {
		types = append(types, string(t))
	}
	q := webhook.ResendFilter{
		Kind: webhook.ResendKind(f.one("kind", kinds...)), Endpoint: webhook.EndpointID(f.one("endpoint", endpoints...)),
	}
	if t := f.one("type", types...); t != "" {
		q.Types = []webhook.Type{webhook.Type(t)}
	}
	q.From, q.Until = f.period()
	rate := webhook.DefaultResendRate
	if text := v.query("rate"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > webhook.MaxResendRate {
			f.Mistakes = append(f.Mistakes, mistake{"rate", v.t("resends.rate_wrong", "max", webhook.MaxResendRate)})
		}
		rate = n
	}
	return q, rate
}

// resending is on whose behalf many webhooks are sent again: those of the scope.
func (v *visit) resending() action.Caller { return v.caller(v.Scope.Store) }

// resendsPage is the page without its preview.
func (v *visit) resendsPage(rate int) (resendsPage, error) {
	p := resendsPage{Rate: strconv.Itoa(rate), Here: v.r.URL.RequestURI()}
	for _, k := range webhook.ResendKinds() {
		p.Kinds = append(p.Kinds, option{Value: string(k), Text: v.t("resends.kind." + string(k))})
	}
	whichever := option{Value: "", Text: v.t("list.any")}
	p.Endpoints, p.Types = []option{whichever}, []option{whichever}
	for _, e := range v.endpoints() {
		p.Endpoints = append(p.Endpoints, option{Value: string(e.ID), Text: e.Name})
	}
	for _, t := range allTypes() {
		p.Types = append(p.Types, option{Value: string(t), Text: string(t)})
	}
	jobs, err := v.c.Store.ResendJobs(v.ctx(), v.reading())
	for _, j := range jobs {
		p.Jobs = append(p.Jobs, resendLine{j, v.Scope.Base() + "/deliveries/resend/" + string(j.ID)})
	}
	return p, err
}

// planResends shows the filter, and once there is a kind in it, what it means.
func (c *Console) planResends(v *visit) error {
	f := &filtering{v: v}
	q, rate := v.resendFilter(f)
	p, err := v.resendsPage(rate)
	if err != nil {
		return err
	}
	if len(f.Mistakes) > 0 {
		return v.mistaken("resends", p, f.Mistakes)
	}
	if q.Kind != "" {
		if err := v.preview(&p, q, rate); err != nil {
			return err
		}
	}
	return v.page("resends", p)
}

// preview fills in what a filter means.
func (v *visit) preview(p *resendsPage, q webhook.ResendFilter, rate int) (err error) {
	p.Asked = true
	if p.Preview, err = v.c.Actions.PreviewResends(v.ctx(), v.resending(), q); err != nil {
		return err
	}
	most := 0
	for _, t := range p.Preview.Targets {
		line := targetLine{N: t.N, Name: v.endpointName(t.Endpoint, t.Target)}
		if t.Endpoint != "" {
			e, ok := v.endpointOf(t.Endpoint)
			line.Paused, line.Gone = e.Paused, !ok
		} else {
			line.Name = t.Target // the merchant's name and the origin
		}
		p.Targets = append(p.Targets, line)
		most = max(most, t.N)
	}
	p.Lasts = roundly(time.Duration(most/max(1, rate)) * time.Second)
	p.Confirm = p.Preview.N > webhook.ConfirmedResends
	return nil
}

// startResends begins the job that the preview showed.
func (c *Console) startResends(v *visit) error {
	f := &filtering{v: v}
	q, rate := v.resendFilter(f)
	if len(f.Mistakes) > 0 || q.Kind == "" {
		return c.planResends(v)
	}
	j, err := c.Actions.StartResends(v.ctx(), v.resending(), q, rate, v.confirmed())
	switch {
	case errors.Is(err, action.ErrNotConfirmed):
		return errConfirm // and back to the preview, since the filter is in the address
	case fault.Is(err, fault.NotFound):
		return c.planResends(v) // which says that there is nothing
	case err != nil:
		return err
	}
	return v.done("/deliveries/resend/"+string(j.ID), "resends.started")
}

// A resendJobPage is one job: how far it is, and what it sent.
type resendJobPage struct {
	webhook.ResendJob
	webhook.ResendProgress
	Left     int
	Percent  int
	Kind     string
	Endpoint string
	Failed   bool // only those are listed
	Rows     []resentLine
	Older    string // the next part
}

func (p resendJobPage) title() string { return string(p.ID) }

// A resentLine is a webhook that the job sent.
type resentLine struct {
	store.Resent
	Path string
}

// resentSize is how many webhooks a part of the list has.
const resentSize = 50

func (c *Console) resendJob(v *visit) error {
	id := webhook.ResendJobID(v.r.PathValue("id"))
	j, progress, err := c.Store.ResendJob(v.ctx(), v.reading(), id)
	if err != nil {
		return err
	}
	p := resendJobPage{ResendJob: j, ResendProgress: progress, Kind: v.t("resends.kind." + string(j.Filter.Kind)), Failed: v.query("show") == "failed"}
	if j.Filter.Endpoint != "" {
		p.Endpoint = v.endpointName(j.Filter.Endpoint, "")
	}
	over := progress.Completed + progress.Failed + j.Skipped
	whole := max(1, j.Expected, j.Made+j.Skipped)
	if j.State != webhook.ResendRunning {
		whole = max(1, j.Made+j.Skipped)
	}
	p.Left, p.Percent = max(0, whole-over), min(100, over*100/whole)
	if j.Made+j.Skipped == 0 && j.State != webhook.ResendRunning {
		p.Left, p.Percent = 0, 100
	}
	rows, err := c.Store.Resent(v.ctx(), v.reading(), id, webhook.DeliveryID(v.query("after")), p.Failed, resentSize)
	if err != nil {
		return err
	}
	for _, r := range rows {
		line := resentLine{Resent: r}
		if r.Delivery != "" {
			line.Path = v.Scope.Base() + "/deliveries/" + string(r.Delivery)
		}
		p.Rows = append(p.Rows, line)
	}
	if len(rows) == resentSize {
		q := url.Values{"after": {string(rows[len(rows)-1].Original)}}
		if p.Failed {
			q.Set("show", "failed")
		}
		p.Older = v.r.URL.EscapedPath() + query(q.Encode())
	}
	if j.State == webhook.ResendRunning || progress.Waiting > 0 {
		v.topics = []string{topicDeliveries}
	}
	return v.page("resend", p)
}

// stopResends ends a job.
func (c *Console) stopResends(v *visit) error {
	id := webhook.ResendJobID(v.r.PathValue("id"))
	caller := v.resending()
	if !v.May(member.Resend) {
		return wantsRightError{member.Resend}
	}
	if _, err := c.Actions.StopResends(v.ctx(), caller, id); err != nil {
		return err
	}
	return v.done("/deliveries/resend/"+string(id), "resends.stopped")
}
