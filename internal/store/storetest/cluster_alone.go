//go:build unix

package storetest

// StartCluster starts a cluster for a program that is no test, with settings
// of PostgreSQL as "name=value". The caller removes it with End; it also ends
// with the process. TONGBO_TEST_POSTGRES has no say here.
func StartCluster(settings ...string) (*Cluster, error) { return startCluster(settings...) }

// End stops a cluster of StartCluster and removes its folder.
func (c *Cluster) End() error { return c.remove() }

// PID is the process id of the server's main process, 0 if it does not run. It
// is safe for concurrent use.
func (c *Cluster) PID() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server == nil {
		return 0
	}
	return c.server.os.Pid
}
