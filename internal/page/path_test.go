package page

import (
	"testing"

	"github.com/tongbo/tongbo/internal/words"
)

// TestPathText: what is kept as a state, or as an amount and its currency, is read in words.
func TestPathText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		lang words.Lang
		key  string
		args []string
		want string
	}{
		{words.Ko, "path.read_other", []string{"state", "READY", "want", "PAID"}, "결제가 결제 완료가 아니라 준비 상태예요."},
		{words.En, "path.read_other", []string{"state", "READY", "want", "PAID"}, "The payment is not Paid but Ready."},
		{words.Ko, "path.read_paid", []string{"amount", "1234567", "currency", "KRW"}, "API로 다시 읽으면 결제 완료, ₩1,234,567이에요."},
		{words.En, "path.read_paid", []string{"amount", "1000", "currency", "USD"}, "Read by the API it is paid: 10.00 USD."},
		{words.En, "path.read_paid", []string{"amount", "₩1,000"}, "Read by the API it is paid: ₩1,000."},
		{words.Ko, "path.refused_empty", []string{"fields", "mid, site_cert"}, "이 채널의 값으로는 PG를 부를 수 없어요. 비어 있는 값: mid, site_cert. 채널 설정에서 확인해 주세요."},
	} {
		if got := PathText(tt.lang, tt.key, tt.args); got != tt.want {
			t.Errorf("PathText(%s, %s, %q) = %q, want %q", tt.lang, tt.key, tt.args, got, tt.want)
		}
	}
}
