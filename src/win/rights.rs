//! Files and folders that nobody but the administrators, the system and this account may open.
#![expect(
    unsafe_code,
    reason = "access lists are only reachable through the C interface"
)]

use std::fs::File;
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle};
use std::path::Path;
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::{
    CloseHandle, ERROR_INVALID_FUNCTION, ERROR_NOT_SUPPORTED, GENERIC_WRITE, HANDLE,
    INVALID_HANDLE_VALUE, LocalFree,
};
use windows_sys::Win32::Security::Authorization::{
    ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW,
    GetNamedSecurityInfoW, GetSecurityInfo, SDDL_REVISION_1, SE_FILE_OBJECT, SetNamedSecurityInfoW,
};
use windows_sys::Win32::Security::{
    ACCESS_ALLOWED_ACE, ACE_HEADER, ACL, DACL_SECURITY_INFORMATION, EqualSid, GetAce,
    GetSecurityDescriptorControl, GetTokenInformation, INHERITED_ACE, IsWellKnownSid,
    OWNER_SECURITY_INFORMATION, PROTECTED_DACL_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, PSID,
    SE_DACL_PROTECTED, SECURITY_ATTRIBUTES, TOKEN_QUERY, TOKEN_USER, TokenUser,
    UNPROTECTED_DACL_SECURITY_INFORMATION, WELL_KNOWN_SID_TYPE, WinAccountDomainGuestsSid,
    WinAccountDomainUsersSid, WinAnonymousSid, WinAuthenticatedUserSid,
    WinBuiltinAdministratorsSid, WinBuiltinGuestsSid, WinBuiltinUsersSid, WinInteractiveSid,
    WinLocalSystemSid, WinNetworkSid, WinWorldSid,
};
use windows_sys::Win32::Storage::FileSystem::{
    CREATE_NEW, CreateDirectoryW, CreateFileW, FILE_ATTRIBUTE_NORMAL, FILE_SHARE_DELETE,
    FILE_SHARE_READ, FILE_SHARE_WRITE,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

use super::{wide, wide_text};

/// Groups that hold people whom nobody chose.
const CROWDS: [WELL_KNOWN_SID_TYPE; 9] = [
    WinWorldSid,
    WinAuthenticatedUserSid,
    WinBuiltinUsersSid,
    WinBuiltinGuestsSid,
    WinInteractiveSid,
    WinNetworkSid,
    WinAnonymousSid,
    WinAccountDomainUsersSid,
    WinAccountDomainGuestsSid,
];
/// `ACCESS_ALLOWED_ACE_TYPE`: the entries that give rights, and the only ones that files get.
const ALLOWED: u8 = 0;

/// Who can get at a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exposure {
    /// A group of people whom nobody chose has rights on it.
    pub(crate) crowd: bool,
    /// It belongs to somebody else than this account, the administrators and the system.
    pub(crate) stranger: bool,
}

/// Makes a file that must not exist yet, open for writing, and nobody else's from its first moment.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    let path = wide(path)?;
    let rights = Descriptor::private("")?;
    let attributes = rights.attributes();
    // SAFETY: the path ends in zero; the attributes and what they point to outlive the call.
    let handle = unsafe {
        CreateFileW(
            path.as_ptr(),
            GENERIC_WRITE,
            // Others may look at it and move it while it is open.
            FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
            &raw const attributes,
            CREATE_NEW,
            FILE_ATTRIBUTE_NORMAL,
            null_mut(),
        )
    };
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle is new, valid and nobody else's.
    Ok(unsafe { File::from_raw_handle(handle) })
}

