package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/words"
)

// verdictKO is a verdict in Korean.
func verdictKO(v payment.Verdict) string {
	switch v {
	case payment.Applied:
		return "반영"
	case payment.Duplicate:
		return "중복"
	case payment.Recorded:
		return "기록"
	case payment.Pending:
		return "대기"
	case payment.Unmatched:
		return "미매칭"
	case payment.Conflict:
		return "불일치"
	case payment.Refused:
		return "거부"
	case payment.Unreadable:
		return "해석 불가"
	}
	return string(v)
}

// showVerdict prints what was decided on a notice.
func (d *demo) showVerdict(n store.ListedNotice) {
	word, why := string(n.Verdict), string(n.Reason)
	if d.korean {
		word = fmt.Sprintf("%s (%s)", verdictKO(n.Verdict), n.Verdict)
	}
	if why != "" {
		why = ", " + why
	}
	d.say("   판정: %s%s", "   verdict: %s%s", word, why)
}

// showMeaning prints what a notice says.
func (d *demo) showMeaning(code string, r notice.Request) {
	p, ok := all.ByCode(code)
	if !ok {
		return
	}
	n, err := p.Decode(r)
	if err != nil {
		return
	}
	d.say("   = %s %s, %s, 입금자 %s, %s", "   = %s %s, %s, paid by %s, %s",
		n.Event, n.Order, n.Amount, printable(n.Depositor), n.At.Format("2006-01-02 15:04:05"))
}

// showSpelling prints how a notice's bytes spell the name in it.
func (d *demo) showSpelling(code string, r notice.Request) {
	p, ok := all.ByCode(code)
	if !ok {
		return
	}
	n, err := p.Decode(r)
	if err != nil {
		return
	}
	if spelt := inEUCKR(r.Body, n.Depositor); spelt != "" {
		d.say("   = 입금자 %s (EUC-KR) = %s", "   = paid by %s (EUC-KR) = %s", spelt, printable(n.Depositor))
	}
}

// subject is a number with the particle of a subject (이, 가), which follows
// how its last digit is read.
func subject(number string) string {
	if strings.TrimRight(number, "2459") != number {
		return number + "가"
	}
	return number + "이"
}

// toward is a number with the particle of a way (로, 으로).
func toward(number string) string {
	if strings.TrimRight(number, "036") != number {
		return number + "으로"
	}
	return number + "로"
}

// inEUCKR is how a form spells a name in EUC-KR, byte by byte in hexadecimal,
// or nothing if it spells it otherwise.
func inEUCKR(form []byte, name string) string {
	b, err := wire.ToEUCKR(name)
	if err != nil || len(b) == len(name) {
		return ""
	}
	bare, err := url.QueryUnescape(string(form))
	if err != nil || !strings.Contains(bare, string(b)) {
		return ""
	}
	return fmt.Sprintf("% X", b)
}

// A lasting writer ends what writes to it when its reader has gone.
type lasting struct {
	io.Writer
	gone func()
}

// Write writes to the writer within.
func (l lasting) Write(b []byte) (int, error) {
	n, err := l.Writer.Write(b)
	if err != nil {
		l.gone()
	}
	return n, err
}

// storyAttempts is how many tries of webhooks the story makes: one of each
// kind for the shop that listens, three and one for the one that stumbles.
const storyAttempts = 6

// settled waits until every try that was made is written.
func (d *demo) settled(ctx context.Context) error {
	for {
		checked, err := d.server.Store.Verify(ctx, func(store.Problem) {})
		if err != nil || checked.Attempts >= storyAttempts {
			return err
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("%d of %d tries are written: %w", checked.Attempts, storyAttempts, ctx.Err())
		}
	}
}

// counts says what was checked.
func counts(l words.Lang, c store.Checked) string {
	return words.Text(l, "cli.checked", "notices", c.Notices, "payments", c.Payments, "deposits", c.Deposits, "cases", c.Cases,
		"events", c.Events, "deliveries", c.Deliveries, "attempts", c.Attempts)
}

// showNewer prints the notices after the last one seen, the traffic's left out, and
// returns the newest.
func (d *demo) showNewer(ctx context.Context, last notice.ID, busy bool) notice.ID {
	list, err := d.server.Store.Notices(ctx, store.NoticeQuery{})
	if err != nil {
		return last
	}
	if i := slices.IndexFunc(list, func(n store.ListedNotice) bool { return n.ID == last }); i >= 0 {
		list = list[:i]
	}
	for _, n := range slices.Backward(list) {
		last = n.ID
		if busy && (n.Order == "" || ofTraffic(n.Order)) {
			continue // nobody can say whose a garbled one is
		}
		amount := dash("")
		if n.Amount != nil {
			amount = fmt.Sprintf("%d %s", *n.Amount, n.Currency)
		}
		fmt.Fprintf(d.env.Stdout, "   ◀ %s %s %s %s\n", n.Provider, dash(string(n.Event)), dash(printable(n.Order)), amount)
		d.showVerdict(n)
	}
	return last
}
