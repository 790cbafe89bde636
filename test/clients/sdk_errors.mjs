// Every error that @portone/server-sdk knows of the calls that the program
// answers: each is either had here, or named below with the reason why not.
import assert from "node:assert/strict"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import { createRequire } from "node:module"
import { dirname } from "node:path"
import { after, test } from "node:test"
import { Auth, Payment, PortOneClient, PortOneError } from "@portone/server-sdk"
import * as town from "./town.mjs"

const { deposit, muted, order, refundAccount, store, until, url } = town
const { auth, payment } = PortOneClient({ secret: town.secret, baseUrl: url })
const stranger = PortOneClient({ secret: "nobody-has-this-secret", baseUrl: url })
const { billingKey: keys, paymentSchedule: schedules, cashReceipt: receipts } = payment
const classes = { ...Auth, ...Payment, ...Payment.BillingKey, ...Payment.PaymentSchedule, ...Payment.CashReceipt }

/** What was had: "Class TYPE". */
const had = new Set()

/** A call must fail with the SDK's own class and PortOne's type. */
async function fails(name, type, call) {
  await assert.rejects(call, (e) => {
    assert(e instanceof classes[name], `${name} ${type}: ${e.stack}`)
    assert(e instanceof PortOneError)
    assert.equal(e.data.type, type, `${name}: ${JSON.stringify(e.data)}`)
    assert.equal(typeof e.data.message, "string")
    if (type === "PG_PROVIDER") assert(e.data.pgCode && typeof e.data.pgMessage === "string")
    had.add(`${name} ${type}`)
    return true
  })
}

/** The calls about one payment, by the name of their error. */
const calls = (p) => ({
  GetPaymentError: (o) => p.getPayment(o),
  GetPaymentTransactionsError: (o) => p.getPaymentTransactions(o),
  PreRegisterPaymentError: (o) => p.preRegisterPayment({ totalAmount: 1000, ...o }),
  PayInstantlyError: (o) => p.payInstantly(order("", o)),
  CloseVirtualAccountError: (o) => p.closeVirtualAccount(o),
  CancelPaymentError: (o) => p.cancelPayment({ reason: "변심", ...o }),
  StopPaymentCancellationError: (o) => p.stopPaymentCancellation({ cancellationId: "none", ...o }),
  ResendWebhookError: (o) => p.resendWebhook(o),
  CapturePaymentError: (o) => p.capturePayment(o),
  ConfirmPaymentError: (o) => p.confirmPayment({ paymentToken: "none", ...o }),
  ConfirmEscrowError: (o) => p.confirmEscrow(o),
  ApplyEscrowLogisticsError: (o) => p.applyEscrowLogistics(o),
  ModifyEscrowLogisticsError: (o) => p.modifyEscrowLogistics(o),
  RegisterStoreReceiptError: (o) => p.registerStoreReceipt({ items: [], ...o }),
  PayWithBillingKeyError: (o) => p.payWithBillingKey({ ...town.keyPayment("none"), ...o }),
  CreatePaymentScheduleError: ({ storeId, ...o }) =>
    p.paymentSchedule.createPaymentSchedule({ payment: town.keyPayment("none", { storeId }), timeToPay: town.inSeconds(60), ...o }),
  IssueCashReceiptError: (o) => p.cashReceipt.issueCashReceipt({ channelKey: town.channel, ...o }),
  CancelCashReceiptError: (o) => p.cashReceipt.cancelCashReceiptByPaymentId(o),
  GetCashReceiptError: (o) => p.cashReceipt.getCashReceiptByPaymentId(o),
})

