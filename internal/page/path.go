package page

import (
	"slices"
	"strconv"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/words"
)

// PathText is what a step of a test of a channel's path found, in words: a text's key, with
// names and values in turn. An amount is in the smallest unit of the currency beside it. The
// text may quote what comes from outside.
func PathText(l words.Lang, key string, args []string) string {
	list := make([]any, len(args))
	for i, a := range args {
		list[i] = a
		if i%2 == 0 {
			continue
		}
		switch args[i-1] {
		case "egress":
			if a == "" {
				list[i] = words.Text(l, "calltest.egress_unknown")
			}
		case "amount":
			list[i] = pathMoney(a, args)
		}
	}
	list = words.Worded(l, list, "reason", "reason.")
	list = words.Worded(l, list, "state", "state.payment.")
	return words.Text(l, key, words.Worded(l, list, "want", "state.payment.")...)
}

// pathMoney writes an amount in the currency among the arguments; as it is if there is none.
func pathMoney(amount string, args []string) string {
	n, err := strconv.ParseInt(amount, 10, 64)
	i := slices.Index(args, "currency")
	if err != nil || i < 0 || i+1 == len(args) {
		return amount
	}
	return Money(payment.Money{Amount: n, Currency: payment.Currency(args[i+1])})
}
