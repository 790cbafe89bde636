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
	payment.PartiallyCancelled: {3, 2}, payment.Cancelled: {3, 1}, payment.Failed: {2, 2},
}

// The measures of the picture.
const (
	stateWide, stateHigh = 168, 44
	columnWide, rowHigh  = 264, 108
	pictureWide          = 3*columnWide + stateWide + 4
	underneath           = 20 // below the last row, for the way around it
	pictureHigh          = 2*rowHigh + stateHigh + underneath + 4
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

// drawMove draws an arrow from one state to another: around what stands between.
func drawMove(b *strings.Builder, m move) {
	from, to := statePlaces[m.From], statePlaces[m.To]
	left, right := 2+from[0]*columnWide+stateWide, 2+to[0]*columnWide
	y1, y2 := 2+from[1]*rowHigh+stateHigh/2, 2+to[1]*rowHigh+stateHigh/2
	under := right + stateWide/2 // the middle of where it ends
	var path string
	switch {
	case from[0] == to[0]: // one above the other
		path = fmt.Sprintf("M%d %dV%d", under, y1-stateHigh/2, y2+stateHigh/2)
	case m.From == payment.Issued && m.To == payment.Cancelled: // along the top
		path = fmt.Sprintf("M%d %dH%dV%d", left, y1, under, y2-stateHigh/2)
	case m.From == payment.Ready && m.To == payment.Failed: // along the bottom
		path = fmt.Sprintf("M%d %dV%dH%dV%d", left-stateWide/2, y1+stateHigh/2, pictureHigh-2, under, y2+stateHigh/2)
	default:
		middle := (left + right) / 2
		path = fmt.Sprintf("M%d %dC%d %d %d %d %d %d", left, y1, middle, y1, middle, y2, right, y2)
	}
	fmt.Fprintf(b, `<path d="%s" class="edge" marker-end="url(#tip)"/>`, path)
}
