//! The `X-Hub-Signature` of pushed documents (WebSub, section 8): verifies other hubs' signatures and creates our own.
//!
//! Comparisons take constant time (ring). The reason for a rejection is stored but not sent to the hub.

use crate::domain::SignatureError;
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use ring::hmac;

/// Verifies the signature of a body. `header` is the value of the header; `None` if it is absent or repeated.
pub fn verify(secret: &str, header: Option<&[u8]>, body: &[u8]) -> Result<(), SignatureError> {
    let header = header.and_then(|bytes| std::str::from_utf8(bytes).ok()).ok_or(SignatureError::Missing)?;
    let (method, digest) = header.trim().split_once('=').ok_or(SignatureError::UnknownMethod)?;
    let algorithm = match method.to_ascii_lowercase().as_str() {
        "sha1" => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        "sha256" => hmac::HMAC_SHA256,
        "sha384" => hmac::HMAC_SHA384,
        "sha512" => hmac::HMAC_SHA512,
        _ => return Err(SignatureError::UnknownMethod),
    };
    let digest = HEXLOWER_PERMISSIVE.decode(digest.as_bytes()).map_err(|_| SignatureError::Mismatch)?;
    let key = hmac::Key::new(algorithm, secret.as_bytes());
    hmac::verify(&key, body, &digest).map_err(|_| SignatureError::Mismatch)
}

/// Returns the header value that signs a body with SHA-256.
pub fn sign(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!("sha256={}", HEXLOWER.encode(hmac::sign(&key, body).as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    // The values are from test case 2 of RFC 2202 and test case 2 of RFC 4231.
    const BODY: &[u8] = b"what do ya want for nothing?";
    const SHA1: &str = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79";
    const SHA256: &str = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    const SHA384: &str =
        "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649";
    const SHA512: &str = "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd\
                          caeab1a34d4a6b4b636e070a38bce737";

    fn check(header: &str, expect: Result<(), SignatureError>) {
        assert_eq!(verify("Jefe", Some(header.as_bytes()), BODY), expect, "{header}");
    }

    #[test]
    fn published_test_vectors_of_the_four_methods_are_valid() {
        for (method, digest) in [("sha1", SHA1), ("sha256", SHA256), ("sha384", SHA384), ("sha512", SHA512)] {
            check(&format!("{method}={digest}"), Ok(()));
            check(&format!("{}={}", method.to_uppercase(), digest.to_uppercase()), Ok(()));
            let mut other = digest.to_owned();
            other.replace_range(..1, if digest.starts_with('0') { "1" } else { "0" });
            check(&format!("{method}={other}"), Err(SignatureError::Mismatch));
        }
    }

    #[test]
    fn own_signature_is_valid() {
        assert_eq!(sign("Jefe", BODY), format!("sha256={SHA256}"));
        check(&sign("Jefe", BODY), Ok(()));
    }

    #[test]
    fn missing_unknown_and_wrong_signatures_are_rejected() {
        assert_eq!(verify("Jefe", None, BODY), Err(SignatureError::Missing));
        assert_eq!(verify("Jefe", Some(b"sha256=\xff"), BODY), Err(SignatureError::Missing));
        assert_eq!(verify("other", Some(format!("sha256={SHA256}").as_bytes()), BODY), Err(SignatureError::Mismatch));
        check(SHA256, Err(SignatureError::UnknownMethod));
        check(&format!("md5={SHA1}"), Err(SignatureError::UnknownMethod));
        check(&format!("sha256={SHA1}"), Err(SignatureError::Mismatch));
        check(&format!("sha256={}", &SHA256[..32]), Err(SignatureError::Mismatch));
        for digest in ["", "0", "zz", "é1", &"0".repeat(130)] {
            check(&format!("sha1={digest}"), Err(SignatureError::Mismatch));
        }
    }
}
