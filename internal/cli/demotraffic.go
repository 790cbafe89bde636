package cli

import (
	"context"
	_ "embed"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/simulator"
)

//go:embed demotraffic.toml
var demoTrafficSettings string

// mostRate bounds how many payments a demo begins in a minute.
const mostRate = 3000

// trafficPrefix begins the ids of the traffic's payments; nobody else's in a demo do.
const trafficPrefix = "demo0"

// deafProvider is the module whose PG was never told where notices go: its accounts
// expire, whatever was paid, and the console says that its channel is silent.
const deafProvider = "kicc"

// A traffic is what goes on in a demo once its story is told: customers order and pay,
// each by one of the PGs, mostly as they should. Payments are registered by the API,
// notices come from the simulator to the channels' own addresses, and webhooks are what
// the server sends: nothing is written past it.
type traffic struct {
	demo *demo
	rate int     // payments that are begun in a minute
	most int     // how many are begun in all; zero: no end
	fast float64 // how much faster than theirs customers' pauses are; zero means 1
	// Of run alone.
	random   *rand.Rand
	channels []tradedChannel // in turn
	deck     []*kind
	dealt    bool // the first deck was

	begun, notices atomic.Int64
	mu             sync.Mutex
	failed         int
	why            error // of the last that failed
}

// A tradedChannel is a channel with the module that plays its PG.
type tradedChannel struct {
	merchant.Channel
	provider provider.Provider
}

// newTraffic is the traffic over the channels of some settings. It reports
// fault.Internal if one of them has no module.
func newTraffic(d *demo, s settings.All, rate int, random *rand.Rand) (*traffic, error) {
	t := &traffic{demo: d, rate: rate, random: random}
	for _, c := range s.Channels {
		p, ok := all.ByCode(c.Provider)
		if !ok {
			return nil, fault.Errorf(fault.Internal, "no module %s", c.Provider)
		}
		if !p.Info().SendsNotices() {
			continue // a wallet's: its customers pay in the sample shop
		}
		t.channels = append(t.channels, tradedChannel{c, p})
	}
	random.Shuffle(len(t.channels), func(i, j int) { t.channels[i], t.channels[j] = t.channels[j], t.channels[i] })
	return t, nil
}

// run has payments begin until ctx ends or there were enough, and returns when the last
// of them is over.
func (t *traffic) run(ctx context.Context) {
	var lives sync.WaitGroup
	defer lives.Wait()
	for t.most == 0 || int(t.begun.Load()) < t.most {
		if sleep(ctx, t.gap()) != nil {
			return
		}
		k := t.next()
		l := t.newLife(k)
		lives.Go(func() {
			if err := k.live(ctx, l); err != nil && ctx.Err() == nil {
				t.fail(fmt.Errorf("%s by %s: %w", k.name, l.channel.Provider, err))
			}
		})
	}
}

// gap is the time until the next payment begins: half of the usual to one and a half.
func (t *traffic) gap() time.Duration {
	usual := time.Minute / time.Duration(t.rate)
	return usual/2 + time.Duration(t.random.Float64()*float64(usual))
}

// next deals what the next payment is like: at first one of each kind with usual ones
// between, so that there is something of everything within a minute, and then by their
// shares.
func (t *traffic) next() *kind {
	if len(t.deck) == 0 {
		t.deck = t.newDeck()
	}
	k := t.deck[0]
	t.deck = t.deck[1:]
	return k
}

func (t *traffic) newDeck() []*kind {
	list := kinds()
	var deck []*kind
	if !t.dealt {
		t.dealt = true
		for _, k := range list[1:] {
			deck = append(deck, list[0], k)
		}
		return deck
	}
	for _, k := range list {
		deck = append(deck, slices.Repeat([]*kind{k}, k.share)...)
	}
	t.random.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
	return deck
}

// newLife is a payment of a kind, by the first channel in turn that can have it.
func (t *traffic) newLife(k *kind) *life {
	n := t.begun.Add(1)
	i := slices.IndexFunc(t.channels, k.fits)
	c := t.channels[i]
	t.channels = append(slices.Delete(t.channels, i, i+1), c)
	own := rand.New(rand.NewPCG(t.random.Uint64(), t.random.Uint64())) //nolint:gosec // customers need no secrets
	name := goods[own.IntN(len(goods))]
	l := &life{
		traffic: t, channel: c, random: own,
		pg: simulator.PG{Provider: c.provider, Client: t.demo.client, Speed: t.fast, Log: func(simulator.Exchange) { t.notices.Add(1) }},
		order: order{
			id: fmt.Sprintf("%s%05d", trafficPrefix, n), name: name, channel: string(c.Key), bank: banks[own.IntN(len(banks))],
			account: fmt.Sprintf("%d%013d", 1+own.IntN(9), own.Int64N(1e13)), amount: 3_900 + 100*own.Int64N(1_500), customer: buyers[own.IntN(len(buyers))],
			due: time.Now().Add(t.hurried(time.Duration(2+own.IntN(70)) * time.Hour)),
		},
	}
	if c.provider.Info().OrderSecret {
		l.order.secret = secret.Text(fmt.Sprintf("%016x%016x%016x%016x", own.Uint64(), own.Uint64(), own.Uint64(), own.Uint64()))
	}
	return l
}

// hurried is a time of the customers' lives, as it is in this traffic.
func (t *traffic) hurried(d time.Duration) time.Duration {
	if t.fast > 0 {
		d = time.Duration(float64(d) / t.fast)
	}
	return d
}

// fail notes what went otherwise than it should.
func (t *traffic) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed++
	t.why = err
}

// failures is how much went otherwise than it should, and the last of it.
func (t *traffic) failures() (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failed, t.why
}

// ofTraffic reports whether an order is one of the traffic's.
func ofTraffic(order string) bool { return strings.HasPrefix(order, trafficPrefix) }

// sleep waits, unless ctx ends before.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// What the customers of a demo order, by which banks they pay, and what they are called:
// people of old tales, and one whose name EUC-KR proper cannot spell.
var (
	goods = []string{
		"사과 1상자", "귤 5kg", "무선 키보드", "드립 커피 200g", "겨울 이불", "에코백", "운동화 270mm", "공책 10권",
		"햅쌀 10kg", "고구마 3kg", "손목시계", "여행용 가방", "책상 스탠드", "김치 5kg", "우산", "텀블러 500ml",
	}
	banks  = []string{"SHINHAN", "KOOKMIN", "WOORI", "NONGHYUP", "IBK", "HANA"}
	buyers = []string{"홍길동", "성춘향", "이몽룡", "심청", "흥부", "놀부", "임꺽정", "전우치", "박문수", "장화", "홍련", "배비장", "변강쇠", "똠방각하"}
)
