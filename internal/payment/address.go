package payment

import (
	"encoding/json"
	"strings"
	"unicode"
)

// An Address is a buyer's address in parts, as PortOne's requests describe it.
type Address struct {
	AddressLine1 string `json:"addressLine1"`
	AddressLine2 string `json:"addressLine2"`
	City         string `json:"city"`
	Province     string `json:"province"`
	Country      string `json:"country"`
}

// Output is the address as a Customer has it, which is as PortOne's answers do; nil of a
// nil one.
func (a *Address) Output() (json.RawMessage, error) {
	if a == nil {
		return nil, nil
	}
	return json.Marshal(struct {
		Type         string `json:"type"`
		OneLine      string `json:"oneLine"`
		AddressLine1 string `json:"addressLine1"`
		AddressLine2 string `json:"addressLine2"`
		City         string `json:"city,omitempty"`
		Province     string `json:"province,omitempty"`
		Country      string `json:"country,omitempty"`
	}{
		"SEPARATED", strings.Join(strings.Fields(a.Province+" "+a.City+" "+a.AddressLine1+" "+a.AddressLine2), " "),
		a.AddressLine1, a.AddressLine2, a.City, a.Province, a.Country,
	})
}

// FullName is a buyer's name in one text, as answers have it.
func FullName(full, first, last string) string {
	switch {
	case full != "":
		return full
	case !strings.ContainsFunc(first+last, func(r rune) bool { return r > unicode.MaxASCII }):
		return strings.TrimSpace(first + " " + last)
	}
	return last + first // as Korean names are written
}
