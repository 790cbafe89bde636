//go:build !linux && !darwin

package cli

import "os"

// singleKeys is not had here.
func singleKeys(*os.File) (restore func(), ok bool) { return nil, false }
