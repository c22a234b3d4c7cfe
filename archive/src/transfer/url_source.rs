use secrecy::SecretString;

use crate::Error;

/// Supplies the signed URLs of one object.
pub trait UrlSource {
    /// The error of the source.
    type Error: From<Error>;

    /// Returns the first URL.
    fn first_url(&mut self) -> impl Future<Output = Result<SecretString, Self::Error>> + Send;

    /// Returns another URL after the host rejected the last one.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no other URL; `rejected` contains the reason.
    fn fresh_url(
        &mut self,
        rejected: Error,
    ) -> impl Future<Output = Result<SecretString, Self::Error>> + Send;
}
