package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/simulator"
)

// everyManner asks simulate for all of them.
const everyManner = "all"

func mannerList() string {
	var words []string
	for _, m := range simulator.Manners() {
		words = append(words, string(m))
	}
	return strings.Join(words, ", ")
}

// misbehave tells the notice in a manner, or in all of them. It ends well if
// every answer was what the PG should hear.
func (c *simulateCmd) misbehave(env Env, p provider.Provider, n notice.Notice, creds merchant.Credentials) error {
	manners := []simulator.Manner{simulator.Manner(c.Manner)}
	if c.Manner == everyManner {
		manners = simulator.Manners()
	} else if !slices.Contains(simulator.Manners(), manners[0]) {
		return hint(fault.Errorf(fault.Invalid, "--manner %s: there is no such manner", c.Manner), "The manners are %s, and all.", mannerList())
	}
	printing := c.Raw && c.To == ""
	if !printing {
		if err := c.target(p); err != nil {
			return err
		}
	}
	s := &stage{cmd: c, env: env, provider: p}
	ctx, cancel := env.context()
	defer cancel()
	client := simulator.NewClient()
	defer client.CloseIdleConnections()
	for i, m := range manners {
		told := n
		if len(manners) > 1 {
			told.Order = fmt.Sprintf("%s-%d", n.Order, i+1) // no manner meets what another left
		}
		play, err := simulator.NewPlay(p, m, told, creds, c.Times)
		if fault.Is(err, fault.Unsupported) && len(manners) > 1 {
			s.pass(m, err)
			continue
		}
		if err != nil {
			return &coded{exitUsage, hint(err, "tongbo providers --json lists what each PG tells.")}
		}
		if printing {
			for _, a := range play.Acts {
				if err := c.print(env, a.Request); err != nil {
					return err
				}
			}
			continue
		}
		s.begin(m, play, len(manners) == 1)
		g := simulator.PG{Provider: p, Client: client, Speed: c.Speed, Log: s.show}
		if c.NoResend {
			g.Resend = []time.Duration{}
		}
		began := time.Now()
		scenes, err := g.Perform(ctx, c.To, play, nil)
		if ctx.Err() != nil {
			return &coded{exitFailed, errors.New("stopped before all was sent")}
		}
		if err != nil {
			return err
		}
		s.end(m, play, scenes, time.Since(began))
	}
	if printing {
		return nil
	}
	return s.outcome()
}

// A stage shows plays, and remembers how they went.
type stage struct {
	cmd      *simulateCmd
	env      Env
	provider provider.Provider

	mu    sync.Mutex
	views []*exchangeView // one for each act; nil if tries are not shown
	bad   int             // plays in which the PG heard what it should not
	away  error           // why a server could not be reached
}

// begin gets ready for a play. Tries are shown if it is the only one and not a
// crowd, or as JSON.
func (s *stage) begin(m simulator.Manner, play simulator.Play, alone bool) {
	s.views = nil
	if !s.cmd.JSON && (!alone || play.AtOnce) {
		return
	}
	for _, a := range play.Acts {
		told, err := s.provider.Decode(a.Request)
		if err != nil {
			told = a.Notice // it is not meant to be read
		}
		s.views = append(s.views, &exchangeView{
			env: s.env, provider: s.provider.Info(), told: told, event: a.Notice.Event,
			raw: s.cmd.Raw, json: s.cmd.JSON, hide: s.cmd.Secret, manner: string(m),
		})
	}
}

func (s *stage) show(x simulator.Exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.views == nil {
		return
	}
	v := s.views[x.Act]
	if !v.begun {
		v.begin(x.Request)
	}
	v.show(x.Act+1, x)
}

// pass tells of a manner that this PG can't have.
func (s *stage) pass(m simulator.Manner, err error) {
	if !s.cmd.JSON {
		fmt.Fprintf(s.env.Stdout, "  %-16s -     %v\n", m, err)
	}
}

// end sums a play up in one line.
func (s *stage) end(m simulator.Manner, play simulator.Play, scenes []simulator.Scene, took time.Duration) {
	good := true
	var answers []string
	for _, x := range scenes {
		good = good && x.Good
		if !x.Good && x.Err != nil {
			s.away = x.Err
		}
		answers = append(answers, heard(x))
	}
	if !good {
		s.bad++
	}
	if s.cmd.JSON {
		return
	}
	v := &exchangeView{env: s.env}
	word := v.paint(green, "good")
	if !good {
		word = v.paint(red, "BAD ")
	}
	text := strings.Join(answers, ", then ")
	if play.AtOnce {
		text = crowd(scenes, took)
	}
	fmt.Fprintf(s.env.Stdout, "  %-16s %s  %s%s\n", m, word, text, should(m, play.Want, good))
}

// heard is what became of an act, in words.
func heard(x simulator.Scene) string {
	if len(x.Tries) == 0 {
		return "not sent"
	}
	last := x.Tries[len(x.Tries)-1]
	word := "acknowledged"
	switch {
	case last.Err != nil:
		word = "no answer"
	case !last.Acked:
		word = fmt.Sprintf("not acknowledged (%d)", last.Reply.Status)
	}
	if n := len(x.Tries); n > 1 {
		word += fmt.Sprintf(" after %d tries", n)
	}
	return word
}

// should says what the PG ought to have heard.
func should(m simulator.Manner, w simulator.Want, good bool) string {
	switch {
	case w == simulator.WantEither:
		return "; either answer is right"
	case good:
		return ", as it should be"
	case w == simulator.WantAck:
		return "; it should be acknowledged, since a resend would change nothing"
	case m == simulator.WrongSignature:
		return "; it should not be acknowledged if its channel or order is known here: only then can a proof be checked"
	default:
		return "; it should not be acknowledged, since it is not from the PG or not whole"
	}
}

// crowd sums many notices up: how many were taken, how often they were sent
// and how long an answer took.
func crowd(scenes []simulator.Scene, took time.Duration) string {
	acked, tries := 0, 0
	var times []time.Duration
	for _, x := range scenes {
		tries += len(x.Tries)
		for _, t := range x.Tries {
			if t.Acked {
				acked++
				times = append(times, t.Took)
			}
		}
	}
	text := fmt.Sprintf("%s of %s acknowledged in %v", grouped(int64(acked)), grouped(int64(len(scenes))), took.Round(time.Millisecond))
	if again := tries - len(scenes); again > 0 {
		text += fmt.Sprintf(", %s sent again", grouped(int64(again)))
	}
	if len(times) > 0 {
		slices.Sort(times)
		at := func(share int) time.Duration {
			return times[min(len(times)-1, len(times)*share/100)].Round(100 * time.Microsecond)
		}
		text += fmt.Sprintf(", %s a second; an answer took %v, at most %v for 99 %%", grouped(int64(float64(acked)/took.Seconds())), at(50), at(99))
	}
	return text
}

// outcome is what the command ends with.
func (s *stage) outcome() error {
	switch {
	case s.bad == 0:
		if !s.cmd.JSON {
			fmt.Fprintln(s.env.Stdout, "  See what became of it: tongbo notices")
		}
		return nil
	case s.away != nil:
		return hint(s.away, "Is a server listening there? Start one with: tongbo serve")
	}
	return hint(errors.New("not every answer was right"), "The answer says why, or the server's log.")
}
