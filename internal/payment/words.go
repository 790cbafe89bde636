package payment

// Words are how an order is described.
type Words struct {
	OrderName  string   `json:"orderName"`
	Customer   Customer `json:"customer"`
	CustomData string   `json:"customData,omitempty"`
	NoticeURLs []string `json:"noticeUrls,omitempty"`
	VAT        *int64   `json:"vat,omitempty"` // of the amount, in its minor units; nil: an eleventh of what is taxed
}

// words are those of a registration.
func (g Registration) words() Words {
	return Words{OrderName: g.OrderName, Customer: g.Customer, CustomData: g.CustomData, NoticeURLs: g.NoticeURLs, VAT: g.VAT}
}

// say has words describe the payment.
func (p *Payment) say(w Words) {
	p.OrderName, p.Customer, p.CustomData, p.NoticeURLs, p.VAT = w.OrderName, w.Customer, w.CustomData, w.NoticeURLs, w.VAT
}

// show makes transaction i the one that faces show. If it is a window's, and windows alone
// said what the order is, its words come along: whoever opens a window, or acts in one,
// beside the buyer who pays says nothing of what that buyer paid for.
func (p *Payment) show(i int) {
	p.Current = i
	if w := p.Transactions[i].Words; w != nil && p.ByWindows() {
		p.say(*w)
	}
}
