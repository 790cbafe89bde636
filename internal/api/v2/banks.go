package v2

import "github.com/tongbo/tongbo/internal/payment"

type bankName struct {
	KO string `json:"ko"`
}

type bankItem struct {
	Bank payment.Bank `json:"bank"`
	Name bankName     `json:"name"`
}

// banks lists the banks by which accounts are named.
func (a *API) banks(*call) (any, error) {
	list := payment.Banks()
	out := struct {
		Items []bankItem `json:"items"`
	}{make([]bankItem, len(list))}
	for i, b := range list {
		out.Items[i] = bankItem{b.Bank, bankName{b.Name}}
	}
	return out, nil
}
