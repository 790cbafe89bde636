package ksnet

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

// The forms of the telegram, as Notice.Form names them.
const (
	formNew = "new"
	formOld = "old"
)

// A column is one field of a telegram and its width in bytes.
type column struct {
	name  string
	width int
}

// A layout is the columns of a record, without gaps. What follows the last is
// filler_2, whose width is nowhere fixed.
type layout []column

const (
	filler      = "filler_2"
	fillerWidth = 38 // of the old form, after StoreId
)

// oldRecord is the old form. KSNET's page takes StoreId from the
// first ten bytes of its filler_2.
var oldRecord = layout{
	{"busi_sele", 2}, {"rVTransactionNo", 12}, {"deal_code", 9}, {"comp_code", 8}, {"acco_code", 2},
	{"mess_code", 4}, {"job_diff", 3}, {"tran_numb", 1}, {"seq_no", 6}, {"tran_date", 8}, {"tran_time", 6},
	{"stan_resp_code", 4}, {"bank_resp_code", 4}, {"inqu_date", 8}, {"inqu_no", 6}, {"filler_1", 31},
	{"acco_numb", 15}, {"comp_cnt", 2}, {"deal_sele", 2}, {"in_bank_cd", 2}, {"total_amt", 13},
	{"bala_mone", 13}, {"giro", 6}, {"rece_nm", 14}, {"chec_no", 10}, {"cash", 13}, {"out_bank_chec", 13},
	{"etc_chec", 13}, {"cms_no", 16}, {"deal_star_date", 8}, {"deal_star_time", 6}, {"acco_seri_no", 6},
	{"StoreId", 10},
}

// newRecord is the new form: its header, and the first part of its body.
var newRecord = layout{
	{"RecvLen", 4}, {"EncType", 1}, {"Version", 4}, {"VersionType", 2}, {"Resend", 1}, {"RequestDate", 14},
	{"StoreId", 10}, {"OrderNumber", 50}, {"UserName", 50}, {"IdNum", 13}, {"Email", 50}, {"GoodType", 1},
	{"GoodName", 50}, {"KeyInType", 1}, {"LineType", 1}, {"PhoneNo", 12}, {"ApprovalCount", 1}, {"HeadFiller", 35},

	{"rApprovalType", 4}, {"rVTransactionNo", 12}, {"deal_code", 9}, {"comp_code", 8}, {"acco_code", 6},
	{"mess_code", 4}, {"job_diff", 3}, {"tran_numb", 1}, {"seq_no", 10}, {"tran_date", 8}, {"tran_time", 6},
	{"stan_resp_code", 4}, {"bank_resp_code", 4}, {"inqu_date", 8}, {"inqu_no", 6}, {"filler_1", 27},
	{"acco_numb", 15}, {"comp_cnt", 2}, {"deal_sele", 2}, {"in_bank_cd", 6}, {"total_amt", 13},
	{"bala_mone", 13}, {"giro", 6}, {"rece_nm", 14}, {"chec_no", 10}, {"cash", 13}, {"out_bank_chec", 13},
	{"etc_chec", 13}, {"cms_no", 16}, {"deal_star_date", 8}, {"deal_star_time", 6}, {"acco_seri_no", 6},
}

// end is the offset behind a column.
func (l layout) end(name string) int {
	at := 0
	for _, c := range l {
		at += c.width
		if c.name == name {
			break
		}
	}
	return at
}

// lastNeeded is the column that a telegram must reach. Behind it there may be
// nothing but spaces, which do not survive every proxy; a telegram that ends
// before it was cut, and half a number is another number.
const lastNeeded = "deal_star_time"

// fields are the columns of a telegram that are not blank, without their
// padding, by KSNET's names.
type fields struct{ wire.Fields }

