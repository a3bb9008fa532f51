import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.UUID;

public class CreateClient {
    public static void main(String[] arguments) throws Exception {
        String body = "{\"name\": \"billing\", \"scopes\": [\"orders:read\"]}";
        HttpRequest request = HttpRequest.newBuilder(URI.create("https://auth.example.com/api/v1/clients"))
            .header("Authorization", "Bearer " + System.getenv("TOKEN"))
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", UUID.randomUUID().toString())
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
        HttpResponse<String> answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() != 201) throw new IllegalStateException(answer.body());
        System.out.println(answer.body()); // its client_secret is shown this once
    }
}
