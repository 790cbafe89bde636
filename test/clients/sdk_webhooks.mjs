// Webhooks as @portone/server-sdk checks them: both of PortOne's versions, while
// an endpoint changes its secret, and what must not pass.
import assert from "node:assert/strict"
import { once } from "node:events"
import { createServer } from "node:http"
import { after, test } from "node:test"
import { PortOneClient, Webhook } from "@portone/server-sdk"
import { deposit, endpoint, order, refundAccount, secret, store, until, url } from "./town.mjs"

const { payment } = PortOneClient({ secret, baseUrl: url })
const older = "whsec_" + Buffer.alloc(32, "old").toString("base64")
const newer = "whsec_" + Buffer.alloc(32, "new").toString("base64")

/** What came, by path: the bytes and the headers as Node read them. */
const came = { "/new": [], "/old": [], "/form": [] }
const shop = createServer(async (request, answer) => {
  const parts = []
  for await (const part of request) parts.push(part)
  came[request.url].push({ payload: Buffer.concat(parts).toString(), headers: request.headers, raw: request.rawHeaders })
  answer.end()
}).listen(0, "127.0.0.1")
await once(shop, "listening")
after(() => shop.close())

const declare = (path, secrets, more) =>
  endpoint(path.slice(1), `url = "http://127.0.0.1:${shop.address().port}${path}"\nsecrets = ${JSON.stringify(secrets)}\n${more}`)
const nth = (path, n) => until(`webhook ${n} at ${path}`, () => came[path][n - 1])

const refused = (reason, secret, { payload, headers }) =>
  assert.rejects(Webhook.verify(secret, payload, headers), (e) => {
    assert(e instanceof Webhook.WebhookVerificationError, e.stack)
    assert.equal(e.reason, reason)
    return true
  })

test("an account's life in 2024-04-25", async () => {
  await declare("/new", [older], `version = "2024-04-25"`)
  await declare("/old", [older], `version = "2024-01-01"`)
  await declare("/form", [older], `version = "2024-01-01"\ncontent_type = "form"`)
  await payment.payInstantly(order("order-1"))
  await deposit("order-1")
  await nth("/new", 2)
  await payment.cancelPayment({ paymentId: "order-1", amount: 3000, reason: "변심", refundAccount })
  await nth("/new", 3)
  await payment.cancelPayment({ paymentId: "order-1", reason: "변심", refundAccount })
  await nth("/new", 4)
  const paid = await payment.getPayment({ paymentId: "order-1" })
  const events = new Map()
  for (const { payload, headers } of came["/new"]) {
    const event = await Webhook.verify(older, payload, headers)
    assert.deepEqual(Object.keys(event), ["type", "timestamp", "data"])
    assert.match(event.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)
    const { storeId, paymentId, transactionId } = event.data
    assert.deepEqual([storeId, paymentId, transactionId], [store, "order-1", paid.transactionId])
    events.set(event.type, event.data.cancellationId)
  }
  assert.deepEqual(
    [...events.keys()].sort(),
    ["Transaction.Cancelled", "Transaction.Paid", "Transaction.PartialCancelled", "Transaction.VirtualAccountIssued"],
  )
  assert.equal(events.get("Transaction.PartialCancelled"), paid.cancellations.find((c) => c.totalAmount === 3000).id)
  assert.equal(events.get("Transaction.Cancelled"), paid.cancellations.find((c) => c.totalAmount === 8000).id)
})

test("the same in 2024-01-01, as JSON and as a form", async () => {
  await nth("/old", 4)
  const statuses = []
  for (const { payload, headers } of came["/old"]) {
    const event = await Webhook.verify(older, payload, headers)
    assert.deepEqual(Object.keys(event), ["payment_id", "tx_id", "status"])
    assert.equal(event.payment_id, "order-1")
    statuses.push(event.status)
  }
  assert.deepEqual(statuses.sort(), ["Cancelled", "Paid", "PartialCancelled", "VirtualAccountIssued"])
  // The SDK goes on to read JSON, so of a form it can only say that the signature fits.
  const form = await nth("/form", 4)
  await assert.rejects(Webhook.verify(older, form.payload, form.headers), SyntaxError)
  await refused("NO_MATCHING_SIGNATURE", newer, form)
  assert.deepEqual([...new URLSearchParams(form.payload).keys()], ["payment_id", "tx_id", "status"])
})

test("headers come once, in lower case", async () => {
  const names = (await nth("/new", 1)).raw.filter((_, i) => i % 2 === 0)
  for (const name of ["webhook-id", "webhook-timestamp", "webhook-signature"])
    assert.equal(names.filter((n) => n === name).length, 1, `${name} in ${names}`)
})

test("while the secret is changed, both fit; then the newer alone", async () => {
  const seen = came["/new"].length
  await declare("/new", [newer, older], "")
  // The settings reach the program within a second or so; until then it signs with one.
  const both = await until("a webhook with two signatures", async () => {
    await payment.resendWebhook({ paymentId: "order-1", webhookId: came["/new"][1].headers["webhook-id"] })
    return came["/new"].slice(seen).find((w) => w.headers["webhook-signature"].includes(" "))
  })
  const event = await Webhook.verify(older, both.payload, both.headers)
  assert.deepEqual(await Webhook.verify(newer, both.payload, both.headers), event)
  assert.equal(both.headers["webhook-id"], came["/new"][1].headers["webhook-id"])
  assert.equal(both.payload, came["/new"][1].payload)

  await declare("/new", [newer], "")
  const after = came["/new"].length
  const one = await until("a webhook with one signature", async () => {
    await payment.resendWebhook({ paymentId: "order-1", webhookId: both.headers["webhook-id"] })
    return came["/new"].slice(after).find((w) => !w.headers["webhook-signature"].includes(" "))
  })
  assert.deepEqual(await Webhook.verify(newer, one.payload, one.headers), event)
  await refused("NO_MATCHING_SIGNATURE", older, one)
})

test("what was tampered with is refused", async () => {
  const good = await nth("/new", 1)
  const { payload, headers } = good
  await Webhook.verify(older, payload, headers)
  const sent = Number(headers["webhook-timestamp"])
  const at = (seconds) => ({ payload, headers: { ...headers, "webhook-timestamp": String(sent + seconds) } })
  await refused("NO_MATCHING_SIGNATURE", older, { payload: payload.replace("order-1", "order-2"), headers })
  await refused("NO_MATCHING_SIGNATURE", older, { payload: JSON.stringify(JSON.parse(payload), null, 1), headers })
  await refused("NO_MATCHING_SIGNATURE", older, { payload, headers: { ...headers, "webhook-id": "whk_other" } })
  await refused("NO_MATCHING_SIGNATURE", older, at(1))
  await refused("TIMESTAMP_TOO_OLD", older, at(-400))
  await refused("TIMESTAMP_TOO_NEW", older, at(400))
  await refused("MISSING_REQUIRED_HEADERS", older, { payload, headers: { ...headers, "webhook-signature": undefined } })
})

test("one that is as it was sent, but old, is refused", async () => {
  const good = await nth("/new", 1)
  const { now } = Date
  const sent = Number(good.headers["webhook-timestamp"]) * 1000
  after(() => (Date.now = now))
  Date.now = () => sent + 299_000
  await Webhook.verify(older, good.payload, good.headers)
  Date.now = () => sent + 301_000
  await refused("TIMESTAMP_TOO_OLD", older, good)
})
