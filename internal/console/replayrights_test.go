package console

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
)

// sharedChannel makes our test channel one of a store that another uses, too.
func (p *postOffice) sharedChannel(of, with merchant.StoreID, edit ...func(*merchant.Channel)) {
	p.Helper()
	x, err := p.Store.Settings(p.Context())
	if err != nil {
		p.Fatal(err)
	}
	for i := range x.Channels {
		if c := &x.Channels[i]; c.Key == oursTest {
			c.Store, c.Stores = of, nil
			if with != "" {
				c.Stores = []merchant.StoreID{with}
			}
			for _, f := range edit {
				f(c)
			}
		}
	}
	if err := p.Store.SaveSettings(p.Context(), x, time.Now()); err != nil {
		p.Fatal(err)
	}
}

// waitsAt registers an account of a store on our test channel.
func (p *postOffice) waitsAt(s merchant.StoreID, id payment.ID) {
	p.Helper()
	if _, _, err := p.Actions.RegisterAccount(p.Context(), action.Caller{Merchant: ours, Store: s, Mode: merchant.Test}, payment.Registration{
		ID: id, Channel: oursTest, OrderName: "책", Amount: payment.Won(59000),
		Account: payment.Account{Bank: "SHINHAN", Number: secret.Account("110-123-4567-" + string(id)), ExpiresAt: time.Now().Add(24 * time.Hour)},
	}); err != nil {
		p.Fatal(err)
	}
}

// admits has our test channel hear a stranger.
func admits(c *merchant.Channel) {
	c.SendersToo = append(c.SendersToo, netip.MustParsePrefix(stranger+"/32"))
}

// TestReplayRights: of a channel that two stores share, who is limited to one replays what
// comes to that store's payments, and learns nothing of the other's.
func TestReplayRights(t *testing.T) {
	p := newPost(t)
	p.sharedChannel(main1, branch1)
	p.waitsAt(main1, "1001")
	p.waitsAt(branch1, "2001")
	p.waitsAt(main1, "1002")
	ofMain, ofBranch, ofNobody := p.sends(stranger, told("1001")), p.sends(stranger, told("2001")), p.sends(stranger, told("3001"))
	applied := p.sends("127.0.0.1", told("1002"))
	p.sharedChannel(main1, branch1, admits, func(c *merchant.Channel) { c.Unknown = merchant.Adopt })
	replay := func(as action.Caller, id notice.ID, dry bool) (notice.Redecided, error) {
		t.Helper()
		as.Mode = merchant.Test
		return p.Actions.Replay(t.Context(), as, id, dry)
	}
	branch, rival := action.Caller{Merchant: ours, Store: branch1}, action.Caller{Merchant: theirs, Store: rival1}
	for name, id := range map[string]notice.ID{"one on its way to another store's payment": ofMain, "one that would make a payment of another store": ofNobody, "one about another store's": applied} {
		for _, as := range []action.Caller{branch, rival} {
			for _, dry := range []bool{true, false} {
				if r, err := replay(as, id, dry); !fault.Is(err, fault.NotFound) || r.Is != nil || r.Was != nil || r.Verdict != "" {
					t.Errorf("%s, dry %v, by %s: %s, %v", name, dry, as.Store, r.Verdict, err)
				}
			}
		}
	}
	for _, id := range []payment.ID{"1001", "3001"} {
		if x, err := p.Store.Payment(t.Context(), main1, id, merchant.Any); err == nil && x.State != payment.Issued {
			t.Errorf("payment %s is %s", id, x.State)
		} else if err != nil && id == "1001" {
			t.Error(err)
		}
	}
	if r, err := replay(branch, ofBranch, true); err != nil || r.Is == nil || r.Is.ID != "2001" {
		t.Errorf("the store's own: %v", err)
	}
	p.sharedChannel(main1, "", admits) // the branch uses it no more
	if _, err := replay(branch, ofBranch, false); !fault.Is(err, fault.NotFound) {
		t.Errorf("a channel that the store does not use any more: %v", err)
	}
	p.sharedChannel(main1, branch1, admits)
	if r, err := replay(branch, ofBranch, false); err != nil || r.Verdict != payment.Applied {
		t.Errorf("the store's own: %s, %v", r.Verdict, err)
	}
	if r, err := replay(action.Caller{Merchant: ours}, ofMain, false); err != nil || r.Verdict != payment.Applied {
		t.Errorf("by who sees all stores: %s, %v", r.Verdict, err)
	}
}

// TestReplayManyRights: the page of an address's refused notices has those that are the
// visitor's store's, and does those.
func TestReplayManyRights(t *testing.T) {
	p := newPost(t)
	p.sharedChannel(branch1, main1)
	p.waitsAt(main1, "1001")
	p.waitsAt(branch1, "2001")
	p.sends(stranger, told("1001"))
	p.sends(stranger, told("2001"))
	p.sharedChannel(branch1, main1, admits)
	at := Prefix + "/" + string(branch1) + "/test/notices"
	body := p.shows(p.get("branch", at+"/replay?from="+stranger+"/32&channel="+string(oursTest)), http.StatusOK, "2001", "1건 처리하기")
	if strings.Contains(body, "1001") {
		t.Error("the page tells of another store's payment")
	}
	p.goesTo(p.post("branch", at+"/replay", url.Values{"from": {stranger + "/32"}, "channel": {string(oursTest)}}), at+"?channel="+string(oursTest))
	for id, want := range map[payment.ID]payment.State{"1001": payment.Issued, "2001": payment.Paid} {
		s := main1
		if id == "2001" {
			s = branch1
		}
		if x, err := p.Store.Payment(t.Context(), s, id, merchant.Any); err != nil || x.State != want {
			t.Errorf("payment %s is %s, %v, want %s", id, x.State, err, want)
		}
	}
}

// asks has a deposit on our test channel count only once its PG bears it out.
func asks(c *merchant.Channel) { c.Confirm = new(true) }