/** The calls about billing keys and schedules. */
const keyCalls = (p) => ({
  IssueBillingKeyError: (o) => issueKey(town.cards.good, o, p),
  GetBillingKeyInfoError: (o) => p.billingKey.getBillingKeyInfo({ billingKey: "none", ...o }),
  DeleteBillingKeyError: (o) => p.billingKey.deleteBillingKey({ billingKey: "none", ...o }),
  GetPaymentScheduleError: (o) => p.paymentSchedule.getPaymentSchedule({ paymentScheduleId: "none", ...o }),
  RevokePaymentSchedulesError: (o) => p.paymentSchedule.revokePaymentSchedules({ scheduleIds: ["none"], ...o }),
})
const issueKey = (number, more, p = payment) =>
  p.billingKey.issueBillingKey({ channelKey: town.cardChannel, method: { card: town.card(number) }, ...more })

const listCalls = (p) => ({
  GetPaymentsError: (o) => p.getPayments({ filter: o }),
  GetAllPaymentsError: (o) => p.getAllPaymentsByCursor(o),
  GetAllPaymentEventsError: (o) => p.getAllPaymentEventsByCursor(o),
  GetBillingKeyInfosError: (o) => p.billingKey.getBillingKeyInfos({ filter: o }),
  GetPaymentSchedulesError: (o) => p.paymentSchedule.getPaymentSchedules({ filter: o }),
})

const everyCall = (p) => ({ ...calls(p), ...keyCalls(p), ...listCalls(p) })

// A shop that answers every webhook well, and keeps what it was told.
const told = []
const shop = createServer(async (request, answer) => {
  const parts = []
  for await (const part of request) parts.push(part)
  told.push(Buffer.concat(parts).toString())
  answer.end()
}).listen(0, "127.0.0.1")
await once(shop, "listening")
after(() => shop.close())

test("a secret that nobody has", async () => {
  for (const [name, call] of Object.entries(everyCall(stranger.payment)))
    await fails(name, "UNAUTHORIZED", () => call({ paymentId: "order-1" }))
  await fails("GetCashReceiptsError", "UNAUTHORIZED", () => stranger.payment.cashReceipt.getCashReceipts())
  await fails("LoginViaApiSecretError", "UNAUTHORIZED", () => auth.loginViaApiSecret({ apiSecret: "nobody-has-this-secret" }))
  await fails("RefreshTokenError", "UNAUTHORIZED", () => auth.refreshToken({ refreshToken: "none" }))
})

test("another merchant's store", async () => {
  for (const [name, call] of Object.entries(everyCall(payment)))
    await fails(name, "FORBIDDEN", () => call({ paymentId: "order-1", storeId: town.otherStore }))
})

test("what is no request", async () => {
  await fails("LoginViaApiSecretError", "INVALID_REQUEST", () => auth.loginViaApiSecret({}))
  await fails("RefreshTokenError", "INVALID_REQUEST", () => auth.refreshToken({}))
  for (const [name, call] of Object.entries(calls(payment)))
    await fails(name, "INVALID_REQUEST", () => call({ paymentId: "x".repeat(5000) }))
  await fails("GetCashReceiptsError", "INVALID_REQUEST", () => receipts.getCashReceipts())
  await fails("IssueBillingKeyError", "INVALID_REQUEST", () => issueKey("", { method: {} }))
  await fails("RevokePaymentSchedulesError", "INVALID_REQUEST", () => schedules.revokePaymentSchedules())
  await fails("GetBillingKeyInfosError", "INVALID_REQUEST", () => keys.getBillingKeyInfos({ page: { number: -1 } }))
  await fails("GetPaymentSchedulesError", "INVALID_REQUEST", () => schedules.getPaymentSchedules({ page: { number: -1 } }))
  await fails("GetPaymentsError", "INVALID_REQUEST", () => payment.getPayments({ page: { number: -1 } }))
  await fails("GetAllPaymentsError", "INVALID_REQUEST", () => payment.getAllPaymentsByCursor({ size: 100_000 }))
  await fails("GetAllPaymentEventsError", "INVALID_REQUEST", () => payment.getAllPaymentEventsByCursor({ from: "yesterday" }))
  await fails("PayInstantlyError", "INVALID_REQUEST", () => payment.payInstantly(order("order-1", { currency: "WON" })))
  await fails("CancelPaymentError", "INVALID_REQUEST", () => payment.cancelPayment({ paymentId: "order-1" }))
})

