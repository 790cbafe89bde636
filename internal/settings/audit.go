package settings

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
)

// PurposeFingerprint is the purpose under which secrets are hashed that people are
// to tell apart without seeing them.
const PurposeFingerprint = "fingerprint"

// How much of a secret people see, so that they know it again: its end, if the rest
// is long enough that nobody finds it by trying, and some digits of a keyed hash.
const (
	shownEnd    = 4
	fingerprint = 8
	tryable     = 16
)

// Masked is a secret as people may see it, such as "••••3f9a (5be01c77)"; empty if
// there is none. hash is the installation's keyed hash: without the key nothing can
// be tried against the digits in brackets.
func Masked(s secret.Text, hash func(purpose, value string) string) string {
	value := s.Reveal()
	if value == "" {
		return ""
	}
	end := ""
	if len(value) >= tryable {
		end = strings.ToValidUTF8(value[len(value)-shownEnd:], "")
	}
	return maskedHash(end, hash(PurposeFingerprint, value))
}

// maskedHash is a secret of which only a hash is kept, as people may see it.
func maskedHash(end, hash string) string {
	if hash == "" {
		return ""
	}
	return "••••" + end + " (" + hash[:min(fingerprint, len(hash))] + ")"
}

// A thing is something of the settings as the audit log tells of it.
type thing struct {
	what, id string
	merchant merchant.ID
	store    merchant.StoreID
	mode     merchant.Mode
	fields   []member.Field
}

func (t thing) key() string { return t.what + "\x00" + string(t.store) + "\x00" + t.id }

// Entries tell the audit log what differs between two versions of the settings: a
// line for each thing that came, changed or went, with the fields that differ and
// their secrets masked by the installation's keyed hash.
func Entries(before, after All, by member.By, reason string, hash func(purpose, value string) string) []member.Entry {
	old, next := before.things(hash), after.things(hash)
	was := make(map[string]thing, len(old))
	for _, t := range old {
		was[t.key()] = t
	}
	is := make(map[string]bool, len(next))
	var out []member.Entry
	tell := func(t thing, before, after []member.Field, done string) {
		out = append(out, member.Entry{
			Merchant: t.merchant, Store: t.store, Mode: t.mode, By: by, Action: t.what + "." + done,
			Kind: t.what, Object: t.id, Before: before, After: after, Reason: reason,
		})
	}
	for _, t := range next {
		is[t.key()] = true
		o, known := was[t.key()]
		switch b, a := member.Differences(o.fields, t.fields); {
		case !known:
			tell(t, nil, said(t.fields), string(Created))
		case len(b)+len(a) > 0:
			tell(t, b, a, doneTo(b, a))
		}
	}
	for _, t := range old {
		if !is[t.key()] {
			tell(t, said(t.fields), nil, string(Deleted))
		}
	}
	return out
}

// said leaves out what is empty.
func said(fields []member.Field) []member.Field {
	return slices.DeleteFunc(slices.Clone(fields), func(f member.Field) bool { return f.Text == "" })
}

// doneTo says what was done to a thing of which these fields changed. What people
// have a word of its own for gets that word.
func doneTo(before, after []member.Field) string {
	if len(before) != 1 || len(after) != 1 {
		return string(Changed)
	}
	words := map[member.Field]string{
		{Name: "paused", Text: "true"}: "paused", {Name: "paused", Text: "false"}: "resumed",
		{Name: "disabled", Text: "true"}: "disabled", {Name: "disabled", Text: "false"}: "enabled",
	}
	if after[0] == (member.Field{Name: "trial"}) { // a line that stays
		if strings.HasPrefix(before[0].Text, string(merchant.Coming)) {
			return "confirmed"
		}
		return "undone"
	}
	return cmp.Or(words[after[0]], string(Changed))
}

