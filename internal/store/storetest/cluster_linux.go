package storetest

import "syscall"

// dieWithParent makes the kernel shut the child down at once when the thread
// that started it ends, which is when the test process ends, however it ends.
func dieWithParent(attr *syscall.SysProcAttr) {
	attr.Pdeathsig = syscall.SIGQUIT // PostgreSQL's immediate shutdown
}
