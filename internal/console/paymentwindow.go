package console

import (
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/words"
)

// windowMoments are the rows of a payment window: that it was opened, how it ended, and
// when the shop's page was told of that, before or after the webhook.
func (v *visit) windowMoments(w payment.Checkout) []moment {
	method := string(w.Method)
	if key := "channels.method." + method; words.Has(key) {
		method = v.t(key)
	}
	if w.Wallet != "" {
		method = v.wallet(w.Wallet)
	}
	out := []moment{{At: w.CreatedAt, Who: "shop", Text: v.t("payment.window_opened", "method", method), Detail: page.Visible(w.Origin)}}
	if w.EndedAt.IsZero() {
		return out
	}
	end := moment{At: w.EndedAt, Who: "us", Text: v.t("payment.window_done")}
	if how := w.Outcome; how.Code != "" {
		end.Text, end.Failed = v.t("payment.window_ended"), how.Code != payment.CodeCancelled
		end.Detail = string(how.Code)
		end.Parts = append(end.Parts, page.Visible(how.Message))
	}
	out = append(out, end)
	if !w.AnsweredAt.IsZero() {
		out = append(out, moment{At: w.AnsweredAt, Who: "shop", Text: v.t("payment.window." + string(w.Answered))})
	}
	return out
}
