package kpn_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/kpn"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/secret"
)

// by is a channel of a merchant with its key.
func by(mid, otp string) merchant.Channel {
	c := merchant.Channel{MID: mid, Credentials: merchant.Credentials{}}
	if otp != "" {
		c.Credentials["mx_otp"] = secret.Text(otp)
	}
	return c
}

const testOTP = "6aMoJujE34XnL9gvUqdKGMqs9GzYaNo6"

// keys is a channel of KPN's published test merchant.
var keys = by("testcorp", testOTP)

// registered is a payment whose orders have those hashes.
func registered(orders ...string) payment.Payment {
	var p payment.Payment
	for _, o := range orders {
		order, hash, _ := strings.Cut(o, "=")
		p.Transactions = append(p.Transactions, payment.Transaction{Order: order, Secret: secret.Text(hash)})
	}
	return p
}

// TestVerify is a long table: each way in which a hash may hold or not.
func TestVerify(t *testing.T) {
	const order = "KPN20260105000001"
	const other = "00" + "a77ad3f49a736862e412dd1397c3e0849a63b5416f829d704c5d7399cc093b"
	const plain = "15000"
	none, known := payment.Payment{}, registered(order+"="+hash)
	unsigned := with("&MxHASH256="+hash, "")
	wrong := by("testcorp", "another")
	unauthorized := func(err error) bool { return fault.Is(err, fault.Unauthorized) }
	unproved := func(err error) bool { return errors.Is(err, provider.ErrUnproved) }
	holds := func(err error) bool { return err == nil }
	nobody := merchant.Channel{}
	tests := []struct {
		name string
		body string
		keys merchant.Channel
		p    payment.Payment
		want func(error) bool
	}{
		{"made with the channel's keys", deposit, keys, none, holds},
		{"in upper case", with(hash, strings.ToUpper(hash)), keys, none, holds},
		{"with blanks around it", with(hash, "+"+hash+"+"), keys, none, holds},
		{"a reversal bears the same hash", with("00003000", "00003100"), keys, none, holds},
		{"the amount written with zeros in front", with(plain, "000000015000"), keys, none, holds},
		{"another amount", with(plain, "15001"), keys, none, unauthorized},
		{"no amount", with("Amount=15000&", ""), keys, none, unauthorized},
		{"another order", with(order, "KPN20260105000002"), keys, none, unauthorized},
		{"another time", with("20260105101530", "20260105101531"), keys, none, unauthorized},
		{"another hash", with(hash, other), keys, none, unauthorized},
		{"half a hash", with(hash, hash[:32]), keys, none, unauthorized},
		{"an empty hash", with(hash, ""), keys, none, unauthorized},
		{"no hash", unsigned, keys, none, unauthorized},
		{"another key", deposit, wrong, none, unauthorized},
		{"another merchant", deposit, by("other", testOTP), none, unauthorized},

		{"nothing to check with", deposit, nobody, none, unproved},
		{"a key without its merchant", deposit, by("", testOTP), none, unproved},
		{"a merchant without its key", deposit, by("testcorp", ""), none, unproved},
		{"nothing to check with, and no hash", unsigned, nobody, none, unproved},

		{"registered with the order", deposit, nobody, known, holds},
		{"registered in upper case", deposit, nobody, registered(order + "=" + strings.ToUpper(hash)), holds},
		{"registered, and another came", with(hash, other), nobody, known, unauthorized},
		{"registered, and none came", unsigned, nobody, known, unauthorized},
		{"registered, and an empty one came", with(hash, ""), nobody, known, unauthorized},
		{"registered with another order of the payment", deposit, nobody, registered("KPN2=" + hash), unauthorized},
		{"registered, and the order was left out", with("MxIssueNO="+order, "MxIssueNO=&TxNO=1"), nobody, known, unauthorized},
		{"one of two attempts of the order", deposit, nobody, registered(order+"="+other, order+"="+hash), holds},
		{"neither of two attempts", deposit, nobody, registered(order+"="+other, order+"=1"), unauthorized},
		{"registered without a hash", deposit, nobody, registered(order + "="), unproved},
		{"registered before the key was changed", deposit, wrong, known, holds},
		{"registered wrongly, made with the channel's keys", deposit, keys, registered(order + "=" + other), holds},
		{"both are another", with(hash, other), keys, known, unauthorized},

		{"the older form", oldDeposit, keys, none, holds},
		{"the older form with another amount", strings.Replace(oldDeposit, plain, "15001", 1), keys, none, unauthorized},
		{"the older form, registered", oldDeposit, nobody, registered(order + "=" + oldHash), holds},
		{"the older form, registered in the newer", oldDeposit, nobody, known, unauthorized},
		{"an MD5 as MxHASH256", with(hash, oldHash), keys, none, unauthorized},
		{"a SHA-256 as MxHASH", with("MxHASH256", "MxHASH"), keys, none, unauthorized},
		{"the stronger of two hashes counts", oldDeposit + "&MxHASH256=" + other, keys, none, unauthorized},
		{"the weaker of two may be anything", deposit + "&MxHASH=1", keys, none, holds},
		// The key of that time is in the sample of its time.
		{"captured in 2008", receipt, by("testcorp", "wr7yZ2OayGjj3eDo2XbA1jipf6S45ubp"), none, holds},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := request(tt.body)
			n, err := kpn.Module.Decode(r)
			if err != nil {
				t.Fatal(err)
			}
			err = kpn.Module.Verify(r, n, tt.keys, tt.p)
			if !tt.want(err) {
				t.Errorf("Verify = %v", err)
			}
			if err != nil && (strings.Contains(err.Error(), hash) || strings.Contains(err.Error(), order)) {
				t.Errorf("the error repeats the notice: %v", err)
			}
		})
	}
}

