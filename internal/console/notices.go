package console

import (
	"net/http"
	"net/netip"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/ingress"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/store"
)

func (c *Console) noticeRoutes() []route {
	const one = "/notices/{id}"
	return []route{
		{http.MethodGet, "/notices", member.See, false, c.notices},
		{http.MethodGet, "/notices/replay", member.Integrate, false, c.replayMany},
		{http.MethodPost, "/notices/replay", member.Integrate, false, c.replayedMany},
		{http.MethodGet, one, member.See, false, c.oneNotice},
		{http.MethodGet, one + "/raw", member.Integrate, false, c.rawNotice},
		{http.MethodGet, one + "/replay", member.Integrate, false, c.replayNotice},
		{http.MethodPost, one + "/replay", member.Integrate, false, c.replayedNotice},
		{http.MethodGet, one + "/link", member.Pay, false, c.linkNotice},
		{http.MethodPost, one + "/link", member.Pay, false, c.linkedNotice},
		{http.MethodGet, one + "/trust", member.Administer, true, c.trustNotice},
		{http.MethodPost, one + "/trust", member.Administer, true, c.trustedNotice},
		{http.MethodPost, one + "/close", member.Pay, false, c.closedNotice},
	}
}

// unowned reports whether the visitor sees notices that belong to no merchant: those who run
// the installation do, where they look at all stores.
func (v *visit) unowned() bool { return v.May(member.Operate) && v.Scope.Store == "" }

// noticesPage is the list of notices.
type noticesPage struct {
	Rows                       []noticeLine
	List                       listed
	Verdicts, Channels, Events []option
	Charsets                   []option
	Filtered                   bool
	URLs                       []noticeURL
}

// A noticeLine is a row of the list.
type noticeLine struct {
	store.NoticeRow
	Path, ChannelName  string
	Account, Depositor string
	Money              payment.Money
	Refused            bool // the PG heard no
	PaymentPath        string
}

// A noticeURL is where a channel's notices go.
type noticeURL struct {
	Name string
	URLs []string
	Test string // where a test notice is sent from; empty if the visitor's store only uses the channel
}

func (c *Console) notices(v *visit) error {
	f := &filtering{v: v}
	q := v.noticeFilter(f)
	p := v.noticesPage(f)
	if len(f.Mistakes) > 0 {
		return v.mistaken("notices", p, f.Mistakes)
	}
	list, err := c.Store.NoticeRows(v.ctx(), v.reading(), q, v.asked())
	if err != nil {
		return err
	}
	p.List = listedOf(v, list)
	if p.Rows, err = c.noticeLines(v, list.Rows); err != nil {
		return err
	}
	if len(p.Rows) == 0 && !p.Filtered {
		p.URLs = c.noticeURLs(v)
	}
	if v.asked() == (store.Page{}) {
		v.topics = []string{topicNotices}
	}
	return v.page("notices", p)
}

// noticeFilter reads the filters of the list of notices.
func (v *visit) noticeFilter(f *filtering) store.NoticeFilter {
	var verdicts, channels, events []string
	for _, x := range payment.Verdicts() {
		verdicts = append(verdicts, string(x))
	}
	for _, c := range v.channels() {
		channels = append(channels, string(c.Key))
	}
	for _, e := range payment.Events() {
		events = append(events, string(e))
	}
	q := store.NoticeFilter{
		Channel: merchant.ChannelKey(f.one("channel", channels...)), Event: payment.Event(f.one("event", events...)),
		Charset: f.one("charset", notice.Charsets()...),
		Order:   f.text("order"), Strange: f.tick("strange"), Folded: v.query("folded") == "on", Unowned: v.unowned(),
	}
	if x := f.one("verdict", verdicts...); x != "" {
		q.Verdicts = []payment.Verdict{payment.Verdict(x)}
	}
	if peer := f.text("peer"); peer != "" {
		a, err := netip.ParseAddr(peer)
		if err != nil {
			f.Mistakes = append(f.Mistakes, mistake{"peer", v.t("list.unknown", "value", page.Visible(peer))})
		}
		q.Peer = a.Unmap().String()
	}
	q.From, q.Until = f.period()
	return q
}

