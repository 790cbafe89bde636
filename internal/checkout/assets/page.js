// What the buyer's page does beyond its forms: it tells the shop's page when it is done,
// copies the account number, counts down, and sees that the money came.
const body = document.body
const { origin, end, state, version } = body.dataset
// Who opened a window that is no frame is the shop's page only if that asked for a popup.
const shop = parent !== window ? parent : body.dataset.window === "POPUP" ? opener : null

// The shop's page is told that there is something to ask the server about, and nothing more.
function tell(type, more) {
  if (!shop || !origin) return false
  try {
    shop.postMessage(Object.assign({ tongbo: "checkout", type, txId: body.dataset.tx }, more), origin)
    return true
  } catch {
    return false // it went elsewhere
  }
}
let high = 0
function height() {
  const h = document.documentElement.scrollHeight
  if (h !== high) tell("height", { height: high = document.querySelector(".box").getBoundingClientRect().bottom + scrollY })
}
height()
new ResizeObserver(height).observe(body)
// The shop's page has seen by then that its frame loaded something, and hears that it is this.
addEventListener("load", () => setTimeout(() => { high = 0; height() }, 500))

// What is new on the page is said to whoever hears it: what is wrong with a form, or what
// came about. Nobody is called away from the shop's page for that.
if (document.hasFocus()) (document.getElementById("mistakes") ?? document.querySelector("h1[tabindex]"))?.focus()

if (end) {
  // A window of its own whose opener is gone goes on to the shop by itself.
  const on = document.getElementById("on")
  if (!tell(end) && on && parent === window) location.replace(on.href)
}

addEventListener("message", e => {
  if (e.source === shop && e.origin === origin && e.data?.tongbo === "checkout" && e.data.type === "leave") away()
})
addEventListener("keydown", e => { if (e.key === "Escape" && parent !== window) away() })

// away is what the buyer's wish to leave means on this page.
const away = () => (document.getElementById("leave") ?? document.getElementById("done"))?.requestSubmit()

// A form is sent once: the second press of a button finds it off.
for (const f of document.forms) {
  f.addEventListener("submit", e => {
    if (f.dataset.sent) return e.preventDefault()
    f.dataset.sent = "1"
    for (const b of document.querySelectorAll("button")) b.setAttribute("aria-disabled", "true")
    const b = f.querySelector("button[data-busy]")
    if (b) b.textContent = b.dataset.busy
  })
}
addEventListener("pageshow", e => { if (e.persisted) location.reload() })

for (const b of document.querySelectorAll("[data-copies]")) {
  b.hidden = false
  b.onclick = async () => {
    const from = document.getElementById(b.dataset.copies), was = b.textContent
    try {
      await navigator.clipboard.writeText(from.dataset.copy)
    } catch {
      return getSelection().selectAllChildren(from)
    }
    b.textContent = b.dataset.copied
    setTimeout(() => { b.textContent = was }, 1500)
  }
}

// A cash receipt asks for a number only where there is one to give.
const receipts = document.querySelectorAll("[name=receipt]")
const receiptID = document.getElementById("receipt-id")
function receipt() {
  receiptID.hidden = ![...receipts].some(r => r.checked && r.value)
}
if (receiptID) {
  receipts.forEach(r => { r.onchange = receipt })
  receipt()
}

const pad = n => String(n).padStart(2, "0")
function countdown() {
  for (const e of document.querySelectorAll("[data-until]")) {
    const left = Math.max(0, Math.floor((Date.parse(e.dataset.until) - Date.now()) / 1000))
    if (left < 86400) e.textContent = `${pad(Math.floor(left / 3600))}:${pad(Math.floor(left / 60) % 60)}:${pad(left % 60)}`
  }
}
countdown()
setInterval(countdown, 1000)

// look asks whether anything changed, while somebody sees the page.
async function look() {
  if (!document.hidden) {
    try {
      const r = await fetch(`${state}?seen=${encodeURIComponent(version)}`, { cache: "no-store", credentials: "omit" })
      if (r.ok && await r.text() !== version) return location.reload()
      if (r.ok) return look() // the server waited
    } catch {} // the server is away: the next look may find it
  }
  setTimeout(look, 2000)
}
if (state) {
  document.getElementById("still")?.remove()
  setTimeout(look, 2000)
}
