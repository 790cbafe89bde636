package fault_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
)

func TestKindOf(t *testing.T) {
	base := fault.Errorf(fault.Conflict, "payment %s: %w", "p1", io.EOF)
	for _, c := range []struct {
		name string
		err  error
		want fault.Kind
	}{
		{"a plain error is internal", io.EOF, fault.Internal},
		{"a fault keeps its kind", base, fault.Conflict},
		{"wrapping keeps the kind", fmt.Errorf("settle: %w", base), fault.Conflict},
		{"the outermost kind wins", fault.Errorf(fault.Unavailable, "store: %w", base), fault.Unavailable},
	} {
		if got := fault.KindOf(c.err); got != c.want {
			t.Errorf("%s: KindOf(%v) = %v, want %v", c.name, c.err, got, c.want)
		}
	}
	if !errors.Is(base, io.EOF) {
		t.Error("a fault hides the error it wraps")
	}
	if fault.Is(nil, fault.Internal) {
		t.Error("nil is a fault")
	}
}
