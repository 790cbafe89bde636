// Payment windows: the part that both scripts share. It stands in the same function as
// browser-sdk.js or iamport.js, below the constants ORIGIN (where this server is) and WORDS.
//
// A window is shown by a *view* (popup, overlay, inline, redirection). What came of it is
// read from the server, at the address `result`; a message of the page only says that it
// is time to ask. So no other page or script can say that something was paid.

const PATIENCE = 30000 // for an answer, in milliseconds
const PAUSES = [1000, 2000, 4000, 8000, 15000] // before trying again what had no answer
const SHY = 10000 // a page not heard of for so long gets a button to close it
const HELLO = 2000 // what a frame loads says that it is there within so long
const LIFE = 30 * 60 // seconds that a window lives, unless the server says otherwise
const LOOK = 300 // between looks whether a window is still there

let modal = null // the window that is open; there is one at a time
let embedded = null // the one that is part of the page

const on = (target, type, f) => { target.addEventListener(type, f); return () => target.removeEventListener(type, f) }
const pause = ms => new Promise(done => setTimeout(done, ms))
const style = (e, styles) => { Object.assign(e.style, styles) } // not as an attribute, which a shop's CSP may refuse

function trouble(code, message) {
  const e = new Error(message)
  e.code = code
  return e
}

function wordsFor(locale) {
  const tag = String(locale || document.documentElement.lang || navigator.language || "ko").toLowerCase()
  return tag.startsWith("ko") ? WORDS.ko : WORDS.en
}

function onPhone() {
  const d = navigator.userAgentData
  return d ? d.mobile : /Android|iPhone|iPod|Mobile/.test(navigator.userAgent)
}

// ask makes one request. It rejects if no answer came; body is null if it is no JSON.
async function ask(url, options, patience) {
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), patience || PATIENCE)
  try {
    const r = await fetch(url, Object.assign({ credentials: "omit", cache: "no-store", signal: abort.signal }, options))
    return { status: r.status, body: await r.json().catch(() => null) }
  } finally {
    clearTimeout(timer)
  }
}

// register tells the server of a window to be opened, and returns where it is.
async function register(text, words) {
  let got
  try {
    got = await ask(ORIGIN + "/checkout/requests", { method: "POST", headers: { "Content-Type": "application/json" }, body: text })
  } catch {
    throw trouble("Unavailable", words.unreachable)
  }
  const said = got.body || {}
  if (got.status !== 200 || !said.page) throw trouble(said.code || "UnknownError", said.message || `${ORIGIN} answered ${got.status}`)
  return said
}

// leave tells the server that the buyer is gone. What that means is for the server to say;
// where it would send a buyer on to is not gone to.
const leave = said => ask(said.page + "/leave", { method: "POST", redirect: "manual", keepalive: true }, PATIENCE / 3).catch(() => {})

// outcome reads what came of a window, however often that needs asking. It returns what
// the server says, {result, redirect?}, or what call makes of there being no answer. A
// server that does not know yet that the buyer is gone is told again.
async function outcome(call, said, until, state) {
  for (let tries = 0; ;) {
    const over = Date.now() > until
    const got = await ask(said.result + "?wait=" + (over ? 0 : 20), {}, 2 * PATIENCE).catch(() => ({ status: 0 }))
    const body = got.body || {}
    if (got.status === 200 && body.state === "ended") return body
    if (got.status === 200 && body.state === "open") {
      if (over) return { result: call.failed(said, "Unavailable", call.words.unknown) } // its buyer acted, else it had ended
      tries = 0
      if (state.gone) await leave(said)
    } else if (got.status >= 400 && got.status < 500 && got.status !== 408 && got.status !== 429) {
      return { result: call.failed(said, body.code || "NotFound", body.message || call.words.unknown) }
    } else if (++tries > PAUSES.length) {
      return { result: call.failed(said, "Unavailable", call.words.unknown) }
    }
    await pause(PAUSES[Math.max(0, tries - 1)])
  }
}

// popup is a window of its own, or null where the browser allows none.
function popup(call) {
  const width = Math.min(480, screen.availWidth), height = Math.min(760, screen.availHeight)
  const left = Math.max(0, Math.round(screenX + (outerWidth - width) / 2)), top = Math.max(0, Math.round(screenY + (outerHeight - height) / 2))
  let w = null
  try {
    w = window.open("", "_blank", `popup,width=${width},height=${height},left=${left},top=${top}`)
    if (!w || w.closed) return null
    w.document.title = call.words.window
    w.document.body.textContent = call.words.opening
  } catch {
    if (!w) return null
  }
  return {
    kind: "POPUP",
    page: () => w,
    show: url => w.location.replace(url),
    gone: () => w.closed,
    focus: () => w.focus(),
    close: () => { w.close(); window.focus() },
  }
}

function iframe(call, url) {
  const f = document.createElement("iframe")
  f.title = call.words.window
  f.allow = "clipboard-write"
  if (window.crossOriginIsolated) f.credentialless = true
  style(f, { border: "0", width: "100%", display: "block", background: "#fff", colorScheme: "normal" })
  f.src = url
  return f
}

