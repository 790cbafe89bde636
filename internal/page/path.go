package page

import "github.com/tongbo/tongbo/internal/words"

// PathText is what a step of a test of a channel's path found, in words: a text's key, with
// names and values in turn. It may quote what comes from outside.
func PathText(l words.Lang, key string, args []string) string {
	list := make([]any, len(args))
	for i, a := range args {
		list[i] = a
		if i%2 == 1 && args[i-1] == "egress" && a == "" {
			list[i] = words.Text(l, "calltest.egress_unknown")
		}
	}
	list = words.Worded(l, list, "reason", "reason.")
	list = words.Worded(l, list, "state", "state.payment.")
	return words.Text(l, key, words.Worded(l, list, "want", "state.payment.")...)
}
