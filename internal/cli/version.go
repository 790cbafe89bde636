package cli

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
)

// A versionCmd prints which build this is.
type versionCmd struct{}

// Run prints one line: version, commit if it is known, Go and platform.
func (versionCmd) Run(env Env) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	_, err := fmt.Fprintln(env.Stdout, versionLine(info))
	return err
}

func versionLine(info *debug.BuildInfo) string {
	set := map[string]string{}
	for _, s := range info.Settings {
		set[s.Key] = s.Value
	}
	line := "tongbo " + cmp.Or(info.Main.Version, "(devel)")
	if commit := set["vcs.revision"]; commit != "" {
		line += " commit " + commit[:min(len(commit), 12)]
		if set["vcs.modified"] == "true" {
			line += " with changes"
		}
	}
	return fmt.Sprintf("%s, %s, %s/%s", line, cmp.Or(info.GoVersion, runtime.Version()), runtime.GOOS, runtime.GOARCH)
}
