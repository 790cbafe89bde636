"""통보의 웹훅을 받는 서버: FastAPI와 표준 라이브러리만 씁니다.
Receives Tongbo's webhooks with FastAPI and the standard library.

    pip install fastapi uvicorn
    WEBHOOK_SECRET=whsec_… TONGBO_URL=https://pay.example.com TONGBO_API_SECRET=… uvicorn receiver:app --port 3000
"""

import base64
import hashlib
import hmac
import json
import os
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path

from fastapi import FastAPI, Request, Response

WEBHOOK_SECRET = os.environ["WEBHOOK_SECRET"]
TONGBO_URL = os.environ["TONGBO_URL"]
TONGBO_API_SECRET = os.environ["TONGBO_API_SECRET"]
INBOX = Path(os.environ.get("INBOX", "inbox"))

# 주문: 여러분의 데이터베이스로 바꾸세요. Your orders: put your database here.
orders = {
    "order-1": {"amount": 10000, "currency": "KRW", "known": ""},
    "order-2": {"amount": 20000, "currency": "KRW", "known": ""},
}


def settle(payment_id: str) -> None:
    """결제를 API로 다시 읽고 주문과 견줍니다. 여러 번 불러도 결과가 같습니다.
    Reads the payment by the API and compares it with the order. Doing so again changes nothing.
    """
    order = orders.get(payment_id)
    if order is None:
        return print(f"{payment_id}: no such order", flush=True)
    request = urllib.request.Request(
        f"{TONGBO_URL}/payments/{urllib.parse.quote(payment_id, safe='')}",
        headers={"Authorization": f"PortOne {TONGBO_API_SECRET}"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        payment = json.load(answer)
    amount = payment["amount"]
    if (payment["id"], amount["total"], payment["currency"]) != (payment_id, order["amount"], order["currency"]):
        return print(f"{payment_id}: amount differs", flush=True)  # 발송하지 말고 사람이 봅니다. Ship nothing; have someone look.
    now = f"{payment['status']}, cancelled {amount['cancelled']}"
    if order["known"] != now:
        order["known"] = now  # 여기서 주문을 고칩니다: PAID면 발송. Update your order here: ship when PAID.
        print(f"{payment_id}: {now}", flush=True)


def verify(headers, body: bytes) -> bool:
    """온 바이트 그대로에 대한 서명을 확인합니다. Checks the signature over the bytes as they came."""
    try:
        sent = headers["webhook-timestamp"]
        if abs(time.time() - int(sent)) > 300:
            return False
        signed = f"{headers['webhook-id']}.{sent}.".encode() + body
        given = headers["webhook-signature"].encode().split(b" ")
    except (KeyError, ValueError):
        return False
    key = base64.b64decode(WEBHOOK_SECRET.removeprefix("whsec_"))
    want = b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
    return any(hmac.compare_digest(want, one) for one in given)


# 받은 웹훅은 webhook-id를 이름으로 한 파일이 됩니다. 서버가 여럿이면 webhook-id가 기본 키인 표로 바꾸세요.
# A webhook becomes a file named by its webhook-id. With several servers, make it a table with that as its key.
DONE = INBOX / "done"
DONE.mkdir(parents=True, exist_ok=True)
waiting = threading.Event()


def work() -> None:
    """받은 것을 하나씩 처리합니다. Works off what came, one after the other."""
    while True:
        waiting.clear()
        for file in sorted(INBOX.glob("*.json")):
            try:
                event = json.loads(file.read_bytes())
                if event["type"].startswith("Transaction."):
                    settle(event["data"]["paymentId"])
                file.rename(DONE / file.name)
            except Exception as error:  # 남겨 두고 다음에 다시 합니다. It stays, and is tried again.
                print(f"{file.name}: {error}", flush=True)
        waiting.wait(timeout=60)


threading.Thread(target=work, daemon=True).start()  # 지난번에 마치지 못한 것부터. What was left from last time comes first.
app = FastAPI()


@app.post("/webhook")
async def webhook(request: Request) -> Response:
    body = await request.body()
    if not verify(request.headers, body):
        return Response(status_code=401)
    name = request.headers["webhook-id"] + ".json"
    if not (DONE / name).exists():
        (INBOX / name).write_bytes(body)
    waiting.set()
    return Response(status_code=200)  # 먼저 답하고, 일은 그 뒤에. Answer first, work afterwards.
