package store

import (
	"encoding/json"
	"fmt"
)

// String is the problem in one line.
func (p Problem) String() string { return fmt.Sprintf("%s %s: %s", p.Kind, p.Subject, p.Text) }

// MarshalJSON writes the problem as `verify --json` prints it.
func (p Problem) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"kind": p.Kind, "subject": p.Subject, "text": p.Text})
}

// String says how much was looked at.
func (c Checked) String() string {
	return fmt.Sprintf("%d notices, %d payments, %d deposits, %d open cases, %d events, %d deliveries, %d attempts",
		c.Notices, c.Payments, c.Deposits, c.Cases, c.Events, c.Deliveries, c.Attempts)
}
