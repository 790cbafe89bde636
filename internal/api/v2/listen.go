package v2

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/listen"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/webhook"
)

// listenPath is where a listen session is had.
const listenPath = "/tongbo/v1/listen/{session}"

// A listenBody opens a listen session.
type listenBody struct {
	StoreID     string              `json:"storeId"`
	Mode        string              `json:"mode"`
	Name        string              `json:"name"`
	Forward     string              `json:"forward"`
	Events      []string            `json:"events"`
	Version     webhook.Version     `json:"version"`
	ContentType webhook.ContentType `json:"contentType"`
}

// A listenAnswer is a session that was opened.
type listenAnswer struct {
	Session     string              `json:"session"`
	New         bool                `json:"new"`
	StoreID     string              `json:"storeId"`
	Mode        merchant.Mode       `json:"mode"`
	Name        string              `json:"name"`
	Events      []string            `json:"events"`
	Version     webhook.Version     `json:"version"`
	ContentType webhook.ContentType `json:"contentType"`
	Secret      string              `json:"secret"`
	Heartbeat   int                 `json:"heartbeatSeconds"`
}

// openListen opens a listen session of the caller's API secret, or goes on with it.
func (a *API) openListen(c *call) (any, error) {
	var in listenBody
	if err := c.body(&in); err != nil {
		return nil, err
	}
	caller, err := a.target(c, in.StoreID)
	if err != nil {
		return nil, err
	}
	mode := merchant.Mode(in.Mode)
	if in.Mode == "" {
		mode = merchant.Test
	}
	if (mode == merchant.Live || mode == merchant.Test) && !caller.Mode.Sees(mode) {
		return nil, fault.Errorf(fault.Forbidden, "the credential is for %s payments, and does not hear of %s ones", caller.Mode, mode)
	}
	l, fresh, err := a.Listen.Open(c.ctx(), webhook.Listener{
		Merchant: caller.Merchant, Store: caller.Store, Mode: mode, Credential: c.secret.ID, Name: in.Name, Forward: in.Forward,
		Events: in.Events, Version: in.Version, ContentType: in.ContentType,
	})
	if err != nil {
		return nil, err
	}
	return listenAnswer{
		Session: webhook.ListenerPrefix + string(l.ID), New: fresh, StoreID: string(l.Store), Mode: l.Mode, Name: l.Name, Events: l.Events,
		Version: l.Version, ContentType: l.ContentType, Secret: l.Secret.Reveal(), Heartbeat: int(listen.Heartbeat.Seconds()),
	}, nil
}

// session is the listen session that a call names.
func (a *API) session(c *call) (webhook.Listener, error) {
	l, err := a.Listen.Own(c.ctx(), webhook.ListenerID(strings.TrimPrefix(c.part, webhook.ListenerPrefix)), c.secret.ID)
	switch {
	case fault.Is(err, fault.NotFound):
		return l, fault.Errorf(fault.NotFound, "the API secret has no such listen session: one that nobody connects to ends after %d days",
			int(webhook.ListenerLife.Hours()/24))
	case err == nil && !c.secret.Mode.Sees(l.Mode):
		return l, fault.Errorf(fault.Forbidden, "the credential does not hear of %s payments", l.Mode)
	}
	return l, err
}

// endListen ends a session for good.
func (a *API) endListen(c *call) (any, error) {
	l, err := a.session(c)
	if err != nil {
		return nil, err
	}
	return struct{}{}, a.Listen.End(c.ctx(), l, member.By{Kind: member.API, ID: c.secret.ID, Name: c.secret.Name})
}

// A triedBody is what became of something that a session was sent.
type triedBody struct {
	Item           string    `json:"item"`
	Number         int       `json:"number"`
	At             time.Time `json:"at"`
	TookMS         float64   `json:"tookMs"`
	URL            string    `json:"url"`
	Status         int       `json:"status"`
	Error          string    `json:"error"`
	ResponseHeader string    `json:"responseHeader"`
	ResponseBody   string    `json:"responseBody"` // base64
	Truncated      bool      `json:"truncated"`
}

