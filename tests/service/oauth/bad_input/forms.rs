//! Rows of forms that are wrong.

use super::*;

/// A form's name, its bytes, and the `error` that it gets.
type Form = (&'static str, Vec<u8>, &'static str);

/// RFC 6749 §2.3.1, §4.4.2, §5.2: requests to the token endpoint whose form is wrong, from a good client.
pub fn malformed_forms(clients: &Clients) -> Vec<Row> {
    let good = &clients.good;
    let forms = parameters(&good.id).into_iter().chain(scopes()).chain(resources());
    let forms = forms.map(|(name, body, error)| (name, ask(body).by(good), error));
    let others = two_ways_at_once(clients).into_iter().chain(basic_fields(good)).chain(content_types(good));
    let others = others.map(|(name, sent)| (name, sent, "invalid_request"));
    forms.chain(others).map(|(name, sent, error)| (name.to_owned(), sent, 400, error, error)).collect()
}

/// RFC 6749 §4.4.2, §3.2 and erratum 5708, Appendix B.
fn parameters(id: &str) -> Vec<Form> {
    vec![
        ("no grant type", "".into(), "invalid_request"),
        ("empty grant type", "grant_type=".into(), "invalid_request"),
        ("password grant", "grant_type=password&username=u&password=p".into(), "unsupported_grant_type"),
        ("code grant", "grant_type=authorization_code&code=x".into(), "unsupported_grant_type"),
        ("refresh", "grant_type=refresh_token&refresh_token=x".into(), "unsupported_grant_type"),
        ("unknown grant type", format!("grant_type={MARK}").into(), "unsupported_grant_type"),
        ("grant type in capitals", "grant_type=Client_Credentials".into(), "unsupported_grant_type"),
        ("grant type with a space", "grant_type=client_credentials+".into(), "unsupported_grant_type"),
        ("grant type twice", format!("{ASK}&{ASK}").into(), "invalid_request"),
        ("grant type twice, once empty", format!("{ASK}&grant_type=").into(), "invalid_request"),
        ("scope twice", format!("{ASK}&scope=orders:read&scope=orders:read").into(), "invalid_request"),
        ("scope twice, once encoded", format!("{ASK}&scope=orders:read&s%63ope=x").into(), "invalid_request"),
        ("scope twice, both empty", format!("{ASK}&scope=&scope=").into(), "invalid_request"),
        ("client_id twice", format!("{ASK}&client_id={id}&client_id={id}").into(), "invalid_request"),
        ("a lone percent sign", format!("{ASK}&scope=%").into(), "invalid_request"),
        ("half a triplet", format!("{ASK}&scope=%4").into(), "invalid_request"),
        ("no hexadecimal digits", format!("{ASK}&scope=%zz").into(), "invalid_request"),
        ("a broken triplet in a name", format!("{ASK}&%zz=1").into(), "invalid_request"),
        ("no UTF-8, encoded", format!("{ASK}&scope=%ff").into(), "invalid_request"),
        ("no UTF-8", [ASK.as_bytes(), b"&scope=\xff"].concat(), "invalid_request"),
        ("zero bytes", vec![0; 100], "invalid_request"),
    ]
}

