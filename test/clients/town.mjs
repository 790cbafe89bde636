// What the scripts share: the town that they run in (test/town_test.go), and
// what can be done there beside the program.
import assert from "node:assert/strict"

const env = process.env

export const url = env.TOWN_URL
export const secret = env.TOWN_SECRET
export const store = env.TOWN_STORE
export const otherStore = env.TOWN_OTHER_STORE
export const channel = env.TOWN_CHANNEL
export const wrongChannel = env.TOWN_WRONG_CHANNEL
export const cardChannel = env.TOWN_CARD_CHANNEL

/** What API V1 needs, where the program serves it. */
export const v1 = { url: env.TOWN_V1_URL, key: env.TOWN_V1_KEY, secret: env.TOWN_V1_SECRET, channel }

async function hand(path, body) {
  const answer = await fetch(env.TOWN_HAND + path, { method: "POST", body })
  assert.equal(answer.status, 200, `${path}: ${await answer.text()}`)
}

/** The buyer pays what the account of an order waits for, and the PG tells. */
export const deposit = (order) => hand(`/deposit/${order}`)

/** The PG gives all of an order's money back, and tells nobody. */
export const refund = (order) => hand(`/refund/${order}`)

/** The PG does what it is asked, and loses its answers, while do_ runs. */
export async function muted(do_) {
  await hand("/mute/on")
  try {
    return await do_()
  } finally {
    await hand("/mute/off")
  }
}

/** Declares an endpoint of the store; fields are TOML. */
export const endpoint = (name, fields) =>
  hand(
    "/apply",
    `[[merchant]]
name = "가나상점"
[[merchant.store]]
id = "${store}"
[[merchant.store.endpoint]]
name = "${name}"
mode = "test"
${fields}
`,
  )

/** Waits until get() is something that is true, and returns that. */
export async function until(what, get) {
  const end = Date.now() + 20_000
  for (;;) {
    const got = await get()
    if (got) return got
    assert(Date.now() < end, `${what} has not come`)
    await new Promise((resume) => setTimeout(resume, 10))
  }
}

export const refundAccount = { bank: "KOOKMIN", number: "123-456", holderName: "홍길동" }

/** An order for an account of 11,000 won, 1,000 of them free of tax. */
export const order = (paymentId, more = {}) => ({
  paymentId,
  channelKey: channel,
  orderName: "책 한 권",
  currency: "KRW",
  amount: { total: 11000, taxFree: 1000 },
  customer: { name: { full: "홍길동" }, email: "hong@example.com", phoneNumber: "01012345678" },
  method: { virtualAccount: { bank: "SHINHAN", expiry: { validHours: 24 }, option: { type: "NORMAL" } } },
  ...more,
})

/** Cards of the PG that the program plays (docs/api.md). */
export const cards = {
  good: "4242424242424242",
  declined: "4000000000000002",
  poor: "4000000000009995",
  lost: "4000000000001117",
}

export const card = (number) => ({ credential: { number, expiryYear: "30", expiryMonth: "12" } })

/** An order for 11,000 won by a card. */
export const cardOrder = (paymentId, number, more = {}) =>
  order(paymentId, { channelKey: cardChannel, method: { card: card(number) }, ...more })

/** What is paid with a billing key. */
export const keyPayment = (billingKey, more = {}) => ({
  billingKey, orderName: "이번 달 구독", currency: "KRW", amount: { total: 9900 }, customer: { name: { full: "홍길동" } }, ...more,
})

export const inSeconds = (n) => new Date(Date.now() + n * 1000).toISOString()
