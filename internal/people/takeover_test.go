package people

import (
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/member"
)

// TestOperatorsLink: who is not of those that operate the installation does not become one by
// choosing the password of another who is.
func TestOperatorsLink(t *testing.T) {
	onBoth(t, func(s *site) {
		ctx := s.Context()
		operator, _ := s.running()
		token, _, _ := s.enrol(s.joins(operator, "second@shop.example", member.Owner, ""))
		second := s.as(token)
		_, err := s.NewLink(ctx, second, operator.Member.ID)
		s.is("a link of the operator's, for another owner", kindOf(nil, err), errForbidden)
		_, err = s.NewLink(ctx, operator, second.Member.ID)
		s.is("a link of another owner's, for the operator", err, nil)
	})
}

// TestBegunByAnother: a session that was confirmed long ago, as that of a stolen cookie, sets
// up no second factor, and what was begun does not outlive the password.
func TestBegunByAnother(t *testing.T) {
	inBubble(t, func(s *site) {
		ctx := s.Context()
		owner, _ := s.running()
		token := s.joins(owner, "dev@shop.example", member.Dev, "")
		before, err := s.BeginSecondFactor(ctx, token)
		s.must(err)
		time.Sleep(member.ConfirmedFor)
		_, err = s.BeginSecondFactor(ctx, token)
		s.is("begun long after sign-in", err, member.ErrConfirm)
		_, _, err = s.SecondFactorBegun(ctx, token)
		s.is("seen long after sign-in", err, member.ErrConfirm)
		_, _, err = s.EndSecondFactor(ctx, token, s.code(before.Secret, 0), home)
		s.is("ended long after sign-in", err, member.ErrConfirm)

		token = s.keep(s.ChangePassword(ctx, token, good, another, home))
		token = s.keep(s.Confirm(ctx, token, another, "", home))
		after, err := s.BeginSecondFactor(ctx, token)
		s.must(err)
		if before.Secret == after.Secret {
			s.Error("what was begun under the old password is still there")
		}
	})
}
