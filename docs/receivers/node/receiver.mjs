// 통보의 웹훅을 받는 서버: Express와 포트원 서버 SDK를 씁니다.
// Receives Tongbo's webhooks with Express and PortOne's server SDK.
//
//   npm install
//   WEBHOOK_SECRET=whsec_… TONGBO_URL=https://pay.example.com TONGBO_API_SECRET=… node receiver.mjs
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { PortOneClient, Webhook } from "@portone/server-sdk"
import express from "express"

const { WEBHOOK_SECRET, TONGBO_URL, TONGBO_API_SECRET, INBOX = "inbox", PORT = "3000" } = process.env
const { payment } = PortOneClient({ baseUrl: TONGBO_URL, secret: TONGBO_API_SECRET })

// 주문: 여러분의 데이터베이스로 바꾸세요. Your orders: put your database here.
const orders = new Map([
  ["order-1", { amount: 10000, currency: "KRW", known: "" }],
  ["order-2", { amount: 20000, currency: "KRW", known: "" }],
])

// 결제를 API로 다시 읽고 주문과 견줍니다. 여러 번 불러도 결과가 같습니다.
// Reads the payment by the API and compares it with the order. Doing so again changes nothing.
async function settle(paymentId) {
  const order = orders.get(paymentId)
  if (!order) return console.log(`${paymentId}: no such order`)
  const { id, status, amount, currency } = await payment.getPayment({ paymentId })
  if (id !== paymentId || amount.total !== order.amount || currency !== order.currency)
    return console.log(`${paymentId}: amount differs`) // 발송하지 말고 사람이 봅니다. Ship nothing; have someone look.
  const now = `${status}, cancelled ${amount.cancelled}`
  if (order.known === now) return
  order.known = now // 여기서 주문을 고칩니다: PAID면 발송. Update your order here: ship when PAID.
  console.log(`${paymentId}: ${now}`)
}

// 받은 웹훅은 webhook-id를 이름으로 한 파일이 됩니다. 서버가 여럿이면 webhook-id가 기본 키인 표로 바꾸세요.
// A webhook becomes a file named by its webhook-id. With several servers, make it a table with that as its key.
mkdirSync(`${INBOX}/done`, { recursive: true })

async function work() {
  for (const file of readdirSync(INBOX).filter((name) => name.endsWith(".json"))) {
    try {
      const { type, data } = JSON.parse(readFileSync(`${INBOX}/${file}`, "utf8"))
      if (type.startsWith("Transaction.")) await settle(data.paymentId)
      renameSync(`${INBOX}/${file}`, `${INBOX}/done/${file}`)
    } catch (error) {
      console.error(`${file}: ${error.message}`) // 남겨 두고 다음에 다시 합니다. It stays, and is tried again.
    }
  }
}
let working = Promise.resolve() // 한 번에 하나씩. One at a time.
const wake = () => (working = working.then(work))
setInterval(wake, 60_000)
wake() // 지난번에 마치지 못한 것부터. What was left from last time comes first.

const app = express()
// 서명은 온 바이트 그대로에 대한 것이라, JSON으로 풀기 전에 확인합니다.
// The signature is over the bytes as they came: check it before parsing.
app.post("/webhook", express.raw({ type: () => true, limit: "64kb" }), async (req, res) => {
  const body = Buffer.isBuffer(req.body) ? req.body.toString() : ""
  try {
    await Webhook.verify(WEBHOOK_SECRET, body, req.headers)
  } catch {
    return res.sendStatus(401)
  }
  const file = `${req.get("webhook-id")}.json`
  if (!existsSync(`${INBOX}/done/${file}`)) writeFileSync(`${INBOX}/${file}`, body)
  res.sendStatus(200) // 먼저 답하고, 일은 그 뒤에. Answer first, work afterwards.
  wake()
})

// 앞에 TLS 프록시를 두세요. Have something that speaks TLS before it.
const server = app.listen(Number(PORT), "127.0.0.1", () => console.log(`listening on port ${server.address().port}`))
