package test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/api/openapi/openapitest"
	"github.com/tongbo/tongbo/test/clients"
)

// skipUnlessCI skips a test whose runtime is missing here. In CI it fails: what
// these tests prove must have been tried there.
func skipUnlessCI(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// nodeFolder returns a temporary folder in which Node finds the clients'
// packages, with a copy of some files in it.
func nodeFolder(t *testing.T, files ...string) string {
	t.Helper()
	for _, name := range []string{"node", "npm"} {
		if _, err := exec.LookPath(name); err != nil {
			skipUnlessCI(t, "no "+name+" here: `scripts/need.sh node` installs it on Debian")
		}
	}
	from, err := clients.Folder()
	if err != nil {
		skipUnlessCI(t, "the npm packages of test/clients cannot be installed here: "+err.Error())
	}
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(from, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		write(t, filepath.Join(dir, filepath.Base(name)), read(t, name))
	}
	return dir
}

// runClient runs a script of clients/ with Node against a town. Its calls and their
// answers must be as the API's documents say.
func (w *town) runClient(script string, env ...string) {
	w.Helper()
	dir := nodeFolder(w.T, "clients/"+script, "clients/town.mjs")
	c := exec.CommandContext(w.Context(), "node", script)
	c.Dir = dir
	api := openapitest.Proxy(w, "http://"+w.node.addr, "v2.yaml", "tongbo.yaml")
	c.Env = append(os.Environ(), append(env, "TOWN_URL="+api, "TOWN_HAND="+w.hand, "TOWN_SECRET="+townSecret,
		"TOWN_STORE="+townStore, "TOWN_OTHER_STORE="+otherStore, "TOWN_CHANNEL="+townChannel, "TOWN_CARD_CHANNEL="+cardChannel, "TOWN_WRONG_CHANNEL="+wrongChannel)...)
	out, err := c.CombinedOutput()
	if err != nil {
		w.Fatalf("%s: %v\n%s\nserve says:\n%s", script, err, out, tail(w.node.output.String()))
	}
	w.Logf("%s", out)
}

// TestOfficialSDK runs PortOne's own server SDK, as npm serves it, against the
// program: every call that it makes, every error that it knows and that can be
// had, and its check of webhooks.
func TestOfficialSDK(t *testing.T) {
	t.Parallel()
	binary(t)
	for _, script := range []string{"sdk.mjs", "sdk_cards.mjs", "sdk_errors.mjs", "sdk_webhooks.mjs"} {
		t.Run(strings.TrimSuffix(script, ".mjs"), func(t *testing.T) {
			t.Parallel()
			nodeFolder(t) // a skip comes before the server
			w := openTown(t)
			w.runClient(script)
			if _, err := w.run("", "verify"); err != nil {
				t.Error(err)
			}
		})
	}
}

var listensV1 = regexp.MustCompile(`api v1 +(http://\S+)`)

// TestV1Clients runs clients of API V1, as npm serves them, against the program.
func TestV1Clients(t *testing.T) {
	t.Parallel()
	binary(t)
	nodeFolder(t)
	w := openTown(t, "--v1-listen", "127.0.0.1:0")
	m := listensV1.FindStringSubmatch(w.node.output.String())
	if m == nil {
		t.Fatalf("API V1 is not served:\n%s", w.node.output)
	}
	w.runClient("v1.mjs", "TOWN_V1_URL="+openapitest.Proxy(t, m[1], "v1.yaml"), "TOWN_V1_KEY="+townKey, "TOWN_V1_SECRET="+townKeySec)
	if _, err := w.run("", "verify"); err != nil {
		t.Error(err)
	}
}

// TestClientsExplained compares the npm packages with docs/dependencies.md.
func TestClientsExplained(t *testing.T) {
	t.Parallel()
	var file struct {
		Dependencies map[string]string
	}
	if err := json.Unmarshal([]byte(read(t, "clients/package.json")), &file); err != nil {
		t.Fatal(err)
	}
	explained := map[string]bool{}
	for line := range strings.Lines(section(t, read(t, "../docs/dependencies.md"), "## From npm, in tests only")) {
		if rest, ok := strings.CutPrefix(line, "- `"); ok {
			name, _, _ := strings.Cut(rest, "`")
			explained[name] = true
		}
	}
	for name, version := range file.Dependencies {
		if !explained[name+" "+version] {
			t.Errorf("docs/dependencies.md does not explain `%s %s`", name, version)
		}
		delete(explained, name+" "+version)
	}
	for name := range explained {
		t.Errorf("docs/dependencies.md explains %s, which clients/package.json lacks", name)
	}
}
