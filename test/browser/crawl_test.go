package browser

import (
	"net/url"
	"regexp"
	"strings"
)

// variable is what differs between pages of one kind: ids, and the values of queries.
var variable = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|=[^&]*`)

// scoped is the store's part of an address.
var scoped = regexp.MustCompile(`^/console/[^/]+/(test|live)/`)

// kind names the kind of page that an address leads to. Stores are of one kind, and so are
// modes, apart from where they begin.
func kind(address string) string {
	if rest := scoped.ReplaceAllString(address, ""); rest != "" && rest != address {
		address = "/console/all/test/" + rest
	}
	return variable.ReplaceAllString(address, "*")
}

// crawl visits, from a path on, one page of every kind that links lead to, and has each
// looked at.
func (x *tab) crawl(from string, each func(path string)) (visited []string) {
	x.Helper()
	const most = 150
	queue, known := []string{from}, map[string]bool{kind(from): true}
	for len(queue) > 0 && len(visited) < most {
		path := queue[0]
		queue = queue[1:]
		x.open(path)
		visited = append(visited, path)
		each(path)
		links := ask[[]string](x, "links", `[...document.querySelectorAll("main a[href]:not([download]), .rail a[href]")].map(a => new URL(a.getAttribute("href"), location.href)).filter(u => u.origin === location.origin).map(u => u.pathname + u.search)`)
		for _, l := range links {
			u, err := url.Parse(l)
			if err != nil || !strings.HasPrefix(u.Path, "/console/") || strings.Contains(u.Path, "/go/") || known[kind(l)] {
				continue
			}
			known[kind(l)] = true
			queue = append(queue, l)
		}
	}
	return visited
}

// called names a picture of a page by its path.
func called(path string) string {
	u, _ := url.Parse(path)
	name := strings.Trim(variable.ReplaceAllString(strings.TrimPrefix(u.Path, "/console/"), "id"), "/")
	for _, mode := range []string{"/test", "/live"} {
		if _, after, ok := strings.Cut(name+"/", mode+"/"); ok {
			name = strings.Trim(mode[1:]+"-"+after, "/-")
		}
	}
	name = strings.NewReplacer("/", "-", "*", "").Replace(name)
	if u.RawQuery != "" {
		name += "-" + strings.NewReplacer("=", "-", "&", "-", "*", "", "%", "").Replace(kind(u.RawQuery))
	}
	return strings.Trim(name, "-")
}
