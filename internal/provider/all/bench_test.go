package all_test

import (
	"testing"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/provider/providertest"
)

// BenchmarkDecode reads one deposit notice of each module.
func BenchmarkDecode(b *testing.B) {
	for _, p := range all.Providers() {
		b.Run(p.Info().Code, func(b *testing.B) {
			req := p.Encode(providertest.Sample(payment.EventDeposited), nil)
			b.SetBytes(int64(len(req.Body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Decode(req); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
