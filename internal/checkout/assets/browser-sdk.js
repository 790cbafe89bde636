// The browser SDK of API V2: window.PortOne, as @portone/browser-sdk calls it. What it takes
// and answers is in docs/checkout.md; windows are opened and minded by window.js.

// asError is e in the form in which @portone/browser-sdk knows its errors again.
function asError(kind, transactionType, e, more) {
  return Object.assign(e, { name: kind, __portOneErrorType: kind, transactionType, code: e.code || "Unknown" }, more)
}

// check refuses what can only be a mistake of the shop's page, before anything is opened.
function check(request, texts) {
  const wrong = what => trouble("BadRequest", what)
  if (!request || typeof request !== "object") throw wrong("the request must be an object")
  for (const name of texts) {
    if (typeof request[name] !== "string" || !request[name]) throw wrong(`${name} is missing`)
  }
  if (!Number.isSafeInteger(request.totalAmount)) throw wrong("totalAmount must be a whole number, in the currency's smallest unit")
  if (!request.channelKey && !request.channelGroupId) throw wrong("channelKey is missing")
}

// kindOf says what kind of window a payment gets on this device.
function kindOf(request) {
  const phone = onPhone()
  const kind = (request.windowType || {})[phone ? "mobile" : "pc"] || (phone && request.redirectUrl ? "REDIRECTION" : "IFRAME")
  if (!["IFRAME", "POPUP", "REDIRECTION", "UI"].includes(kind)) throw trouble("BadRequest", `there is no windowType ${kind}: it is IFRAME, POPUP, REDIRECTION or UI`)
  if ((kind === "REDIRECTION" || request.forceRedirect) && !request.redirectUrl) throw trouble("BadRequest", "redirectUrl is missing: the buyer is to be sent there")
  return kind
}

// callOf is what begin needs to know for a request.
function callOf(request, kind) {
  const container = kind === "UI" ? document.querySelector(".portone-ui-container") : null
  if (kind === "UI" && !container) throw trouble("BadRequest", "the page has no element of class portone-ui-container")
  return {
    kind,
    container,
    body: { sdk: "v2", request },
    words: wordsFor(request.locale),
    dim: (request.iframe || {}).dim,
    failed: (said, code, message) => ({ transactionType: "PAYMENT", txId: said.txId, paymentId: request.paymentId, code, message }),
  }
}

function requestPayment(request) {
  try {
    check(request, ["storeId", "paymentId", "orderName", "currency", "payMethod"])
    return begin(callOf(request, kindOf(request))).catch(e => { throw asError("PaymentError", "PAYMENT", e, { paymentId: request.paymentId }) })
  } catch (e) {
    return Promise.reject(asError("PaymentError", "PAYMENT", e, { paymentId: (request || {}).paymentId }))
  }
}

// The outcomes after which the buyer may want to try again: the UI stays.
const AGAIN = ["PAYMENT_CANCELLED", "PGProviderError"]
let listeners = null // of the UI that is drawn

// loadPaymentUI resolves when the UI is drawn; what comes of it goes to the callbacks.
function loadPaymentUI(request, callbacks) {
  const told = callbacks || {}
  const ended = result => {
    if (!result) return
    if (!result.code) {
      if (told.onPaymentSuccess) told.onPaymentSuccess(result)
      return
    }
    if (told.onPaymentFail) told.onPaymentFail(asError("PaymentError", "PAYMENT", trouble(result.code, result.message), result))
    if (AGAIN.includes(result.code) && !embedded && listeners === callbacks) load().catch(e => { if (told.onPaymentFail) told.onPaymentFail(e) })
  }
  const load = () => new Promise((resolve, reject) => {
    let drawn = false
    const shown = () => { drawn = true; resolve() }
    const failed = e => {
      const error = asError("LoadPaymentUIError", "PAYMENT", e)
      if (drawn && told.onPaymentFail) told.onPaymentFail(error)
      reject(error)
    }
    try {
      check(request, ["storeId", "paymentId", "orderName", "currency"])
      begin(Object.assign(callOf(request, "UI"), { shown, quiet: true })).then(result => { resolve(); ended(result) }, failed)
      listeners = callbacks
    } catch (e) {
      failed(e)
    }
  })
  return load()
}

// updateLoadPaymentUIRequest draws the UI anew, for another request.
function updateLoadPaymentUIRequest(request) {
  if (embedded) return loadPaymentUI(request, listeners)
  return Promise.reject(asError("LoadPaymentUIError", "PAYMENT", trouble("FailedPrecondition", "no payment UI is loaded: call loadPaymentUI first")))
}

// unimplemented is a method that there is, and that says why it does nothing.
const unimplemented = (name, kind, transactionType, instead) => () => Promise.reject(
  asError(kind, transactionType, trouble("Unimplemented", `${name} is not available on this server. ${instead}`)))

const KEYS = "Register billing keys by the REST API: POST /billing-keys."
const SDK = {
  requestPayment,
  requestIssueBillingKey: unimplemented("requestIssueBillingKey", "IssueBillingKeyError", "ISSUE_BILLING_KEY", KEYS),
  requestIssueBillingKeyAndPay: unimplemented("requestIssueBillingKeyAndPay", "IssueBillingKeyAndPayError", "ISSUE_BILLING_KEY_AND_PAY", KEYS),
  requestIdentityVerification: unimplemented("requestIdentityVerification", "IdentityVerificationError", "IDENTITY_VERIFICATION", "Use the service that verifies identities directly."),
  loadPaymentUI,
  loadIssueBillingKeyUI: unimplemented("loadIssueBillingKeyUI", "LoadIssueBillingKeyUIError", "ISSUE_BILLING_KEY", KEYS),
  updateLoadPaymentUIRequest,
  updateLoadIssueBillingKeyUIRequest: unimplemented("updateLoadIssueBillingKeyUIRequest", "LoadIssueBillingKeyUIError", "ISSUE_BILLING_KEY", KEYS),
}
Object.defineProperty(SDK, "origin", { value: ORIGIN })

// Loaded twice, the first stays: a window of its may be open.
if (!window.PortOne || window.PortOne.origin !== ORIGIN) window.PortOne = SDK
