<?php
// 통보의 웹훅을 받는 PHP 파일 하나: 확장이나 라이브러리가 필요 없습니다 (PHP 8.1 이상).
// Receives Tongbo's webhooks in one PHP file, without extensions or libraries (PHP 8.1 or later).
//
//   WEBHOOK_SECRET=whsec_… TONGBO_URL=https://pay.example.com TONGBO_API_SECRET=… php -S 127.0.0.1:3000 webhook.php
//
// 마치지 못한 일을 다시 하도록 cron에도 넣으세요. Have cron take up again what was left:
//   * * * * * php webhook.php
declare(strict_types=1);

define('INBOX', getenv('INBOX') ?: __DIR__ . '/inbox'); // 웹에서 보이지 않는 곳에. Where the web cannot see it.
@mkdir(INBOX . '/done', 0700, true);
@mkdir(INBOX . '/known', 0700);

// 주문: 여러분의 데이터베이스로 바꾸세요. Your orders: put your database here.
const ORDERS = [
    'order-1' => ['amount' => 10000, 'currency' => 'KRW'],
    'order-2' => ['amount' => 20000, 'currency' => 'KRW'],
];

function say(string $line): void
{
    file_put_contents('php://stderr', $line . "\n");
}

// 결제를 API로 다시 읽고 주문과 견줍니다. 여러 번 불러도 결과가 같습니다.
// Reads the payment by the API and compares it with the order. Doing so again changes nothing.
function settle(string $paymentId): void
{
    $order = ORDERS[$paymentId] ?? null;
    if ($order === null) {
        say("$paymentId: no such order");
        return;
    }
    $context = stream_context_create(['http' => [
        'header' => 'Authorization: PortOne ' . getenv('TONGBO_API_SECRET'), 'timeout' => 60,
    ]]);
    $text = @file_get_contents(getenv('TONGBO_URL') . '/payments/' . rawurlencode($paymentId), false, $context);
    if ($text === false) {
        throw new RuntimeException("$paymentId cannot be read");
    }
    $payment = json_decode($text, true, flags: JSON_THROW_ON_ERROR);
    $amount = $payment['amount'];
    if ($payment['id'] !== $paymentId || $amount['total'] !== $order['amount'] || $payment['currency'] !== $order['currency']) {
        say("$paymentId: amount differs"); // 발송하지 말고 사람이 봅니다. Ship nothing; have someone look.
        return;
    }
    $now = "{$payment['status']}, cancelled {$amount['cancelled']}";
    $known = INBOX . '/known/' . rawurlencode($paymentId);
    if (@file_get_contents($known) !== $now) {
        file_put_contents($known, $now); // 여기서 주문을 고칩니다: PAID면 발송. Update your order here: ship when PAID.
        say("$paymentId: $now");
    }
}

// 온 바이트 그대로에 대한 서명을 확인합니다. Checks the signature over the bytes as they came.
function verify(string $id, string $sent, string $signatures, string $body): bool
{
    if ($id === '' || !ctype_digit($sent) || abs(time() - (int) $sent) > 300) {
        return false;
    }
    $key = base64_decode(preg_replace('/^whsec_/', '', (string) getenv('WEBHOOK_SECRET')), true);
    if ($key === false || $key === '') {
        return false;
    }
    $want = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$sent.$body", $key, true));
    foreach (explode(' ', $signatures) as $one) {
        if (hash_equals($want, $one)) {
            return true;
        }
    }
    return false;
}

// 받은 것을 하나씩 처리합니다. Works off what came, one after the other.
function work(): void
{
    $lock = fopen(INBOX . '/lock', 'c');
    flock($lock, LOCK_EX);
    foreach (glob(INBOX . '/*.json') as $file) {
        try {
            $event = json_decode(file_get_contents($file), true, flags: JSON_THROW_ON_ERROR);
            if (str_starts_with($event['type'], 'Transaction.')) {
                settle($event['data']['paymentId']);
            }
            rename($file, INBOX . '/done/' . basename($file));
        } catch (Exception $error) { // 남겨 두고 다음에 다시 합니다. It stays, and is tried again.
            say(basename($file) . ': ' . $error->getMessage());
        }
    }
    fclose($lock);
}

if (PHP_SAPI === 'cli') {
    work();
    exit;
}

// 받은 웹훅은 webhook-id를 이름으로 한 파일이 됩니다. 서버가 여럿이면 webhook-id가 기본 키인 표로 바꾸세요.
// A webhook becomes a file named by its webhook-id. With several servers, make it a table with that as its key.
$body = file_get_contents('php://input');
$id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
if ($_SERVER['REQUEST_METHOD'] !== 'POST'
    || !verify($id, $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '', $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '', $body)) {
    http_response_code(401);
    exit;
}
if (!file_exists(INBOX . "/done/$id.json") && file_put_contents(INBOX . "/$id.json", $body) === false) {
    http_response_code(500); // 적지 못했으니 다시 받습니다. It could not be kept: hear it again.
    exit;
}

// 먼저 답하고, 일은 그 뒤에. Answer first, work afterwards.
ignore_user_abort(true);
http_response_code(200);
header('Content-Length: 0');
header('Connection: close');
if (function_exists('fastcgi_finish_request')) {
    fastcgi_finish_request();
} else {
    flush();
}
work();