// overlay lies over the whole page: all of it on a phone, a box in the middle elsewhere.
// As a modal dialog it is above everything, and the page below cannot be reached; browsers
// of before 2022 have none, and get a box that calls the focus back.
function overlay(call) {
  const before = document.activeElement, root = document.documentElement, scroll = root.style.overflow
  const dialog = typeof HTMLDialogElement === "function"
  const box = document.createElement(dialog ? "dialog" : "div")
  if (!dialog) box.setAttribute("role", "dialog")
  box.setAttribute("aria-modal", "true")
  box.setAttribute("aria-label", call.words.window)
  box.tabIndex = -1
  style(box, {
    position: "fixed", top: "0", left: "0", width: "100%", height: "100%", maxWidth: "none", maxHeight: "none", boxSizing: "border-box",
    margin: "0", padding: "0", border: "0", outline: "0", overflow: "hidden", zIndex: "2147483647", display: "flex",
    alignItems: "center", justifyContent: "center", color: "#fff", font: "15px sans-serif", background: call.dim === false ? "transparent" : "rgba(15,18,22,.6)",
  })
  const note = box.appendChild(document.createElement("span"))
  note.setAttribute("role", "status")
  note.textContent = call.words.opening
  let frame = null, high = 720, done = false, out = null
  const fit = () => {
    const phone = innerWidth < 720
    if (frame) style(frame, { width: phone ? "100%" : "480px", height: phone ? "100%" : Math.min(high, innerHeight * .94) + "px", borderRadius: phone ? "0" : "10px" })
  }
  const view = {
    kind: "IFRAME",
    framed: true,
    page: () => frame && frame.contentWindow,
    show(url) {
      note.remove()
      frame = box.appendChild(iframe(call, url))
      fit()
      frame.addEventListener("load", () => { frame.focus(); view.loads() })
    },
    height: h => { high = Math.max(320, h); fit() },
    gone: () => !box.isConnected || !!frame && !frame.isConnected,
    focus: () => (frame || box).focus(),
    // stuck adds a way out where the page itself offers none, and takes it away again.
    stuck(yes) {
      if (yes === !!out) return
      if (!yes) {
        out.remove()
        out = null
        return
      }
      out = box.appendChild(document.createElement("button"))
      out.type = "button"
      out.textContent = call.words.close
      style(out, { position: "absolute", top: "8px", right: "8px", minHeight: "40px", padding: "0 16px", border: "1px solid #868e9c", borderRadius: "6px", background: "#fff", color: "#1b1f27", font: "inherit" })
      out.onclick = () => view.asks()
    },
    close() {
      done = true
      unsize()
      untrap()
      if (dialog && box.open) box.close()
      box.remove()
      root.style.overflow = scroll
      if (before && before.isConnected && before.focus) before.focus({ preventScroll: true })
    },
    asks() {}, // what happens when the buyer wants to leave, and when the frame has loaded
    loads() {}, // something: mind puts them here
  }
  const unsize = on(window, "resize", fit)
  // What is no dialog lets the focus go below.
  const untrap = dialog ? () => {} : on(document, "focusin", e => { if (!box.contains(e.target)) view.focus() })
  box.addEventListener("keydown", e => {
    if (e.key !== "Escape") return
    e.preventDefault()
    view.asks()
  })
  box.addEventListener("cancel", e => { e.preventDefault(); view.asks() }) // a phone's back gesture
  box.addEventListener("close", () => { // a browser may close it without asking
    if (done || !box.isConnected) return
    box.showModal()
    view.asks()
  })
  root.style.overflow = "hidden"
  ;(document.body || root).appendChild(box)
  if (dialog) box.showModal()
  box.focus()
  return view
}

// inline is drawn into an element of the shop's page, as high as its content.
function inline(call) {
  let frame = null, closed = false
  return {
    kind: "UI",
    framed: true,
    page: () => frame && frame.contentWindow,
    show(url) {
      frame = iframe(call, url)
      frame.style.height = "320px"
      call.container.textContent = ""
      call.container.appendChild(frame)
    },
    height: h => { frame.style.height = Math.min(Math.max(h, 40), 4000) + "px" },
    gone: () => closed || !call.container.isConnected || !!frame && !frame.isConnected,
    focus: () => frame && frame.focus(),
    close: () => { closed = true; if (frame) frame.remove() },
  }
}

// redirection takes the whole page to the window; the server sends the buyer back.
const redirection = () => ({
  kind: "REDIRECTION", page: () => null, show: url => location.assign(url), gone: () => false, focus() {}, close() {},
})

function viewOf(kind, call) {
  switch (kind) {
    case "POPUP": return popup(call) || overlay(call)
    case "REDIRECTION": return redirection()
    case "UI": return inline(call)
  }
  return overlay(call)
}

