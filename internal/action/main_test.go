package action

import (
	"testing"

	"github.com/tongbo/tongbo/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }
