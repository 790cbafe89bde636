package doctor

import "syscall"

// systemSpace asks the system how much of a folder's disk a user may still write.
func systemSpace(folder string) (free, total uint64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil {
		return 0, 0, err
	}
	block := uint64(max(s.Bsize, 0))
	return s.Bavail * block, s.Blocks * block, nil
}
