//! The language switch: every page links to its own address with `?lang=<tag>`.

use super::App;
use super::caller::Browser;
use super::{cookies, pages};
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::header::{HeaderMap, REFERER};
use axum::http::{Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use url::Url;

/// Remembers the language that such a link chose, and shows the page again. The link is nothing but `lang`: a page's own query may
/// hold what doesn't belong into a link, and comes back from the `Referer`.
pub async fn switch(State(app): State<App>, request: Request, next: Next) -> Response {
    let Some(tag) = chosen(&request) else {
        return next.run(request).await;
    };
    let (mut parts, _) = request.into_parts();
    let Ok(mut browser) = Browser::from_request_parts(&mut parts, &app).await;
    browser.choose_language(&app, Some(&tag));
    let target = address(&parts.uri, &parts.headers, app.idp.issuer());
    (
        cookies::language(&browser.caller.locale),
        pages::see_other(&target, Vec::new()),
    )
        .into_response()
}

fn chosen(request: &Request) -> Option<String> {
    if request.method() != Method::GET {
        return None;
    }
    let tag = request.uri().query()?.strip_prefix("lang=")?;
    tag.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        .then(|| tag.to_owned())
}

/// The page's address without the link's query. It begins with one slash: with two, it would name another host.
fn address(uri: &Uri, headers: &HeaderMap, issuer: &str) -> String {
    let path = uri.path().trim_start_matches(['/', '\\']);
    match own_query(uri.path(), headers, issuer) {
        Some(query) => format!("/{path}?{query}"),
        None => format!("/{path}"),
    }
}

/// The query of the page that the link was on.
fn own_query(path: &str, headers: &HeaderMap, issuer: &str) -> Option<String> {
    let from = Url::parse(headers.get(REFERER)?.to_str().ok()?).ok()?;
    let issuer = Url::parse(issuer).ok()?;
    let same = from.origin() == issuer.origin() && from.path() == path;
    from.query()
        .filter(|query| same && !query.starts_with("lang="))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const ISSUER: &str = "https://id.example";

    fn shown(uri: &str, referer: Option<&str>) -> String {
        let mut headers = HeaderMap::new();
        if let Some(referer) = referer {
            headers.insert(REFERER, referer.parse().unwrap());
        }
        address(&uri.parse().unwrap(), &headers, ISSUER)
    }

    #[test]
    fn the_page_keeps_its_own_query() {
        let page = "https://id.example/end_session?id_token_hint=x&state=y";
        assert_eq!(
            shown("/end_session?lang=de", Some(page)),
            "/end_session?id_token_hint=x&state=y"
        );
        assert_eq!(shown("/account?lang=de", None), "/account");
    }

    #[test]
    fn a_query_of_another_page_or_site_is_not_taken_over() {
        for other in [
            "https://evil.example/account?x=y",
            "https://id.example/flow/f?x=y",
            "nonsense",
        ] {
            assert_eq!(shown("/account?lang=de", Some(other)), "/account");
        }
    }

    #[test]
    fn nobody_is_led_to_another_host() {
        assert_eq!(shown("//evil.example?lang=de", None), "/evil.example");
        assert_eq!(shown("///evil.example/a?lang=de", None), "/evil.example/a");
    }
}