/// Makes a folder, and what is above it, whose files are nobody else's. An existing one stays as it
/// is.
pub(crate) fn private_folder(path: &Path) -> io::Result<()> {
    if let Some(above) = path.parent() {
        std::fs::create_dir_all(above)?;
    }
    let wide = wide(path)?;
    let rights = Descriptor::private("OICI")?;
    let attributes = rights.attributes();
    // SAFETY: as in `create_private`.
    let done = unsafe { CreateDirectoryW(wide.as_ptr(), &raw const attributes) };
    if done == 0 && !path.is_dir() {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Gives a file the access list of another one. What that inherits from its folder, this one
/// inherits from its own.
pub(crate) fn copy_rights(from: &Path, to: &Path) -> io::Result<()> {
    let (from, to) = (wide(from)?, wide(to)?);
    let (mut list, mut descriptor) = (null_mut::<ACL>(), null_mut());
    // SAFETY: as in `exposure`; the path ends in zero.
    let found = unsafe {
        GetNamedSecurityInfoW(
            from.as_ptr(),
            SE_FILE_OBJECT,
            DACL_SECURITY_INFORMATION,
            null_mut(),
            null_mut(),
            &raw mut list,
            null_mut(),
            &raw mut descriptor,
        )
    };
    if is_unknown_here(found) {
        return Ok(());
    }
    checked(found)?;
    let _block = Local(descriptor);
    let (mut control, mut revision) = (0, 0);
    // SAFETY: the descriptor is valid until `_block` goes.
    if unsafe { GetSecurityDescriptorControl(descriptor, &raw mut control, &raw mut revision) } == 0
    {
        return Err(io::Error::last_os_error());
    }
    // What a new file has anyhow: all is inherited. Not every share lets rights be written.
    let all_inherited = list.is_null()
        || headers(list).all(|header| u32::from(header.AceFlags) & INHERITED_ACE != 0);
    if control & SE_DACL_PROTECTED == 0 && all_inherited {
        return Ok(());
    }
    let inherits = if control & SE_DACL_PROTECTED == 0 {
        UNPROTECTED_DACL_SECURITY_INFORMATION
    } else {
        PROTECTED_DACL_SECURITY_INFORMATION
    };
    // SAFETY: the list is valid until `_block` goes; the path ends in zero.
    let set = unsafe {
        SetNamedSecurityInfoW(
            to.as_ptr(),
            SE_FILE_OBJECT,
            DACL_SECURITY_INFORMATION | inherits,
            null_mut(),
            null_mut(),
            list,
            null(),
        )
    };
    if is_unknown_here(set) {
        return Ok(());
    }
    checked(set)
}

/// Whether the file system has no rights, as on many a share and stick.
fn is_unknown_here(code: u32) -> bool {
    [ERROR_INVALID_FUNCTION, ERROR_NOT_SUPPORTED].contains(&code)
}

fn checked(failed: u32) -> io::Result<()> {
    match failed {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code.cast_signed())),
    }
}

/// Looks at the owner and the access list of an open file.
pub(crate) fn exposure(file: &File) -> io::Result<Exposure> {
    let (mut owner, mut list, mut descriptor) = (null_mut(), null_mut::<ACL>(), null_mut());
    // SAFETY: the handle is open; the results are pointers into a block that is the caller's until
    // LocalFree, which `Local` sees to.
    checked(unsafe {
        GetSecurityInfo(
            file.as_raw_handle(),
            SE_FILE_OBJECT,
            OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
            &raw mut owner,
            null_mut(),
            &raw mut list,
            null_mut(),
            &raw mut descriptor,
        )
    })?;
    let _block = Local(descriptor);
    let me = Me::find()?;
    let ours = [WinBuiltinAdministratorsSid, WinLocalSystemSid];
    Ok(Exposure {
        crowd: list.is_null() || allowed(list).any(|sid| is_any_of(sid, &CROWDS)),
        stranger: !is_any_of(owner, &ours) && !me.is(owner),
    })
}

/// Those to whom an access list gives rights. The list must outlive what is made of them.
fn allowed(list: *const ACL) -> impl Iterator<Item = PSID> {
    entries(list).filter_map(|entry| {
        // SAFETY: every entry starts with a header, and one of this type has the account at
        // `SidStart`.
        unsafe {
            if (*entry).AceType != ALLOWED {
                return None;
            }
            Some((&raw mut (*entry.cast::<ACCESS_ALLOWED_ACE>()).SidStart).cast())
        }
    })
}

/// The heads of an access list's entries.
fn headers(list: *const ACL) -> impl Iterator<Item = ACE_HEADER> {
    // SAFETY: every entry starts with a header.
    entries(list).map(|entry| unsafe { *entry })
}

/// An access list's entries. The list must outlive them.
fn entries(list: *const ACL) -> impl Iterator<Item = *mut ACE_HEADER> {
    // SAFETY: the caller's list is a valid one, from the system.
    let count = unsafe { (*list).AceCount };
    (0..u32::from(count)).filter_map(move |index| {
        let mut entry = null_mut();
        // SAFETY: the list is valid, and the index below its count.
        let found = unsafe { GetAce(list, index, &raw mut entry) };
        (found != 0).then(|| entry.cast())
    })
}

fn is_any_of(sid: PSID, kinds: &[WELL_KNOWN_SID_TYPE]) -> bool {
    // SAFETY: the account is from the system.
    !sid.is_null()
        && kinds
            .iter()
            .any(|kind| unsafe { IsWellKnownSid(sid, *kind) } != 0)
}

/// Memory that the system gave, given back with the value.
struct Local(*mut core::ffi::c_void);

impl Drop for Local {
    fn drop(&mut self) {
        // SAFETY: it came from a call that hands it over, and is freed once.
        unsafe { LocalFree(self.0) };
    }
}

/// Who may do what with a file.
struct Descriptor(Local);

