package console

import (
	"cmp"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/attention"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
)

// A wizardPage is a page of the wizard behind the first.
type wizardPage struct {
	Steps   []wizardStep
	Step    string
	Channel channelCard

	Fields   []credentialField // of credentials
	TestMIDs []offeredMID

	Guide guidePart // of address

	Ladder *ladderPart // of test

	Issue issuePart // of issue
}

func (p wizardPage) title() string { return p.Channel.Name }

// Path is a path below the channel's own.
func (p wizardPage) Path(rest string) string { return "/channels/" + string(p.Channel.Key) + rest }

func (c *Console) setUpChannel(v *visit) error {
	ch, pg, err := v.ownChannel()
	if err != nil {
		return err
	}
	p, err := v.wizardPage(ch, pg, v.r.PathValue("step"))
	if err != nil {
		return err
	}
	return v.page("channels_setup", p)
}

func (v *visit) wizardPage(ch merchant.Channel, pg provider.Provider, at string) (wizardPage, error) {
	p := wizardPage{Steps: v.wizardSteps(at, &ch), Step: at, Channel: v.channelCard(attention.ChannelState{Channel: ch, Setup: attention.Waiting})}
	var err error
	switch {
	case at == stepModule, !slices.Contains(v.wizard(&ch), at), ch.Disabled && at != stepCredentials:
		return p, errNoPage
	case at == stepCredentials:
		p.TestMIDs = v.offeredMIDs(ch, pg.Info())
		p.Fields, err = v.credentialFields(ch, pg.Info())
	case at == stepAddress:
		p.Guide = v.guidePart(ch, pg)
	case at == stepTest:
		p.Ladder = &ladderPart{}
		p.Ladder.FromPG, err = v.fromPG(ch)
	case at == stepIssue:
		p.Issue = v.issuePart(ch, pg)
	}
	return p, err
}

// An offeredMID is an id that the PG publishes, as the wizard offers it.
type offeredMID struct {
	MID, Source string
	Keys        bool // its keys are published, too
}

func (v *visit) offeredMIDs(ch merchant.Channel, i provider.Info) (out []offeredMID) {
	for _, m := range testMIDs(ch, i) {
		out = append(out, offeredMID{m.MID, v.inTongue(m.Source), len(m.Credentials) > 0})
	}
	return out
}

// testMIDs are the ids that the PG publishes for trials: on a test channel they can be
// taken over at once.
func testMIDs(ch merchant.Channel, i provider.Info) []provider.TestMID {
	if ch.Mode != merchant.Test {
		return nil
	}
	return i.TestMIDs
}

// A credentialField is an input for one of a channel's credentials. A secret that is there
// is told by its end and a fingerprint, and never shown.
type credentialField struct {
	provider.Field
	Text    string // the label
	Long    bool   // of several lines
	Set     bool
	Value   string    // of what is no secret
	Masked  string    // of a secret that is set
	At      time.Time // when it was set, and by whom; zero if nobody noted it
	By      string
	Mistake string
}

// credentialFields are a module's fields with what a channel has of them.
func (v *visit) credentialFields(ch merchant.Channel, i provider.Info) ([]credentialField, error) {
	log, err := v.c.Store.AuditLog(v.ctx(), store.AuditQuery{Merchant: ch.Merchant, Object: string(ch.Key), Limit: 100})
	if err != nil {
		return nil, err
	}
	var out []credentialField
	for _, f := range i.Fields {
		x := credentialField{Field: f, Text: v.inTongue(f.Label), Long: longField(f.Name)}
		if value := ch.Credentials[f.Name]; value != "" {
			x.Set = true
			if f.Secret {
				x.Masked = settings.Masked(value, v.c.Actions.Hash)
			} else {
				x.Value = value.Reveal()
			}
			x.At, x.By = whoSet(log, "credentials."+f.Name)
		}
		out = append(out, x)
	}
	return out, nil
}

// longField reports whether a credential has several lines, as certificates do.
func longField(name string) bool {
	return strings.Contains(name, "cert") || strings.HasSuffix(name, "private_key")
}

// whoSet finds who gave a field its value last, in the audit log of a thing.
func whoSet(log []member.Entry, field string) (at time.Time, by string) {
	for _, e := range log { // the newest first
		if slices.ContainsFunc(e.After, func(f member.Field) bool { return f.Name == field && f.Text != "" }) {
			return e.At, e.By.Name
		}
	}
	return time.Time{}, ""
}

