package trial

import (
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/provider"
)

// codeWallet is by what the wallet that is played here declines.
const codeWallet = "TRIAL_WALLET_DECLINED"

// walletFate is how a wallet ends a charge. Whoever pays chose it.
func walletFate(e provider.Ending) (fate, error) {
	switch e {
	case provider.Approves:
		return fate{}, nil
	case provider.Declines:
		return fate{Code: codeWallet, Message: "결제거절"}, nil
	case provider.TimesOut:
		return fate{Lost: true}, nil
	}
	return fate{}, fault.Errorf(fault.Invalid, "there is no ending %.40q: want approve, decline or timeout", string(e))
}

// charged reports whether the order was charged at once: there is no account then.
func (x entry) charged() bool { return x.Card != nil || x.Wallet != "" }