// oldDeposit is deposit in the older form; its hash was made with md5sum.
const (
	oldHash    = "b6bfb5bf2a0d29cbbba22052753b211d"
	oldDeposit = "ReplyCode=00003000&MxIssueDate=20260105101530&MSTR=&MSTR2=&Smode=2601&Amount=15000" +
		"&MxIssueNO=KPN20260105000001&TxNO=106709&MxHASH=" + oldHash + "&ReplyMessage=0000"
)

// TestEncodedProof: what the simulator sends is proved by the keys it was made
// with, and by no others.
func TestEncodedProof(t *testing.T) {
	own := by("shop", "shop's own")
	for _, form := range []string{"", "euc-kr", "dbpath"} {
		for _, e := range kpn.Module.Info().Events {
			n := providertest.Sample(e)
			n.Form = form
			for name, c := range map[string]struct{ sent, held merchant.Channel }{
				"the channel's keys": {own, own}, "the test merchant's": {merchant.Channel{}, keys},
			} {
				if err := check(t, n, c.sent, c.held, payment.Payment{}); err != nil {
					t.Errorf("%s in form %q with %s: %v", e, form, name, err)
				}
			}
			if err := check(t, n, own, keys, payment.Payment{}); !fault.Is(err, fault.Unauthorized) {
				t.Errorf("%s in form %q passes with another's keys: %v", e, form, err)
			}
			n.Proof = hash
			if form == "dbpath" {
				n.Proof = oldHash
			}
			if err := check(t, n, own, merchant.Channel{}, registered(n.Order+"="+n.Proof.Reveal())); err != nil {
				t.Errorf("%s in form %q does not echo what was registered: %v", e, form, err)
			}
			n.Proof = "no hash"
			if err := check(t, n, own, own, payment.Payment{}); err != nil {
				t.Errorf("%s in form %q echoes what is no hash: %v", e, form, err)
			}
		}
	}
}

// check encodes a notice and verifies it.
func check(t *testing.T, n notice.Notice, sent, held merchant.Channel, p payment.Payment) error {
	t.Helper()
	n.Merchant = sent.MID
	r := kpn.Module.Encode(n, sent.Credentials)
	got, err := kpn.Module.Decode(r)
	if err != nil {
		t.Fatal(err)
	}
	return kpn.Module.Verify(r, got, held, p)
}
