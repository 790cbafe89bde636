package console

import (
	"embed"

	"github.com/tongbo/tongbo/internal/page"
)

//go:embed assets
var assetFiles embed.FS

// assets are what pages load.
var assets = page.NewAssets(assetFiles, "assets", Prefix+"/assets/")
