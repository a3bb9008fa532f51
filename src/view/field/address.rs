//! IP addresses and networks.

use std::net::IpAddr;

use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use crate::view::input::Field;
use crate::view::text::{string, text};

pub fn v4() -> String {
    const BYTE: &str = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
    format!("{BYTE}(\\.{BYTE}){{3}}")
}

/// An IPv6 address (RFC 4291 §2.2), with an IPv4 address at its end in the usual places.
pub fn v6() -> String {
    let (part, v4) = ("[0-9A-Fa-f]{1,4}", v4());
    let shortened = (1..7).map(|before| format!("({part}:){{1,{before}}}(:{part}){{1,{}}}", 7 - before));
    let forms = [
        format!("({part}:){{7}}{part}"),
        format!("({part}:){{1,7}}:"),
        format!(":((:{part}){{1,7}}|:)"),
        format!("({part}:){{6}}{v4}"),
        format!("::(([Ff]{{4}}(:0{{1,4}})?):)?{v4}"),
        format!("({part}:){{1,4}}:{v4}"),
    ];
    format!("({})", forms.into_iter().chain(shortened).collect::<Vec<_>>().join("|"))
}

pub enum Address {}

impl Field for Address {
    type Value = IpAddr;

    fn schema() -> RefOr<Schema> {
        string(&format!("^({}|{})$", v4(), v6())).examples(["203.0.113.7"]).into()
    }

    fn read(value: Value) -> Result<IpAddr, String> {
        let address: IpAddr = text(value)?.parse().map_err(|_| "must be an IP address".to_owned())?;
        Ok(address.to_canonical())
    }
}