impl Descriptor {
    /// All rights for the administrators, the system and this account. `inherit`: the flags of the
    /// entries, by which a folder's files get the same.
    fn private(inherit: &str) -> io::Result<Self> {
        let me = Me::find()?.text()?;
        let entries = ["BA", "SY", &me].map(|who| format!("(A;{inherit};FA;;;{who})"));
        Self::of(&format!("D:P{}", entries.concat()))
    }

    /// What a text of the security descriptor definition language says.
    fn of(text: &str) -> io::Result<Self> {
        let text = wide_text(text);
        let mut descriptor: PSECURITY_DESCRIPTOR = null_mut();
        // SAFETY: the text ends in zero; the result is ours until LocalFree.
        let done = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &raw mut descriptor,
                null_mut(),
            )
        };
        if done == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self(Local(descriptor)))
    }

    fn attributes(&self) -> SECURITY_ATTRIBUTES {
        SECURITY_ATTRIBUTES {
            nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
            lpSecurityDescriptor: self.0.0,
            bInheritHandle: 0,
        }
    }
}

/// The account that runs this process, as the system tells it: a `TOKEN_USER` and what it points
/// to, in words so that it is aligned.
struct Me(Vec<u64>);

impl Me {
    fn find() -> io::Result<Self> {
        let mut token: HANDLE = null_mut();
        // SAFETY: the process's own handle needs no closing; the token does, below.
        if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) } == 0 {
            return Err(io::Error::last_os_error());
        }
        // A SID has at most 68 bytes.
        let mut words = vec![0_u64; 32];
        let room = (words.len() * size_of::<u64>()) as u32;
        let mut length = 0;
        // SAFETY: the buffer has as many bytes as the call is told; the token is open until closed.
        let done = unsafe {
            let done = GetTokenInformation(
                token,
                TokenUser,
                words.as_mut_ptr().cast(),
                room,
                &raw mut length,
            );
            let error = io::Error::last_os_error();
            CloseHandle(token);
            if done == 0 { Err(error) } else { Ok(()) }
        };
        done.map(|()| Self(words))
    }

    fn sid(&self) -> PSID {
        // SAFETY: the buffer starts with a TOKEN_USER, whose pointer goes into the same buffer,
        // which isn't moved by moving the vector.
        unsafe { (*self.0.as_ptr().cast::<TOKEN_USER>()).User.Sid }
    }

    fn is(&self, other: PSID) -> bool {
        // SAFETY: both are accounts from the system.
        !other.is_null() && unsafe { EqualSid(self.sid(), other) } != 0
    }

    /// As in `S-1-5-21-…`.
    fn text(&self) -> io::Result<String> {
        let mut text = null_mut();
        // SAFETY: the account is valid; the result is ours until LocalFree, and ends in zero.
        unsafe {
            if ConvertSidToStringSidW(self.sid(), &raw mut text) == 0 {
                return Err(io::Error::last_os_error());
            }
            let _block = Local(text.cast());
            let length = (0..).take_while(|&at| *text.add(at) != 0).count();
            Ok(String::from_utf16_lossy(std::slice::from_raw_parts(
                text, length,
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_file_is_its_makers_and_no_crowd_s() {
        let folder = tempfile::tempdir().unwrap();
        let private = folder.path().join("own");
        private_folder(&private).unwrap();
        private_folder(&private).unwrap();
        let path = private.join("a");
        let file = create_private(&path).unwrap();
        assert_eq!(
            exposure(&file).unwrap(),
            Exposure {
                crowd: false,
                stranger: false
            }
        );
        drop(file);
        let again = create_private(&path)
            .map(drop)
            .map_err(|error| error.kind());
        assert_eq!(again, Err(io::ErrorKind::AlreadyExists));
    }

    #[test]
    fn the_crowds_are_told_from_accounts() {
        let listed = |entries: &str| {
            let Descriptor(block) = Descriptor::of(&format!("D:{entries}")).unwrap();
            let (mut present, mut list, mut defaulted) = (0, null_mut(), 0);
            // SAFETY: the descriptor is valid; the list points into it.
            unsafe {
                windows_sys::Win32::Security::GetSecurityDescriptorDacl(
                    block.0,
                    &raw mut present,
                    &raw mut list,
                    &raw mut defaulted,
                );
            }
            allowed(list).any(|sid| is_any_of(sid, &CROWDS))
        };
        assert!(!listed(
            "(A;;FA;;;BA)(A;;FA;;;SY)(A;;FR;;;S-1-5-21-1-2-3-1001)"
        ));
        for crowd in ["WD", "AU", "BU", "BG", "IU", "NU", "AN"] {
            assert!(listed(&format!("(A;;FA;;;BA)(A;;FR;;;{crowd})")), "{crowd}");
            assert!(
                !listed(&format!("(A;;FA;;;BA)(D;;FR;;;{crowd})")),
                "{crowd}"
            );
        }
    }
}
