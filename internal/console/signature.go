package console

import (
	"net/http"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
)

func (c *Console) signatureRoutes() []route {
	return []route{
		{http.MethodGet, "/developers/signature", member.Integrate, false, c.signature},
		{http.MethodPost, "/developers/signature", member.Integrate, false, c.checkSignature},
	}
}

// signaturePage is the form, and what was found.
type signaturePage struct {
	Endpoints []option
	Header    string
	Body      string
	Result    *webhook.SignatureResult
	Good      bool
	Key       string // whose secret fits, if it is another's
	Sent      string // what was sent under the id, if that is known
	Known     bool
}

func (v *visit) signaturePage() signaturePage {
	var p signaturePage
	for _, e := range v.scopeEndpoints(v.Scope.Mode) {
		p.Endpoints = append(p.Endpoints, option{Value: string(e.ID), Text: e.Name + " · " + e.URL})
	}
	return p
}

func (c *Console) signature(v *visit) error {
	return v.page("developers_signature", v.signaturePage())
}

// checkSignature says which part of what a receiver has differs from what was signed.
// It shows no secret, and looks into nothing that the visitor may not see.
func (c *Console) checkSignature(v *visit) error {
	p := v.signaturePage()
	p.Header, p.Body = v.form().Get("header"), v.form().Get("body")
	chosen, ok := v.endpoint(v.value("endpoint"), v.Scope.Mode)
	if !ok {
		return v.mistaken("developers_signature", p, []mistake{{"endpoint", v.t("signature.no_endpoint")}})
	}
	check := webhook.SignatureCheck{
		Header: webhook.HeaderLines(p.Header), Body: []byte(p.Body), Now: v.now(), Keys: v.signingKeys(chosen),
	}
	var err error
	if check.Sent, err = c.sentUnder(v, check.Header[webhook.HeaderID]); err != nil {
		return err
	}
	r := check.Check()
	p.Result, p.Good = &r, r.Good()
	if r.Key >= 0 && !check.Keys[r.Key].Chosen {
		p.Key = check.Keys[r.Key].Name
	}
	p.Known, p.Sent = check.Sent != nil, string(check.Sent)
	return v.page("developers_signature", p)
}

// signingKeys are the secrets of an endpoint, and of all others in the scope by which a
// webhook may have been signed.
func (v *visit) signingKeys(chosen webhook.Endpoint) (out []webhook.SigningKey) {
	add := func(e webhook.Endpoint, is bool) {
		for i, s := range e.Secrets {
			k := webhook.SigningKey{Name: e.Name, Secret: s, Chosen: is, Old: i > 0}
			if k.Old {
				k.Ends = e.OldUntil
			}
			out = append(out, k)
		}
	}
	add(chosen, true)
	for _, e := range v.scopeEndpoints(v.Scope.Mode) {
		if e.ID != chosen.ID {
			add(e, false)
		}
	}
	for _, s := range v.scopeStores() {
		if s.NoticeSecret != "" {
			out = append(out, webhook.SigningKey{Name: "noticeUrls · " + s.Name, Secret: s.NoticeSecret})
		}
	}
	return out
}

// sentUnder is the body of the webhook of an id, nil if the scope has none.
func (c *Console) sentUnder(v *visit, id string) ([]byte, error) {
	if !strings.HasPrefix(id, webhook.WebhookIDPrefix) {
		return nil, nil
	}
	d, err := c.Store.Delivery(v.ctx(), store.Scope{Merchant: v.Scope.Merchant, Store: v.Scope.Store, Mode: v.Scope.Mode}, id)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	return d.Body, err
}
