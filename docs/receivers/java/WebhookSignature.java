package shop;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** 웹훅의 서명. 자바 표준 라이브러리만 씁니다. A webhook's signature, with Java's own library alone. */
final class WebhookSignature {
    private WebhookSignature() {}

    /**
     * 온 바이트 그대로에 대한 서명이 맞는지 봅니다. 없는 머리말은 null입니다.
     * Reports whether a signature over the bytes as they came is right. A header that is missing is null.
     */
    static boolean fits(String secret, String id, String sent, String signatures, byte[] body) {
        if (id == null || sent == null || signatures == null || !sent.matches("[0-9]{1,12}")) {
            return false;
        }
        if (Math.abs(Instant.now().getEpochSecond() - Long.parseLong(sent)) > 300) {
            return false;
        }
        byte[] want = ("v1," + Base64.getEncoder().encodeToString(sign(secret, id + "." + sent + ".", body)))
                .getBytes(StandardCharsets.US_ASCII);
        for (String one : signatures.split(" ")) {
            if (MessageDigest.isEqual(want, one.getBytes(StandardCharsets.UTF_8))) {
                return true;
            }
        }
        return false;
    }

    private static byte[] sign(String secret, String before, byte[] body) {
        byte[] key = Base64.getDecoder().decode(secret.replaceFirst("^whsec_", ""));
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            mac.update(before.getBytes(StandardCharsets.UTF_8));
            return mac.doFinal(body);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e); // 모든 자바에 있습니다. Every Java has it.
        }
    }
}