/// RFC 6749 §3.3: which scopes a request may ask for.
fn scopes() -> Vec<Form> {
    vec![
        ("a scope of one space", format!("{ASK}&scope=+").into(), "invalid_scope"),
        ("two spaces", format!("{ASK}&scope=orders:read++orders:read").into(), "invalid_scope"),
        ("a space before", format!("{ASK}&scope=+orders:read").into(), "invalid_scope"),
        ("a space behind", format!("{ASK}&scope=orders:read+").into(), "invalid_scope"),
        ("a tab", format!("{ASK}&scope=orders:read%09x").into(), "invalid_scope"),
        ("a line end", format!("{ASK}&scope=orders:read%0D%0A").into(), "invalid_scope"),
        ("a quotation mark", format!("{ASK}&scope=%22orders:read%22").into(), "invalid_scope"),
        ("a backslash", format!("{ASK}&scope=orders%5Cread").into(), "invalid_scope"),
        ("DEL", format!("{ASK}&scope=orders%7F").into(), "invalid_scope"),
        ("no ASCII", format!("{ASK}&scope=%C3%A4").into(), "invalid_scope"),
        ("a zero byte", format!("{ASK}&scope=orders:read%00").into(), "invalid_scope"),
        ("a long scope", format!("{ASK}&scope={}", "s".repeat(129)).into(), "invalid_scope"),
        (
            "a hundred and one scopes",
            format!("{ASK}&scope={}", (0..101).map(|n| format!("s{n}")).collect::<Vec<_>>().join("+")).into(),
            "invalid_scope",
        ),
        ("a scope that it lacks", format!("{ASK}&scope={MARK}").into(), "invalid_scope"),
        ("one that it has, one that it lacks", format!("{ASK}&scope=orders:read+orders:write").into(), "invalid_scope"),
        ("a scope in capitals", format!("{ASK}&scope=Orders:read").into(), "invalid_scope"),
        ("the level above", format!("{ASK}&scope=read").into(), "invalid_scope"),
        ("a management permission", format!("{ASK}&scope=sealwright.admin").into(), "invalid_scope"),
        ("an unknown management permission", format!("{ASK}&scope=sealwright.x").into(), "invalid_scope"),
    ]
}

/// RFC 8707 §2: which resources a request may ask for.
fn resources() -> Vec<Form> {
    vec![
        ("a relative resource", format!("{ASK}&resource=orders").into(), "invalid_target"),
        ("a path as resource", format!("{ASK}&resource=/orders").into(), "invalid_target"),
        ("a resource that is an audience but no URI", format!("{ASK}&resource=legacy").into(), "invalid_target"),
        ("a fragment", format!("{ASK}&resource=https://orders.example%23x").into(), "invalid_target"),
        ("an empty fragment", format!("{ASK}&resource=https://orders.example%23").into(), "invalid_target"),
        ("a resource without host", format!("{ASK}&resource=https://").into(), "invalid_target"),
        ("a resource with a space", format!("{ASK}&resource=https://orders.example/a+b").into(), "invalid_target"),
        ("a foreign resource", format!("{ASK}&resource=https://{MARK}.example").into(), "invalid_target"),
        ("nearly its resource", format!("{ASK}&resource=https://orders.example/").into(), "invalid_target"),
        (
            "one of its own, one foreign",
            format!("{ASK}&resource=https://orders.example&resource=https://foreign.example").into(),
            "invalid_target",
        ),
        ("a foreign audience", format!("{ASK}&audience={MARK}").into(), "invalid_target"),
        (
            "the management API, without a permission",
            format!("{ASK}&resource=http://127.0.0.1/api/v1").into(),
            "invalid_target",
        ),
        (
            "fifty-one resources",
            format!("{ASK}{}", "&resource=https://orders.example".repeat(51)).into(),
            "invalid_target",
        ),
    ]
}

/// RFC 6749 §2.3, §5.2: two ways at once, another's name, credentials in the address.
fn two_ways_at_once(clients: &Clients) -> Vec<(&'static str, Sent)> {
    let good = &clients.good;
    let (id, secret) = (&good.id, &good.secret);
    let by_form = format!("{ASK}&client_id={id}&client_secret={secret}");
    vec![
        ("Basic and form", ask(&*by_form).by(good)),
        ("Basic and client_secret", ask(format!("{ASK}&client_secret={secret}")).by(good)),
        ("Basic and an assertion", ask(format!("{ASK}&client_assertion=x")).by(good)),
        ("form and an assertion", ask(format!("{by_form}&client_assertion=x"))),
        ("Authorization twice", ask(ASK).by(good).by(good)),
        ("Basic and Bearer", ask(ASK).by(good).field("authorization", "Bearer x")),
        ("Basic, and another client_id", ask(format!("{ASK}&client_id={}", clients.other.id)).by(good)),
        ("client_secret twice", ask(format!("{by_form}&client_secret={secret}"))),
        ("secret in the query", post(&format!("{TOKEN}?client_id={id}&client_secret={secret}"), ASK)),
        ("secret in the query, encoded name", post(&format!("{TOKEN}?client%5Fsecret={secret}"), &*by_form)),
        ("id in the query", post(&format!("{TOKEN}?client_id={id}"), &*by_form)),
        ("all in the query", post(&format!("{TOKEN}?{by_form}"), "")),
    ]
}

