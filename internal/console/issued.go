package console

// issued is the page that shows a secret, this once. Nothing leads away from it but a form
// that asks whether it was copied.
type issued struct {
	head  string
	Say   string
	Lines []issuedLine
	Next  string // where the form leads
}

// An issuedLine is a value that can be read nowhere later, and what it is.
type issuedLine struct{ Label, Value string }

func (p issued) title() string { return p.head }

// alone keeps the rail away.
func (p issued) alone() bool { return true }
