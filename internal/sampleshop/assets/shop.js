// The page of an order: it opens the payment window, and shows what becomes of the order.
const form = document.getElementById("pay"), says = document.getElementById("says")

form.addEventListener("submit", async e => {
  e.preventDefault()
  const chosen = new FormData(form)
  const request = JSON.parse(form.dataset.request)
  const by = form.querySelector("[name=payMethod]:checked").dataset
  request.payMethod = by.payMethod
  request.channelKey = by.channel
  const type = chosen.get("windowType")
  if (type) request.windowType = { pc: type, mobile: type }
  say("")
  let end
  try {
    // In the click itself, with nothing waited for before: browsers let a popup open only there.
    end = await window.PortOne.requestPayment(request)
  } catch (error) {
    if (error.code === "FailedPrecondition") return // a window is open: that one goes on
    end = { code: error.code, message: error.code ? error.message : form.dataset.away }
  }
  if (!end) return // the page is being left: the buyer comes back to redirectUrl
  if (end.code) say(end.message)
  // What the page hears is no proof: the shop's server reads the payment.
  await fetch(form.dataset.check, { method: "POST" })
})

function say(text) {
  says.textContent = text
  says.hidden = !text
}

// The server says when the order has changed; the page is then asked for anew, of which
// two parts are shown. Whatever the buyer has chosen in the form stays.
let asked = 0
async function draw() {
  const turn = ++asked
  const answer = await fetch(form.dataset.page, { cache: "no-store" })
  if (!answer.ok || turn !== asked) return
  const now = new DOMParser().parseFromString(await answer.text(), "text/html")
  for (const id of ["live", "did"]) document.getElementById(id).replaceWith(now.getElementById(id))
  form.hidden = now.getElementById("pay").hidden
}
const live = document.getElementById("live")
new EventSource(live.dataset.news).onmessage = e => {
  if (e.data !== document.getElementById("live").dataset.version) draw().catch(() => {}) // the next news draws it
}
