//! Windows' own protection of data for the user who is signed in (DPAPI).
//!
//! The one module that speaks to the Windows API.
#![expect(unsafe_code, reason = "DPAPI is only reachable through the C interface")]

use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::Win32::Security::Cryptography::{
    CRYPT_INTEGER_BLOB, CRYPTPROTECT_UI_FORBIDDEN, CryptProtectData, CryptUnprotectData,
};
use zeroize::{Zeroize, Zeroizing};

/// Encrypts data so that only this user on this machine can read it.
pub(super) fn protect(plain: &[u8]) -> Option<Vec<u8>> {
    let input = blob(plain)?;
    let mut output = CRYPT_INTEGER_BLOB { cbData: 0, pbData: std::ptr::null_mut() };
    // SAFETY: `input` points to `plain`, which outlives the call and is only read; every optional
    // pointer may be null; `output` is filled by the system on success.
    let done = unsafe {
        CryptProtectData(
            &input,
            std::ptr::null(),
            std::ptr::null(),
            std::ptr::null(),
            std::ptr::null(),
            CRYPTPROTECT_UI_FORBIDDEN,
            &mut output,
        )
    };
    (done != 0).then(|| take(output).to_vec())
}

/// Decrypts what [`protect`] made for this user.
pub(super) fn unprotect(stored: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let input = blob(stored)?;
    let mut output = CRYPT_INTEGER_BLOB { cbData: 0, pbData: std::ptr::null_mut() };
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
    Some(CRYPT_INTEGER_BLOB { cbData: u32::try_from(bytes.len()).ok()?, pbData: bytes.as_ptr().cast_mut() })
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
