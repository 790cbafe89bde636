package settings

import "slices"

// A Flag is what one node was told when it was started. It is no setting: it can only be
// looked at, and changes with the next start.
type Flag struct {
	Name   string // such as "keep-bodies"
	Env    string // the variable that says the same, such as "TONGBO_KEEP_BODIES"
	Value  string // as text; empty if it is none
	Source FlagSource
}

// A FlagSource says what gave a Flag its value.
type FlagSource string

// The sources, the one that wins first.
const (
	ByFlag    FlagSource = "flag"    // the command line
	ByEnv     FlagSource = "env"     // the environment
	ByDefault FlagSource = "default" // nobody said otherwise
)

// A FlagDifference is a flag that has one value here and another elsewhere.
type FlagDifference struct{ Name, Here, There string }

// ofNode are flags that each node may have its own of, or that say how it writes.
var ofNode = []string{"database", "key-file", "lang", "listen", "log-format", "log-level", "v1-listen", "webhook-bind"}

// Differ lists the flags that both have with different values, in the order of here; without
// those that each node has its own of.
func Differ(here, there []Flag) (out []FlagDifference) {
	for _, h := range here {
		i := slices.IndexFunc(there, func(t Flag) bool { return t.Name == h.Name })
		if i >= 0 && there[i].Value != h.Value && !slices.Contains(ofNode, h.Name) {
			out = append(out, FlagDifference{h.Name, h.Value, there[i].Value})
		}
	}
	return out
}
