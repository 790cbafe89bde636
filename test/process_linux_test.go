package test

import "syscall"

// dieWithTests makes the kernel kill the child when the tests end, however
// they end.
func dieWithTests(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