test("a payment that is not there", async () => {
  const begins = ["PreRegisterPaymentError", "PayInstantlyError", "PayWithBillingKeyError", "CreatePaymentScheduleError"]
  for (const [name, call] of Object.entries(calls(payment)))
    if (!begins.includes(name) && !name.includes("CashReceipt")) await fails(name, "PAYMENT_NOT_FOUND", () => call({ paymentId: "order-9" }))
  await fails("CancelCashReceiptError", "CASH_RECEIPT_NOT_FOUND", () => receipts.cancelCashReceiptByPaymentId({ paymentId: "order-9" }))
  await fails("GetCashReceiptError", "CASH_RECEIPT_NOT_FOUND", () => receipts.getCashReceiptByPaymentId({ paymentId: "order-9" }))
})

test("an account that cannot be issued", async () => {
  const fresh = (more) => () => payment.payInstantly(order("order-2", more))
  await fails("PayInstantlyError", "CHANNEL_NOT_FOUND", fresh({ channelKey: "channel-key-00000000-0000-4000-8000-00000000000f" }))
  await fails("PayInstantlyError", "SUM_OF_PARTS_EXCEEDS_TOTAL_AMOUNT", fresh({ amount: { total: 1000, taxFree: 900, vat: 200 } }))
  await fails("PayInstantlyError", "PG_PROVIDER", fresh({ channelKey: town.wrongChannel }))
  for (let n = 1; n < 50; n++) await assert.rejects(fresh({ channelKey: town.wrongChannel }))
  await fails("PayInstantlyError", "MAX_TRANSACTION_COUNT_REACHED", fresh())
})

/** What PortOne does to paid payments alone, and nothing here does. */
const onPaid = ["CapturePaymentError", "ConfirmEscrowError", "ApplyEscrowLogisticsError", "ModifyEscrowLogisticsError", "RegisterStoreReceiptError"]

test("what can be done to paid payments alone", async () => {
  await payment.payInstantly(order("order-5"))
  for (const name of onPaid) await fails(name, "PAYMENT_NOT_PAID", () => calls(payment)[name]({ paymentId: "order-5" }))
  await fails("ConfirmPaymentError", "INVALID_PAYMENT_TOKEN", () => payment.confirmPayment({ paymentId: "order-5", paymentToken: "none" }))
  await fails("CancelCashReceiptError", "CASH_RECEIPT_NOT_ISSUED", () => receipts.cancelCashReceiptByPaymentId({ paymentId: "order-5" }))
  const channelKey = "channel-key-00000000-0000-4000-8000-00000000000f"
  await fails("IssueCashReceiptError", "CHANNEL_NOT_FOUND", () => receipts.issueCashReceipt({ paymentId: "order-5", channelKey }))
})

test("an account that cannot be closed", async () => {
  await payment.payInstantly(order("order-3"))
  await muted(() => fails("CloseVirtualAccountError", "PG_PROVIDER", () => payment.closeVirtualAccount({ paymentId: "order-3" })))
})

