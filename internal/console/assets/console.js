// What scripts add to pages that work without them: live updates, keys, copy buttons.
const body = document.body
const says = document.getElementById("says")?.dataset ?? {}

// Copy buttons stand beside what they copy.
function copies(root) {
  for (const b of root.querySelectorAll("[data-copies]")) {
    b.hidden = false
    b.onclick = () => copy(b.parentElement.querySelector("[data-copy]"), b)
  }
}
async function copy(from, button) {
  if (!from) return
  const text = from.dataset.copy || from.textContent
  try {
    await navigator.clipboard.writeText(text)
  } catch {
    getSelection().selectAllChildren(from)
    return
  }
  if (!button) return
  const was = button.textContent
  button.textContent = says.copied
  setTimeout(() => { button.textContent = was }, 1500)
}
copies(document)
document.getElementById("mistakes")?.focus()
const menu = document.getElementById("menu")
if (menu && matchMedia("(max-width:719px)").matches) menu.open = false

// Times to come count down, and times past grow old, in the page's own words: the server
// writes them again with each update, so only seconds are counted here.
const pad = n => String(n).padStart(2, "0")
function countdown() {
  for (const e of document.querySelectorAll("[data-until]")) {
    const left = Math.max(0, Math.floor((Date.parse(e.dataset.until) - Date.now()) / 1000))
    e.textContent = left >= 86400 ? e.textContent : `${pad(Math.floor(left / 3600))}:${pad(Math.floor(left / 60) % 60)}:${pad(left % 60)}`
  }
}
countdown()
setInterval(countdown, 1000)
// same tells whether two parts of a page differ by no more than how long ago something was.
const still = e => {
  const c = e.cloneNode(true)
  for (const x of c.querySelectorAll("[data-until],[data-ago]")) x.textContent = ""
  return c.innerHTML
}
const same = (a, b) => a.innerHTML === b.innerHTML || still(a) === still(b)

// Live. The stream tells that something was written; the page asks for its content again
// and takes over what differs. Rows that are being read stay where they are.
const topics = body.dataset.topics
const dot = document.getElementById("live")
let paused = sessionStorage.getItem("paused") === "1"
let source, lastBeat, timer, busy = false, again = false

function show(state) {
  if (!dot) return
  dot.hidden = false
  dot.textContent = dot.dataset[state]
}
function connect() {
  if (!topics || paused || source) return
  const [, , store, mode] = body.dataset.base.split("/")
  source = new EventSource(`/console/stream?${new URLSearchParams({ topics, store, mode, since: body.dataset.since })}`)
  const alive = () => { lastBeat = Date.now(); show("liveOn") }
  source.onopen = alive
  source.addEventListener("beat", alive)
  source.addEventListener("news", () => { alive(); soon() })
  source.addEventListener("reset", () => { alive(); stale() })
  // Another page of this browser may be getting its new session just now.
  source.addEventListener("gone", () => { close(); setTimeout(() => location.reload(), 1000) })
  source.onerror = () => show("liveAgain")
}
function close() { source?.close(); source = undefined }
function stale() {
  const p = document.createElement("p")
  p.className = "warning"
  p.textContent = says.stale + " "
  const a = document.createElement("a")
  a.href = location.href
  a.textContent = says.reload
  p.append(a)
  document.getElementById("content")?.prepend(p)
}
function soon() {
  again = true
  if (!timer && !busy) timer = setTimeout(update, 150)
}
async function update() {
  timer = undefined; again = false; busy = true
  try {
    const r = await fetch(location.href, { headers: { Fragment: "content" }, credentials: "same-origin", redirect: "error" })
    if (!r.ok) return
    const fresh = new DOMParser().parseFromString(await r.text(), "text/html")
    for (const e of document.querySelectorAll("[data-live]")) {
      const n = e.id && fresh.getElementById(e.id)
      if (!n) continue
      if (e.hasAttribute("data-rows")) rows(e, n)
      else if (!same(e, n) && !e.contains(document.activeElement)) put(e, n)
    }
  } catch {
    show("liveAgain")
  } finally {
    busy = false
    if (again) timer = setTimeout(update, 700)
  }
}
function put(e, n) {
  e.replaceWith(n)
  n.classList.add("tint")
  copies(n)
}
// rows changes the rows that are there, and keeps new ones behind a button.
function rows(e, n) {
  const list = e.tBodies?.[0] ?? e, next = n.tBodies?.[0] ?? n
  const have = new Map([...list.children].filter(x => x.id).map(x => [x.id, x]))
  const news = []
  for (const row of [...next.children]) {
    const old = have.get(row.id)
    if (!old) { if (row.id) news.push(row) } else if (!same(old, row)) put(old, row)
  }
  const id = e.id + "-new"
  let b = document.getElementById(id)
  if (!news.length) { b?.remove(); return }
  if (!have.size) { list.replaceChildren(...next.children); return }
  if (!b) {
    b = document.createElement("button")
    b.id = id
    b.className = "pill"
    const box = document.createElement("div")
    box.setAttribute("aria-live", "polite")
    box.append(b)
    e.before(box)
  }
  b.textContent = says.new.replace("%n", news.length)
  b.onclick = () => {
    for (const row of news.reverse()) { list.prepend(row); row.classList.add("tint"); copies(row) }
    b.remove()
  }
}
function pause() {
  paused = !paused
  sessionStorage.setItem("paused", paused ? "1" : "0")
  if (paused) { close(); show("liveOff") } else { connect(); soon() }
}
if (topics) {
  paused ? show("liveOff") : connect()
  setInterval(() => { if (source && Date.now() - lastBeat > 40000) show("liveAgain") }, 5000)
  addEventListener("pagehide", close)
  addEventListener("pageshow", e => { if (e.persisted) { connect(); soon() } })
}

// Keys, unless they are switched off. None does anything while something is typed.
let go = 0, at = -1
const typing = e => e.target.closest("input,textarea,select,[contenteditable]")
function key(e) {
  if (e.ctrlKey || e.metaKey || e.altKey || typing(e)) return
  const k = e.key
  if (go && Date.now() - go < 1500) {
    go = 0
    document.querySelector(`.nav a[data-key="${CSS.escape(k)}"]`)?.click()
    return
  }
  const table = [...document.querySelectorAll("table.rows tbody tr")]
  const move = d => {
    if (!table.length) return
    table[at]?.classList.remove("at")
    at = Math.min(table.length - 1, Math.max(0, at + d))
    table[at].classList.add("at")
    table[at].scrollIntoView({ block: "nearest" })
  }
  const act = {
    "/": () => document.getElementById("q")?.focus(),
    g: () => { go = Date.now() },
    j: () => move(1),
    k: () => move(-1),
    Enter: () => { if (e.target === body || e.target.id === "main") table[at]?.querySelector("a")?.click() },
    r: () => document.querySelector('main [data-key="r"]')?.click(),
    y: () => copy(document.querySelector("main [data-copy]"), document.querySelector("main [data-copies]")),
    m: () => document.querySelector(".modes a:not([aria-current])")?.click(),
    ".": () => { if (topics) pause() },
    "?": () => document.getElementById("keys")?.showModal(),
  }[k]
  if (!act) return
  if (k !== "Enter") e.preventDefault()
  act()
}
if (body.hasAttribute("data-keys")) addEventListener("keydown", key)
if (dot) dot.onclick = () => { if (topics) pause() }
