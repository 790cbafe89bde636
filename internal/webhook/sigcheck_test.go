package webhook_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
)

var (
	checkedAt = time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	keyNew    = secret.Text("whsec_bmV3")
	keyOld    = secret.Text("whsec_b2xk")
	keyOther  = secret.Text("whsec_b3RoZXI=")
)

// signed is a webhook as a receiver has it, sent a minute ago.
func signed(t testing.TB, body []byte, keys ...secret.Text) webhook.SignatureCheck {
	t.Helper()
	at := checkedAt.Add(-time.Minute)
	signature, err := webhook.Sign("whk_1", at, body, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return webhook.SignatureCheck{
		Header: map[string]string{"webhook-id": "whk_1", "webhook-timestamp": fmt.Sprint(at.Unix()), "webhook-signature": signature},
		Body:   body, Now: checkedAt,
		Keys: []webhook.SigningKey{
			{Name: "order server", Secret: keyNew, Chosen: true}, {Name: "order server", Secret: keyOld, Chosen: true, Old: true, Ends: checkedAt.Add(time.Hour)},
			{Name: "other server", Secret: keyOther},
		},
	}
}

var paidBody = []byte(`{"type":"Transaction.Paid","timestamp":"2026-11-22T05:59:00.000Z","data":{"storeId":"store-1","paymentId":"주문 <1>","transactionId":"tx-1"}}`)

func TestSignatureCheck(t *testing.T) {
	var loose map[string]any
	if err := json.Unmarshal(paidBody, &loose); err != nil {
		t.Fatal(err)
	}
	sorted, _ := json.Marshal(loose) // names by the alphabet, and < escaped
	indented := new(bytes.Buffer)
	if err := json.Indent(indented, paidBody, "", "  "); err != nil {
		t.Fatal(err)
	}
	latin := ""
	for _, b := range paidBody {
		latin += string(rune(b))
	}
	for name, tt := range map[string]struct {
		keys   []secret.Text
		change func(*webhook.SignatureCheck)
		want   []webhook.SignatureFinding
		key    int
	}{
		"untouched":                 {nil, func(*webhook.SignatureCheck) {}, []webhook.SignatureFinding{"good"}, 0},
		"of both secrets":           {[]secret.Text{keyNew, keyOld}, func(*webhook.SignatureCheck) {}, []webhook.SignatureFinding{"good"}, 0},
		"of the old secret":         {[]secret.Text{keyOld}, func(*webhook.SignatureCheck) {}, []webhook.SignatureFinding{"good_old"}, 1},
		"of the old one that ended": {[]secret.Text{keyOld}, func(c *webhook.SignatureCheck) { c.Keys[1].Ends = checkedAt }, []webhook.SignatureFinding{"old_ended"}, 1},
		"of another endpoint":       {[]secret.Text{keyOther}, func(*webhook.SignatureCheck) {}, []webhook.SignatureFinding{"other_secret"}, 2},
		"of nobody":                 {[]secret.Text{"whsec_bm9ib2R5"}, func(*webhook.SignatureCheck) {}, []webhook.SignatureFinding{"nothing_fits"}, -1},
		"no secret":                 {nil, func(c *webhook.SignatureCheck) { c.Keys = nil }, []webhook.SignatureFinding{"no_secret"}, -1},
		"no id":                     {nil, func(c *webhook.SignatureCheck) { delete(c.Header, "webhook-id") }, []webhook.SignatureFinding{"no_id"}, -1},
		"no timestamp":              {nil, func(c *webhook.SignatureCheck) { delete(c.Header, "webhook-timestamp") }, []webhook.SignatureFinding{"no_timestamp"}, -1},
		"no signature":              {nil, func(c *webhook.SignatureCheck) { delete(c.Header, "webhook-signature") }, []webhook.SignatureFinding{"no_signature"}, -1},
		"nothing":                   {nil, func(c *webhook.SignatureCheck) { *c = webhook.SignatureCheck{} }, []webhook.SignatureFinding{"no_id", "no_timestamp", "no_signature"}, -1},
		"another version":           {nil, func(c *webhook.SignatureCheck) { c.Header["webhook-signature"] = "v1a,abc" }, []webhook.SignatureFinding{"no_v1"}, -1},
		"a bad time":                {nil, func(c *webhook.SignatureCheck) { c.Header["webhook-timestamp"] = "today" }, []webhook.SignatureFinding{"bad_timestamp"}, -1},
		"milliseconds":              {nil, func(c *webhook.SignatureCheck) { c.Header["webhook-timestamp"] += "000" }, []webhook.SignatureFinding{"timestamp_ms"}, 0},
		"an hour later":             {nil, func(c *webhook.SignatureCheck) { c.Now = c.Now.Add(time.Hour) }, []webhook.SignatureFinding{"good", "too_old"}, 0},
		"a slow clock":              {nil, func(c *webhook.SignatureCheck) { c.Now = c.Now.Add(-time.Hour) }, []webhook.SignatureFinding{"good", "too_new"}, 0},
		"another timestamp":         {nil, func(c *webhook.SignatureCheck) { c.Header["webhook-timestamp"] = "1763791199" }, []webhook.SignatureFinding{"nothing_fits", "too_old"}, -1},
		"the id without prefix":     {nil, func(c *webhook.SignatureCheck) { c.Header["webhook-id"] = "1" }, []webhook.SignatureFinding{"other_id"}, 0},
		"another id":                {nil, func(c *webhook.SignatureCheck) { c.Header["webhook-id"] = "whk_2" }, []webhook.SignatureFinding{"nothing_fits"}, -1},
		"a line's end":              {nil, func(c *webhook.SignatureCheck) { c.Body = append(slices.Clone(c.Body), "\r\n"...) }, []webhook.SignatureFinding{"body_newline"}, 0},
		"a byte order mark":         {nil, func(c *webhook.SignatureCheck) { c.Body = append([]byte("\ufeff"), c.Body...) }, []webhook.SignatureFinding{"body_mark"}, 0},
		"indented":                  {nil, func(c *webhook.SignatureCheck) { c.Body = indented.Bytes() }, []webhook.SignatureFinding{"body_space"}, 0},
		"names sorted":              {nil, func(c *webhook.SignatureCheck) { c.Body = sorted }, []webhook.SignatureFinding{"body_keys", "body_escapes"}, 0},
		"escaped":                   {nil, func(c *webhook.SignatureCheck) { c.Body = bytes.ReplaceAll(c.Body, []byte("주"), []byte(`\uc8fc`)) }, []webhook.SignatureFinding{"body_escapes"}, 0},
		"read as Latin-1":           {nil, func(c *webhook.SignatureCheck) { c.Body = []byte(latin) }, []webhook.SignatureFinding{"body_encoding"}, 0},
		"empty":                     {nil, func(c *webhook.SignatureCheck) { c.Body = nil }, []webhook.SignatureFinding{"body_empty", "nothing_fits"}, -1},
		"another amount of it":      {nil, func(c *webhook.SignatureCheck) { c.Body = bytes.ReplaceAll(c.Body, []byte("tx-1"), []byte("tx-2")) }, []webhook.SignatureFinding{"nothing_fits"}, -1},
		"changed, and it is known": {nil, func(c *webhook.SignatureCheck) {
			c.Sent, c.Body = c.Body, bytes.ReplaceAll(c.Body, []byte("tx-1"), []byte("tx-2"))
		}, []webhook.SignatureFinding{"body_changed", "sent_known"}, 0},
		"lost, and it is known":     {nil, func(c *webhook.SignatureCheck) { c.Sent, c.Body = c.Body, []byte("{\"paymentId\":\"\ufffd\"}") }, []webhook.SignatureFinding{"body_encoding", "sent_known"}, 0},
		"untouched, and known":      {nil, func(c *webhook.SignatureCheck) { c.Sent = c.Body }, []webhook.SignatureFinding{"good", "sent_equal"}, 0},
		"another secret, but equal": {[]secret.Text{"whsec_bm9ib2R5"}, func(c *webhook.SignatureCheck) { c.Sent = c.Body }, []webhook.SignatureFinding{"sent_equal", "nothing_fits"}, -1},
		"a secret that is none":     {nil, func(c *webhook.SignatureCheck) { c.Keys[0].Secret = "hush" }, []webhook.SignatureFinding{"nothing_fits"}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			keys := tt.keys
			if keys == nil {
				keys = []secret.Text{keyNew}
			}
			c := signed(t, paidBody, keys...)
			tt.change(&c)
			got := c.Check()
			if diff := cmp.Diff(tt.want, got.Findings); diff != "" || got.Key != tt.key {
				t.Errorf("found with key %d, want %d (-want +got):\n%s", got.Key, tt.key, diff)
			}
			good := slices.Equal(tt.want, []webhook.SignatureFinding{"good"}) || slices.Equal(tt.want, []webhook.SignatureFinding{"good_old"}) ||
				slices.Equal(tt.want, []webhook.SignatureFinding{"good", "sent_equal"})
			if got.Good() != good {
				t.Errorf("Good() = %v", got.Good())
			}
		})
	}
}

