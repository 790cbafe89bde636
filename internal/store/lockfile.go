package store

import (
	"fmt"
	"os"
	"syscall"

	"github.com/tongbo/tongbo/internal/fault"
)

// lockFile takes an advisory lock that the kernel gives back when the process
// ends, however it ends.
func lockFile(name string) (release func() error, err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock file: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fault.Errorf(fault.Conflict, "another tongbo serves this database (%s is locked): stop it first, or use PostgreSQL for several nodes", name)
	}
	return f.Close, nil
}