test("a payment that cannot be cancelled", async () => {
  await town.endpoint("가게", `url = "http://127.0.0.1:${shop.address().port}/"`)
  const paymentId = "order-1"
  const cancel = (more) => () => payment.cancelPayment({ paymentId, reason: "변심", refundAccount, ...more })
  await payment.payInstantly(order(paymentId))
  await fails("CancelPaymentError", "PAYMENT_NOT_PAID", cancel())
  await deposit(paymentId)
  await until("the deposit", async () => (await payment.getPayment({ paymentId })).status === "PAID")
  await fails("PayInstantlyError", "ALREADY_PAID", () => payment.payInstantly(order(paymentId)))
  await fails("ConfirmPaymentError", "ALREADY_PAID", () => payment.confirmPayment({ paymentId, paymentToken: "none" }))
  await fails("PreRegisterPaymentError", "ALREADY_PAID", () => payment.preRegisterPayment({ paymentId, totalAmount: 1 }))
  await fails("CloseVirtualAccountError", "PAYMENT_NOT_WAITING_FOR_DEPOSIT", () => payment.closeVirtualAccount({ paymentId }))

  await fails("CancelPaymentError", "INVALID_REQUEST", cancel({ refundAccount: undefined }))
  await fails("CancelPaymentError", "CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT", cancel({ amount: 11001 }))
  await fails("CancelPaymentError", "CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN", cancel({ currentCancellableAmount: 1 }))
  await fails("CancelPaymentError", "SUM_OF_PARTS_EXCEEDS_CANCEL_AMOUNT", cancel({ amount: 900, taxFreeAmount: 800, vatAmount: 200 }))
  await fails("CancelPaymentError", "CANCEL_TAX_FREE_AMOUNT_EXCEEDS_CANCELLABLE_TAX_FREE_AMOUNT", cancel({ amount: 2000, taxFreeAmount: 1001 }))
  await fails("CancelPaymentError", "CANCEL_TAX_AMOUNT_EXCEEDS_CANCELLABLE_TAX_AMOUNT", cancel({ amount: 10500, taxFreeAmount: 0 }))

  const { cancellation } = await cancel({ amount: 1000 })()
  const stop = (cancellationId) => () => payment.stopPaymentCancellation({ paymentId, cancellationId })
  await fails("StopPaymentCancellationError", "PAYMENT_CANCELLATION_NOT_FOUND", stop("none"))
  await fails("StopPaymentCancellationError", "PAYMENT_CANCELLATION_NOT_PENDING", stop(cancellation.id))
  // While the PG's answer is lost, its outcome is open.
  await muted(async () => {
    const open = await cancel({ amount: 1000 })()
    assert.equal(open.cancellation.status, "REQUESTED")
    await fails("StopPaymentCancellationError", "PG_PROVIDER", stop(open.cancellation.id))
  })
  await until("the cancellation", async () => (await payment.getPayment({ paymentId })).amount.cancelled === 2000)
  await cancel()()
  await fails("CancelPaymentError", "PAYMENT_ALREADY_CANCELLED", cancel())
})

test("a cancellation that the PG refuses", async () => {
  const paymentId = "order-4"
  await payment.payInstantly(order(paymentId))
  await deposit(paymentId)
  await until("the deposit", async () => (await payment.getPayment({ paymentId })).status === "PAID")
  for (const name of onPaid) await fails(name, "INVALID_REQUEST", () => calls(payment)[name]({ paymentId }))
  await town.refund(paymentId) // at the PG's own page, which tells nobody
  await fails("CancelPaymentError", "PG_PROVIDER", () => payment.cancelPayment({ paymentId, reason: "변심", refundAccount }))
})

test("a webhook that cannot be sent again", async () => {
  const paymentId = "order-1"
  await fails("ResendWebhookError", "WEBHOOK_NOT_FOUND", () => payment.resendWebhook({ paymentId, webhookId: "whk_none" }))
  for (let n = 0; n < 100; n++) await payment.resendWebhook({ paymentId })
  await fails("ResendWebhookError", "MAX_WEBHOOK_RETRY_COUNT_REACHED", () => payment.resendWebhook({ paymentId }))
})

/** The billing key that an endpoint was told of as failed. */
const failedKey = () => told.map((text) => JSON.parse(text)).find((e) => e.type === "BillingKey.Failed")?.data.billingKey

test("a billing key that cannot be had", async () => {
  const channelKey = "channel-key-00000000-0000-4000-8000-00000000000f"
  await fails("IssueBillingKeyError", "CHANNEL_NOT_FOUND", () => issueKey(town.cards.good, { channelKey }))
  await fails("IssueBillingKeyError", "PG_PROVIDER", () => issueKey(town.cards.declined))
  const billingKey = await until("BillingKey.Failed", failedKey)
  await fails("DeleteBillingKeyError", "BILLING_KEY_NOT_ISSUED", () => keys.deleteBillingKey({ billingKey }))
  await fails("GetBillingKeyInfoError", "BILLING_KEY_NOT_FOUND", () => keys.getBillingKeyInfo({ billingKey: "none" }))
  await fails("DeleteBillingKeyError", "BILLING_KEY_NOT_FOUND", () => keys.deleteBillingKey({ billingKey: "none" }))
  await fails("RevokePaymentSchedulesError", "BILLING_KEY_NOT_FOUND", () => schedules.revokePaymentSchedules({ billingKey: "none" }))
})

