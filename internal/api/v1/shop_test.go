package v1

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
)

// A shown payment is what tests read of one.
type shownPayment struct {
	ImpUID       string `json:"imp_uid"`
	MerchantUID  string `json:"merchant_uid"`
	Status       string
	Amount       int64
	CancelAmount int64  `json:"cancel_amount"`
	VbankNum     string `json:"vbank_num"`
	PGTID        string `json:"pg_tid"`
}

// due is tomorrow, as vbanks take it.
func due() string { return strconv.FormatInt(time.Now().Add(24*time.Hour).Unix(), 10) }

// issue has an account issued by JSON.
func (s *site) issue(key, id string, headers ...string) (p shownPayment) {
	s.Helper()
	s.ok(s.call("POST", "/vbanks", key, `{"channel_key":"`+string(s.channelOf(key))+`","merchant_uid":"`+id+`","amount":11000,"vbank_code":"088",
		"vbank_due":`+due()+`,"vbank_holder":"가나상점","name":"책 & 공책","buyer_name":"홍길동","buyer_addr":"서울시 길 1",
		"custom_data":{"cart":[7,"<a>"]}}`, headers...), &p)
	return p
}

func (s *site) channelOf(key string) merchant.ChannelKey {
	if key == "rival" {
		return rivalKey
	}
	return tossKey
}

// deposit has the money of an order come in at the PG, which tells of it.
func (s *site) deposit(key merchant.ChannelKey, order string) {
	s.Helper()
	var ch merchant.Channel
	for _, c := range s.all.Channels {
		if c.Key == key {
			ch = c
		}
	}
	e, ok := s.ledger.Find(ch, func(e provider.Entry) bool { return e.Order == order })
	if !ok {
		s.Fatalf("the PG has no order %s", order)
	}
	e, err := s.ledger.Deposit(ch, e.PGTx, "홍길동")
	if err != nil {
		s.Fatal(err)
	}
	s.settle(key, order, payment.Report{
		Event: payment.EventDeposited, Key: e.Deposit, Deposit: e.Deposit, Amount: e.Amount, HasAmount: true,
		Account: e.Account.Number, Depositor: "홍길동", At: e.PaidAt, CashReceipt: s.receipt,
	})
}

// settle has a PG report of an order what moves its payment.
func (s *site) settle(key merchant.ChannelKey, order string, r payment.Report) {
	s.Helper()
	in := notice.Inbound{
		ID: notice.ID(uuid.Must(uuid.NewV7()).String()), At: time.Now().UTC(), Provider: "tosspayments", Channels: []merchant.ChannelKey{key},
		Notice: notice.Notice{Order: order, Report: r},
	}
	all, err := s.store.Settings(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	in.Version = all.Version
	results, err := s.store.Settle(context.WithoutCancel(s.Context()), []notice.Inbound{in}, func(in notice.Inbound, found []notice.Found) notice.Ruling {
		d := found[0].Payments[0].Decide(in.Notice.Report, payment.Env{Now: in.At, NewID: uuid.NewString})
		return notice.Ruling{Verdict: d.Verdict, Channel: key, Payment: &d.Payment, Changed: d.Changed}
	})
	if err != nil || results[0].Err != nil || results[0].Verdict != payment.Applied {
		s.Fatalf("settle: %v %+v", err, results)
	}
}

// change makes of a payment whatever a test needs.
func (s *site) change(id payment.ID, do func(*payment.Payment)) {
	s.Helper()
	all, err := s.store.Settings(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	if _, err := s.store.Act(s.Context(), notice.Act{
		Store: mainStore, ID: id, Version: all.Version, Env: payment.Env{Now: time.Now().UTC(), NewID: uuid.NewString},
		Do: func(p *payment.Payment) (notice.Acted, error) {
			do(p)
			return notice.Acted{Payment: *p, Changed: true}, nil
		},
	}); err != nil {
		s.Fatal(err)
	}
}

// webhooks is how many webhooks were made for a payment. Each names an attempt that
// the API finds.
func (s *site) webhooks(id string) int {
	s.Helper()
	p, err := s.store.Payment(s.Context(), mainStore, payment.ID(id), merchant.Any)
	if err != nil {
		s.Fatal(err)
	}
	list, err := s.store.Webhooks(s.Context(), p.Key)
	if err != nil {
		s.Fatal(err)
	}
	for _, h := range list {
		var body, found shownPayment
		if err := json.Unmarshal(h.Body, &body); err != nil {
			s.Fatal(err)
		}
		s.ok(s.call("GET", "/payments/"+body.ImpUID, "main", ""), &found)
		if found.MerchantUID != id || body.MerchantUID != id {
			s.Errorf("a webhook %s names %+v", h.Body, found)
		}
	}
	return len(list)
}
