package notice

import (
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A Registering is how a registration is decided.
type Registering struct {
	Version int64 // of the settings it was checked by
	Env     payment.Env
	// Judge decides on the notices that waited for the registration.
	Judge Judge
	// Announce makes the events of a payment whose account became known.
	Announce func(payment.Payment) ([]webhook.Emission, error)
}

// An Expiry is what becomes of a payment whose deadline passed.
type Expiry struct {
	Payment   payment.Payment
	Emissions []webhook.Emission
}
