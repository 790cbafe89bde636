package browser

import (
	"fmt"

	"github.com/chromedp/cdproto/emulation"
)

// between are widths between those of the looks: from where the rail stands beside the page,
// over where rows are cards, to the narrowest window that has tables. Each look has some.
var between = map[string][]int64{"ko-light": {720, 912, 1100}, "en-dark": {800, 1024, 1100}}

// overflow is the part of the checks that another width of the window can change, on the
// page as it stands.
const overflow = `(() => {
	const width = document.documentElement.clientWidth, over = document.documentElement.scrollWidth
	if (over <= width + 1) return ""
	const e = [...document.querySelectorAll("body *")].find(e => e.getBoundingClientRect().right > width + 1 && e.getClientRects().length && !e.closest("pre, .wide, svg"))
	return over + " px wide in a window of " + width + (e ? ": " + e.tagName.toLowerCase() + "." + e.className + " «" + e.textContent.trim().slice(0, 40) + "»" : "")
})()`

// fits fails the test if the page that is open does not fit windows of some widths. It does
// not load the page again, and leaves the window as the look has it.
func (x *tab) fits(path string, l look, widths []int64) {
	x.Helper()
	if len(widths) == 0 {
		return
	}
	for _, width := range widths {
		x.resize(width, usualHeight)
		if bad := ask[string](x, "look at the page in another width", overflow); bad != "" {
			x.Errorf("%s is %s", path, bad)
			x.shot(fmt.Sprintf("failed-%d/%s", width, called(path)))
		}
	}
	x.resize(l.width, l.height)
}

// resize gives the window another size.
func (x *tab) resize(width, height int64) {
	x.Helper()
	if width == 0 {
		width, height = usualWidth, usualHeight
	}
	x.do(fmt.Sprintf("a window of %d px", width),
		call(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1}))
}