/// RFC 6749 §2.3.1, RFC 7617.
fn basic_fields(good: &TestClient) -> Vec<(&'static str, Sent)> {
    let (id, secret) = (good.id.as_str(), good.secret.as_str());
    vec![
        ("Basic alone", ask(ASK).field("authorization", "Basic")),
        ("Basic without base64", ask(ASK).field("authorization", "Basic !!!!")),
        ("base64 without padding", ask(ASK).field("authorization", "Basic aWQ6eA")),
        ("base64 with stray bits", ask(ASK).field("authorization", "Basic aWQ6eB==")),
        ("Basic without colon", ask(ASK).field("authorization", "Basic aWQ=")),
        ("Basic with a lone percent sign", ask(ASK).field("authorization", basic(id, "50%"))),
        ("Basic with a broken triplet", ask(ASK).field("authorization", basic("%zz", secret))),
        ("Basic with a control character", ask(ASK).field("authorization", basic(id, "a\tb"))),
        ("Basic with a line end, encoded", ask(ASK).field("authorization", basic(id, "a%0D%0Ab"))),
        ("Basic beyond ASCII", ask(ASK).field("authorization", basic(id, "ä"))),
        ("a secret with a zero byte", ask(format!("{ASK}&client_id={id}&client_secret=a%00b"))),
    ]
}

/// RFC 6749 §4.4.2: the form is the only media type.
fn content_types(good: &TestClient) -> Vec<(&'static str, Sent)> {
    let by_form = format!("{ASK}&client_id={}&client_secret={}", good.id, good.secret);
    vec![
        ("JSON", ask(r#"{"grant_type":"client_credentials"}"#).by(good).typed("application/json")),
        ("broken JSON", ask(r#"{"grant_type":"#).by(good).typed("application/json")),
        ("a form said to be JSON", ask(&*by_form).typed("application/json")),
        ("no content type", ask(&*by_form).typed("")),
        ("plain text", ask(&*by_form).typed("text/plain")),
        ("multipart", ask(&*by_form).typed("multipart/form-data; boundary=x")),
        ("another charset", ask(&*by_form).typed("application/x-www-form-urlencoded; charset=ISO-8859-1")),
        ("nearly the content type", ask(&*by_form).typed("application/x-www-form-urlencoded-x")),
    ]
}

/// RFC 7009 §2.1, RFC 7662 §2.1: requests about a token whose form is wrong, from a good client.
pub fn malformed_questions(clients: &Clients) -> Vec<Row> {
    let good = &clients.good;
    let by_form = format!("&client_id={}&client_secret={}", good.id, good.secret);
    let mut rows = vec![];
    for endpoint in [INTROSPECT, REVOKE] {
        for (name, sent) in [
            ("no token", post(endpoint, "").by(good)),
            ("an empty token", post(endpoint, "token=").by(good)),
            ("two tokens", post(endpoint, "token=a&token=a").by(good)),
            ("two hints", post(endpoint, "token=a&token_type_hint=x&token_type_hint=x").by(good)),
            ("a broken triplet", post(endpoint, "token=%zz").by(good)),
            ("Basic and form", post(endpoint, format!("token=x{by_form}")).by(good)),
            ("the token in the query", post(&format!("{endpoint}?token=x"), "token=x").by(good)),
            ("the token only in the query", post(&format!("{endpoint}?token=x"), "").by(good)),
            ("JSON", post(endpoint, r#"{"token":"x"}"#).by(good).typed("application/json")),
            ("no content type", post(endpoint, "token=x").by(good).typed("")),
        ] {
            rows.push((format!("{name} at {endpoint}"), sent, 400, "invalid_request", "invalid_request"));
        }
    }
    rows
}