// enteredCredentials are what a form says of a channel's credentials: what is left empty
// stays, and what is ticked to be cleared goes.
func (v *visit) enteredCredentials(i provider.Info) map[string]secret.Text {
	out := make(map[string]secret.Text)
	for _, f := range i.Fields {
		value := v.value("credential_" + f.Name)
		switch {
		case v.value("clear_"+f.Name) == "on":
			out[f.Name] = ""
		case value != "":
			out[f.Name] = secret.Text(strings.ReplaceAll(value, "\r\n", "\n"))
		case !f.Secret && v.form().Has("credential_"+f.Name):
			out[f.Name] = "" // it was shown, and emptied
		}
	}
	return out
}

// enterCredentials is the wizard's second page: the channel is in use from then on.
func (c *Console) enterCredentials(v *visit) error {
	ch, pg, err := v.ownChannel()
	if err != nil {
		return err
	}
	i, on := pg.Info(), false
	f := settings.ChannelFile{Disabled: &on}
	mid := v.value("mid")
	if given := v.value("test_mid"); given != "" {
		list := testMIDs(ch, i)
		at := slices.IndexFunc(list, func(t provider.TestMID) bool { return t.MID == given })
		if at < 0 {
			return errNoThing
		}
		mid, f.Credentials = given, list[at].Credentials
	} else {
		f.Credentials = v.enteredCredentials(i)
	}
	f.MID = &mid
	if wrong := v.lacksOwn(ch, i, mid, f.Credentials); len(wrong) > 0 {
		p, err := v.wizardPage(ch, pg, stepCredentials)
		if err != nil {
			return err
		}
		return v.mistaken("channels_setup", p, wrong)
	}
	if ch.Mode == merchant.Live && i.LiveSenders == nil && ch.Token == "" && ch.Senders == nil {
		made := secret.Text("new") // else nobody would be heard
		f.Token = &made
	}
	switch err := v.redeclare(ch, f); {
	case fault.Is(err, fault.Conflict):
		p, perr := v.wizardPage(ch, pg, stepCredentials)
		if perr != nil {
			return perr
		}
		return v.mistaken("channels_setup", p, []mistake{{"mid", v.t("channels.mid_taken")}})
	case err != nil:
		return err
	}
	if !i.SendsNotices() {
		return v.done("/channels/"+string(ch.Key), "channels.credentials_kept")
	}
	return v.done("/channels/"+string(ch.Key)+"/setup/"+stepAddress, "channels.credentials_kept")
}

// lacksOwn says what a wallet's channel would lack with what was entered: all of it is the
// merchant's own.
func (v *visit) lacksOwn(ch merchant.Channel, i provider.Info, mid string, entered map[string]secret.Text) (wrong []mistake) {
	if i.Wallet == nil {
		return nil
	}
	if mid == "" {
		wrong = append(wrong, mistake{"mid", v.t("channels.needs_own")})
	}
	for _, f := range i.Fields {
		to, said := entered[f.Name]
		if said && to == "" || !said && ch.Credentials[f.Name] == "" {
			wrong = append(wrong, mistake{"credential_" + f.Name, v.t("channels.needs_own")})
		}
	}
	return wrong
}

// A guidePart is how a channel's notices are set up at its PG.
type guidePart struct {
	URLs   []registered
	Bare   bool // nobody said how PGs reach this server: the addresses begin with a path
	Text   template.HTML
	Date   string
	Notes  string
	Letter *letterPart
}

// A registered is an address to be entered at the PG.
type registered struct{ Label, URL string }

// A letterPart is a mail to the PG.
type letterPart struct {
	To, Subject, Body string
	Mail              template.URL // opens it in a program for mail
	AskedAt           time.Time
}

// guideDate finds when a guide was checked.
var guideDate = regexp.MustCompile(`\d{4}-\d{2}-\d{2}`)

func (v *visit) guidePart(ch merchant.Channel, pg provider.Provider) guidePart {
	i := pg.Info()
	out := guidePart{Bare: v.c.PublicURL == "", Notes: ch.Notes}
	fill := []string{provider.MIDMark, ch.MID}
	for n, path := range i.Paths {
		u := v.c.PublicURL + provider.NoticePath(path, ch)
		mark, label := provider.NoticeURLMark, v.t("channels.notice_url")
		if n > 0 {
			mark, label = provider.SecondURLMark, v.t("channels.second_url")
		}
		out.URLs = append(out.URLs, registered{label, u})
		fill = append(fill, mark, u)
	}
	text := pg.Guide(string(v.Lang))
	out.Date = guideDate.FindString(text)
	out.Text = renderGuide(strings.NewReplacer(fill...).Replace(text))
	if i.Letter != nil {
		subject, body := i.Letter.For(ch.MID, out.URLs[0].URL)
		to := strings.Join(i.Letter.To, ", ")
		out.Letter = &letterPart{To: to, Subject: subject, Body: body, AskedAt: ch.AskedAt}
		out.Letter.Mail = template.URL("mailto:" + url.PathEscape(strings.Join(i.Letter.To, ",")) + //nolint:gosec // every part is escaped
			"?subject=" + url.PathEscape(subject) + "&body=" + url.PathEscape(strings.ReplaceAll(body, "\n", "\r\n")))
	}
	return out
}

