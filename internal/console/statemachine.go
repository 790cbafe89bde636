package console

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
	"github.com/tongbo/tongbo/internal/words"
)

// A stateMachine is the picture of a payment's states, and the same as a table.
type stateMachine struct {
	Picture template.HTML
	Steps   []move
}

// A move is one way from a state to another, with the event that tells of it.
type move struct {
	From, To payment.State
	Type     webhook.Type
}

// moves are the ways that a payment takes. A failed attempt leaves the payment where it
// may be tried again.
func moves() []move {
	return []move{
		{payment.Ready, payment.Issued, webhook.VirtualAccountIssued},
		{payment.Ready, payment.PayPending, webhook.PayPending},
		{payment.Ready, payment.Paid, webhook.Paid},
		{payment.Ready, payment.Failed, webhook.Failed},
		{payment.Issued, payment.Paid, webhook.Paid},
		{payment.PayPending, payment.Paid, webhook.Paid},
		{payment.PayPending, payment.Failed, webhook.Failed},
		{payment.Issued, payment.Cancelled, webhook.Cancelled},
		{payment.Paid, payment.PartiallyCancelled, webhook.PartialCancelled},
		{payment.Paid, payment.Cancelled, webhook.Cancelled},
		{payment.PartiallyCancelled, payment.Cancelled, webhook.Cancelled},
	}
}

// Where the states stand in the picture: columns and rows.
var statePlaces = map[payment.State][2]int{
	payment.Ready: {0, 1}, payment.Issued: {1, 0}, payment.PayPending: {1, 2}, payment.Paid: {2, 1},
	payment.PartiallyCancelled: {3, 0}, payment.Cancelled: {3, 1}, payment.Failed: {2, 2},
}

// The measures of the picture.
const (
	stateWide, stateHigh = 168, 44
	columnWide, rowHigh  = 264, 108
	pictureWide          = 3*columnWide + stateWide + 4
	pictureHigh          = 2*rowHigh + stateHigh + 4
)

// newStateMachine draws the states of a payment.
func newStateMachine(l words.Lang) stateMachine {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="chart states" viewBox="0 0 %d %d" role="img" aria-labelledby="states-title states-desc"><title id="states-title">%s</title><desc id="states-desc">%s</desc>`,
		pictureWide, pictureHigh, template.HTMLEscapeString(words.Text(l, "events.states")), template.HTMLEscapeString(words.Text(l, "events.states_say")))
	b.WriteString(`<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" class="tip"/></marker></defs>`)
	list := moves()
	for _, s := range list {
		drawMove(&b, s)
	}
	for _, s := range payment.States() {
		at, ok := statePlaces[s]
		if !ok {
			continue
		}
		x, y := 2+at[0]*columnWide, 2+at[1]*rowHigh
		fmt.Fprintf(&b, `<g><rect x="%d" y="%d" width="%d" height="%d" rx="8" class="node"/><text x="%d" y="%d" text-anchor="middle" class="name">%s</text><text x="%d" y="%d" text-anchor="middle">%s</text></g>`,
			x, y, stateWide, stateHigh, x+stateWide/2, y+18, template.HTMLEscapeString(words.Text(l, "state.payment."+string(s))), x+stateWide/2, y+35, shortState(s))
	}
	b.WriteString(`</svg>`)
	return stateMachine{template.HTML(b.String()), list} //nolint:gosec // numbers of ours and escaped texts
}

// shortState is a state as it fits into its box.
func shortState(s payment.State) string {
	return strings.ReplaceAll(string(s), "VIRTUAL_ACCOUNT", "VA")
}

// drawMove draws an arrow from the side of one state to that of another.
func drawMove(b *strings.Builder, s move) {
	from, to := statePlaces[s.From], statePlaces[s.To]
	x1, y1 := 2+from[0]*columnWide+stateWide, 2+from[1]*rowHigh+stateHigh/2
	x2, y2 := 2+to[0]*columnWide, 2+to[1]*rowHigh+stateHigh/2
	if from[0] == to[0] { // one above the other
		x1, y1 = 2+from[0]*columnWide+stateWide/2, 2+from[1]*rowHigh+stateHigh
		x2, y2 = x1, 2+to[1]*rowHigh
		fmt.Fprintf(b, `<path d="M%d %dL%d %d" class="edge" marker-end="url(#tip)"/>`, x1, y1, x2, y2)
		return
	}
	middle := (x1 + x2) / 2
	if to[0]-from[0] > 1 && from[1] == to[1] && s.From != payment.Ready { // around what stands between
		fmt.Fprintf(b, `<path d="M%d %dC%d %d %d %d %d %d" class="edge" marker-end="url(#tip)"/>`, x1, y1, x1+60, y1-rowHigh, x2-60, y1-rowHigh, x2, y2)
		return
	}
	fmt.Fprintf(b, `<path d="M%d %dC%d %d %d %d %d %d" class="edge" marker-end="url(#tip)"/>`, x1, y1, middle, y1, middle, y2, x2, y2)
}
