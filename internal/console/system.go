package console

import (
	"cmp"
	"context"
	"net/http"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/doctor"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/settings"
)

func (c *Console) systemRoutes() []route {
	return []route{
		{http.MethodGet, "/settings/system", member.Operate, false, c.system},
		{http.MethodPost, "/settings/system", member.Operate, false, c.examineAgain},
	}
}

// checkupKept is for how long one examination is shown to all who ask.
const checkupKept = time.Minute

// A checkup is the last examination of the installation.
type checkup struct {
	mu       sync.Mutex
	at       time.Time
	findings []doctor.Finding
}

// look returns the last examination, or a new one if that is too old. Who asks meanwhile
// waits for it.
func (x *checkup) look(ctx context.Context, d *doctor.Doctor, now time.Time) (time.Time, []doctor.Finding) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.at.IsZero() || now.Sub(x.at) >= checkupKept {
		x.findings = d.Examine(context.WithoutCancel(ctx)) // others may wait for it
		x.at = time.Now()
	}
	return x.at, x.findings
}

func (x *checkup) forget() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.at = time.Time{}
}

// systemPage is about the installation as a whole.
type systemPage struct {
	At       time.Time
	Findings []finding
	Summary  string
	Release  string
	Runs     string
	Flags    []settings.Flag
	Lists    []senderList
}

// A finding is what was found, with its chip and texts.
type finding struct {
	doctor.Finding
	Chip, Subject, Text, Hint string
}

// A senderList is the addresses that a PG publishes for its notices.
type senderList struct {
	Code, Name, Date string
	Live, Test       []string
}

func (c *Console) system(v *visit) error {
	if c.Doctor == nil {
		return errNoPage
	}
	var p systemPage
	var list []doctor.Finding
	p.At, list = c.checkup.look(v.ctx(), c.Doctor, v.now())
	failures, warnings := 0, 0
	for _, f := range list {
		switch f.Level {
		case doctor.Fail:
			failures++
		case doctor.Warn:
			warnings++
		case doctor.OK, doctor.Info:
		}
		x := finding{Finding: f, Chip: "doctor.level." + string(f.Level), Subject: v.t("doctor.subject." + string(f.Subject)), Text: page.Visible(v.t(f.Key, f.Args...))}
		if f.Hint != "" {
			x.Hint = page.Visible(v.t(f.Hint, f.Args...))
		}
		p.Findings = append(p.Findings, x)
	}
	if p.Summary = v.t("doctor.summary", "failures", failures, "warnings", warnings); failures+warnings == 0 {
		p.Summary = v.t("doctor.all_well")
	}
	p.Release, p.Runs, p.Flags = release(), runtime.Version()+" "+runtime.GOOS+"/"+runtime.GOARCH, c.Flags
	for _, m := range all.Providers() {
		p.Lists = append(p.Lists, v.senderList(m.Info()))
	}
	return v.page("settings_system", p)
}

func (v *visit) senderList(i provider.Info) senderList {
	return senderList{Code: i.Code, Name: v.inTongue(i.Name), Date: v.inTongue(i.SendersDate()), Live: blocks(i.LiveSenders), Test: blocks(i.TestSenders)}
}

// examineAgain has the next look at the page examine anew.
func (c *Console) examineAgain(v *visit) error {
	c.checkup.forget()
	return v.seeOther("/settings/system")
}

// release is this build's version, with the commit if it is known.
func release() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(devel)"
	}
	version := cmp.Or(info.Main.Version, "(devel)")
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return version + " " + s.Value[:min(len(s.Value), 12)]
		}
	}
	return version
}
