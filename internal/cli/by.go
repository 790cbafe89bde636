package cli

import (
	"os/user"

	"github.com/tongbo/tongbo/internal/member"
)

// byUser is who runs a command on the database's own machine, for the audit log: the
// machine's user, by the name if it has one.
func byUser() member.By {
	by := member.By{Kind: member.CLI, Name: "tongbo"}
	if u, err := user.Current(); err == nil && u.Username != "" {
		by.Name = u.Username
	}
	return by
}