// things lists what the settings hold, with every field in one order.
func (a All) things(hash func(purpose, value string) string) []thing {
	var out []thing
	owner := make(map[merchant.StoreID]merchant.ID, len(a.Stores))
	for _, m := range a.Merchants {
		out = append(out, thing{what: "merchant", id: string(m.ID), merchant: m.ID, fields: []member.Field{{Name: "name", Text: m.Name}}})
	}
	for _, s := range a.Stores {
		owner[s.ID] = s.Merchant
		out = append(out, thing{what: "store", id: string(s.ID), merchant: s.Merchant, store: s.ID, fields: []member.Field{
			{Name: "name", Text: s.Name}, {Name: "representative", Text: strconv.FormatBool(s.Representative)},
			{Name: "tier_code", Text: s.TierCode}, {Name: "own_webhooks", Text: strconv.FormatBool(!s.MerchantWebhooks)}, {Name: "webhook_first", Text: strconv.FormatBool(s.WebhookFirst)},
			{Name: "webhook_first_limit", Text: s.WebhookLimit().String()},
			{Name: "origins", Text: strings.Join(s.Origins, ", ")}, {Name: "app_schemes", Text: strings.Join(s.AppSchemes, ", ")},
			{Name: "notice_secret", Text: Masked(s.NoticeSecret, hash)},
		}})
	}
	for _, c := range a.Channels {
		out = append(out, thing{"channel", string(c.Key), c.Merchant, c.Store, c.Mode, channelFields(c, hash)})
	}
	for _, e := range a.Endpoints {
		out = append(out, thing{"endpoint", string(e.ID), e.Merchant, e.Store, e.Mode, endpointFields(e, hash)})
	}
	for _, s := range a.APISecrets {
		out = append(out, thing{"api_secret", s.ID, s.Merchant, s.Store, one(s.Mode), []member.Field{
			{Name: "name", Text: s.Name}, {Name: "mode", Text: string(s.Mode)},
			{Name: "secret", Text: maskedHash("", s.Hash)}, {Name: "expires_at", Text: moment(s.ExpiresAt)},
		}})
	}
	for _, k := range a.APIKeys {
		out = append(out, thing{"api_key", k.ID, k.Merchant, k.Store, one(k.Mode), []member.Field{
			{Name: "key", Text: k.Key}, {Name: "mode", Text: string(k.Mode)},
			{Name: "secret", Text: maskedHash("", k.Hash)}, {Name: "expires_at", Text: moment(k.ExpiresAt)},
		}})
	}
	for _, w := range a.Allows {
		out = append(out, thing{what: "allow", id: string(w.Scope) + " " + w.CIDR.String(), merchant: owner[w.Store], store: w.Store,
			fields: []member.Field{{Name: "scope", Text: string(w.Scope)}, {Name: "cidr", Text: w.CIDR.String()}, {Name: "trial", Text: trial(w)}}})
	}
	return out
}

// one is the mode of a credential as that of an entry: what is for both is of neither.
func one(m merchant.Mode) merchant.Mode {
	if m == merchant.Any {
		return ""
	}
	return m
}

// trial is what a line of an address list waits for.
func trial(w merchant.Allow) string {
	if w.Trial == "" {
		return ""
	}
	return string(w.Trial) + " until " + moment(w.Until)
}

func moment(t time.Time) string { return cmp.Or(someTime(t), "never") }

// someTime is a time as text; empty if it is zero.
func someTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func channelFields(c merchant.Channel, hash func(purpose, value string) string) []member.Field {
	out := []member.Field{
		{Name: "name", Text: c.Name}, {Name: "provider", Text: c.Provider}, {Name: "mode", Text: string(c.Mode)}, {Name: "mid", Text: c.MID},
		{Name: "payment_type", Text: string(c.PaymentType)}, {Name: "methods", Text: strings.Join(c.Methods, ", ")},
		{Name: "stores", Text: listed(c.Stores)}, {Name: "base_url", Text: c.BaseURL},
	}
	for _, name := range slices.Sorted(maps.Keys(c.Credentials)) {
		out = append(out, member.Field{Name: "credentials." + name, Text: Masked(c.Credentials[name], hash)})
	}
	confirm := "default"
	if c.Confirm != nil {
		confirm = strconv.FormatBool(*c.Confirm)
	}
	return append(out, []member.Field{
		{Name: "senders", Text: sendersText(c)}, {Name: "unknown", Text: string(c.Unknown)}, {Name: "confirm", Text: confirm},
		{Name: "token", Text: Masked(secret.Text(c.Token), hash)}, {Name: "disabled", Text: strconv.FormatBool(c.Disabled)},
		{Name: "asked", Text: someTime(c.AskedAt)}, {Name: "notes", Text: c.Notes},
	}...)
}

func endpointFields(e webhook.Endpoint, hash func(purpose, value string) string) []member.Field {
	old := ""
	if !e.OldUntil.IsZero() {
		old = moment(e.OldUntil)
	}
	secrets := make([]string, len(e.Secrets))
	for i, s := range e.Secrets {
		secrets[i] = Masked(s, hash)
	}
	timeout := ""
	if e.Timeout > 0 {
		timeout = e.Timeout.String()
	}
	out := []member.Field{
		{Name: "name", Text: e.Name}, {Name: "url", Text: e.URL}, {Name: "mode", Text: string(e.Mode)},
		{Name: "old_secret_until", Text: old},
		{Name: "events", Text: strings.Join(e.Events, ", ")}, {Name: "version", Text: string(e.Version)},
		{Name: "content_type", Text: string(e.ContentType)}, {Name: "schedule", Text: string(e.Schedule)},
		{Name: "in_flight", Text: strconv.Itoa(e.InFlight)}, {Name: "paused", Text: strconv.FormatBool(e.Paused)},
		{Name: "secrets", Text: strings.Join(secrets, ", ")}, {Name: "old_secret_until", Text: someTime(e.OldUntil)},
		{Name: "timeout", Text: timeout},
	}
	for _, h := range e.Headers {
		out = append(out, member.Field{Name: "headers." + h.Name, Text: Masked(h.Value, hash)})
	}
	return out
}

// listed is a list of ids or address blocks as text.
func listed[T merchant.StoreID | netip.Prefix](list []T) string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = fmt.Sprint(v)
	}
	return strings.Join(texts, ", ")
}
