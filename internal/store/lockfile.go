package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
)

// lockFile takes an advisory lock that the kernel gives back when the process
// ends, however it ends.
func lockFile(name string) (release func() error, err error) {
	f, taken, err := flock(name)
	if taken {
		return nil, fault.Errorf(fault.Conflict, "another tongbo serves this database (%s is locked): stop it first, or use PostgreSQL for several nodes", name)
	}
	if err != nil {
		return nil, err
	}
	return f.Close, nil
}

// lockLook is how often a lock is tried that another process holds for a
// moment.
const lockLook = 20 * time.Millisecond

// waitForFile is lockFile for what nobody holds for long.
func waitForFile(ctx context.Context, name string) (release func() error, err error) {
	for {
		f, taken, err := flock(name)
		switch {
		case err == nil:
			return f.Close, nil
		case !taken:
			return nil, err
		case !wait(ctx, lockLook):
			return nil, fault.Errorf(fault.Unavailable, "another tongbo holds %s: %w", name, ctx.Err())
		}
	}
}

// flock opens and locks a file; taken says that another process holds it.
func flock(name string) (f *os.File, taken bool, err error) {
	f, err = os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, false, fmt.Errorf("lock file: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, errors.Is(err, syscall.EWOULDBLOCK), fmt.Errorf("lock file %s: %w", name, err)
	}
	return f, false, nil
}