// mind watches over a window that is shown, and resolves when it is time to ask what came
// of it: "told" (the page says so), "gone" (nobody looks at it any more), "late", "lost"
// (nobody can see whether it is there), "dropped" (the shop wants another).
function mind(state, said, until) {
  const view = state.view, home = new URL(said.page, ORIGIN).origin, shown = Date.now()
  return new Promise((resolve, reject) => {
    // A frame may come to show what is not the page, such as the browser's own words for a
    // server that is away. Nobody can look into it, but the page says that it is there.
    let told = 0, loaded = 0
    const heard = () => told > 0 && (told >= loaded || Date.now() < loaded + HELLO)
    const undo = []
    const end = why => { undo.forEach(f => f()); resolve(why) }
    state.end = end
    view.loads = () => { loaded = Date.now() }
    view.asks = () => {
      if (heard()) view.page().postMessage({ tongbo: "checkout", type: "leave" }, home)
      else end("gone")
    }
    undo.push(on(window, "message", e => {
      const m = e.data
      if (e.origin !== home || !e.source || e.source !== view.page() || !m || m.tongbo !== "checkout") return
      told = Date.now()
      if (m.type === "ended" || m.type === "left") end("told")
      else if (m.type === "height" && view.height && m.height > 0) view.height(m.height)
    }))
    undo.push(on(window, "pageshow", e => { if (e.persisted && view.kind === "REDIRECTION") end("gone") })) // Back was pressed
    undo.push(on(window, "pagehide", e => { if (!e.persisted && view.framed) navigator.sendBeacon(said.page + "/leave") }))
    undo.push(on(document, "securitypolicyviolation", e => {
      if (!view.framed || e.disposition !== "enforce" || e.effectiveDirective !== "frame-src" || !e.blockedURI.startsWith(home)) return
      leave(said)
      reject(trouble("PermissionDenied", `this page's Content-Security-Policy refuses the payment window: add ${home} to frame-src`))
      end("gone")
    }))
    const timer = setInterval(() => {
      const now = Date.now()
      if (view.gone()) {
        // A page with Cross-Origin-Opener-Policy sees its popup as closed as soon as it shows
        // something. Whether the buyer closed it, only the server can learn then.
        end(view.kind === "POPUP" && !told ? "lost" : "gone")
      } else if (now > until) {
        end("late")
      } else if (view.kind === "REDIRECTION" && now > shown + 2 * PATIENCE) {
        end("gone") // the browser stayed here
      } else if (view.stuck) {
        view.stuck(!heard() && now > Math.max(shown, loaded) + SHY)
      }
    }, LOOK)
    undo.push(() => clearInterval(timer))
  })
}

// begin opens a window for call and resolves with what came of it; with undefined if the
// shop's page goes elsewhere for that, or wanted another window. It rejects if there never
// was a window. It is to be called in the buyer's click, since a popup that is opened later
// would be blocked.
//
//   kind       IFRAME, POPUP, REDIRECTION or UI
//   body       what the server is told
//   words      of the buyer's language
//   dim        false: the page below is not darkened
//   container  of a UI: the element that it is drawn into
//   failed     makes a result of (what the server said, code, message)
//   shown      called when the window is there
//   quiet      true: if the shop takes the window away, nobody wants to hear of it
function begin(call) {
  const ui = call.kind === "UI"
  const other = ui ? embedded : modal
  if (other && !ui && !other.weak) {
    other.view.focus()
    return Promise.reject(trouble("FailedPrecondition", "a payment window is open already: this call opened none"))
  }
  if (other) other.end(ui ? "dropped" : "gone")
  const state = { view: null, weak: false, gone: false, early: "", end(why) { state.early = why } }
  try {
    state.view = viewOf(call.kind, call)
    call.text = JSON.stringify(Object.assign({ window: state.view.kind }, call.body))
  } catch (e) {
    if (state.view) state.view.close()
    return Promise.reject(trouble("BadRequest", `the request cannot be sent: ${e.message}`))
  }
  if (ui) embedded = state
  else modal = state
  return carry(call, state).finally(() => {
    state.view.close()
    if (modal === state) modal = null
    if (embedded === state) embedded = null
  })
}

// carry is the life of a window, from the request to the outcome.
async function carry(call, state) {
  const said = await register(call.text, call.words)
  const until = Date.now() + (said.expiresIn || LIFE) * 1000
  if (said.window !== state.view.kind && !(said.window === "UI" && !call.container)) {
    state.view.close()
    state.view = viewOf(said.window, call)
  }
  let why = state.early || "gone"
  if (!state.early && !state.view.gone()) {
    const watch = mind(state, said, until)
    state.weak = state.view.kind === "REDIRECTION"
    state.view.show(said.page)
    if (call.shown) call.shown()
    why = await watch
  }
  if (why === "gone" && call.quiet) why = "dropped"
  state.weak = why === "lost"
  state.gone = why === "gone"
  state.end = () => { state.gone = true; leave(said) } // and outcome hears of it
  if (why === "gone" || why === "late") state.view.close() // the shop's page is free again
  if (why === "gone" || why === "dropped") await leave(said)
  if (why === "dropped") return undefined
  const out = await outcome(call, said, until, state)
  if (!out.redirect) return out.result
  location.assign(out.redirect)
  return undefined
}
