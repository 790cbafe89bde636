package inicis_test

import (
	"regexp"
	"strings"
	"testing"
)

// A notice without the PG's id is named by what it says: two of them are not
// taken for one, and no account number comes to light, since keys are kept in
// clear.
func TestKeysWithoutTID(t *testing.T) {
	a := swap(t, published(t), "no_tid=ININPGVBNKINIpayTest20201228163833983265", "no_tid= ")
	const b = "P_STATUS=02&P_TYPE=VBANK&P_MID=INIpayTest&P_OID=O-1&P_AMT=1000&P_AUTH_DT=20260401101500&P_RMESG1=P_VACCT_NO%3D79010590891926"
	hashed := regexp.MustCompile(`^INIpayTest//(0200|02)/[0-9a-f]{32}$`)
	for _, c := range []struct{ name, one, other, account string }{
		{"form A, another time", a, swap(t, a, "tm_trans=163833", "tm_trans=163834"), "56211992494252"},
		{"form A, another account", a, swap(t, a, "no_vacct=56211992494252", "no_vacct=56211992494253"), "56211992494252"},
		{"form A, another order", a, swap(t, a, "no_oid=O443279371", "no_oid=O443279372"), "56211992494252"},
		{"form B, another time", b, swap(t, b, "20260401101500", "20260401101501"), "79010590891926"},
		{"form B, another account", b, swap(t, b, "79010590891926", "79010590891927"), "79010590891926"},
		{"form B, another amount", b, swap(t, b, "P_AMT=1000", "P_AMT=1001"), "79010590891926"},
	} {
		one, again, other := decode(t, c.one), decode(t, c.one), decode(t, c.other)
		if one.Account.Reveal() != c.account {
			t.Fatalf("%s: the account is %q", c.name, one.Account.Reveal())
		}
		if one.Key != again.Key || one.Key == other.Key {
			t.Errorf("%s: keys are %q, %q again, and %q of the other", c.name, one.Key, again.Key, other.Key)
		}
		if !hashed.MatchString(one.Key) {
			t.Errorf("%s: key %q is not hashed", c.name, one.Key)
		}
		if strings.Contains(one.Key, c.account) || strings.Contains(one.Deposit, c.account) {
			t.Errorf("%s: the account is in key %q or deposit %q", c.name, one.Key, one.Deposit)
		}
	}
}

// TestKeysOfOneTransaction: what is told of one transaction in turn is not
// taken for a resend, even where the PG gives the deposit no id of its own.
func TestKeysOfOneTransaction(t *testing.T) {
	const a = "no_tid=t&no_oid=o&id_merchant=m"
	const b = "P_TID=t&P_OID=o&P_MID=m&P_TYPE=VBANK&P_AMT=1000"
	seen := make(map[string]string)
	for _, body := range []string{
		a + "&type_msg=0200", a + "&type_msg=0400", a + "&cl_status=3", a + "&cl_status=8",
		b + "&P_STATUS=00&P_AUTH_DT=20260401101500", b + "&P_STATUS=02&P_AUTH_DT=20260401103000",
		b + "&P_STATUS=02&P_AUTH_DT=20260402090000", b + "&P_STATUS=02&P_AUTH_DT=20260402090000&P_IN_TID=1",
	} {
		k := decode(t, body).Key
		if other, ok := seen[k]; ok {
			t.Errorf("%s and %s have the key %q", body, other, k)
		}
		if seen[k] = body; decode(t, body).Key != k {
			t.Errorf("%s resent has another key than %q", body, k)
		}
	}
}

// What moves nothing must not make the deposit or issue of the same id look
// like one sent twice.
func TestOtherMethodsLeaveKeysAlone(t *testing.T) {
	for _, body := range []string{
		"P_TID=t&P_OID=o&P_MID=m&P_AUTH_DT=20260401101500&P_TYPE=VBANK&P_STATUS=02",
		"P_TID=t&P_OID=o&P_MID=m&P_AUTH_DT=20260401101500&P_TYPE=VBANK&P_STATUS=02&P_IN_TID=1",
		"P_TID=t&P_OID=o&P_MID=m&P_TYPE=VBANK&P_STATUS=00", "P_OID=o&P_MID=m&P_TYPE=VBANK&P_STATUS=02",
	} {
		for _, method := range []string{"CARD", "POINT"} {
			if k := decode(t, body).Key; decode(t, swap(t, body, "VBANK", method)).Key == k {
				t.Errorf("%s of %s has the account's key %s", body, method, k)
			}
		}
	}
}
