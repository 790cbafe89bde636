package console

import (
	"errors"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/people"
	"github.com/tongbo/tongbo/internal/secret"
)

// A secondPage is where an authenticator is told of the installation.
type secondPage struct {
	Back   string
	Begun  bool
	Secret string
	Must   bool // there is no way around it
}

// secondPage is the page as it is now. Who may not see it goes where that can be mended.
func (c *Console) secondPage(v *visit) (secondPage, error) {
	e, begun, err := c.People.SecondFactorBegun(v.ctx(), sessionToken(v.r))
	switch {
	case errors.Is(err, member.ErrConfirm):
		return secondPage{}, errConfirm
	case fault.Is(err, fault.Unauthorized):
		return secondPage{}, errSignIn
	}
	return secondPage{Back: v.back(), Begun: begun, Secret: e.Secret.Reveal(), Must: v.Half.ID != ""}, err
}

func (c *Console) second(v *visit) error {
	p, err := c.secondPage(v)
	if err != nil {
		return err
	}
	return v.page("second", p)
}

func (c *Console) secondBegin(v *visit) error {
	_, err := c.People.BeginSecondFactor(v.ctx(), sessionToken(v.r))
	switch {
	case errors.Is(err, member.ErrConfirm):
		return errConfirm
	case fault.Is(err, fault.Unauthorized):
		return errSignIn
	case err != nil:
		return err
	}
	return v.onTo(Prefix + "/second")
}

// secondPicture is the picture that an authenticator reads: a route of its own, since the
// policy allows no picture inside the page.
func (c *Console) secondPicture(v *visit) error {
	e, begun, err := c.People.SecondFactorBegun(v.ctx(), sessionToken(v.r))
	switch {
	case errors.Is(err, member.ErrConfirm), err == nil && !begun:
		return errNoPage
	case err != nil:
		return err
	}
	picture, err := e.QR()
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "image/png")
	_, _ = v.w.Write(picture) // whoever asked may be gone
	return nil
}

// secondDone has the second factor count, and shows the recovery codes, this once.
func (c *Console) secondDone(v *visit) error {
	codes, token, err := c.People.EndSecondFactor(v.ctx(), sessionToken(v.r), v.password("code"), v.from())
	switch {
	case errors.Is(err, people.ErrWrongCode):
		p, broken := c.secondPage(v)
		if broken != nil {
			return broken
		}
		return v.wrong("second", p, err, "code")
	case errors.Is(err, member.ErrConfirm):
		return errConfirm
	case fault.Is(err, fault.Unauthorized):
		return errSignIn
	case err != nil:
		if _, wait := errors.AsType[*people.WaitError](err); wait {
			return v.wrong("second", secondPage{Back: v.back()}, err, "code")
		}
		return err
	}
	setSession(v.w, v.r, token)
	if m, _, err := c.People.Session(v.ctx(), token); err == nil {
		setBrowser(v.w, v.r, c.People.Browser(m))
	}
	return v.recoveryCodes(codes, v.back())
}

// recoveryCodes shows recovery codes, which can be read nowhere later.
func (v *visit) recoveryCodes(codes []secret.Text, next string) error {
	return v.page("recovery", recoveryPage{Codes: codes, Next: next})
}

// A recoveryPage shows recovery codes.
type recoveryPage struct {
	Codes []secret.Text
	Next  string
}

// Shown are the codes as they are to be written down.
func (p recoveryPage) Shown() []string {
	out := make([]string, len(p.Codes))
	for i, c := range p.Codes {
		out[i] = c.Reveal()
	}
	return out
}

// alone keeps the rail away.
func (p recoveryPage) alone() bool { return true }