test("a billing key that cannot be charged, or scheduled", async () => {
  const keyOf = async (number) => (await issueKey(number)).billingKeyInfo.billingKey
  const [good, poor, gone] = [await keyOf(town.cards.good), await keyOf(town.cards.poor), await keyOf(town.cards.good)]
  await keys.deleteBillingKey({ billingKey: gone })
  const pay = (paymentId, key, more) => () => payment.payWithBillingKey({ paymentId, ...town.keyPayment(key, more) })
  const plan = (paymentId, key, more) => () =>
    schedules.createPaymentSchedule({ paymentId, payment: town.keyPayment(key, more), timeToPay: town.inSeconds(3600) })
  const parts = { amount: { total: 1000, taxFree: 900, vat: 200 } }
  for (const [name, does] of [["PayWithBillingKeyError", pay], ["CreatePaymentScheduleError", plan]]) {
    await fails(name, "BILLING_KEY_NOT_FOUND", does("key-1", "none"))
    await fails(name, "BILLING_KEY_ALREADY_DELETED", does("key-1", gone))
    await fails(name, "SUM_OF_PARTS_EXCEEDS_TOTAL_AMOUNT", does("key-1", good, parts))
  }
  const channelKey = "channel-key-00000000-0000-4000-8000-00000000000f"
  await fails("PayWithBillingKeyError", "CHANNEL_NOT_FOUND", pay("key-1", good, { channelKey }))
  await fails("PayWithBillingKeyError", "PG_PROVIDER", pay("key-1", poor))
  for (let n = 1; n < 50; n++) await assert.rejects(pay("key-1", poor))
  await fails("PayWithBillingKeyError", "MAX_TRANSACTION_COUNT_REACHED", pay("key-1", good))
  await pay("key-2", good)()
  await fails("PayWithBillingKeyError", "ALREADY_PAID", pay("key-2", good))
  await fails("CreatePaymentScheduleError", "ALREADY_PAID_OR_WAITING", plan("key-2", good))
  await fails("DeleteBillingKeyError", "BILLING_KEY_ALREADY_DELETED", () => keys.deleteBillingKey({ billingKey: gone }))
  await fails("RevokePaymentSchedulesError", "BILLING_KEY_ALREADY_DELETED", () => schedules.revokePaymentSchedules({ billingKey: gone }))
})

test("a scheduled payment that stands in the way, or is over", async () => {
  const { billingKey } = (await issueKey(town.cards.good)).billingKeyInfo
  const plan = (paymentId, timeToPay) => schedules.createPaymentSchedule({ paymentId, payment: town.keyPayment(billingKey), timeToPay })
  const revoke = (id) => () => schedules.revokePaymentSchedules({ scheduleIds: [id] })
  const { schedule } = await plan("plan-1", town.inSeconds(3600))
  await fails("CreatePaymentScheduleError", "PAYMENT_SCHEDULE_ALREADY_EXISTS", () => plan("plan-1", town.inSeconds(3600)))
  await fails("PayInstantlyError", "PAYMENT_SCHEDULE_ALREADY_EXISTS", () => payment.payInstantly(order("plan-1")))
  await fails("PayWithBillingKeyError", "PAYMENT_SCHEDULE_ALREADY_EXISTS", () =>
    payment.payWithBillingKey({ paymentId: "plan-1", ...town.keyPayment(billingKey) }))
  await fails("DeleteBillingKeyError", "PAYMENT_SCHEDULE_ALREADY_EXISTS", () => keys.deleteBillingKey({ billingKey }))
  await fails("GetPaymentScheduleError", "PAYMENT_SCHEDULE_NOT_FOUND", () => schedules.getPaymentSchedule({ paymentScheduleId: "none" }))
  await fails("RevokePaymentSchedulesError", "PAYMENT_SCHEDULE_NOT_FOUND", revoke("none"))
  await revoke(schedule.id)()
  await fails("RevokePaymentSchedulesError", "PAYMENT_SCHEDULE_ALREADY_REVOKED", revoke(schedule.id))
  const soon = (await plan("plan-2", town.inSeconds(1))).schedule
  await until("the payment", async () => (await schedules.getPaymentSchedule({ paymentScheduleId: soon.id })).status === "SUCCEEDED")
  await fails("RevokePaymentSchedulesError", "PAYMENT_SCHEDULE_ALREADY_PROCESSED", revoke(soon.id))
})

