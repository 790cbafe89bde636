package ksnet_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/provider/ksnet"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

// The offsets of the new form that the tests below change.
const (
	atNewUser, atNewID, atNewEmail, atNewPhone, atNewName = 86, 136, 149, 252, 477
)

// TestPrivate: what reaches a person is in the stored body alone.
func TestPrivate(t *testing.T) {
	b := newer(t, "deposit_new")
	copy(b[atNewID:], "9001011234567")
	copy(b[atNewEmail:], "hong@test.kr")
	copy(b[atNewPhone:], "01099998888")
	shown, err := json.Marshal(decode(t, b))
	if err != nil {
		t.Fatal(err)
	}
	for _, private := range []string{"9001011234567", "hong@", "01099998888", "Email", "PhoneNo", "IdNum"} {
		if strings.Contains(string(shown), private) {
			t.Errorf("%s shows in %s", private, shown)
		}
	}
}

// TestNamesHideAccounts: many accounts fit a name, so that nobody finds out the
// one that it was made of by trying all.
func TestNamesHideAccounts(t *testing.T) {
	first := decode(t, sample(t))
	who := first.Deposit[strings.LastIndex(first.Deposit, "/")+1:]
	fits, names := 0, map[string]bool{}
	for i := range 5000 {
		d := decode(t, sample(t, atAccount, fmt.Sprintf("101817%08d", i))).Deposit
		names[d] = true
		if strings.HasSuffix(d, "/"+who) {
			fits++
		}
	}
	// Sixteen bits: five thousand accounts have some, a hundred million many.
	if len(who) != 4 || fits > 3 || len(names) < 4700 {
		t.Errorf("the account's part is %q; %d of 5000 accounts fit it, %d names", who, fits, len(names))
	}
	// The same account has another part in each deposit.
	if other := decode(t, sample(t, atSeq, "100002")).Deposit; strings.HasSuffix(other, "/"+who) {
		t.Errorf("%q and %q tell that the account is the same", first.Deposit, other)
	}
}

// TestUTF8: a telegram in UTF-8 is not KSNET's. Its bytes may be other Korean
// in EUC-KR, so it is not read.
func TestUTF8(t *testing.T) {
	for _, name := range []string{"박박", "홍길동", "A박", "박박박박박"} {
		b := sample(t)
		copy(b[atName:], (name + strings.Repeat(" ", 14))[:14])
		if n, err := ksnet.Module.Decode(post(encoded(b))); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s in UTF-8 is read as %q, %v", name, n.Depositor, err)
		}
		// A name that is UTF-8 beside one that is not: the telegram is EUC-KR.
		mixed := newer(t, "deposit_new")
		copy(mixed[atNewName:], "              ")
		euckr, err := wire.ToEUCKR(name)
		if err != nil {
			t.Fatal(err)
		}
		copy(mixed[atNewName:], euckr[:min(len(euckr), 14)])
		if n := decode(t, mixed); n.Depositor != name {
			t.Errorf("%s in EUC-KR is read as %q", name, n.Depositor)
		}
	}
}

// TestZerosInFront: an account may begin with zeros, so none are taken off.
func TestZerosInFront(t *testing.T) {
	if n := decode(t, sample(t, atAccount, "0000018019000007")); n.Account != "0000018019000007" {
		t.Errorf("account = %q", n.Account.Reveal())
	}
}
