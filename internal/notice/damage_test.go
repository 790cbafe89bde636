package notice_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/notice"
)

func TestWithoutDamage(t *testing.T) {
	var n notice.Notice
	n.Depositor, n.Holder, n.BankName, n.Order = "홍\uFFFD동", "홍길동", "\xff은행", "o\uFFFD1"
	got := n.WithoutDamage()
	if got.Depositor != "" || got.Holder != "홍길동" || got.BankName != "" || got.Order != n.Order {
		t.Errorf("WithoutDamage = %+v", got)
	}
	if d := cmp.Diff([]string{"depositor", "bank_name"}, got.Damaged); d != "" {
		t.Errorf("Damaged (-want +got):\n%s", d)
	}
	n.Depositor, n.BankName = "홍길동", "신한은행"
	if got := n.WithoutDamage(); got.Damaged != nil || got.Depositor != "홍길동" {
		t.Errorf("WithoutDamage of a good notice = %+v", got)
	}
}