// A ladderPart is how a test notice went, and what the PG itself sent last.
type ladderPart struct {
	action.Ladder
	Ran    bool
	FromPG attention.Heard
}

// NeededText is the answer that the PG waits for, as people compare it.
func (p ladderPart) NeededText() string { return answerText(p.Needed) }

// GotText is what came instead.
func (p ladderPart) GotText() string { return answerText(p.Got) }

func answerText(r provider.Reply) string {
	if r.Status == 0 {
		return ""
	}
	body := string(r.Body[:min(len(r.Body), 400)])
	return "HTTP " + strconv.Itoa(r.Status) + "\n\n" + strings.ToValidUTF8(body, "\uFFFD")
}

// fromPG is the last request of a channel's PG itself.
func (v *visit) fromPG(ch merchant.Channel) (attention.Heard, error) {
	desk := attention.Desk{Store: v.c.Store, Providers: v.c.Actions.Providers}
	s, err := desk.ChannelState(v.ctx(), ch.Key)
	return s.FromPG, err
}

// testChannel sends a test notice, and shows on the answer itself how it went.
func (c *Console) testChannel(v *visit) error {
	ch, pg, err := v.ownChannel()
	if err != nil {
		return err
	}
	p, err := v.wizardPage(ch, pg, stepTest)
	if err != nil {
		return err
	}
	l, err := c.Actions.Rehearse(v.ctx(), v.caller(ch.Store), ch.Key, "")
	often, tooOften := errors.AsType[*action.TooOftenError](err)
	switch {
	case tooOften:
		seconds := v.retryAfter(often.Until)
		return v.show(http.StatusTooManyRequests, "channels_setup", p, []mistake{{"", v.t("channels.test_too_often",
			"time", page.Clock(often.Until, v.zone()), "zone", v.zone(), "seconds", seconds)}})
	case err != nil && v.c.PublicURL == "":
		return v.mistaken("channels_setup", p, []mistake{{"", v.t("channels.no_public_url")}})
	case err != nil:
		return err
	}
	if p.Ladder.FromPG, err = v.fromPG(ch); err != nil {
		return err
	}
	p.Ladder.Ladder, p.Ladder.Ran = l, true
	return v.page("channels_setup", p)
}

// An issuePart is the trial of issuing an account.
type issuePart struct {
	Can   bool // the PG has an API for it, or is played here
	Trial bool // it is played here
	Banks []option
	Live  bool
	Made  *payment.Payment
}

func (v *visit) issuePart(ch merchant.Channel, pg provider.Provider) issuePart {
	_, issues := pg.(provider.Issuer)
	out := issuePart{Trial: provider.OnTrial(pg, ch), Live: ch.Mode == merchant.Live}
	out.Can = issues || out.Trial
	for _, b := range payment.Banks() {
		if b.Code != "" {
			out.Banks = append(out.Banks, option{Value: string(b.Bank), Text: b.Name + " (" + b.Code + ")"})
		}
	}
	return out
}

// issueTest has an account issued for a payment of its own.
func (c *Console) issueTest(v *visit) error {
	ch, pg, err := v.ownChannel()
	if err != nil {
		return err
	}
	p, err := v.wizardPage(ch, pg, stepIssue)
	switch {
	case err != nil:
		return err
	case !p.Issue.Can:
		return errNoThing
	case p.Issue.Live && !v.May(member.Pay):
		return wantsRightError{member.Pay}
	}
	now := v.now()
	id := payment.ID("tongbo-test-" + strings.ReplaceAll(now.Format("20060102-150405.000"), ".", ""))
	made, err := c.Actions.Issue(v.ctx(), v.caller(ch.Store), action.IssueRequest{Registration: payment.Registration{
		ID: id, Channel: ch.Key, OrderName: v.t("channels.issue_order"), Amount: payment.Won(1000),
		Customer: payment.Customer{Name: v.t("channels.issue_buyer")},
		Account:  payment.Account{Bank: payment.Bank(cmp.Or(v.value("bank"), "SHINHAN")), Type: payment.Normal, ExpiresAt: now.AddDate(0, 0, 1)},
	}})
	if pgErr, ok := errors.AsType[*action.PGError](err); ok && pgErr.Code == action.Unreachable && !p.Issue.Live {
		return v.mistaken("channels_setup", p, []mistake{{"", v.t("channels.issue_unreachable")}})
	}
	if err != nil {
		return v.mistaken("channels_setup", p, []mistake{{"", v.t("channels.issue_failed", "error", err.Error())}})
	}
	p.Issue.Made = &made
	return v.page("channels_setup", p)
}
