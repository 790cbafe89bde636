package v2

// Limit bounds the calls of each API secret, as api.Gate.Limit says. It must be
// called before the API is used.
func (a *API) Limit(perSecond int) { a.gate.Limit(perSecond) }
