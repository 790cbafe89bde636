package console

import (
	"slices"
	"strings"

	"github.com/tongbo/tongbo/internal/attention"
	"github.com/tongbo/tongbo/internal/delivery"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A step is a line of the checklist. What ticks it is what really happened.
type step struct {
	Key        string // of its texts: home.step.…
	Done, Next bool
	Path       string
	May        bool // the visitor may do it
	Why        string
}

// steps is the checklist: what is there, and what happened.
func (v *visit) steps(states []attention.ChannelState) ([]step, error) {
	tested := slices.ContainsFunc(states, func(s attention.ChannelState) bool { return !s.Tested.IsZero() || !s.Applied.IsZero() })
	endpoints, answered, err := v.answeredWell()
	if err != nil {
		return nil, err
	}
	list := []step{
		{Key: "store", Done: len(v.scopeStores()) > 0, Path: "/settings/stores/new"},
		{Key: "channel", Done: len(states) > 0, Path: "/channels/new"},
		v.registered(states),
		{Key: "test", Done: tested, Path: "/channels"},
		{Key: "endpoint", Done: endpoints, Path: "/endpoints/new"},
		{Key: "call", Done: answered, Path: "/endpoints"},
	}
	next := false
	for i := range list {
		right := member.Integrate
		if list[i].Key == "store" {
			right = member.Administer
		}
		list[i].May, list[i].Why = v.May(right), v.t("right."+string(right))
		if !list[i].Done && !next {
			// What waits for a PG keeps nobody from the rest.
			list[i].Next, next = true, !strings.HasPrefix(list[i].Key, "registered")
		}
	}
	return list, nil
}

// registered is the step that a PG ticks: something came from its own address. Where
// every PG is played here there is nothing to register, and a notice of the simulator does.
func (v *visit) registered(states []attention.ChannelState) step {
	played := func(s attention.ChannelState) bool {
		pg, ok := v.c.Actions.Providers(s.Channel.Provider)
		return ok && provider.OnTrial(pg, s.Channel)
	}
	heard := func(s attention.ChannelState) bool { return !s.FromPG.IsZero() }
	if len(states) > 0 && !slices.ContainsFunc(states, func(s attention.ChannelState) bool { return !played(s) }) {
		return step{Key: "registered_played", Done: slices.ContainsFunc(states, heard), Path: "/developers/simulator"}
	}
	return step{
		Key: "registered", Path: "/channels",
		Done: slices.ContainsFunc(states, func(s attention.ChannelState) bool { return heard(s) && !played(s) }),
	}
}

// answeredWell reports whether there is an endpoint, and whether one answered a webhook or a
// call test as it has to.
func (v *visit) answeredWell() (there, answered bool, err error) {
	for _, e := range v.All.Endpoints {
		if !v.sees(e.Merchant, e.Store) || e.Mode != v.Scope.Mode || v.Scope.Store != "" && e.Store != v.Scope.Store {
			continue
		}
		there = true
		tries, err := v.c.Desk.Store.Tries(v.ctx(), e.ID)
		if err != nil {
			return there, false, err
		}
		if !tries.LastGood.IsZero() {
			return there, true, nil
		}
		if answered, err = v.calledWell(e); err != nil || answered {
			return there, answered, err
		}
	}
	return there, false, nil
}

// calledWell reports whether one of the last call tests of an endpoint's address was answered
// as a webhook has to be.
func (v *visit) calledWell(e webhook.Endpoint) (bool, error) {
	address, _, _ := strings.Cut(e.URL, "?") // as NoteTest writes it
	list, err := v.c.Store.AuditLog(v.ctx(), store.AuditQuery{Merchant: e.Merchant, Action: "endpoint.tested", Object: address, Limit: 5})
	return slices.ContainsFunc(list, func(x member.Entry) bool {
		return slices.Contains(x.After, member.Field{Name: "found", Text: string(delivery.FoundGood)})
	}), err
}

// stepsCookie remembers in a browser that the end of a mode's checklist was read.
const stepsCookie = "tongbo_steps_"

// putAway reports whether nobody is to be told that all steps are done: it was read in this
// browser, or the visitor is none of those who did them.
func (v *visit) putAway() bool {
	if !v.May(member.Integrate) {
		return true
	}
	c, err := v.r.Cookie(stepsCookie + string(v.Scope.Mode))
	return err == nil && c.Value != ""
}

// putStepsAway puts the finished checklist away. One that is not finished stays.
func (c *Console) putStepsAway(v *visit) error {
	preference(v.w, v.r, stepsCookie+string(v.Scope.Mode), "done")
	return v.seeOther("/")
}
