// Cards, billing keys and scheduled payments with @portone/server-sdk, on a test
// channel whose PG the program plays.
import assert from "node:assert/strict"
import { test } from "node:test"
import { PortOneClient } from "@portone/server-sdk"
import { card, cardChannel, cardOrder, cards, inSeconds, keyPayment, secret, store, until, url } from "./town.mjs"

const { payment } = PortOneClient({ secret, baseUrl: url })
const { billingKey: keys, paymentSchedule: schedules } = payment

const becomes = (paymentId, status) =>
  until(`${paymentId} ${status}`, async () => {
    const got = await payment.getPayment({ paymentId })
    return got.status === status && got
  })
const issue = (number, more = {}) => keys.issueBillingKey({ channelKey: cardChannel, method: { card: card(number) }, ...more })

test("a card is charged, and the money goes back", async () => {
  const { payment: charged } = await payment.payInstantly(cardOrder("card-1", cards.good))
  assert(charged.pgTxId && Date.parse(charged.paidAt))
  const paid = await payment.getPayment({ paymentId: "card-1" })
  assert.deepEqual([paid.status, paid.amount.paid, paid.method.type, paid.method.card.brand], ["PAID", 11000, "PaymentMethodCard", "VISA"])
  assert(paid.method.approvalNumber)
  assert(!JSON.stringify(paid).includes(cards.good))
  await payment.cancelPayment({ paymentId: "card-1", amount: 1000, reason: "변심" })
  await payment.cancelPayment({ paymentId: "card-1", reason: "변심" })
  assert.equal((await payment.getPayment({ paymentId: "card-1" })).status, "CANCELLED")
})

test("a card is declined, and another taken", async () => {
  await assert.rejects(payment.payInstantly(cardOrder("card-2", cards.poor)), (e) => e.data.pgCode === "TRIAL_INSUFFICIENT_FUNDS")
  const failed = await payment.getPayment({ paymentId: "card-2" })
  assert.deepEqual([failed.status, failed.failure.pgCode], ["FAILED", "TRIAL_INSUFFICIENT_FUNDS"])
  await payment.payInstantly(cardOrder("card-2", cards.good))
  await becomes("card-2", "PAID")
})

test("a charge whose answer is lost is looked up", async () => {
  await assert.rejects(payment.payInstantly(cardOrder("card-3", cards.lost)), (e) => e.data.pgCode === "UNCLEAR")
  assert.equal((await payment.getPayment({ paymentId: "card-3" })).status, "PAY_PENDING")
  await becomes("card-3", "PAID")
})

test("a billing key is issued, charged, listed and deleted", async () => {
  const { billingKeyInfo } = await issue(cards.good, { customer: { name: { full: "홍길동" } }, customData: "구독자 7" })
  const { billingKey } = billingKeyInfo
  assert(billingKey && Date.parse(billingKeyInfo.issuedAt))
  const info = await keys.getBillingKeyInfo({ billingKey })
  assert.deepEqual([info.status, info.billingKey, info.storeId, info.customData], ["ISSUED", billingKey, store, "구독자 7"])
  assert.deepEqual([info.methods[0].type, info.channels[0].key, info.customer.name], ["BillingKeyPaymentMethodCard", cardChannel, "홍길동"])
  const { payment: charged } = await payment.payWithBillingKey({ paymentId: "sub-1", ...keyPayment(billingKey) })
  assert(charged.pgTxId && Date.parse(charged.paidAt))
  const paid = await payment.getPayment({ paymentId: "sub-1" })
  assert.deepEqual([paid.status, paid.billingKey, paid.amount.total], ["PAID", billingKey, 9900])
  const listed = await keys.getBillingKeyInfos({ page: { number: 0, size: 10 }, filter: { status: ["ISSUED"] } })
  assert.deepEqual([listed.page.totalCount, listed.items[0].billingKey], [1, billingKey])
  const { deletedAt } = await keys.deleteBillingKey({ billingKey, reason: "해지" })
  assert(Date.parse(deletedAt))
  assert.equal((await keys.getBillingKeyInfo({ billingKey })).status, "DELETED")
})

test("scheduled payments are made, or revoked", async () => {
  const { billingKey } = (await issue(cards.good)).billingKeyInfo
  const at = (paymentId, timeToPay) => schedules.createPaymentSchedule({ paymentId, payment: keyPayment(billingKey), timeToPay })
  const later = [await at("month-2", inSeconds(3600)), await at("month-3", inSeconds(7200))].map((s) => s.schedule.id)
  const waiting = await schedules.getPaymentSchedule({ paymentScheduleId: later[0] })
  assert.deepEqual(
    [waiting.status, waiting.paymentId, waiting.billingKey, waiting.totalAmount, waiting.currency],
    ["SCHEDULED", "month-2", billingKey, 9900, "KRW"],
  )
  const list = await schedules.getPaymentSchedules({ filter: { until: inSeconds(86_400), billingKey } })
  assert.equal(list.page.totalCount, 2)
  const { revokedScheduleIds } = await schedules.revokePaymentSchedules({ scheduleIds: [later[0]] })
  assert.deepEqual(revokedScheduleIds, [later[0]])
  assert.deepEqual((await schedules.revokePaymentSchedules({ billingKey })).revokedScheduleIds.includes(later[1]), true)
  assert.equal((await schedules.getPaymentSchedule({ paymentScheduleId: later[1] })).status, "REVOKED")

  const { schedule } = await at("month-1", inSeconds(1))
  await until("the first payment", () => payment.getPayment({ paymentId: "month-1" }).catch(() => null))
  const paid = await becomes("month-1", "PAID")
  assert.deepEqual([paid.scheduleId, paid.billingKey], [schedule.id, billingKey])
  assert.equal((await schedules.getPaymentSchedule({ paymentScheduleId: schedule.id })).status, "SUCCEEDED")
})

test("a scheduled payment that is declined", async () => {
  const { billingKey } = (await issue(cards.poor)).billingKeyInfo
  const { schedule } = await schedules.createPaymentSchedule({ paymentId: "month-4", payment: keyPayment(billingKey), timeToPay: inSeconds(1) })
  await until("the payment", () => payment.getPayment({ paymentId: "month-4" }).catch(() => null))
  const failed = await becomes("month-4", "FAILED")
  assert.equal(failed.failure.pgCode, "TRIAL_INSUFFICIENT_FUNDS")
  assert.equal((await schedules.getPaymentSchedule({ paymentScheduleId: schedule.id })).status, "FAILED")
})
