use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client: Value = reqwest::Client::new()
        .post("https://auth.example.com/api/v1/clients")
        .bearer_auth(std::env::var("TOKEN")?)
        .header("Idempotency-Key", uuid::Uuid::new_v4().to_string())
        .json(&json!({"name": "billing", "scopes": ["orders:read"]}))
        .send()
        .await?
        .error_for_status()?
        .json()
        .await?;
    println!("{}", client["client_secret"]); // shown this once
    Ok(())
}
