//! UserInfo (OIDC Core §5.3).

use super::BearerError;
use super::claims::{Into, about};
use crate::Idp;
use serde_json::{Value, json};

impl Idp {
    /// UserInfo (OIDC Core §5.3).
    ///
    /// # Errors
    /// See [`BearerError`].
    pub async fn userinfo(&self, bearer: &str) -> Result<Value, BearerError> {
        let standing = self.bearer(bearer).await?;
        let token = &standing.token;
        if !token.scopes.contains("openid") {
            return Err(BearerError::InsufficientScope("openid"));
        }
        let (Some(grant), Some(account)) = (&standing.grant, &standing.account) else {
            return Err(BearerError::InsufficientScope("openid"));
        };
        self.count_account(grant.account)?;
        let client = self.store.client(&token.client).await?.ok_or(BearerError::InvalidToken)?;
        let mut claims = about(account, &client, grant, &token.scopes, Into::UserInfo);
        claims.insert("sub".to_owned(), json!(self.subject(&client, account.id)));
        Ok(Value::Object(claims))
    }
}
