package console

import (
	"net/http"
	"strconv"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
)

func (c *Console) simulatorRoutes() []route {
	return []route{
		{http.MethodGet, "/developers/simulator", member.Integrate, false, c.simulator},
		{http.MethodPost, "/developers/simulator", member.Integrate, false, c.simulate},
	}
}

// Bounds of what one form has happen: all of it is over before the answer is given up.
const (
	mostSimulated = 50
	mostSpacing   = 5 * time.Second
	mostSimulates = 40 * time.Second
)

// What the form offers beside the acts: a deposit of which the name is in EUC-KR, and one
// that is told twice.
const (
	simulateEUCKR     = "euckr"
	simulateDuplicate = "duplicate"
)

// simulatorPage is the form, and what happened.
type simulatorPage struct {
	Test     bool
	Channels []option
	Acts     []option
	Count    string
	Spacing  string
	Ran      bool
	Asked    int
	Runs     []simulated
	Stopped  string // why not all of it happened
}

// A simulated is what happened to one payment.
type simulated struct {
	Payment   payment.Payment
	Depositor string
	Channel   string
	Notices   []simulatedNotice
}

// A simulatedNotice is one rung: a notice with what became of it.
type simulatedNotice struct {
	action.Played
	Reply string // the answer, as text
	Error string
}

func (v *visit) simulatorPage() simulatorPage {
	p := simulatorPage{Test: v.Scope.Mode == merchant.Test, Count: "1", Spacing: "0"}
	if !p.Test {
		return p
	}
	for _, ch := range v.All.Channels {
		if pg, ok := v.c.Actions.Providers(ch.Provider); ok && ch.Mode == merchant.Test && !ch.Disabled && pg.Info().SendsNotices() && provider.OnTrial(pg, ch) && v.usesChannel(ch) {
			p.Channels = append(p.Channels, option{Value: string(ch.Key), Text: ch.Name + " · " + ch.Provider})
		}
	}
	for _, name := range v.simulations() {
		p.Acts = append(p.Acts, option{Value: name, Text: v.t("simulator.act." + name)})
	}
	return p
}

// usesChannel reports whether a channel is used by a store of the scope.
func (v *visit) usesChannel(ch merchant.Channel) bool {
	_, ok := v.payeeOf(ch)
	return ok
}

// payeeOf is a store of the scope on whose behalf payments of a channel are made.
func (v *visit) payeeOf(ch merchant.Channel) (merchant.StoreID, bool) {
	if !v.sees(ch.Merchant, ch.Store) && v.Scope.Store == "" && v.Member.Store == "" {
		return "", false
	}
	for _, s := range v.scopeStores() {
		if s.Merchant == ch.Merchant && ch.UsedBy(s.ID) {
			return s.ID, true
		}
	}
	return "", false
}

// simulations are what the form offers.
func (v *visit) simulations() (out []string) {
	for _, a := range action.Acts() {
		out = append(out, string(a))
		if a == action.ActDeposit {
			out = append(out, simulateDuplicate, simulateEUCKR)
		}
	}
	return out
}

func (c *Console) simulator(v *visit) error {
	return v.page("developers_simulator", v.simulatorPage())
}

// A simulation is what a form asks for.
type simulation struct {
	action.Enactment
	store   merchant.StoreID
	channel merchant.Channel
	count   int
	spacing time.Duration
}

// simulation reads the form.
func (v *visit) simulation() (x simulation, wrong []mistake) {
	found := false
	for _, ch := range v.All.Channels {
		if string(ch.Key) == v.value("channel") && ch.Mode == merchant.Test {
			x.store, found = v.payeeOf(ch)
			x.channel = ch
		}
	}
	if !found {
		wrong = append(wrong, mistake{"channel", v.t("simulator.no_channel")})
	}
	x.Channel, x.Act, x.Depositor = x.channel.Key, action.Act(v.value("act")), v.value("depositor")
	switch string(x.Act) {
	case simulateDuplicate:
		x.Act, x.Again = action.ActDeposit, 1
	case simulateEUCKR:
		x.Act, x.Depositor = action.ActDeposit, "똠방각하" // syllables that only CP949 has
	}
	if text := v.value("amount"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 1 {
			wrong = append(wrong, mistake{"amount", v.t("simulator.bad_amount")})
		}
		x.Amount = n
	}
	var err error
	if x.count, err = strconv.Atoi(v.value("count")); err != nil || x.count < 1 || x.count > mostSimulated {
		wrong = append(wrong, mistake{"count", v.t("simulator.bad_count", "most", mostSimulated)})
	}
	ms, err := strconv.Atoi(v.value("spacing"))
	x.spacing = time.Duration(ms) * time.Millisecond
	if err != nil || ms < 0 || x.spacing > mostSpacing {
		wrong = append(wrong, mistake{"spacing", v.t("simulator.bad_spacing", "most", int(mostSpacing.Milliseconds()))})
	}
	if x.spacing*time.Duration(max(x.count-1, 0)) > mostSimulates {
		wrong = append(wrong, mistake{"spacing", v.t("simulator.too_long", "n", int(mostSimulates.Seconds()))})
	}
	return x, wrong
}

// simulate has it happen as often as it was asked for, and shows the notices as they went.
func (c *Console) simulate(v *visit) error {
	p := v.simulatorPage()
	if !p.Test {
		return v.mistaken("developers_simulator", p, []mistake{{"", v.t("simulator.test_only")}})
	}
	x, wrong := v.simulation()
	if len(wrong) > 0 {
		return v.mistaken("developers_simulator", p, wrong)
	}
	p.Ran, p.Asked = true, x.count
	until := time.Now().Add(mostSimulates)
	for i := range x.count {
		if i > 0 && !pause(v, x.spacing, until) {
			p.Stopped = v.t("simulator.out_of_time")
			break
		}
		done, err := c.Actions.Enact(v.ctx(), v.caller(x.store), x.Enactment)
		switch {
		case err == nil:
		case fault.KindOf(err) == fault.Internal:
			return err
		case i == 0:
			return v.mistaken("developers_simulator", v.simulatorPage(), []mistake{{"act", err.Error()}})
		default:
			p.Stopped = err.Error()
		}
		if p.Stopped != "" {
			break
		}
		p.Runs = append(p.Runs, simulatedOf(done))
	}
	return v.page("developers_simulator", p)
}

// pause waits, unless there is no time left.
func pause(v *visit, d time.Duration, until time.Time) bool {
	if time.Now().Add(d).After(until) {
		return false
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-v.ctx().Done():
		return false
	}
}

func simulatedOf(e action.Enacted) simulated {
	out := simulated{Payment: e.Payment, Channel: e.Channel.Name}
	if t, ok := e.Payment.Transaction(); ok {
		out.Depositor = t.Depositor
	}
	for _, n := range e.Notices {
		one := simulatedNotice{Played: n, Reply: string(n.Answer.Body)}
		if n.Err != nil {
			one.Error = n.Err.Error()
		}
		out.Notices = append(out.Notices, one)
	}
	return out
}

// Size is how many bytes the notice has.
func (n simulatedNotice) Size() int { return len(n.Request.Body) + len(n.Request.Query) }
