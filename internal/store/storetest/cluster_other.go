//go:build unix && !linux

package storetest

import "syscall"

// dieWithParent does nothing: only Linux can tie a child's life to its
// parent's. A killed test process leaves its server running here.
func dieWithParent(*syscall.SysProcAttr) {}
