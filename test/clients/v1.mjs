// Clients of PortOne's API V1, as npm serves them, through an account's life.
import assert from "node:assert/strict"
import { createRequire } from "node:module"
import { test } from "node:test"
import { deposit, until, v1 } from "./town.mjs"

const require = createRequire(import.meta.url)
const Iamport = require("iamport")
const { Iamporter, IamporterError } = require("iamporter")
const { Iamport: Rest, Request } = require("iamport-rest-client-nodejs")

Iamport.DEFAULT_HOST = v1.url // how this one is told of another server
const nobody = { impKey: "nobody", impSecret: "nobody" }
const due = () => Math.floor(Date.now() / 1000) + 86_400
const refund = { refund_holder: "홍길동", refund_bank: "004", refund_account: "123-456" }

/** An order for an account of 11,000 won at 신한은행. */
const order = (merchant_uid) => ({
  merchant_uid, amount: 11000, vbank_code: "088", vbank_due: due(), vbank_holder: "가나상점", name: "책 한 권",
  buyer_name: "홍길동", buyer_email: "hong@example.com", buyer_tel: "01012345678", channel_key: v1.channel,
})

test("iamport: issue, find, cancel", async () => {
  const iamport = new Iamport({ impKey: v1.key, impSecret: v1.secret })
  const { payment: payments, vbank } = iamport
  assert.equal((await payments.prepare({ merchant_uid: "first-1", amount: 11000 })).amount, 11000)
  assert.equal((await payments.getPrepare({ merchant_uid: "first-1" })).amount, 11000)
  const ready = await vbank.create(order("first-1"))
  assert.deepEqual(
    [ready.merchant_uid, ready.status, ready.pay_method, ready.vbank_code, ready.amount, ready.paid_at, ready.buyer_name],
    ["first-1", "ready", "vbank", "088", 11000, 0, "홍길동"],
  )
  assert(ready.vbank_num && ready.vbank_date > Date.now() / 1000)
  await deposit("first-1")
  const paid = await until("the deposit", async () => {
    const got = await payments.getByImpUid({ imp_uid: ready.imp_uid })
    return got.status === "paid" && got
  })
  assert.equal((await payments.getByMerchant({ merchant_uid: "first-1" })).imp_uid, ready.imp_uid)
  assert(paid.paid_at > 0)
  const listed = await payments.getByStatus({ payment_status: "paid" })
  assert.deepEqual([listed.total, listed.list[0].imp_uid], [1, ready.imp_uid])

  const part = await payments.cancel({ imp_uid: ready.imp_uid, amount: 3000, checksum: 11000, reason: "변심", ...refund })
  assert.deepEqual([part.status, part.cancel_amount, part.cancel_history.length], ["paid", 3000, 1])
  await assert.rejects(payments.cancel({ imp_uid: ready.imp_uid, checksum: 11000, reason: "변심", ...refund }), { code: "IAMPORT_1" })
  const whole = await payments.cancel({ merchant_uid: "first-1", reason: "변심", ...refund })
  assert.deepEqual([whole.status, whole.cancel_amount], ["cancelled", 11000])
  await assert.rejects(payments.cancel({ merchant_uid: "first-1", reason: "변심", ...refund }), {
    code: "IAMPORT_1", message: "이미 전액취소된 주문입니다.",
  })
  await assert.rejects(payments.getByImpUid({ imp_uid: "imp_000000000000" }), { code: "HTTP_404" })
  await assert.rejects(new Iamport(nobody).payment.getByMerchant({ merchant_uid: "first-1" }), { code: "HTTP_401" })
})