// listened records what became of something that a session was sent.
func (a *API) listened(c *call) (any, error) {
	var in triedBody
	if err := c.body(&in); err != nil {
		return nil, err
	}
	l, err := a.session(c)
	if err != nil {
		return nil, err
	}
	if in.TookMS < 0 || in.TookMS > float64(time.Hour/time.Millisecond) {
		return nil, fault.Errorf(fault.Invalid, "tookMs must be from 0 to an hour")
	}
	body, err := base64.StdEncoding.DecodeString(in.ResponseBody)
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "responseBody is not base64")
	}
	if in.At.IsZero() {
		in.At = time.Now()
	}
	return struct{}{}, a.Listen.Report(c.ctx(), l, webhook.Listened{
		Item: in.Item, Number: in.Number, At: in.At, Took: time.Duration(in.TookMS * float64(time.Millisecond)), URL: in.URL,
		Status: in.Status, Error: in.Error, ResponseHeader: in.ResponseHeader, ResponseBody: body, Truncated: in.Truncated,
	})
}

// A listenLine is one line of a session's stream; kind says which fields it has.
type listenLine struct {
	Kind string `json:"kind"` // ready, event, heartbeat or end

	Missed     *int `json:"missed,omitempty"`
	MostMissed int  `json:"mostMissed,omitempty"` // no more are counted

	Item      string      `json:"item,omitempty"`
	Again     bool        `json:"again,omitempty"`
	Type      string      `json:"type,omitempty"`
	At        string      `json:"at,omitempty"`
	PaymentID string      `json:"paymentId,omitempty"`
	WebhookID string      `json:"webhookId,omitempty"`
	Header    [][2]string `json:"header,omitempty"`
	Body      string      `json:"body,omitempty"` // base64

	Reason string `json:"reason,omitempty"`
}

// A listening feeds a session for as long as its client stays.
type listening struct {
	webhook.Listener
}

// listenStream takes a session over and feeds it.
func (a *API) listenStream(c *call) (any, error) {
	l, err := a.session(c)
	if err != nil {
		return nil, err
	}
	return &listening{l}, nil
}

// patience is how long a client may take to receive a line.
const patience = 30 * time.Second

// feed writes a session's lines until it ends.
func (a *API) feed(c *call, op *operation, l *listening) {
	out := http.NewResponseController(c.w)
	_ = out.SetReadDeadline(time.Time{}) // the server's is for requests; a recorder in a test has none
	setHeaders(c.w)
	c.w.Header().Set("Content-Type", "application/x-ndjson; charset=utf-8")
	c.w.Header().Set("X-Accel-Buffering", "no")
	c.w.WriteHeader(http.StatusOK)
	enc := json.NewEncoder(c.w)
	enc.SetEscapeHTML(false)
	err := a.Listen.Stream(c.ctx(), l.Listener, func(context.Context) error {
		_, err := a.authenticate(c.r) // the secret may have ended meanwhile
		return err
	}, func(m listen.Message) error {
		_ = out.SetWriteDeadline(time.Now().Add(patience))
		if err := enc.Encode(lineOf(m)); err != nil {
			return err
		}
		return out.Flush()
	})
	if err != nil && c.ctx().Err() == nil {
		a.Log.WarnContext(c.ctx(), "a listen session was not fed to its end", "route", op.method+" "+op.path, "listener", l.ID, "err", err)
	}
}

func lineOf(m listen.Message) listenLine {
	switch {
	case m.Ready != nil:
		line := listenLine{Kind: "ready", Missed: &m.Ready.Missed}
		if m.Ready.Missed == listen.MostMissed {
			line.MostMissed = listen.MostMissed
		}
		return line
	case m.Item != nil:
		return itemLine(*m.Item)
	case m.End != "":
		return listenLine{Kind: "end", Reason: m.End}
	}
	return listenLine{Kind: "heartbeat"}
}

func itemLine(i listen.Item) listenLine {
	line := listenLine{
		Kind: "event", Item: i.ID, Again: i.Again, Type: string(i.Event.Type), At: at(i.Event.At), PaymentID: string(i.Event.PaymentID),
		WebhookID: webhook.ListenedID(i.Event.ID), Body: base64.StdEncoding.EncodeToString(i.Body),
	}
	for name, values := range i.Header {
		for _, v := range values {
			line.Header = append(line.Header, [2]string{name, v})
		}
	}
	slices.SortFunc(line.Header, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return line
}
