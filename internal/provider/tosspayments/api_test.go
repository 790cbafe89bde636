package tosspayments_test

import (
	"testing"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/tosspayments"
)

func TestCalls(t *testing.T) {
	t.Parallel()
	providertest.Calls(t, tosspayments.Module, providertest.Bench{
		Channel: merchant.Channel{Key: "channel-key-1", Mode: merchant.Test, MID: "tvivarepublica", Credentials: merchant.Credentials{
			"secret_key": "test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R",
		}},
		Order:  providertest.Won1000("SHINHAN"),
		Refund: &provider.RefundAccount{Bank: "KOOKMIN", Number: "123-456-789012", Holder: "홍길동", Phone: "01012345678"},
	})
}
