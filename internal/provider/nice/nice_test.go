package nice

import (
	"testing"

	"github.com/tongbo/tongbo/internal/provider/providertest"
)

func TestProvider(t *testing.T)   { providertest.Run(t, V1, V2) }
func FuzzProvider(f *testing.F)   { providertest.Fuzz(f, V1) }
func FuzzProviderV2(f *testing.F) { providertest.Fuzz(f, V2) }
