package console

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

// An endpointForm is what the form of an endpoint holds: as it is stored, or as it was
// typed.
type endpointForm struct {
	title string

	ID          webhook.EndpointID // empty: a new one
	Name, URL   string
	Store       string
	Events      []string
	Version     string
	ContentType string
	Schedule    string // a preset, or ownSchedule
	Delays      string // of an own one, a line or a comma each
	InFlight    string
	Timeout     string // in seconds; empty for what all have
	Headers     []ownHeader
	Retype      bool // values of headers were typed, and are not shown again
	TestEvent   string

	Groups    []eventGroup
	Versions  []option
	Contents  []option
	Schedules []option
	Tests     []option
}

// An eventGroup is a branch of the tree of events.
type eventGroup struct {
	Text   string
	All    *eventTick // all of the branch, with those to come; nil if there is no such choice
	Events []eventTick
}

// An eventTick is an event that can be chosen.
type eventTick struct {
	Value, Text string
	On          bool
}

const ownSchedule = "own"

// presets are the schedules that have a name.
var presets = []webhook.Schedule{webhook.PortOne, webhook.PortOne2024, webhook.Toss}

// formOf is the form of an endpoint as it is stored.
func (v *visit) formOf(e webhook.Endpoint) endpointForm {
	f := endpointForm{
		ID: e.ID, Name: e.Name, URL: e.URL, Store: string(e.Store), Events: e.Events, Version: string(e.Version),
		ContentType: string(e.ContentType), Schedule: string(e.Schedule), TestEvent: string(webhook.Paid),
	}
	if e.Schedule == "" {
		f.Schedule = string(webhook.Default)
	}
	if !slices.Contains(presets, webhook.Schedule(f.Schedule)) {
		var delays []string
		_ = json.Unmarshal([]byte(f.Schedule), &delays) // it was checked when it was stored
		f.Schedule, f.Delays = ownSchedule, strings.Join(delays, ", ")
	}
	if e.InFlight > 0 {
		f.InFlight = strconv.Itoa(e.InFlight)
	}
	if e.Timeout > 0 {
		f.Timeout = strconv.Itoa(int(e.Timeout / time.Second))
	}
	f.Headers = ownHeaders(e)
	return v.choices(f)
}

// postedForm is the form of an endpoint, or of a new one, as it was typed.
func (v *visit) postedForm(e webhook.Endpoint) endpointForm {
	headers := v.postedHeaders(e)
	return v.choices(endpointForm{
		ID: e.ID, Timeout: v.value("timeout"), Headers: headers, Retype: retype(headers), Name: v.value("name"), URL: v.value("url"), Store: v.value("store"), Events: v.form()["events"], Version: v.value("version"),
		ContentType: v.value("content_type"), Schedule: v.value("schedule"), Delays: v.value("delays"), InFlight: v.value("in_flight"),
		TestEvent: v.value("test_event"),
	})
}

// choices fills in what the form offers.
func (v *visit) choices(f endpointForm) endpointForm {
	for _, x := range []webhook.Version{webhook.V20240425, webhook.V20240101, webhook.V1} {
		f.Versions = append(f.Versions, option{Value: string(x), Text: v.t("endpoints.version." + strings.ReplaceAll(string(x), "-", "_"))})
	}
	for _, x := range []webhook.ContentType{webhook.JSON, webhook.Form} {
		f.Contents = append(f.Contents, option{Value: string(x), Text: x.MIME()})
	}
	for _, x := range presets {
		f.Schedules = append(f.Schedules, option{Value: string(x), Text: v.scheduleText(x)})
	}
	f.Schedules = append(f.Schedules, option{Value: ownSchedule, Text: v.t("endpoints.schedule.own")})
	for _, t := range allTypes() {
		f.Tests = append(f.Tests, option{Value: string(t), Text: string(t)})
	}
	f.Groups = v.eventGroups(f.Events)
	return f
}

// scheduleText is a schedule as people read it: a preset's name, or the delays themselves.
func (v *visit) scheduleText(s webhook.Schedule) string {
	if slices.Contains(presets, s) {
		return v.t("endpoints.schedule." + strings.ReplaceAll(string(s), "-", "_"))
	}
	var delays []string
	if err := json.Unmarshal([]byte(s), &delays); err != nil {
		return string(s)
	}
	return cmp.Or(strings.Join(delays, ", "), "–")
}

