package console

import (
	"slices"
	"strings"

	"github.com/tongbo/tongbo/internal/member"
)

// A navItem is a section in the rail.
type navItem struct {
	Text, Path, Key string
	Here            bool
	Count           int // what waits there for a person
	// Why says who may open it, where the visitor may not: then it is no link.
	Why string
	Sub []navItem
}

// A section is a part of the console. Its sub-sections are shown while it is open.
type section struct {
	key, path, shortcut string
	right               member.Right
	sub                 []section
}

// sections are the rail, from top to bottom.
var sections = []section{
	{key: "home", path: "/", shortcut: "h", right: member.See},
	{key: "attention", path: "/attention", shortcut: "a", right: member.See},
	{key: "payments", path: "/payments", shortcut: "p", right: member.See},
	{key: "notices", path: "/notices", shortcut: "n", right: member.See},
	{key: "deliveries", path: "/deliveries", shortcut: "w", right: member.See},
	{key: "endpoints", path: "/endpoints", shortcut: "e", right: member.Integrate},
	{key: "channels", path: "/channels", shortcut: "c", right: member.Integrate},
	{key: "integration", path: "/integration", right: member.See},
	{key: "developers", path: "/developers/keys", right: member.Integrate, sub: []section{
		{key: "keys", path: "/developers/keys", right: member.Integrate},
		{key: "events", path: "/developers/events", right: member.Integrate},
		{key: "signature", path: "/developers/signature", right: member.Integrate},
		{key: "simulator", path: "/developers/simulator", right: member.Integrate},
		{key: "listen", path: "/developers/listen", right: member.Integrate},
		{key: "requests", path: "/developers/requests", right: member.Integrate},
	}},
	{key: "settings", path: "/settings/stores", right: member.Administer, sub: []section{
		{key: "stores", path: "/settings/stores", right: member.Administer},
		{key: "members", path: "/settings/members", right: member.Administer},
		{key: "access", path: "/settings/access", right: member.Administer},
		{key: "delivery", path: "/settings/delivery", right: member.Administer},
		{key: "retention", path: "/settings/retention", right: member.Administer},
		{key: "audit", path: "/settings/audit", right: member.Own},
		{key: "system", path: "/settings/system", right: member.Operate},
	}},
}

// nav is the rail as the visitor sees it: what their role may not open stands there, too,
// with who may.
func (v *visit) nav(string) []navItem {
	here := strings.TrimPrefix(v.r.URL.Path, v.Scope.Base())
	var out []navItem
	for _, s := range sections {
		item := v.navItem(s, here)
		if s.key == "attention" {
			item.Count = v.waiting()
		}
		if s.sub != nil {
			item.Here = strings.HasPrefix(here, "/"+s.key)
		}
		if item.Here && item.Why == "" {
			for _, sub := range s.sub {
				item.Sub = append(item.Sub, v.navItem(sub, here))
			}
		}
		out = append(out, item)
	}
	return out
}

// crumb is the section that a page within one is of, if the visitor may open it.
func (v *visit) crumb() *choice {
	here, ok := strings.CutPrefix(v.r.URL.Path, v.Scope.Base())
	if !ok {
		return nil
	}
	for _, s := range sections {
		for _, x := range append(slices.Clone(s.sub), s) {
			if x.path != "/" && strings.HasPrefix(here, x.path+"/") && v.May(x.right) {
				return &choice{Text: v.t("nav." + x.key), Path: v.Scope.Base() + x.path}
			}
		}
	}
	return nil
}

func (v *visit) navItem(s section, here string) navItem {
	at := here == s.path
	if s.path != "/" {
		at = at || strings.HasPrefix(here, s.path+"/")
	}
	item := navItem{Text: v.t("nav." + s.key), Path: v.Scope.Base() + s.path, Key: s.shortcut, Here: at}
	if !v.May(s.right) {
		item.Why = v.t("nav.needs." + string(s.right))
	}
	return item
}

// waiting is how many things need a person, as far as that can be told now.
func (v *visit) waiting() int {
	if v.c.Desk == nil || v.refuse {
		return 0
	}
	n, err := v.c.Desk.Count(v.ctx(), v.watch(), v.now())
	if err != nil {
		v.c.Log.WarnContext(v.ctx(), "what needs a person is not counted", "request_id", v.ID, "err", err)
	}
	return n
}
