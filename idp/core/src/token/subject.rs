//! `sub`: who an account is to a client (OIDC Core §8).

use crate::Idp;
use crate::client::{Client, SubjectType};
use crate::ids::AccountId;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;

impl Idp {
    /// The `sub` of `account` as `client` sees it: the account's id, or a keyed hash of it for the client's sector.
    pub(crate) fn subject(&self, client: &Client, account: AccountId) -> String {
        match client.subject_type {
            SubjectType::Public => account.to_string(),
            SubjectType::Pairwise => {
                // A host holds no NUL, so sector and account can't run into each other.
                let message = format!("{}\0{account}", sector(client));
                URL_SAFE_NO_PAD.encode(self.master.mac("pairwise-subject", message.as_bytes()))
            }
        }
    }
}

fn sector(client: &Client) -> String {
    let first = || client.redirect_uris.first().and_then(|uri| Url::parse(uri).ok());
    client
        .sector_identifier
        .clone()
        .or_else(|| first().and_then(|uri| uri.host_str().map(str::to_owned)))
        .unwrap_or_else(|| client.id.to_string())
}
