package cli

import (
	"os"
	"testing"
)

// TestMain has commands speak English, whatever the system's language is, unless a test
// says otherwise.
func TestMain(m *testing.M) {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES"} {
		if err := os.Unsetenv(name); err != nil {
			panic(err)
		}
	}
	if err := os.Setenv("LANG", "en_US.UTF-8"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
