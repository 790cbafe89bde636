package provider

import "strings"

// MIDMark stands in a letter for the merchant's id at the PG.
const MIDMark = "{{.MID}}"

// A Letter asks a PG to register the address of notices, where its own pages have no
// place for that. It is in Korean, for whoever reads the PG's mail.
type Letter struct {
	To      []string // mail addresses; none if only the merchant's own contact can do it
	Subject string
	Body    string // with MIDMark and NoticeURLMark
}

// For returns the letter's subject and body for one channel.
func (l Letter) For(mid, noticeURL string) (subject, body string) {
	if mid == "" {
		mid = "(발급받은 MID)"
	}
	fill := strings.NewReplacer(MIDMark, mid, NoticeURLMark, noticeURL)
	return fill.Replace(l.Subject), fill.Replace(l.Body)
}
