//! An API that accepts Sealwright's tokens, which it verifies offline, and API keys, which Sealwright verifies.
//!
//! ```text
//! SEALWRIGHT_ISSUER   the issuer whose tokens are accepted
//! AUDIENCE            the name of this API, which a token must have as `aud`
//! SEALWRIGHT_API_KEY  this API's own key, which may verify others; unless set, only tokens are accepted
//! HOST, PORT          where to listen: 127.0.0.1 and 8000 unless set; 0 is any free port
//!
//! resource-server
//! ```
#![allow(clippy::print_stdout)] // a program for the terminal

use std::error::Error;

use actix_web::{App, HttpServer, get, web};
use sealwright_resource_server::{Authorized, ResourceServer, scopes};
use serde_json::{Value, json};

scopes! {
    OrdersRead = "orders:read";
}

#[get("/orders")]
async fn orders(caller: Authorized<OrdersRead>) -> web::Json<Value> {
    web::Json(json!({"orders": [{"id": 1, "item": "sealing wax"}], "client_id": caller.credential}))
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    env_logger::init(); // RUST_LOG=debug logs why credentials are refused
    let setting = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let required = |name: &str| setting(name).ok_or_else(|| format!("set {name} in the environment"));
    let issuer = required("SEALWRIGHT_ISSUER")?;
    let mut server = ResourceServer::builder(issuer.as_str(), required("AUDIENCE")?).realm("orders");
    if let Some(own_key) = setting("SEALWRIGHT_API_KEY") {
        server = server.api_keys(issuer, own_key);
    }
    let server = server.build()?;
    let host = setting("HOST").unwrap_or_else(|| "127.0.0.1".to_owned());
    let port: u16 = setting("PORT").map_or(Ok(8000), |port| port.parse())?;

    let app = move || App::new().app_data(server.clone()).service(orders);
    let http = HttpServer::new(app).bind((host, port))?;
    for address in http.addrs() {
        println!("listening on http://{address}");
    }
    Ok(http.run().await?)
}
