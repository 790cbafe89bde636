package cli

import (
	"fmt"
	"strings"
	"time"
)

// A progress is a line of a terminal that says how far something is. It shows
// once that takes longer than people like to wait without a word.
type progress struct {
	env   Env
	began time.Time
	shown time.Time
	width int // of what is shown
}

const (
	progressAfter = 500 * time.Millisecond
	progressEvery = 100 * time.Millisecond
)

func newProgress(env Env) *progress { return &progress{env: env, began: time.Now()} }

// show replaces the line, now and then.
func (p *progress) show(format string, args ...any) {
	now := time.Now()
	if !p.env.Terminal || now.Sub(p.began) < progressAfter || now.Sub(p.shown) < progressEvery {
		return
	}
	p.shown = now
	p.write(fmt.Sprintf(format, args...))
}

func (p *progress) write(line string) {
	fmt.Fprintf(p.env.Stdout, "\r%s%s", line, strings.Repeat(" ", max(0, p.width-cells(line))))
	p.width = cells(line)
}

// end takes the line away.
func (p *progress) end() {
	if p.width > 0 {
		p.write("")
		fmt.Fprint(p.env.Stdout, "\r")
		p.width = 0
	}
}

// took is the time since the beginning, as people read it.
func (p *progress) took() time.Duration {
	d := time.Since(p.began)
	if d < time.Minute {
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(time.Second)
}

// percent is how much of a whole is done.
func percent(part, whole int64) int64 {
	if whole <= 0 {
		return 100
	}
	return part * 100 / whole
}
