package console

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/words"
)

//go:embed pages
var pageFiles embed.FS

// A view is what a page's template gets.
type view struct {
	Page      string // its name
	Title     string
	Lang      words.Lang
	Theme     string
	Zone      string // "KST" or "UTC", of every time on the page
	Member    member.Member
	Base      string // where the paths of the scope begin; empty where there is none
	Mode      merchant.Mode
	Store     merchant.StoreID
	Stores    []choice
	Modes     []choice
	Nav       []navItem
	Crumb     *choice // the list that the page is of; nil if it is one itself
	Flash     string
	Mistakes  []mistake
	Head      string // above the mistakes, if they are none to be put right
	Topics    string // what the page is told of while it is open; empty if nothing
	Since     int64  // and since when, in UTC microseconds: before it was read
	Here      string // the page's own path and query
	Loaded    string // when it was made, for who has no scripts
	RequestID string
	Shortcuts bool
	Data      any

	visit *visit
}

// A choice is one of a few links, of which one is where the visitor is.
type choice struct {
	Text, Path string
	Here       bool
}

// May reports whether the visitor has a right, by its name.
func (v view) May(right string) bool { return v.visit.May(member.Right(right)) }

// Path is a path of the scope.
func (v view) Path(p string) string { return v.Base + p }

// page shows a page with status 200.
func (v *visit) page(name string, data any) error {
	return v.show(http.StatusOK, name, data, nil)
}

// mistaken shows a page again whose form had mistakes.
func (v *visit) mistaken(name string, data any, list []mistake) error {
	return v.show(http.StatusUnprocessableEntity, name, data, list)
}

// show makes a page and sends it whole, so that nobody gets half of one.
func (v *visit) show(status int, name string, data any, list []mistake) error {
	w := v.view(name, data)
	if w.Head, status, w.Mistakes = v.headed(status, list); len(w.Mistakes) > 0 {
		w.Topics = "" // what was entered is not to be replaced
	}
	t, err := templates(speech{v.Lang, w.Zone}, name)
	if err != nil {
		return err
	}
	root := "frame"
	if v.r.Header.Get("Fragment") == "content" {
		root = "content"
	}
	var out bytes.Buffer
	if err := t.ExecuteTemplate(&out, root, w); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	_, _ = v.w.Write(out.Bytes()) // whoever asked may be gone
	return nil
}

// view is everything that surrounds a page's data.
func (v *visit) view(name string, data any) view {
	out := view{
		Page: name, Title: v.t("page." + name), Lang: v.Lang, Theme: themeOf(v.r), Zone: v.zone(),
		Member: v.Member, Flash: takeFlash(v.w, v.r, v.Lang), Here: v.r.URL.RequestURI(),
		RequestID: v.ID, Shortcuts: v.Member.Shortcuts, Data: data, visit: v,
	}
	if v.Member.Theme == "light" || v.Member.Theme == "dark" {
		out.Theme = v.Member.Theme
	}
	if titled, ok := data.(interface{ title() string }); ok {
		out.Title = titled.title()
	}
	out.Loaded = page.Clock(v.now(), out.Zone)
	if x, ok := data.(interface{ alone() bool }); ok && x.alone() {
		out.Mode = v.Scope.Mode
		return out
	}
	if v.Member.ID == "" || v.All == nil || v.refuse && v.Scope.Mode == "" {
		return out
	}
	out.Base, out.Mode, out.Store = v.Scope.Base(), v.Scope.Mode, v.Scope.Store
	out.Topics, out.Since = strings.Join(v.topics, ","), v.began.UnixMicro()
	out.Stores, out.Modes = v.storeChoices(), v.modeChoices()
	out.Nav = v.nav(name)
	out.Crumb = v.crumb()
	return out
}

// zone is the zone of the times that the visitor sees.
func (v *visit) zone() string {
	if v.Member.Zone == page.UTC {
		return page.UTC
	}
	return page.KST
}

// storeChoices are the visitor's stores, with the page of the same section in each.
func (v *visit) storeChoices() []choice {
	list := v.stores()
	var out []choice
	if v.Member.Store == "" && len(list) > 1 {
		s := scope{Mode: v.Scope.Mode}
		out = append(out, choice{v.t("frame.all_stores"), s.Base() + v.section(), v.Scope.Store == ""})
	}
	for _, x := range list {
		s := scope{Store: x.ID, Mode: v.Scope.Mode}
		out = append(out, choice{x.Name, s.Base() + v.section(), v.Scope.Store == x.ID || len(list) == 1})
	}
	return out
}

func (v *visit) modeChoices() []choice {
	var out []choice
	for _, m := range []merchant.Mode{merchant.Live, merchant.Test} {
		s := scope{Store: v.Scope.Store, Mode: m}
		out = append(out, choice{v.t("state.mode." + string(m)), s.Base() + v.section(), v.Scope.Mode == m})
	}
	return out
}

// section is the part of the path that names a section: objects are of one store and mode.
func (v *visit) section() string {
	rest, ok := strings.CutPrefix(v.r.URL.Path, v.Scope.Base())
	if !ok {
		return "/"
	}
	parts := strings.SplitN(strings.TrimPrefix(rest, "/"), "/", 3)
	switch parts[0] {
	case "settings", "developers":
		return "/" + path.Join(parts[:min(2, len(parts))]...)
	case "":
		return "/"
	}
	return "/" + parts[0]
}

// A speech is what templates differ by: the language and the zone of times.
type speech struct {
	lang words.Lang
	zone string
}

// A pageKey names a parsed page.
type pageKey struct {
	speech
	name string
}

var parsed sync.Map // pageKey → *template.Template

// templates is the template of a page, with the frame around it and the parts that pages
// share. Each is parsed once.
func templates(s speech, name string) (*template.Template, error) {
	if t, ok := parsed.Load(pageKey{s, name}); ok {
		return t.(*template.Template), nil //nolint:forcetypeassert // nothing else is stored
	}
	t, err := template.New(name).Funcs(functions(s)).ParseFS(pageFiles, "pages/frame.html", "pages/parts.html", "pages/"+name+".html")
	if err != nil {
		return nil, err
	}
	parsed.Store(pageKey{s, name}, t)
	return t, nil
}

// pageNames lists every page that has a template.
func pageNames() []string {
	files, _ := fs.Glob(pageFiles, "pages/*.html") // the pattern is right
	var out []string
	for _, f := range files {
		name := strings.TrimSuffix(path.Base(f), ".html")
		if name != "frame" && name != "parts" {
			out = append(out, name)
		}
	}
	return out
}
