package archtest

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// layers says what each package may import of this module, apart from tests. A
// name is a folder below internal, or else one from the root; provider/* stands
// for the folder of any PG. Lines may name only what stands above them, so the
// table itself keeps imports pointing down; "above" names all of that.
const layers = `
fault:
words:
secret: fault
seal: fault secret
safehttp: fault
safehttp/safehttptest:
merchant: fault secret
member: fault secret merchant
payment: fault secret merchant member
webhook: fault secret merchant member payment
notice: fault secret merchant member payment webhook
provider/wire: fault payment
provider: fault secret merchant payment notice
provider/books: merchant payment secret provider
provider/providertest: fault secret merchant payment notice provider provider/wire provider/books
provider/*: fault secret merchant payment notice provider provider/wire
provider/trial: fault secret merchant payment notice provider
provider/all: provider provider/*
settings: fault secret words merchant member payment webhook provider
attention: fault secret merchant member payment webhook notice provider settings
doctor: fault secret safehttp merchant member payment webhook notice provider settings attention
ingress: fault secret safehttp merchant member payment webhook notice provider settings
delivery: fault secret safehttp merchant member payment webhook notice provider
listen: fault secret merchant member payment webhook settings delivery provider
action: fault secret safehttp merchant member payment webhook notice provider provider/wire settings attention
people: fault secret merchant member settings
store: fault secret seal merchant member payment webhook notice provider settings attention doctor
store/storetest: above
api/openapi:
api/openapi/openapitest: api/openapi
api: fault secret seal safehttp merchant member payment webhook notice provider settings ingress delivery action store
api/v2: fault secret seal safehttp merchant member payment webhook notice provider settings ingress delivery action store api listen
api/v1: fault secret seal safehttp merchant member payment webhook notice provider settings ingress delivery action store api
export: fault secret merchant member payment webhook notice provider settings store
simulator: fault secret safehttp merchant payment webhook notice provider provider/wire provider/books provider/all
console/chart:
page: fault words secret merchant member payment
sampleshop: fault words secret payment page
checkout: fault words secret seal safehttp merchant member payment webhook notice provider settings action page
console: fault words secret seal safehttp merchant member payment webhook notice provider provider/wire provider/books provider/all settings attention doctor ingress delivery listen action people store export console/chart page
server: above
cli: above
cmd/tongbo: cli
archtest:
test:
test/bench: above
test/clients:
test/browser: above
docs/receivers/go:
`

// layersKept checks every package's imports against the table.
func layersKept(t tree) []string {
	table, complaints := parseLayers(layers)
	for _, f := range t.files {
		from := strings.TrimPrefix(f.folder(), "internal/")
		line := lineOf(from, table)
		if line == "" {
			complaints = append(complaints, fmt.Sprintf("%s: package %s has no line in the table of layers_test.go", f.path, from))
			continue
		}
		if f.isTest() {
			continue
		}
		for _, folder := range f.imports() {
			to := strings.TrimPrefix(folder, "internal/")
			if !slices.Contains(table[line], lineOf(to, table)) {
				complaints = append(complaints, fmt.Sprintf("%s: %s may not import %s", f.path, from, to))
			}
		}
	}
	return complaints
}

// parseLayers reads the table; a line that names what does not stand above it is
// a complaint.
func parseLayers(text string) (table map[string][]string, complaints []string) {
	table = map[string][]string{}
	var above []string
	for line := range strings.Lines(strings.TrimSpace(text)) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		allowed := strings.Fields(rest)
		if rest == " above" {
			allowed = slices.Clone(above)
		}
		for _, lower := range allowed {
			if !slices.Contains(above, lower) {
				complaints = append(complaints, fmt.Sprintf("layers: %s does not stand above %s", lower, name))
			}
		}
		table[name] = allowed
		above = append(above, name)
	}
	return table, complaints
}

// lineOf is the name of the line that speaks for a package: its own, or the one
// with a star for its last element; empty if there is none.
func lineOf(name string, table map[string][]string) string {
	for _, line := range []string{name, path.Join(path.Dir(name), "*")} {
		if _, ok := table[line]; ok {
			return line
		}
	}
	return ""
}

// testPackagesStay keeps packages for tests out of the program. What stands
// below test/ is not of it.
func testPackagesStay(t tree) []string {
	var complaints []string
	for _, f := range t.files {
		if f.isTest() || strings.HasSuffix(f.folder(), "test") || strings.HasPrefix(f.folder(), "test/") {
			continue
		}
		for _, folder := range f.imports() {
			if strings.HasSuffix(folder, "test") {
				complaints = append(complaints, fmt.Sprintf("%s: only tests may import %s", f.path, folder))
			}
		}
	}
	return complaints
}
