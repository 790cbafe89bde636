package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"slices"
	"strings"
	"unicode"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
)

// The parts of a page of search.
const (
	wordsPart   = "words"
	numbersPart = "numbers"
)

// What a text in a page is: the byte before it. No text has such a byte.
const (
	tagID byte = iota + 1
	tagOrder
	tagPayer
	tagDepositor
	tagAccount
)

// A searchable is what search knows of a payment.
type searchable struct {
	key     uuid.UUID
	scope   uint32 // of its store and mode: others are passed over without opening them
	amount  int64
	words   []byte // texts, each behind its tag
	numbers []byte
}

// scopeOf is a short name of a store and a mode; others may have the same.
func scopeOf(s merchant.StoreID, m merchant.Mode) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(string(s) + "\x00" + string(m)))
	return h.Sum32()
}

// folded is a text as it is compared: composed, in lower case, without blanks
// and controls.
func folded(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFC.String(strings.ToValidUTF8(s, "\uFFFD")))
}

// longestText bounds a text of a record, in bytes.
const longestText = 300

// recordOf is what search knows of a payment.
func recordOf(p payment.Payment) (searchable, error) {
	key, err := uuid.Parse(string(p.Key))
	if err != nil {
		return searchable{}, err
	}
	r := searchable{key: key, scope: scopeOf(p.Store, p.Mode), amount: p.Amount.Amount}
	for _, w := range wordsOf(p) {
		text := folded(w.text)
		if len(text) > longestText {
			text = strings.ToValidUTF8(text[:longestText], "")
		}
		if text != "" {
			r.words = append(append(r.words, w.tag), text...)
		}
	}
	for _, n := range numbersOf(p) {
		r.numbers = append(append(r.numbers, tagAccount), n...)
	}
	return r, nil
}

type tagged struct {
	tag  byte
	text string
}

// wordsOf are the texts by which a payment is searched.
func wordsOf(p payment.Payment) []tagged {
	out := []tagged{{tagID, string(p.ID)}, {tagOrder, p.OrderName}, {tagPayer, p.Customer.Name}}
	for _, name := range depositorsOf(p) {
		out = append(out, tagged{tagDepositor, name})
	}
	return out
}

// depositorsOf are the names of those who paid.
func depositorsOf(p payment.Payment) (names []string) {
	add := func(name string) {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, t := range p.Transactions {
		add(t.Depositor)
	}
	for _, d := range p.Deposits {
		add(d.Depositor)
	}
	return names
}

// numbersOf are the account numbers of a payment, in digits alone.
func numbersOf(p payment.Payment) (out []string) {
	add := func(number string) {
		if number = digitsIn(number); number != "" && !slices.Contains(out, number) {
			out = append(out, number)
		}
	}
	for _, t := range p.Transactions {
		if t.Account != nil {
			add(t.Account.Number.Reveal())
		}
	}
	for _, d := range p.Deposits {
		add(d.Account.Reveal())
	}
	return out
}

// digitsIn are the digits of a text.
func digitsIn(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// A searchPage is a page that is open. Words and numbers are filled in as far
// as they were read.
type searchPage struct {
	words, numbers texts
	fixed          []byte // of each record: key, scope, amount
}

// Texts are the texts of records, one behind the other.
type texts struct {
	ends []uint32 // where those of each record end
	text []byte
}

const fixedSize = 16 + 4 + 8

// add puts a record behind the others.
func (p *searchPage) add(r searchable) {
	p.words.add(r.words)
	p.numbers.add(r.numbers)
	p.fixed = append(p.fixed, r.key[:]...)
	p.fixed = binary.BigEndian.AppendUint32(p.fixed, r.scope)
	p.fixed = binary.BigEndian.AppendUint64(p.fixed, uint64(r.amount)) //nolint:gosec // the same bits, there and back
}

func (c *texts) add(list []byte) {
	c.text = append(c.text, list...)
	c.ends = append(c.ends, uint32(len(c.text))) //nolint:gosec // a page is some megabytes at most
}

// record is what stands fixed of a record.
func (p *searchPage) record(i int) (key payment.Key, scope uint32, amount int64) {
	at := p.fixed[i*fixedSize : (i+1)*fixedSize]
	return payment.Key(uuid.UUID(at[:16]).String()), binary.BigEndian.Uint32(at[16:20]), int64(binary.BigEndian.Uint64(at[20:])) //nolint:gosec // the same bits, there and back
}

// encode is a column in bytes: how many records, where they end, the texts.
func (c *texts) encode() []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(c.ends))) //nolint:gosec // a page is some megabytes at most
	for _, e := range c.ends {
		out = binary.BigEndian.AppendUint32(out, e)
	}
	return append(out, c.text...)
}

var errPage = errors.New("a page of search is damaged")

func decodeTexts(b []byte) (c texts, err error) {
	if len(b) < 4 {
		return c, errPage
	}
	n := int(binary.BigEndian.Uint32(b))
	if b = b[4:]; n < 0 || len(b)/4 < n {
		return c, errPage
	}
	c.ends, c.text = make([]uint32, n), b[4*n:]
	last := uint32(0)
	for i := range c.ends {
		c.ends[i] = binary.BigEndian.Uint32(b[4*i:])
		if c.ends[i] < last || int(c.ends[i]) > len(c.text) {
			return c, errPage
		}
		last = c.ends[i]
	}
	return c, nil
}

// encodeNumbers is the part with what is fixed of records, and their numbers.
func (p *searchPage) encodeNumbers() []byte {
	return append(slices.Clone(p.fixed), append(p.numbers.encode(), binary.BigEndian.AppendUint32(nil, uint32(len(p.fixed)))...)...) //nolint:gosec // a page is some megabytes at most
}

func (p *searchPage) decodeNumbers(b []byte) (err error) {
	if len(b) < 4 {
		return errPage
	}
	n := int(binary.BigEndian.Uint32(b[len(b)-4:]))
	if n < 0 || n%fixedSize != 0 || n > len(b)-4 {
		return errPage
	}
	p.fixed = b[:n:n]
	if p.numbers, err = decodeTexts(b[n : len(b)-4 : len(b)-4]); err == nil && len(p.numbers.ends) != n/fixedSize {
		err = errPage
	}
	return err
}

// A find is a text of a page that has what is searched.
type find struct {
	row int
	tag byte
}

// find looks for a text in a column: each record and kind of text once, in
// order.
func (c *texts) find(needle []byte) (out []find) {
	row := 0
	for at := 0; ; {
		i := bytes.Index(c.text[at:], needle)
		if i < 0 {
			return out
		}
		at += i
		for int(c.ends[row]) <= at {
			row++
		}
		start := bytes.LastIndexFunc(c.text[:at], func(r rune) bool { return r < ' ' })
		if start >= 0 {
			f := find{row, c.text[start]}
			if len(out) == 0 || !slices.Contains(out[max(0, len(out)-4):], f) {
				out = append(out, f)
			}
		}
		at += len(needle)
	}
}