// cut takes a telegram apart.
func (l layout) cut(b []byte) (fields, error) {
	if len(b) < l.end(lastNeeded) {
		return fields{}, fault.Errorf(fault.Invalid, "telegram ends too early")
	}
	f := fields{wire.Fields{}}
	var texts [][]byte
	for _, c := range append(slices.Clip(l), column{filler, len(b)}) {
		width := min(c.width, len(b))
		// A space is never half a character: padding behind a cut name goes
		// first, so that the half is the last byte.
		raw := bytes.Trim(b[:width], " ")
		texts = append(texts, raw)
		text, err := wire.CutText(raw)
		if err != nil {
			return fields{}, fault.Errorf(fault.Invalid, "%s: %w", c.name, err)
		}
		if text = strings.TrimSpace(text); text != "" {
			f.Fields[c.name] = text
		}
		b = b[width:]
	}
	if isUTF8(texts) {
		return fields{}, fault.Errorf(fault.Invalid, "telegram is in UTF-8")
	}
	return f, nil
}

// isUTF8 reports whether texts, each of which may end in part of a character,
// are Korean in UTF-8: letters of three bytes, and nothing that is not UTF-8.
// Such bytes are often EUC-KR as well, for other syllables.
func isUTF8(texts [][]byte) bool {
	korean := false
	for _, b := range texts {
		for len(b) > 0 {
			r, size := utf8.DecodeRune(b)
			if r == utf8.RuneError && size == 1 {
				if utf8.FullRune(b) {
					return false
				}
				break // cut
			}
			korean = korean || size == 3
			b = b[size:]
		}
	}
	return korean
}

// takeNumber takes a field that is padded with zeros if it is not given.
func (f fields) takeNumber(name string) string {
	if strings.Trim(f.Fields[name], "0") == "" {
		return ""
	}
	return f.Take(name)
}

// parse tells the form of a telegram by how it begins, and takes it apart.
func parse(b []byte) (form string, f fields, err error) {
	if bytes.IndexByte(b, 0) >= 0 {
		return "", fields{}, fault.Errorf(fault.Invalid, "telegram holds a NUL byte")
	}
	if bytes.HasPrefix(b, []byte("VR")) {
		f, err = oldRecord.cut(b)
		return formOld, f, err
	}
	if len(b) < 4 || wire.Digits(string(b[:4])) != string(b[:4]) {
		return "", fields{}, fault.Errorf(fault.Invalid, "not a telegram of KSNET")
	}
	// The length is trusted where it leaves a whole telegram.
	if n, err := strconv.Atoi(string(b[:4])); err == nil && 4+n >= newRecord.end(lastNeeded) && 4+n < len(b) {
		b = b[:4+n]
	}
	f, err = newRecord.cut(b)
	if err != nil {
		return "", fields{}, err
	}
	if !isAccount(f.Fields["rApprovalType"]) {
		return "", fields{}, fault.Errorf(fault.Invalid, "telegram is not about a virtual account")
	}
	f.Take("RecvLen")
	return formNew, f, nil
}

// isAccount reports whether an approval type is one of a virtual account's
// notices. KSNET's page takes 50 and 61, a public receiver every 5 and every
// 6 but 60, which is the answer to issuing (inferred).
func isAccount(approval string) bool {
	return strings.HasPrefix(approval, "5") || strings.HasPrefix(approval, "6") && !strings.HasPrefix(approval, "60")
}

// parameter returns the value of data as it was sent, from a body or a query.
// The rest of the form is not ours to read: a URL may have parameters of its
// own. Package wire would decode the whole value as text, which a telegram with
// half a character is not.
func parameter(raw []byte) ([]byte, error) {
	var value []byte
	found := false
	for field := range bytes.SplitSeq(bytes.Trim(raw, "\r\n"), []byte("&")) {
		name, v, _ := bytes.Cut(field, []byte("="))
		if string(wire.Unescape(name)) != "data" {
			continue
		}
		if found {
			return nil, fault.Errorf(fault.Invalid, "data is told twice")
		}
		value, found = v, true
	}
	if !found {
		return nil, fault.Errorf(fault.Invalid, "the request has no data")
	}
	return value, nil
}

// read decodes the parameter and reads the telegram. Every telegram has
// columns of spaces: one without any, or one that makes no sense while it has
// escapes, was encoded twice.
func read(value []byte) (form string, f fields, err error) {
	b := wire.Unescape(value)
	if bytes.IndexByte(b, ' ') >= 0 {
		form, f, err = parse(b)
		if err == nil && f.sane() == nil || bytes.IndexByte(b, '%') < 0 {
			return form, f, err
		}
	}
	return parse(wire.Unescape(b))
}