// noticesPage is the page without its rows.
func (v *visit) noticesPage(f *filtering) noticesPage {
	anything := []option{{Value: "", Text: v.t("list.any")}}
	p := noticesPage{Filtered: len(f.Active) > 0, Verdicts: anything, Channels: anything, Events: anything, Charsets: anything}
	for _, x := range payment.Verdicts() {
		p.Verdicts = append(p.Verdicts, option{Value: string(x), Text: v.t("state.verdict." + string(x))})
	}
	for _, c := range v.channels() {
		p.Channels = append(p.Channels, option{Value: string(c.Key), Text: v.channelName(c.Key)})
	}
	for _, e := range payment.Events() {
		p.Events = append(p.Events, option{Value: string(e), Text: v.t("told." + string(e))})
	}
	for _, x := range notice.Charsets() {
		p.Charsets = append(p.Charsets, option{Value: x, Text: x})
	}
	return p
}

// noticeLines are rows with what is sealed of them, as far as it is kept.
func (c *Console) noticeLines(v *visit, rows []store.NoticeRow) ([]noticeLine, error) {
	ids := make([]notice.ID, len(rows))
	for i, n := range rows {
		ids[i] = n.ID
	}
	said, err := c.Store.Requests(v.ctx(), ids)
	if err != nil {
		return nil, err
	}
	heard, err := c.Store.FirstVerdicts(v.ctx(), ids)
	if err != nil {
		return nil, err
	}
	out := make([]noticeLine, len(rows))
	for i, n := range rows {
		l := noticeLine{NoticeRow: n, Path: object(v.reading(), "notices", string(n.ID)), ChannelName: v.channelName(merchant.ChannelKey(n.Channel))}
		if n.Amount != nil {
			l.Money = payment.Money{Amount: *n.Amount, Currency: n.Currency}
		}
		if n.Payment != "" {
			l.PaymentPath = object(v.reading(), "payments", string(n.Payment))
		}
		if r, ok := said[n.ID]; ok && n.Event != "" {
			if m, err := c.read(n.Provider, r, n.At); err == nil {
				l.Account, l.Depositor = v.account(m.Account), v.person(m.Depositor)
			}
		}
		first, again := heard[n.ID]
		if !again {
			first = n.Verdict
		}
		l.Refused = ingress.Outcome(first) == provider.Refused
		out[i] = l
	}
	return out, nil
}

// read reads a notice's bytes by its module.
func (c *Console) read(code string, r notice.Request, at time.Time) (notice.Notice, error) {
	p, ok := c.Actions.Providers(code)
	if !ok || p == nil {
		return notice.Notice{}, fault.Errorf(fault.Unsupported, "this build does not know %q", code)
	}
	return ingress.Read(p, r, at)
}

// noticeURLs are the addresses to be registered at the PGs.
func (c *Console) noticeURLs(v *visit) (out []noticeURL) {
	for _, ch := range v.channels() {
		p, ok := c.Actions.Providers(ch.Provider)
		if !ok || p == nil || ch.Disabled || !p.Info().SendsNotices() {
			continue
		}
		if ch.Token != "" && !v.May(member.Integrate) {
			continue // its path is a secret
		}
		u := noticeURL{Name: ch.Name}
		for _, path := range p.Info().Paths {
			u.URLs = append(u.URLs, c.PublicURL+provider.NoticePath(path, ch))
		}
		if v.sees(ch.Merchant, ch.Store) {
			u.Test = v.Scope.Base() + "/channels/" + string(ch.Key) + "/setup/" + stepTest
		}
		out = append(out, u)
	}
	return out
}
