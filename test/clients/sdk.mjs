// The calls of @portone/server-sdk, in the order of a merchant's day.
import assert from "node:assert/strict"
import { test } from "node:test"
import { PortOneClient } from "@portone/server-sdk"
import { channel, deposit, muted, order, refundAccount, secret, store, until, url } from "./town.mjs"

const client = PortOneClient({ secret, baseUrl: url })
const { auth, payment } = client
// What a merchant with several stores writes.
const ofStore = PortOneClient({ secret, baseUrl: url, storeId: store }).payment

const status = async (paymentId) => (await payment.getPayment({ paymentId })).status

test("login and refresh", async () => {
  const first = await auth.loginViaApiSecret({ apiSecret: secret })
  assert(first.accessToken && first.refreshToken)
  const second = await auth.refreshToken({ refreshToken: first.refreshToken })
  assert.notEqual(second.accessToken, first.accessToken)
  const answer = await fetch(new URL("/payments", url), { headers: { Authorization: `Bearer ${second.accessToken}` } })
  assert.equal(answer.status, 200)
})

test("an account is issued and paid into", async () => {
  assert.deepEqual(await payment.preRegisterPayment({ paymentId: "order-1", totalAmount: 11000, currency: "KRW" }), {})
  const { payment: issued } = await payment.payInstantly(order("order-1", { customData: '{"a":1}', productCount: 1 }))
  assert(issued.pgTxId && !Number.isNaN(Date.parse(issued.paidAt)))
  const waiting = await payment.getPayment({ paymentId: "order-1" })
  assert.equal(waiting.status, "VIRTUAL_ACCOUNT_ISSUED")
  assert.equal(waiting.method.type, "PaymentMethodVirtualAccount")
  assert.equal(waiting.method.bank, "SHINHAN")
  assert.match(waiting.method.accountNumber, /^\w+$/)
  assert(Date.parse(waiting.method.expiredAt) > Date.now())
  assert.deepEqual(
    [waiting.id, waiting.storeId, waiting.version, waiting.orderName, waiting.currency, waiting.customData],
    ["order-1", store, "V2", "책 한 권", "KRW", '{"a":1}'],
  )
  assert.deepEqual([waiting.amount.total, waiting.amount.taxFree, waiting.amount.paid], [11000, 1000, 0])
  assert.deepEqual([waiting.customer.name, waiting.customer.email], ["홍길동", "hong@example.com"])
  assert.deepEqual([waiting.channel.type, waiting.channel.key, waiting.channel.pgProvider], ["TEST", channel, "TOSSPAYMENTS"])

  await deposit("order-1")
  await until("the deposit", async () => (await status("order-1")) === "PAID")
  const paid = await payment.getPayment({ paymentId: "order-1", storeId: store })
  assert.equal(paid.amount.paid, 11000)
  assert.equal(paid.method.accountNumber, waiting.method.accountNumber)
  assert.deepEqual(paid.disputes, [])
  assert(Date.parse(paid.paidAt) >= Date.parse(paid.requestedAt))
})

test("no answer holds a null, and times are UTC", async () => {
  const text = JSON.stringify(await payment.getPayment({ paymentId: "order-1" }))
  assert.doesNotMatch(text, /:null/)
  for (const [, at] of text.matchAll(/At":"([^"]*)"/g)) assert.match(at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)
})

test("a part goes back, and then the rest", async () => {
  const first = await payment.cancelPayment({
    paymentId: "order-1", amount: 3000, taxFreeAmount: 1000, currentCancellableAmount: 11000, reason: "변심", refundAccount,
  })
  assert.deepEqual(
    [first.cancellation.status, first.cancellation.totalAmount, first.cancellation.taxFreeAmount, first.cancellation.reason],
    ["SUCCEEDED", 3000, 1000, "변심"],
  )
  const part = await payment.getPayment({ paymentId: "order-1" })
  assert.deepEqual([part.status, part.amount.cancelled, part.method.refundStatus], ["PARTIAL_CANCELLED", 3000, "PENDING"])
  assert.equal(part.cancellations[0].id, first.cancellation.id)
  const { cancellation } = await ofStore.cancelPayment({ paymentId: "order-1", reason: "변심", refundAccount })
  assert.equal(cancellation.totalAmount, 8000)
  const whole = await payment.getPayment({ paymentId: "order-1" })
  assert.deepEqual([whole.status, whole.amount.cancelled, whole.cancellations.length], ["CANCELLED", 11000, 2])
  assert(Date.parse(whole.cancelledAt))
})

test("an account is closed, and another issued", async () => {
  await payment.payInstantly(order("order-2"))
  const { closedAt } = await payment.closeVirtualAccount({ paymentId: "order-2" })
  assert(Date.parse(closedAt))
  const closed = await payment.getPayment({ paymentId: "order-2" })
  assert.equal(closed.status, "FAILED")
  assert(closed.failure && Date.parse(closed.failedAt))
  await payment.payInstantly(order("order-2"))
  assert.equal(await status("order-2"), "VIRTUAL_ACCOUNT_ISSUED")
  const { items } = await payment.getPaymentTransactions({ paymentId: "order-2" })
  assert.deepEqual(items.map((t) => t.status).sort(), ["FAILED", "VIRTUAL_ACCOUNT_ISSUED"])
})

test("a payment's id may hold anything", async () => {
  const paymentId = "주문 #3/가 나"
  await payment.payInstantly(order(paymentId))
  assert.equal((await payment.getPayment({ paymentId })).id, paymentId)
  await payment.closeVirtualAccount({ paymentId })
})

test("an answer of the PG that is lost is looked up", async () => {
  await muted(() => assert.rejects(payment.payInstantly(order("order-4")), (e) => e.data.pgCode === "UNCLEAR"))
  await until("the account", async () => (await status("order-4")) === "VIRTUAL_ACCOUNT_ISSUED")
})

test("lists, by page and by cursor", async () => {
  const { items, page } = await payment.getPayments({ page: { number: 0, size: 2 }, filter: { storeId: store } })
  assert.deepEqual([items.length, page.number, page.size, page.totalCount], [2, 0, 2, 4])
  const rest = await payment.getPayments({ page: { number: 1, size: 2 } })
  assert.equal(new Set([...items, ...rest.items].map((p) => p.id)).size, 4)
  const cancelled = await payment.getPayments({ filter: { status: ["CANCELLED"], isTest: true } })
  assert.deepEqual(cancelled.items.map((p) => p.id), ["order-1"])
  assert.equal((await payment.getPayments()).page.totalCount, 4)

  const seen = []
  for (let cursor; ; ) {
    const { items } = await ofStore.getAllPaymentsByCursor({ cursor, size: 3 })
    if (items.length === 0) break
    seen.push(...items.map((i) => i.payment.id))
    cursor = items.at(-1).cursor
  }
  assert.deepEqual(seen, ["order-1", "order-2", "주문 #3/가 나", "order-4"])
  const events = await payment.getAllPaymentEventsByCursor()
  assert.deepEqual(events.items.map((i) => i.paymentEvent.type), ["PAID", "PARTIAL_CANCELLED", "CANCELLED"])
})