/** Calls that the program does not serve: the SDK's class, and a type that says so. */
const notServed = {
  ConfirmBillingKeyError: () => keys.confirmBillingKey({ billingIssueToken: "none" }),
  ConfirmBillingKeyIssueAndPayError: () => keys.confirmBillingKeyIssueAndPay({ billingIssueToken: "none", paymentId: "order-1" }),
}

test("what is not served", async () => {
  for (const [name, call] of Object.entries(notServed)) await fails(name, "METHOD_NOT_ALLOWED", call)
})

/** What never comes, of any call or of one, and why. */
const never = {
  DISCOUNT_AMOUNT_EXCEEDS_TOTAL_AMOUNT: "there are no promotions",
  PROMOTION_PAY_METHOD_DOES_NOT_MATCH: "there are no promotions",
  NEGATIVE_PROMOTION_ADJUSTED_CANCEL_AMOUNT: "there are no promotions",
  PROMOTION_DISCOUNT_RETAIN_OPTION_SHOULD_NOT_BE_CHANGED: "there are no promotions",
  CHANNEL_SPECIFIC: "a billing key is of one channel",
  "ConfirmPaymentError INFORMATION_MISMATCH": "no payment waits to be approved by hand",
  "IssueCashReceiptError CASH_RECEIPT_ALREADY_ISSUED": "Toss, which is played here, tells of no receipt with a deposit",
  "GetCashReceiptsError FORBIDDEN": "no list of receipts is looked for",
  "GetBillingKeyInfoError INVALID_REQUEST": "what is no key is not there",
  "DeleteBillingKeyError INVALID_REQUEST": "what is no key is not there",
  "GetPaymentScheduleError INVALID_REQUEST": "what is no schedule is not there",
  "DeleteBillingKeyError PG_PROVIDER": "the PG that is played here deletes every key",
}
for (const name of ["IssueCashReceipt", "CancelCashReceipt", "CapturePayment", "ConfirmPayment", "RegisterStoreReceipt", "ConfirmEscrow", "ApplyEscrowLogistics", "ModifyEscrowLogistics"])
  never[`${name}Error PG_PROVIDER`] = "no PG is asked"

test("nothing that the SDK knows is left out", () => {
  const sdk = dirname(createRequire(import.meta.url).resolve("@portone/server-sdk"))
  for (const part of ["auth", "payment", "payment/billingKey", "payment/paymentSchedule", "payment/cashReceipt"]) {
    const text = readFileSync(`${sdk}/generated/${part}/client.d.ts`, "utf8")
    const known = [...text.matchAll(/declare class (\w+) extends \w+ \{\s*readonly data: ([^{]*)\{/g)]
    assert(known.length > 1)
    for (const [, name, union] of known) {
      if (name in notServed) continue
      for (const [, word] of union.matchAll(/(\w+)Error\b/g)) {
        const type = word.replace(/(?!^)([A-Z])/g, "_$1").toUpperCase()
        assert.notEqual(had.has(`${name} ${type}`), type in never || `${name} ${type}` in never, `${name} ${type}`)
      }
    }
  }
})
