package export

import (
	"time"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
)

// Columns are the names of a thing's columns, in order.
func Columns(what Thing) []string {
	switch what {
	case Payments:
		return []string{
			"requested_at", "status_changed_at", "store", "mode", "payment", "state", "order_name", "amount", "currency", "cancelled",
			"paid_at", "channel", "pg_order", "pg_tx", "bank", "account", "account_holder", "due_at", "depositor", "customer", "late",
			"webhook", "webhook_state", "webhook_tries", "transaction", "key", "method", "wallet",
		}
	case Notices:
		return []string{
			"received_at", "notice", "provider", "channel", "store", "mode", "event", "pg_event", "pg_order", "pg_tx", "amount", "currency",
			"occurred_at", "verdict", "reason", "payment", "peer", "path", "size", "charset", "decided_us",
		}
	case Deliveries:
		return []string{
			"created_at", "delivery", "webhook", "type", "store", "mode", "payment", "endpoint", "url", "by_hand", "state", "tries", "most_tries",
			"next_at", "ended_at", "last_at", "last_outcome", "last_status", "last_error", "event",
		}
	}
	return nil
}

func paymentCells(p store.PaymentRow, o Order) []cell {
	t, _ := p.Transaction()
	account := payment.Account{}
	if t.Account != nil {
		account = *t.Account
	}
	wallet := payment.Wallet("")
	if t.Charge != nil {
		wallet = t.Charge.Wallet
	}
	number1 := account.Number.String()
	if o.Reveal {
		number1 = account.Number.Reveal()
	}
	hook, state, tries := cell{}, cell{}, cell{}
	if p.Webhook != nil {
		hook, state, tries = word(p.Webhook.ID.WebhookID()), word(p.Webhook.State), number(int64(p.Webhook.Tries))
	}
	return []cell{
		moment(p.RequestedAt), moment(p.StatusChangedAt), word(p.Store), word(p.Mode), id(p.ID), word(p.State), word(p.OrderName),
		number(p.Amount.Amount), word(p.Amount.Currency), number(p.CancelledAmount()), moment(p.PaidAt), word(t.Channel), id(t.Order), id(t.PGTx),
		word(account.Bank), id(number1), o.name(account.Holder), moment(account.ExpiresAt), o.name(t.Depositor), o.name(p.Customer.Name),
		yes(p.Late), hook, state, tries, word(t.ID), word(p.Key), word(p.Method()), word(wallet),
	}
}

func noticeCells(n store.NoticeRow, _ Order) []cell {
	return []cell{
		moment(n.At), word(n.ID), word(n.Provider), word(n.Channel), word(n.Store), word(n.Mode), word(n.Event), word(n.Kind), id(n.Order), id(n.PGTx),
		numberOr(n.Amount), word(n.Currency), moment(n.Told), word(n.Verdict), word(n.Reason), id(n.PaymentID), word(n.Peer), word(n.Path),
		number(int64(n.Size)), word(n.Charset), micros(n.DecidedIn),
	}
}

func deliveryCells(d store.DeliveryRow, _ Order) []cell {
	cells := []cell{
		moment(d.CreatedAt), word(d.ID), word(d.Webhook.WebhookID()), word(d.Type), word(d.Store), word(d.Mode), id(d.PaymentID), word(d.Endpoint),
		word(d.URL), yes(d.Manual), word(d.State), number(int64(d.Tries)), number(int64(d.MaxTries)), moment(d.DueAt), moment(d.EndedAt),
	}
	if d.Last == nil {
		return append(cells, cell{}, cell{}, cell{}, cell{}, word(d.Event))
	}
	status := cell{}
	if d.Last.Status != 0 {
		status = number(int64(d.Last.Status))
	}
	return append(cells, moment(d.Last.At), word(d.Last.Outcome), status, word(d.Last.Error), word(d.Event))
}

// micros is how long something took, in microseconds; nothing if nobody measured it.
func micros(d time.Duration) cell {
	if d == 0 {
		return cell{}
	}
	return number(d.Microseconds())
}

// yes is a flag: "yes", or nothing.
func yes(flag bool) cell {
	if flag {
		return cell{text: "yes"}
	}
	return cell{}
}
