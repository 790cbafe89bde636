package cli

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/words"
)

// show prints what came of a try.
func (l *listening) show(x *exchange, r listenReport) {
	j := line{
		Kind: "attempt", Webhook: x.event.WebhookID, Payment: x.event.PaymentID, Number: r.Number, Status: r.Status, TookMS: r.TookMS,
		Answer: string(x.body), Error: r.Error,
	}
	view := &exchangeView{env: l.env}
	took := (time.Duration(r.TookMS * float64(time.Millisecond))).Round(time.Millisecond)
	var text string
	switch {
	case r.Status == 0:
		text = view.paint(red, "<-- "+printable(r.Error)) + "  " + l.forward
	case r.Status >= 200 && r.Status < 300:
		text = view.paint(green, fmt.Sprintf("<-- %d", r.Status)) + fmt.Sprintf("  %v  %s", took, l.forward)
	default:
		text = view.paint(red, fmt.Sprintf("<-- %d", r.Status)) + fmt.Sprintf("  %v  %s", took, quoted(x.body))
	}
	l.say(j, text)
}

// press does what a key stands for.
func (l *listening) press(ctx context.Context, key byte) {
	switch {
	case key == 'q' || key == 3: // Ctrl-C, should the terminal pass it on
		l.quit()
	case l.last == nil:
		l.note(words.Text(l.lang, "cli.listen.nothing"))
	case key == 'r':
		l.try(ctx, l.last)
	case key == 'd':
		l.details(l.last)
	case key == 'o':
		l.note(l.server.links(l.env).page(l.last.event.WebhookID))
	}
}

// details prints an event and what came of it as they went over the network.
func (l *listening) details(x *exchange) {
	var b strings.Builder
	fmt.Fprintf(&b, "POST %s\n%s\n\n%s\n", l.forward, headerLines(l.header(x)), x.event.Body)
	if x.status != 0 {
		fmt.Fprintf(&b, "\n%d %s\n%s\n\n%s\n", x.status, http.StatusText(x.status), headerLines(x.header), x.body)
	}
	for text := range strings.Lines(b.String()) {
		l.note(printable(strings.TrimSuffix(text, "\n")))
	}
}
