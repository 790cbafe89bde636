package browser

import (
	"strings"
)

// checks is a script that looks for what is wrong with a page as it is laid out: what is
// wider than the window, what cannot be read, what has no name. It returns a list of
// complaints.
const checks = `(() => {
	const bad = []
	const name = e => e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") + (e.className && typeof e.className === "string" ? "." + e.className.split(" ").join(".") : "") + " «" + (e.textContent || "").trim().slice(0, 40) + "»"
	const shown = e => { const s = getComputedStyle(e), r = e.getBoundingClientRect(); return s.visibility !== "hidden" && s.display !== "none" && r.width > 0 && r.height > 0 && !e.closest("[hidden]") && (!e.closest("details:not([open])") || e.tagName === "SUMMARY") }
	const width = document.documentElement.clientWidth
	if (document.documentElement.scrollWidth > width + 1) {
		bad.push("the page is " + document.documentElement.scrollWidth + " px wide in a window of " + width)
		for (const e of document.querySelectorAll("body *"))
			if (e.getBoundingClientRect().right > width + 1 && shown(e) && !e.closest("pre, .wide, svg")) { bad.push("too wide: " + name(e)); break }
	}
	if (document.querySelectorAll("h1").length !== 1) bad.push(document.querySelectorAll("h1").length + " h1")
	if (!document.documentElement.lang) bad.push("no lang")
	const ids = new Set()
	for (const e of document.querySelectorAll("[id]")) { if (ids.has(e.id)) bad.push("twice: #" + e.id); ids.add(e.id) }
	for (const e of document.querySelectorAll("input:not([type=hidden]), select, textarea"))
		if (shown(e) && !e.labels?.length && !e.getAttribute("aria-label") && !e.getAttribute("aria-labelledby")) bad.push("no label: " + name(e) + " " + e.name)
	for (const e of document.querySelectorAll("a, button, summary"))
		if (shown(e) && !(e.textContent.trim() || e.getAttribute("aria-label"))) bad.push("no name: " + name(e))
	for (const e of document.querySelectorAll("[aria-describedby], [aria-labelledby]"))
		for (const a of ["aria-describedby", "aria-labelledby"])
			for (const id of (e.getAttribute(a) || "").split(" ").filter(Boolean)) if (!document.getElementById(id)) bad.push(a + " names nothing: " + id)
	for (const e of document.querySelectorAll("label[for]")) if (!document.getElementById(e.htmlFor)) bad.push("label for nothing: " + e.htmlFor)
	for (const e of document.querySelectorAll("img")) if (!e.hasAttribute("alt")) bad.push("no alt: " + e.src)
	for (const e of document.querySelectorAll("svg")) if (!e.closest("[aria-hidden=true]") && !e.querySelector("title")) bad.push("svg without title")
	for (const e of document.querySelectorAll("button, .button, input, select, summary")) {
		const r = e.getBoundingClientRect()
		if (shown(e) && e.type !== "hidden" && (r.height < 20 || r.width < 20)) bad.push("too small (" + Math.round(r.width) + "x" + Math.round(r.height) + "): " + name(e))
	}
	const missing = document.body.innerText.match(/\b(?:frame|page|nav|state|form|home|payments?|notices?|deliver(?:y|ies)|endpoints?|channels?|settings|members?|account|audit|right|failed|calltest|doctor|attention|keys|signature|events|simulator|listen|requests|search|system|replay)\.[a-z_]+(?:\.[a-zA-Z_]+)*\b/g)
	if (missing) bad.push("texts that are missing: " + [...new Set(missing)].filter(x => !/\.(kr|com|html|js|go|toml|md|json|example|txt)$/.test(x)).join(" "))
	// Contrast of every text against what is behind it.
	const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true })
	const rgba = c => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data] }
	const lum = c => { const f = c.slice(0, 3).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * f[0] + 0.7152 * f[1] + 0.0722 * f[2] }
	const behind = e => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] > 250) return c } return rgba(getComputedStyle(document.body).backgroundColor) }
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
	const told = new Set()
	while (walk.nextNode()) {
		const e = walk.currentNode.parentElement
		if (!walk.currentNode.data.trim() || !shown(e) || e.closest("svg, script, option, dialog:not([open]), :disabled, .disabled, .skip, .hidden")) continue
		const a = lum(rgba(getComputedStyle(e).color)), b = lum(behind(e))
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
		if (ratio < 4.5 && !told.has(e.className)) { told.add(e.className); bad.push("contrast " + ratio.toFixed(1) + ": " + name(e)) }
	}
	return bad.map(x => location.pathname + ": " + x).filter(x => !x.endsWith("texts that are missing: "))
})()`

// sound fails the test with what is wrong with the page as it is laid out.
func (x *tab) sound() {
	x.Helper()
	for _, c := range ask[[]string](x, "look at the page", checks) {
		if !strings.HasSuffix(c, "missing: ") {
			x.Errorf("%s", c)
		}
	}
	x.quiet()
}
