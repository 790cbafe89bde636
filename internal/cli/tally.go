package cli

import (
	"fmt"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/simulator"
)

// A tally counts how the acts of a play went.
type tally struct {
	acts, acked, tries int
	answers            []time.Duration // of the acknowledgements, sorted
	took               time.Duration   // all of it
}

func count(scenes []simulator.Scene, took time.Duration) tally {
	c := tally{acts: len(scenes), took: took}
	for _, x := range scenes {
		c.tries += len(x.Tries)
		for _, t := range x.Tries {
			if t.Acked {
				c.acked++
				c.answers = append(c.answers, t.Took)
			}
		}
	}
	slices.Sort(c.answers)
	return c
}

// within is how long an answer took at most in so many of a hundred cases.
func (c tally) within(share int) time.Duration {
	if len(c.answers) == 0 {
		return 0
	}
	return c.answers[min(len(c.answers)-1, len(c.answers)*share/100)]
}

// perSecond is how many were acknowledged in a second.
func (c tally) perSecond() int64 {
	if c.took <= 0 {
		return 0
	}
	return int64(float64(c.acked) / c.took.Seconds())
}

// String sums many notices up: how many were taken, how often they were sent
// and how long an answer took.
func (c tally) String() string {
	text := fmt.Sprintf("%s of %s acknowledged in %v", grouped(int64(c.acked)), grouped(int64(c.acts)), c.took.Round(time.Millisecond))
	if again := c.tries - c.acts; again > 0 {
		text += fmt.Sprintf(", %s sent again", grouped(int64(again)))
	}
	if len(c.answers) > 0 {
		const fine = 100 * time.Microsecond
		text += fmt.Sprintf(", %s a second; an answer took %v, at most %v for 99 %%", grouped(c.perSecond()), c.within(50).Round(fine), c.within(99).Round(fine))
	}
	return text
}

// shownPlay is how a manner went, as JSON. It follows the tries of the manner
// and is told from them by "acts".
type shownPlay struct {
	Manner  simulator.Manner `json:"manner"`
	Good    bool             `json:"good"`
	Want    string           `json:"want,omitempty"` // received, resend or either
	Acts    int              `json:"acts"`
	Acked   int              `json:"acknowledged"`
	Tries   int              `json:"tries"`
	TookMS  float64          `json:"took_ms"`
	Answers *shownAnswers    `json:"answers,omitempty"` // of a burst
	Skipped string           `json:"skipped,omitempty"` // why the PG can't do this
}

// shownAnswers says how fast the acknowledgements of a burst came.
type shownAnswers struct {
	PerSecond int64   `json:"per_second"`
	P50MS     float64 `json:"p50_ms"`
	P99MS     float64 `json:"p99_ms"`
	MaxMS     float64 `json:"max_ms"`
}

func (c tally) shown(m simulator.Manner, play simulator.Play, good bool) shownPlay {
	s := shownPlay{
		Manner: m, Good: good, Want: play.Want.String(), Acts: c.acts, Acked: c.acked, Tries: c.tries, TookMS: milliseconds(c.took),
	}
	if play.AtOnce {
		s.Answers = &shownAnswers{
			PerSecond: c.perSecond(), P50MS: milliseconds(c.within(50)), P99MS: milliseconds(c.within(99)), MaxMS: milliseconds(c.within(100)),
		}
	}
	return s
}

// line prints how a manner went as one JSON object.
func (s *stage) line(p shownPlay) {
	out, err := plainJSON(p)
	if err != nil {
		panic(err) // every field can be written
	}
	fmt.Fprintf(s.env.Stdout, "%s\n", out)
}
