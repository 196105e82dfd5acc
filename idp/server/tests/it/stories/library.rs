//! With a client library that knows nothing of us: what any app would do.

use crate::harness::{ALICE, App, Provider};
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata, CoreUserInfoClaims};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, IntrospectionUrl, IssuerUrl, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, RedirectUrl, Scope, TokenIntrospectionResponse, TokenResponse,
};

#[tokio::test]
async fn a_stock_client_library_signs_in_refreshes_introspects_and_revokes() {
    let provider = Provider::start().await;
    let http = &provider.http;
    let issuer = IssuerUrl::new(provider.issuer.clone()).unwrap();
    let metadata = CoreProviderMetadata::discover_async(issuer, http).await.unwrap();
    let secret = ClientSecret::new("web-secret-that-is-long-enough-for-this".to_owned());
    let client = CoreClient::from_provider_metadata(metadata, ClientId::new("web".to_owned()), Some(secret))
        .set_redirect_uri(RedirectUrl::new("https://web.example/cb".to_owned()).unwrap())
        .set_introspection_url(IntrospectionUrl::new(provider.url("/introspect")).unwrap());
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, state, nonce) = client
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            CsrfToken::new_random,
            Nonce::new_random,
        )
        .add_scopes(["profile", "email", "offline_access"].map(|scope| Scope::new(scope.to_owned())))
        .set_pkce_challenge(challenge)
        .url();

    let mut visitor = provider.visitor();
    let at = visitor.open(url.as_str()).await;
    let callback = crate::harness::Callback::of(visitor.walk(at, ALICE).await.left());
    assert_eq!(&callback.params["state"], state.secret());
    let code = AuthorizationCode::new(callback.code().to_owned());
    let tokens = client
        .exchange_code(code)
        .unwrap()
        .set_pkce_verifier(verifier)
        .request_async(http)
        .await
        .unwrap();

    let id_token = tokens.id_token().unwrap();
    let verifier = client.id_token_verifier();
    let claims = id_token.claims(&verifier, &nonce).unwrap();
    let algorithm = id_token.signing_alg().unwrap();
    let key = id_token.signing_key(&verifier).unwrap();
    let hash = AccessTokenHash::from_token(tokens.access_token(), algorithm, key).unwrap();
    assert_eq!(claims.access_token_hash(), Some(&hash));
    assert!(id_token.claims(&verifier, &Nonce::new("another".to_owned())).is_err());

    let subject = claims.subject().clone();
    let info: CoreUserInfoClaims = client
        .user_info(tokens.access_token().clone(), Some(subject))
        .unwrap()
        .request_async(http)
        .await
        .unwrap();
    assert_eq!(info.email().map(|email| email.as_str()), Some(ALICE.email));

    let renewed = client
        .exchange_refresh_token(tokens.refresh_token().unwrap())
        .unwrap()
        .request_async(http)
        .await
        .unwrap();
    let active = client.introspect(renewed.access_token()).request_async(http).await.unwrap();
    assert!(active.active());
    // The library revokes over https only.
    let form = [("token", renewed.refresh_token().unwrap().secret().as_str())];
    assert_eq!(App::web(&provider).post("/revoke", &form).await.status, 200);
    let active = client.introspect(renewed.access_token()).request_async(http).await.unwrap();
    assert!(!active.active());
}
