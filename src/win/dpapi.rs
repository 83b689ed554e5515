//! Windows' own protection of data (DPAPI), for one account or for the whole machine.
#![expect(
    unsafe_code,
    reason = "DPAPI is only reachable through the C interface"
)]

use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::Win32::Security::Cryptography::{
    CRYPT_INTEGER_BLOB, CRYPTPROTECT_LOCAL_MACHINE, CRYPTPROTECT_UI_FORBIDDEN, CryptProtectData,
    CryptUnprotectData,
};
use zeroize::{Zeroize, Zeroizing};

/// Who can read what was protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Whoever gets at it on this machine: rights on the file are the other half.
    Machine,
    /// This account, on this machine.
    Account,
}

/// Encrypts data so that only this scope can read it.
pub(crate) fn protect(plain: &[u8], scope: Scope) -> Option<Vec<u8>> {
    let flags = CRYPTPROTECT_UI_FORBIDDEN
        | match scope {
            Scope::Machine => CRYPTPROTECT_LOCAL_MACHINE,
            Scope::Account => 0,
        };
    let input = blob(plain)?;
    let mut output = CRYPT_INTEGER_BLOB {
        cbData: 0,
        pbData: std::ptr::null_mut(),
    };
    // SAFETY: `input` points to `plain`, which outlives the call and is only read; every optional
    // pointer may be null; `output` is filled by the system on success.
    let done = unsafe {
        CryptProtectData(
            &input,
            std::ptr::null(),
            std::ptr::null(),
            std::ptr::null(),
            std::ptr::null(),
            flags,
            &mut output,
        )
    };
    (done != 0).then(|| take(output).to_vec())
}

/// Decrypts what [`protect`] made for a scope that this process is in.
pub(crate) fn unprotect(stored: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let input = blob(stored)?;
    let mut output = CRYPT_INTEGER_BLOB {
        cbData: 0,
        pbData: std::ptr::null_mut(),
    };
    // SAFETY: as in `protect`.
    let done = unsafe {
        CryptUnprotectData(
            &input,
            std::ptr::null_mut(),
            std::ptr::null(),
            std::ptr::null(),
            std::ptr::null(),
            CRYPTPROTECT_UI_FORBIDDEN,
            &mut output,
        )
    };
    (done != 0).then(|| take(output))
}

fn blob(bytes: &[u8]) -> Option<CRYPT_INTEGER_BLOB> {
    // The system takes the pointer as mutable but does not write to an input.
    Some(CRYPT_INTEGER_BLOB {
        cbData: u32::try_from(bytes.len()).ok()?,
        pbData: bytes.as_ptr().cast_mut(),
    })
}

/// Copies the system's answer, wipes it and gives it back.
fn take(output: CRYPT_INTEGER_BLOB) -> Zeroizing<Vec<u8>> {
    let length = usize::try_from(output.cbData).unwrap_or_default();
    // SAFETY: after success the system has allocated `cbData` bytes at `pbData`, and they are ours
    // until `LocalFree`.
    unsafe {
        let answer = std::slice::from_raw_parts_mut(output.pbData, length);
        let copy = Zeroizing::new(answer.to_vec());
        answer.zeroize();
        LocalFree(output.pbData.cast());
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_protected_comes_back_whole_or_not_at_all() {
        for scope in [Scope::Machine, Scope::Account] {
            let stored = protect(b"a secret", scope).unwrap();
            assert!(!stored.windows(8).any(|part| part == b"a secret"));
            assert_eq!(unprotect(&stored).unwrap().as_slice(), b"a secret");
            assert!(
                unprotect(&stored[..stored.len() / 2]).is_none(),
                "{scope:?}"
            );
        }
        assert!(unprotect(b"").is_none());
    }
}
