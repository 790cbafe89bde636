package settings

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
