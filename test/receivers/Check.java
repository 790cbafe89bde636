package shop;

import java.util.Scanner;

/** Reads webhooks, a line for each with tab-separated base64 fields, and prints whether their signatures fit. */
public final class Check {
    private Check() {}

    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        while (in.hasNextLine()) {
            String[] f = in.nextLine().split("\t", -1);
            byte[] body = java.util.Base64.getDecoder().decode(f[4]);
            System.out.println(WebhookSignature.fits(text(f[0]), text(f[1]), text(f[2]), text(f[3]), body));
        }
    }

    private static String text(String field) {
        return field.equals("-") ? null : new String(java.util.Base64.getDecoder().decode(field), java.nio.charset.StandardCharsets.UTF_8);
    }
}
