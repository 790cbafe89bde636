package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

// lineCells is how wide a line of a shown notice may be. With its margin it is
// a hundred cells.
const lineCells = 96

// payload is the part of a request that speaks: the body, or else the query.
func payload(r notice.Request) []byte {
	if len(r.Body) > 0 {
		return r.Body
	}
	return []byte(r.Query)
}

// fields are the request's fields as text, such as "order=o-1", empty ones left
// out. A field within another comes with both names: "data.order=o-1".
func (v *exchangeView) fields(r notice.Request) []string {
	body := payload(r)
	if t := bytes.TrimSpace(body); len(t) > 0 && t[0] == '{' {
		if list, err := jsonFields(t); err == nil {
			return v.covered(list)
		}
		return v.covered([][2]string{{"", string(t)}})
	}
	form, err := wire.ParseForm(body)
	if err != nil {
		return nil
	}
	values, err := form.Decode(wire.Detect)
	if err != nil {
		return nil
	}
	var list [][2]string
	for _, k := range values.Keys() {
		list = append(list, [2]string{k, values.Get(k)})
	}
	return v.covered(list)
}

// covered are fields as text, without those that are empty.
func (v *exchangeView) covered(list [][2]string) []string {
	var out []string
	for _, f := range list {
		name, value := f[0], v.cover(f[1])
		switch {
		case value == "":
		case name == "":
			out = append(out, printable(value))
		default:
			out = append(out, printable(name+"="+value))
		}
	}
	return out
}

// cover hides the secret that the user gave.
func (v *exchangeView) cover(s string) string {
	if v.hide == "" {
		return s
	}
	return strings.ReplaceAll(s, v.hide, "[secret]")
}

// jsonFields are the fields of a JSON object, in its order. Null is empty.
func jsonFields(b []byte) ([][2]string, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var out [][2]string
	if err := jsonValue(d, nil, &out); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one object")
	}
	return out, nil
}

// jsonValue reads one value and appends what it holds, under its path.
func jsonValue(d *json.Decoder, path []string, out *[][2]string) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	switch t := token.(type) {
	case json.Delim:
		for i := 0; d.More(); i++ {
			name := fmt.Sprint(i)
			if t == '{' {
				key, err := d.Token()
				if err != nil {
					return err
				}
				name = fmt.Sprint(key)
			}
			if err := jsonValue(d, append(slices.Clone(path), name), out); err != nil {
				return err
			}
		}
		_, err = d.Token() // the closing one
		return err
	case nil:
		return nil
	default:
		*out = append(*out, [2]string{strings.Join(path, "."), fmt.Sprint(t)})
		return nil
	}
}

// clipped cuts words that are wider than a line, and reports whether it did.
func clipped(words []string, most int) (out []string, cut bool) {
	for _, w := range words {
		short := clip(w, most)
		out, cut = append(out, short), cut || short != w
	}
	return out, cut
}

// wrap puts words into lines of at most so many cells, if they fit at all.
func wrap(words []string, most int) []string {
	return wrapBy(words, most, "  ")
}

func wrapBy(words []string, most int, between string) []string {
	var lines []string
	line := ""
	for _, w := range words {
		if line != "" && cells(line)+len(between)+cells(w) > most {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += between
		}
		line += w
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