// eventGroups is the tree of events, with those ticked that are chosen.
func (v *visit) eventGroups(chosen []string) []eventGroup {
	tick := func(value, text string) eventTick { return eventTick{value, text, slices.Contains(chosen, value)} }
	all := tick("*", v.t("endpoints.events_all"))
	out := []eventGroup{{Text: v.t("endpoints.events_any"), All: &all}}
	for _, prefix := range []string{"Transaction.", "BillingKey."} {
		whole := tick(prefix+"*", v.t("endpoints.events_branch", "name", prefix+"*"))
		g := eventGroup{Text: strings.TrimSuffix(prefix, "."), All: &whole}
		for _, t := range webhook.PortOneTypes() {
			if strings.HasPrefix(string(t), prefix) {
				g.Events = append(g.Events, tick(string(t), string(t)))
			}
		}
		out = append(out, g)
	}
	ours := eventGroup{Text: v.t("endpoints.events_own")}
	for _, t := range webhook.OwnTypes() {
		ours.Events = append(ours.Events, tick(string(t), string(t)))
	}
	return append(out, ours)
}

// schedule is the schedule of the form. It reports what is wrong with it.
func (f endpointForm) schedule() (any, webhook.Schedule, error) {
	if f.Schedule != ownSchedule {
		s, err := webhook.ParseSchedule(f.Schedule)
		return string(s), s, err
	}
	list := []any{}
	var delays []string
	for _, text := range strings.FieldsFunc(f.Delays, func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) }) {
		list, delays = append(list, text), append(delays, text)
	}
	s, err := webhook.CustomSchedule(delays)
	return list, s, err
}

// endpointFile is what the form declares, and what is wrong with it, field by field.
func (v *visit) endpointFile(f endpointForm, stored webhook.Endpoint) (out settings.EndpointFile, wrong []mistake) {
	miss := func(field, key string, args ...any) { wrong = append(wrong, mistake{field, v.t(key, args...)}) }
	if f.Name == "" {
		miss("name", "form.missing")
	}
	if len(f.Name) > mostName {
		miss("name", "endpoints.name_long")
	}
	switch {
	case f.URL == "":
		miss("url", "form.missing")
	case webhook.CheckURL(f.URL) != nil:
		miss("url", "endpoints.url_wrong")
	}
	version, content := webhook.Version(f.Version), webhook.ContentType(f.ContentType)
	switch {
	case !offered(f.Versions, f.Version):
		miss("version", "form.missing")
	case !offered(f.Contents, f.ContentType):
		miss("content_type", "form.missing")
	case version == webhook.V20240425 && content == webhook.Form:
		miss("content_type", "endpoints.json_only")
	}
	wrong = append(wrong, v.eventMistakes(f.Events, version)...)
	schedule, _, err := f.schedule()
	if err != nil {
		miss("delays", "endpoints.delays_wrong")
	}
	inFlight := webhook.DefaultInFlight
	if f.InFlight != "" {
		if inFlight, err = strconv.Atoi(f.InFlight); err != nil || inFlight < 1 || inFlight > webhook.MaxInFlight {
			miss("in_flight", "endpoints.in_flight_wrong", "max", webhook.MaxInFlight)
		}
	}
	timeout, ok := f.timeout()
	if !ok {
		miss("timeout", "endpoints.timeout_wrong", "max", int(webhook.MaxTimeout/time.Second))
	}
	_, headers, miswritten := v.headers(f, stored)
	wrong = append(wrong, miswritten...)
	lasts := "default"
	if timeout > 0 {
		lasts = timeout.String()
	}
	out = settings.EndpointFile{
		Timeout: &lasts, Headers: headers, Name: f.Name, URL: &f.URL, Events: &f.Events, Version: &f.Version, ContentType: &f.ContentType, Schedule: schedule,
	}
	if f.InFlight != "" {
		out.InFlight = &inFlight
	}
	return out, wrong
}

// mostName is how long a name may be, in bytes.
const mostName = 200

func offered(list []option, value string) bool {
	return slices.ContainsFunc(list, func(o option) bool { return o.Value == value })
}

// eventMistakes says what is wrong with the events that were chosen.
func (v *visit) eventMistakes(list []string, version webhook.Version) []mistake {
	if len(list) == 0 {
		return []mistake{{"events", v.t("endpoints.no_events")}}
	}
	told := false
	for _, want := range list {
		known := false
		for _, t := range allTypes() {
			if webhook.Wants([]string{want}, t) {
				known, told = true, told || version.Carries(t)
			}
		}
		if !known {
			return []mistake{{"events", v.t("list.unknown", "value", page.Visible(want))}}
		}
	}
	if !told {
		return []mistake{{"events", v.t("endpoints.events_untold", "version", string(version))}}
	}
	return nil
}
