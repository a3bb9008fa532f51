use std::env::var;

#[derive(serde::Deserialize)]
struct Token {
    access_token: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let token: Token = reqwest::Client::new()
        .post("https://auth.example.com/api/oauth/token")
        .basic_auth(var("CLIENT_ID")?, Some(var("CLIENT_SECRET")?))
        .form(&[("grant_type", "client_credentials"), ("scope", "orders:read")])
        .send()
        .await?
        .error_for_status()?
        .json()
        .await?;
    println!("{}", token.access_token);
    Ok(())
}
