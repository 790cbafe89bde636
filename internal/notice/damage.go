package notice

import (
	"strings"
	"unicode/utf8"
)

// WithoutDamage returns the notice without the names that hold U+FFFD, the
// mark that somebody on the way could not read them, and lists them in
// Damaged. The money is as good as ever; a wrong name would be kept as if it
// were right. What identifies the notice, and the PG's other fields, stay as
// they came.
func (n Notice) WithoutDamage() Notice {
	n.Damaged = nil
	for _, f := range []struct {
		name string
		text *string
	}{{"depositor", &n.Depositor}, {"holder", &n.Holder}, {"bank_name", &n.BankName}} {
		if strings.ContainsRune(*f.text, utf8.RuneError) {
			*f.text = ""
			n.Damaged = append(n.Damaged, f.name)
		}
	}
	return n
}
