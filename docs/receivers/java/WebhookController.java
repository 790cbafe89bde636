package shop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.springframework.http.HttpEntity;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * 통보의 웹훅을 받는 Spring 컨트롤러. Receives Tongbo's webhooks with Spring.
 *
 * <p>start.spring.io에서 Spring Web을 고른 프로젝트에 WebhookSignature.java와 함께 넣으세요.
 * Put it with WebhookSignature.java into a project of start.spring.io that has Spring Web.
 *
 * <pre>WEBHOOK_SECRET=whsec_… TONGBO_URL=https://pay.example.com TONGBO_API_SECRET=… ./gradlew bootRun</pre>
 */
@RestController
class WebhookController {
    /** 받은 웹훅은 webhook-id를 이름으로 한 파일이 됩니다. 서버가 여럿이면 webhook-id가 기본 키인 표로 바꾸세요.
     * A webhook becomes a file named by its webhook-id. With several servers, make it a table with that as its key. */
    private final Path inbox = Path.of(Optional.ofNullable(System.getenv("INBOX")).orElse("inbox"));
    private final Path done = inbox.resolve("done");

    /** 주문: 여러분의 데이터베이스로 바꾸세요. Your orders: put your database here. */
    private record Order(long amount, String currency) {}

    private final Map<String, Order> orders =
            Map.of("order-1", new Order(10000, "KRW"), "order-2", new Order(20000, "KRW"));
    private final Map<String, String> known = new ConcurrentHashMap<>();

    private final HttpClient client = HttpClient.newHttpClient();
    private final ObjectMapper json = new ObjectMapper();

    /** 한 번에 하나씩. One at a time. */
    private final ScheduledExecutorService worker = Executors.newSingleThreadScheduledExecutor(job -> {
        Thread thread = new Thread(job, "webhooks");
        thread.setDaemon(true);
        return thread;
    });

    WebhookController() throws IOException {
        Files.createDirectories(done);
        worker.scheduleWithFixedDelay(this::work, 0, 60, TimeUnit.SECONDS); // 지난번에 마치지 못한 것부터. What was left from last time comes first.
    }

    // 서명은 온 바이트 그대로에 대한 것이라, JSON으로 풀기 전에 확인합니다.
    // The signature is over the bytes as they came: check it before parsing.
    @PostMapping("/webhook")
    ResponseEntity<Void> receive(HttpEntity<byte[]> request) throws IOException {
        byte[] body = Optional.ofNullable(request.getBody()).orElse(new byte[0]);
        String id = request.getHeaders().getFirst("webhook-id");
        if (!WebhookSignature.fits(System.getenv("WEBHOOK_SECRET"), id,
                request.getHeaders().getFirst("webhook-timestamp"),
                request.getHeaders().getFirst("webhook-signature"), body)) {
            return ResponseEntity.status(401).build();
        }
        if (!Files.exists(done.resolve(id + ".json"))) {
            Files.write(inbox.resolve(id + ".json"), body); // 적지 못하면 500이고, 다시 받습니다. If it cannot be kept: 500, and it comes again.
        }
        worker.execute(this::work);
        return ResponseEntity.ok().build(); // 먼저 답하고, 일은 그 뒤에. Answer first, work afterwards.
    }

    private void work() {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(inbox, "*.json")) {
            for (Path file : files) {
                try {
                    JsonNode event = json.readTree(Files.readAllBytes(file));
                    if (event.path("type").asText().startsWith("Transaction.")) {
                        settle(event.path("data").path("paymentId").asText());
                    }
                    Files.move(file, done.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
                } catch (IOException | RuntimeException e) {
                    System.out.println(file.getFileName() + ": " + e); // 남겨 두고 다음에 다시 합니다. It stays, and is tried again.
                }
            }
        } catch (IOException e) {
            System.out.println(inbox + ": " + e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** 결제를 API로 다시 읽고 주문과 견줍니다. 여러 번 불러도 결과가 같습니다.
     * Reads the payment by the API and compares it with the order. Doing so again changes nothing. */
    private void settle(String paymentId) throws IOException, InterruptedException {
        Order order = orders.get(paymentId);
        if (order == null) {
            System.out.println(paymentId + ": no such order");
            return;
        }
        String path = "/payments/" + URLEncoder.encode(paymentId, StandardCharsets.UTF_8).replace("+", "%20");
        HttpResponse<byte[]> answer = client.send(
                HttpRequest.newBuilder(URI.create(System.getenv("TONGBO_URL") + path))
                        .header("Authorization", "PortOne " + System.getenv("TONGBO_API_SECRET"))
                        .timeout(Duration.ofSeconds(60))
                        .build(),
                HttpResponse.BodyHandlers.ofByteArray());
        if (answer.statusCode() != 200) {
            throw new IOException("HTTP " + answer.statusCode());
        }
        JsonNode payment = json.readTree(answer.body());
        JsonNode amount = payment.path("amount");
        if (!payment.path("id").asText().equals(paymentId)
                || amount.path("total").asLong() != order.amount()
                || !payment.path("currency").asText().equals(order.currency())) {
            System.out.println(paymentId + ": amount differs"); // 발송하지 말고 사람이 봅니다. Ship nothing; have someone look.
            return;
        }
        String now = payment.path("status").asText() + ", cancelled " + amount.path("cancelled").asLong();
        if (!now.equals(known.put(paymentId, now))) { // 여기서 주문을 고칩니다: PAID면 발송. Update your order here: ship when PAID.
            System.out.println(paymentId + ": " + now);
        }
    }
}
