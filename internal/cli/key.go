package cli

import (
	"fmt"

	"github.com/tongbo/tongbo/internal/seal"
)

// A keyCmd makes a new key.
type keyCmd struct{}

// Run prints a new key, for a file that only the server may read.
func (keyCmd) Run(env Env) error {
	k, err := seal.New()
	if err != nil {
		return err
	}
	fmt.Fprintln(env.Stdout, k.Text().Reveal())
	if env.Terminal {
		fmt.Fprintln(env.Stderr, "Keep it in a file of mode 0600, apart from the database and its backups: umask 077; tongbo key > tongbo.key")
	}
	return nil
}