// Forms and the older payloads are put in order, too.
func TestSignatureCheckOfOtherPayloads(t *testing.T) {
	for _, c := range []struct {
		sent, came string
		want       webhook.SignatureFinding
	}{
		{"payment_id=a+b&tx_id=t&status=Paid", "status=Paid&tx_id=t&payment_id=a%20b", "body_form"},
		{"imp_uid=t&merchant_uid=%EC%A3%BC&status=paid", "merchant_uid=%EC%A3%BC&imp_uid=t&status=paid", "body_form"},
		{`{"imp_uid":"t","merchant_uid":"m","status":"paid"}`, `{"status":"paid","merchant_uid":"m","imp_uid":"t"}`, "body_keys"},
		{`{"payment_id":"m","tx_id":"t","status":"Paid"}`, `{"tx_id":"t","status":"Paid","payment_id":"m"}`, "body_keys"},
	} {
		check := signed(t, []byte(c.sent), keyNew)
		check.Body = []byte(c.came)
		if got := check.Check(); !slices.Equal(got.Findings, []webhook.SignatureFinding{c.want}) {
			t.Errorf("%s for %s: %q, want %q", c.came, c.sent, got.Findings, c.want)
		}
	}
}

func TestHeaderLines(t *testing.T) {
	want := map[string]string{"webhook-id": "whk_1", "webhook-timestamp": "17", "webhook-signature": "v1,a= v1,b="}
	for _, text := range []string{
		"webhook-id: whk_1\nWebhook-Timestamp: 17\r\nwebhook-signature: v1,a= v1,b=\nnothing\n: x\n",
		"curl -X POST\n-H 'webhook-id: whk_1'\n -H \"webhook-timestamp: 17\"\n-H 'webhook-signature: v1,a= v1,b='",
		"{'webhook-id': 'whk_1',\n'webhook-timestamp': '17',\n\"webhook-signature\": \"v1,a= v1,b=\"}",
		"< webhook-id: whk_1\n< webhook-timestamp: 17\n< webhook-signature: v1,a= v1,b=",
	} {
		if diff := cmp.Diff(want, webhook.HeaderLines(text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

// FuzzSignatureCheck looks for pastes that break it. What was changed is never good.
func FuzzSignatureCheck(f *testing.F) {
	f.Add("webhook-id: whk_1\nwebhook-timestamp: 1\nwebhook-signature: v1,x", paidBody)
	f.Add("", []byte(`{"a":{"b":{"c":{"d":{}}}}}`))
	f.Add("webhook-id: \x00", []byte("a=b&c=%"))
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		c := webhook.SignatureCheck{Header: webhook.HeaderLines(header), Body: body, Now: checkedAt, Keys: []webhook.SigningKey{{Secret: keyNew, Chosen: true}}}
		if c.Check().Good() {
			t.Error("what nobody signed is good")
		}
		whole := signed(t, body, keyNew)
		if got := whole.Check(); !got.Good() {
			t.Errorf("an untouched body: %q", got.Findings)
		}
		whole.Body = append(slices.Clone(body), '.')
		if got := whole.Check(); got.Good() {
			t.Errorf("a changed body: %q", got.Findings)
		}
		if strings.Contains(fmt.Sprint(c.Check()), "bmV3") {
			t.Error("the secret is told")
		}
	})
}
