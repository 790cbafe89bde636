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
	if !printing && !c.JSON && len(manners) > 1 {
		s.sayMerchant(p.Encode(n, creds))
	}
	ctx, cancel := env.context()
	defer cancel()
	client := simulator.NewClient()
	defer client.CloseIdleConnections()
	for i, m := range manners {
		told := n
		if len(manners) > 1 {
			told.Order = fmt.Sprintf("%sm%d", n.Order, i+1) // no manner meets what another left
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
	// Of the acts that went badly: whether one was acknowledged that should
	// not have been, and whether one was refused.
	taken, refused bool
}

// sayMerchant says whose notices they are, where no view of one does.
func (s *stage) sayMerchant(r notice.Request) {
	if told, err := s.provider.Decode(r); err == nil {
		v := &exchangeView{env: s.env, told: told, madeUpMID: s.cmd.MID == ""}
		v.sayMerchant()
	}
}

// begin gets ready for a play. Tries are shown if it is the only one and not a
// crowd, or as JSON.
func (s *stage) begin(m simulator.Manner, play simulator.Play, alone bool) {
	s.views = nil
	if !s.cmd.JSON && alone && play.AtOnce {
		s.sayMerchant(play.Acts[0].Request)
	}
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
			madeUpMID: s.cmd.MID == "" && len(s.views) == 0, // said once
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
	if s.cmd.JSON {
		s.line(shownPlay{Manner: m, Skipped: err.Error()})
		return
	}
	fmt.Fprintf(s.env.talk(), "  %-16s -     %v\n", m, err)
}

// end sums a play up in one line.
func (s *stage) end(m simulator.Manner, play simulator.Play, scenes []simulator.Scene, took time.Duration) {
	good := true
	var answers []string
	for _, x := range scenes {
		answers = append(answers, heard(x))
		if x.Good {
			continue
		}
		good = false
		switch acked := len(x.Tries) > 0 && x.Tries[len(x.Tries)-1].Acked; {
		case x.Err != nil:
			s.away = x.Err
		case acked:
			s.taken = true
		default:
			s.refused = true
		}
	}
	if !good {
		s.bad++
	}
	c := count(scenes, took)
	if s.cmd.JSON {
		s.line(c.shown(m, play, good))
		return
	}
	v := &exchangeView{env: s.env}
	word := v.paint(green, "good")
	if !good {
		word = v.paint(red, "BAD ")
	}
	text := strings.Join(answers, ", then ")
	if play.AtOnce {
		text = c.String()
	}
	fmt.Fprintf(s.env.talk(), "  %-16s %s  %s%s\n", m, word, text, should(s.provider.Info(), m, play.Want, good))
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
func should(i provider.Info, m simulator.Manner, w simulator.Want, good bool) string {
	switch {
	case w == simulator.WantEither:
		return "; either answer is right"
	case good:
		return ", as it should be"
	case w == simulator.WantAck:
		return "; it should be acknowledged, since a resend would change nothing"
	case m == simulator.WrongSignature:
		return "; it should not be acknowledged, but that is only seen if " + whereProved(i)
	default:
		return "; it should not be acknowledged, since it is not from the PG or not whole"
	}
}

// whereProved says what a receiver needs for checking a proof of the PG's.
func whereProved(i provider.Info) string {
	var ways []string
	if names := proofs(i); len(names) > 0 {
		ways = append(ways, "its channel has the credentials ("+strings.Join(names, ", ")+")")
	}
	if i.OrderSecret {
		ways = append(ways, "its order is registered with its secret (pgSecret)")
	}
	return strings.Join(ways, " or ")
}

// outcome is what the command ends with.
func (s *stage) outcome() error {
	if s.away != nil {
		return hint(s.away, "Is a server listening there? Start one with: tongbo serve")
	}
	if !s.cmd.JSON {
		fmt.Fprintln(s.env.talk(), "  See what became of it: tongbo notices")
	}
	if s.bad == 0 {
		return nil
	}
	var why []string
	if s.refused {
		why = append(why, "Where it was not acknowledged the answer says why, or the server's log.")
	}
	if s.taken {
		why = append(why, "Something was acknowledged that should not have been: tongbo notices says what was made of it.")
	}
	return hint(errors.New("not every answer was right"), "%s", strings.Join(why, " "))
}
