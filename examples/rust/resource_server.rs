//! An API that accepts Sealwright's tokens, which it verifies offline, and API keys, which Sealwright verifies. A
//! caller that is tied to customers sees only their orders.
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

use actix_web::error::ErrorNotFound;
use actix_web::{App, HttpServer, get, web};
use sealwright_resource_server::{Authorized, Refusal, ResourceServer, scopes};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

scopes! {
    OrdersRead = "orders:read";
}

#[derive(Serialize)]
struct Order {
    id: u32,
    /// The tenant whose order it is, by the external id that Sealwright knows it by.
    customer: &'static str,
    item: &'static str,
}

const ORDERS: [Order; 2] =
    [Order { id: 1, customer: "acme", item: "sealing wax" }, Order { id: 2, customer: "globex", item: "ribbon" }];

#[derive(Deserialize)]
struct Query {
    customer: Option<String>,
}

/// The orders that the caller may see or, with `?customer=`, those of one customer.
#[get("/orders")]
async fn orders(caller: Authorized<OrdersRead>, query: web::Query<Query>) -> Result<web::Json<Value>, Refusal> {
    if let Some(customer) = &query.customer {
        caller.require_customer(customer)?;
    }
    let is_wanted = |order: &&Order| query.customer.as_deref().is_none_or(|customer| customer == order.customer);
    let orders: Vec<&Order> = ORDERS.iter().filter(is_wanted).filter(|order| caller.acts_for(order.customer)).collect();
    Ok(web::Json(json!({"orders": orders, "client_id": caller.credential})))
}

/// One order. An order of a customer that the caller does not act for does not exist for it.
#[get("/orders/{id}")]
async fn one_order(caller: Authorized<OrdersRead>, id: web::Path<u32>) -> actix_web::Result<web::Json<&'static Order>> {
    let found = ORDERS.iter().find(|order| order.id == *id && caller.acts_for(order.customer));
    found.map(web::Json).ok_or_else(|| ErrorNotFound("There is no such order"))
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

    let app = move || App::new().app_data(server.clone()).service(orders).service(one_order);
    let http = HttpServer::new(app).bind((host, port))?;
    for address in http.addrs() {
        println!("listening on http://{address}");
    }
    Ok(http.run().await?)
}
