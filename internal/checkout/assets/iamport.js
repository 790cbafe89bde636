// The script of API V1: window.IMP. What it takes and answers is in docs/checkout.md;
// windows are opened and minded by window.js.

let userCode = "", tierCode = ""

// failure is a rsp that says why nothing was paid. Either script of V1 that shops know has
// its own word for success: both are there.
const failure = (params, code, message, impUID) => ({
  success: false, imp_success: false, error_code: code, error_msg: message,
  imp_uid: impUID || null, merchant_uid: (params || {}).merchant_uid, pay_method: (params || {}).pay_method, status: "failed",
})

// callOf is what begin needs to know for a payment; it refuses what can only be a mistake
// of the shop's page.
function callOf(params, kind) {
  const wrong = what => trouble("BadRequest", what)
  if (!userCode) throw wrong("IMP.init(userCode) comes first")
  if (!params || typeof params !== "object") throw wrong("the first argument must be an object")
  const amount = typeof params.amount === "string" && params.amount.trim() ? Number(params.amount) : params.amount
  if (!Number.isFinite(amount)) throw wrong("amount must be a number")
  const phone = onPhone()
  const container = kind === "UI" ? document.querySelector(".portone-ui-container") : null
  if (kind === "UI" && !container) throw wrong("the page has no element of class portone-ui-container")
  return {
    kind: kind || (phone && params.m_redirect_url ? "REDIRECTION" : params.popup === true ? "POPUP" : "IFRAME"),
    container,
    quiet: kind === "UI",
    body: { sdk: "v1", userCode, tierCode, request: Object.assign({}, params, { amount }) },
    words: wordsFor(params.language),
    failed: (said, code, message) => failure(params, code, message, said.txId),
  }
}

// pay opens a window, and calls back once; not at all if the shop's page went elsewhere
// for it, as V1 has it.
function pay(params, callback, kind) {
  const refused = e => failure(params, e.code || "Unknown", e.message)
  let result
  try {
    result = begin(callOf(params, kind)).catch(refused)
  } catch (e) {
    result = Promise.resolve(refused(e))
  }
  result.then(rsp => { if (rsp && typeof callback === "function") callback(rsp) })
}

// unimplemented is a function that there is, and that says why it does nothing.
const unimplemented = (name, instead) => (params, callback) => {
  const rsp = failure(params, "Unimplemented", `IMP.${name} is not available on this server. ${instead}`)
  if (typeof callback === "function") Promise.resolve().then(() => callback(rsp))
}

let drawn = null // the callback of the UI

const SDK = {
  init(code) { userCode = String(code || ""); tierCode = "" },
  agency(code, tier) { userCode = String(code || ""); tierCode = String(tier || "") },
  request_pay(params, callback) { pay(params, callback) },
  loadUI(type, params, callback) { drawn = callback; pay(params, callback, "UI") },
  updateLoadUIRequest(type, params) { pay(params, drawn, "UI") },
  // close ends the window that is open, as if the buyer had closed it.
  close() { if (modal) modal.end("gone") },
  certification: unimplemented("certification", "Use the service that verifies identities directly."),
  naver_zzim: unimplemented("naver_zzim", "Naver's own script does it."),
}
Object.defineProperty(SDK, "origin", { value: ORIGIN })

// Loaded twice, the first stays: a window of its may be open.
if (!window.IMP || window.IMP.origin !== ORIGIN) window.IMP = SDK