test("iamporter: find with a trailing slash, lists, cancel by order", async () => {
  const iamporter = new Iamporter({ apiKey: v1.key, secret: v1.secret, host: v1.url })
  const token = await iamporter.getToken()
  assert(token.data.access_token && token.data.expired_at - token.data.now <= 30 * 60)
  const again = await iamporter.getToken()
  assert.equal(again.data.access_token, token.data.access_token)
  assert.equal((await iamporter.createPreparedPayment({ merchant_uid: "second-1", amount: 11000 })).data.merchant_uid, "second-1")
  assert.equal((await iamporter.getPreparedPayment("second-1")).data.amount, 11000)
  await new Iamport({ impKey: v1.key, impSecret: v1.secret }).vbank.create(order("second-1")) // iamporter has no such call
  const found = await iamporter.findByMerchantUid("second-1")
  assert.deepEqual([found.status, found.data.status], [200, "ready"])
  assert.equal((await iamporter.findByImpUid(found.data.imp_uid)).data.merchant_uid, "second-1")
  const all = await iamporter.findAllByMerchantUid("second-1")
  assert.deepEqual([all.data.total, all.data.previous, all.data.next, all.data.list[0].merchant_uid], [1, 0, 0, "second-1"])
  assert((await iamporter.findAllByStatus("ready", { page: 1 })).data.list.some((p) => p.merchant_uid === "second-1"))
  await deposit("second-1")
  await until("the deposit", async () => (await iamporter.findByMerchantUid("second-1")).data.status === "paid")
  const cancelled = await iamporter.cancelByMerchantUid("second-1", { reason: "변심", ...refund })
  assert.equal(cancelled.data.status, "cancelled")
  await assert.rejects(iamporter.cancelByImpUid("imp_000000000000", { reason: "변심" }), (e) => {
    assert(e instanceof IamporterError)
    assert.equal(e.message, "취소할 결제건이 존재하지 않습니다.")
    return true
  })
  const missing = await iamporter.findByMerchantUid("none")
  assert.deepEqual([missing.status, missing.raw.code, missing.message], [404, -1, "존재하지 않는 결제정보입니다."])
  await assert.rejects(new Iamporter({ apiKey: "nobody", secret: "nobody", host: v1.url }).getToken(), IamporterError)
})

test("iamport-rest-client-nodejs: issue, find/…/undefined, lists with brackets, delete", async () => {
  const rest = new Rest({ apiKey: v1.key, apiSecret: v1.secret, baseUrl: v1.url })
  const { Banks, Payments, Prepare, Vbanks } = Request
  const ask = async (request) => (await request.request(rest)).data
  assert.equal((await ask(Prepare.postAmount({ merchant_uid: "third-1", amount: 11000 }))).response.amount, 11000)
  const { response: ready } = await ask(Vbanks.post(order("third-1")))
  assert.deepEqual([ready.status, ready.vbank_name], ["ready", "신한은행"])
  const { response: found } = await ask(Payments.getByMerchantUid({ merchant_uid: "third-1" }))
  assert.equal(found.imp_uid, ready.imp_uid)
  const { response: all } = await ask(Payments.getByMerchantUids({ merchant_uid: "third-1" }))
  assert.deepEqual([all.total, all.list[0].imp_uid], [1, ready.imp_uid])
  const some = await ask(Payments.getByImpUids({ imp_uid: [ready.imp_uid, "imp_000000000000"] }))
  assert.deepEqual([some.response.length, some.response[0].imp_uid], [1, ready.imp_uid])
  assert.equal((await ask(Payments.getByImpUid({ imp_uid: ready.imp_uid }))).response.merchant_uid, "third-1")
  const { response: list } = await ask(Payments.getByStatus({ status: "ready", limit: 10 }))
  assert(list.list.some((p) => p.imp_uid === ready.imp_uid))
  assert((await ask(Banks.getBanks())).response.some((b) => b.code === "088"))

  const { response: closed } = await ask(Vbanks.delete({ imp_uid: ready.imp_uid }))
  assert.equal(closed.status, "failed")
  await assert.rejects(Payments.getByImpUid({ imp_uid: "imp_000000000000" }).request(rest), (e) => {
    assert.equal(e.response.status, 404)
    assert.deepEqual(e.response.data, { code: -1, message: "존재하지 않는 결제정보입니다.", response: null })
    return true
  })
})
