//go:build !linux

package test

import "syscall"

// dieWithTests does nothing: only Linux can tie a child's life to its
// parent's.
func dieWithTests(*syscall.SysProcAttr) {}
