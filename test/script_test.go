package test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// TestScripts runs every script on both databases.
func TestScripts(t *testing.T) {
	t.Parallel()
	tongbo := binary(t)
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			testscript.Run(t, testscript.Params{
				Dir:                "scripts",
				RequireUniqueNames: true,
				Setup:              func(e *testscript.Env) error { return setUp(e, engine, tongbo) },
				Condition:          func(c string) (bool, error) { return isEngine(c, engine) },
				Cmds:               commands,
			})
		})
	}
}

func isEngine(condition, engine string) (bool, error) {
	if condition != "sqlite" && condition != "postgres" {
		return false, fmt.Errorf("there is no condition %q", condition)
	}
	return condition == engine, nil
}

// setUp gives a script an empty database and the program.
func setUp(e *testscript.Env, engine, tongbo string) error {
	s := &scene{binary: tongbo, nodes: map[string]*node{}, shops: map[string]*shop{}}
	e.Values[sceneKey{}], e.Values[testerKey{}] = s, e.T()
	e.Defer(s.close)
	e.Setenv("PATH", filepath.Dir(tongbo)+string(os.PathListSeparator)+e.Getenv("PATH"))
	switch engine {
	case "sqlite":
		e.Setenv("TONGBO_DATABASE", "sqlite:"+filepath.Join(e.WorkDir, "tongbo.db"))
	case "postgres":
		key, err := seal.New()
		if err != nil {
			return err
		}
		e.Setenv("TONGBO_DATABASE", storetest.Postgres(e.T().(testing.TB)))
		e.Setenv("TONGBO_KEY", key.Text().Reveal())
	}
	return materials(e)
}

// materials are the files and variables that most scripts use.
func materials(e *testscript.Env) error {
	base, err := os.ReadFile("base.toml")
	if err != nil {
		return err
	}
	e.Setenv("LANG", "en_US.UTF-8") // scripts read what the program says
	e.Setenv("AUTH", "Authorization: PortOne the-scripts-api-secret")
	e.Setenv("WHSEC", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3")
	e.Setenv("KCP", "channel-key-00000000-0000-4000-8000-000000000001")
	e.Setenv("TOSS", "channel-key-00000000-0000-4000-8000-000000000002")
	// An account of the KCP channel that waits for 10,000 won.
	register := `{"channelKey": "` + e.Getenv("KCP") + `", "orderName": "사과 1상자", "amount": {"total": 10000},` +
		` "currency": "KRW", "virtualAccount": {"bank": "SHINHAN", "accountNumber": "T0309260001455"}}`
	for name, text := range map[string][]byte{"base.toml": base, "register.json": []byte(register)} {
		if err := os.WriteFile(filepath.Join(e.WorkDir, name), text, 0o600); err != nil {
			return err
		}
	}
	return readmeParts(e.WorkDir)
}

var readmeLine = regexp.MustCompile(`(?m)^    (curl|bin/tongbo simulate) .*(\n      .*)*`)

// readmeParts writes what the README tells its reader to type into files, so
// that a script can do the same.
func readmeParts(dir string) error {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		return err
	}
	m := fence.FindSubmatch(text)
	if m == nil {
		return fmt.Errorf("the README has no TOML block")
	}
	if err := os.WriteFile(filepath.Join(dir, "readme.toml"), m[1], 0o600); err != nil {
		return err
	}
	for i, line := range readmeLine.FindAllString(string(text), -1) {
		name := filepath.Join(dir, fmt.Sprintf("readme-%d.sh", i+1))
		if err := os.WriteFile(name, []byte(line+"\n"), 0o600); err != nil {
			return err
		}
	}
	return nil
}
