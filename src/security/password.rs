//! Passwords: which a person may choose, how they are kept, and how one is checked.
//! Never shows one, never keeps one, and takes as long for a user that is not there.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::rand;

use crate::base::fact::{Class, Fact};
use crate::base::limits;

const SALT_BYTES: usize = 16;
/// Lanes: one, since a branch's server has few cores and decisions to make beside.
const LANES: u32 = 1;

/// What is checked where there is no user. Nobody knows a password to it.
const DUMMY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$dGFsbHlzdGljay1ub2JvZHk$oPKXkjlSPQkxXY0nmGgkqaN8qDzYJqwcEM7MsjFLWGE";

/// Of the passwords people choose most, those that are long enough to be chosen here.
const COMMONEST: [&str; 30] = [
    "000000000000",
    "111111111111",
    "112233445566",
    "123123123123",
    "123456123456",
    "1234567890123",
    "123456789012",
    "123456789123",
    "1234567891011",
    "12345678910a",
    "1q2w3e4r5t6y",
    "administrator",
    "changemenow1",
    "changeme1234",
    "correcthorsebatterystaple",
    "football1234",
    "iloveyou1234",
    "letmein12345",
    "letmeinletmein",
    "loanofficer1",
    "password1234",
    "password12345",
    "passwordpassword",
    "p@ssw0rd1234",
    "qwerty123456",
    "qwertyuiop12",
    "qwertyuiop123",
    "qwertyuiopasdf",
    "tallystick12",
    "welcome12345",
];

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error(
        "a password has {min} to {max} characters; this one has {found}",
        min = limits::PASSWORD_CHARS_MIN,
        max = limits::PASSWORD_CHARS_MAX
    )]
    Length { found: usize },
    #[error("the user's name is no password for that user")]
    Name,
    #[error("this password is among the first that anyone tries")]
    Common,
    #[error("the password could not be hashed")]
    NotHashed,
    #[error("no password could be drawn: the system gave no random bytes")]
    NotDrawn,
    #[error("what is kept of the password cannot be read")]
    Kept,
}

impl Fact for PasswordError {
    fn code(&self) -> &'static str {
        match self {
            Self::Length { .. } => "password.length",
            Self::Name => "password.name",
            Self::Common => "password.common",
            Self::NotHashed => "password.not_hashed",
            Self::NotDrawn => "password.not_drawn",
            Self::Kept => "password.kept",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Length { .. } | Self::Name | Self::Common => Class::Usage,
            Self::NotHashed | Self::NotDrawn => Class::Failed,
            Self::Kept => Class::Integrity,
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::Length { .. } | Self::Name | Self::Common => {
                Some("Choose another: four words that do not belong together are good.".to_string())
            }
            Self::NotHashed | Self::NotDrawn => None,
            Self::Kept => Some("Give this user a new password.".to_string()),
        }
    }
}

/// The signs of a drawn password: none that is taken for another.
const DRAWN_SIGNS: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";
const DRAWN_GROUPS: usize = 4;
const DRAWN_GROUP_SIGNS: usize = 5;

/// A password to be told once: of 20 signs in groups, which nobody guesses.
pub fn draw() -> Result<zeroize::Zeroizing<String>, PasswordError> {
    let mut password = zeroize::Zeroizing::new(String::with_capacity(DRAWN_GROUPS * (DRAWN_GROUP_SIGNS + 1)));
    let mut drawn = 0;
    while drawn < DRAWN_GROUPS * DRAWN_GROUP_SIGNS {
        let mut byte = [0u8];
        rand::fill(&mut byte).map_err(|_| PasswordError::NotDrawn)?;
        // Beyond the last whole multiple some signs would come more often than others.
        let most = u8::MAX - u8::MAX % DRAWN_SIGNS.len() as u8;
        if byte[0] >= most {
            continue;
        }
        if drawn > 0 && drawn % DRAWN_GROUP_SIGNS == 0 {
            password.push('-');
        }
        password.push(char::from(DRAWN_SIGNS[usize::from(byte[0]) % DRAWN_SIGNS.len()]));
        drawn += 1;
    }
    Ok(password)
}

/// Whether this user may choose this password.
pub fn check_new(password: &str, user: &str) -> Result<(), PasswordError> {
    let found = password.chars().count();
    if !(limits::PASSWORD_CHARS_MIN..=limits::PASSWORD_CHARS_MAX).contains(&found) {
        return Err(PasswordError::Length { found });
    }
    let small = zeroize::Zeroizing::new(password.to_lowercase());
    if *small == user.to_lowercase() {
        return Err(PasswordError::Name);
    }
    let common = COMMONEST.contains(&small.as_str()) || is_one_sign(&small);
    if common { Err(PasswordError::Common) } else { Ok(()) }
}

fn is_one_sign(password: &str) -> bool {
    let mut signs = password.chars();
    let first = signs.next();
    signs.all(|sign| Some(sign) == first)
}

/// What is kept of a checked password: its hash with salt and cost, as a PHC string. Takes a while, by design.
pub fn hash(password: &str) -> Result<String, PasswordError> {
    let mut salt = [0u8; SALT_BYTES];
    rand::fill(&mut salt).map_err(|_| PasswordError::NotHashed)?;
    let hashed = argon2()?.hash_password_with_salt(password.as_bytes(), &salt);
    Ok(hashed.map_err(|_| PasswordError::NotHashed)?.to_string())
}

/// Whether it is the user's password; `kept` is nothing where there is no such user, which takes as long.
pub fn verify(password: &str, kept: Option<&str>) -> Result<bool, PasswordError> {
    // Nobody could have chosen it, and a long one shall not cost more.
    let too_long = password.chars().count() > limits::PASSWORD_CHARS_MAX;
    let (password, kept) = if too_long { ("", None) } else { (password, kept) };
    match argon2()?.verify_password(password.as_bytes(), kept.unwrap_or(DUMMY)) {
        Ok(()) => Ok(kept.is_some()),
        Err(Error::PasswordInvalid) => Ok(false),
        Err(_) => Err(PasswordError::Kept),
    }
}

/// Whether it was hashed at another cost than is asked for today. To be asked after a good `verify`.
pub fn needs_rehash(kept: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(kept) else { return true };
    let id = Algorithm::Argon2id.ident();
    let same = |params: Params| {
        (params.m_cost(), params.t_cost(), params.p_cost())
            == (limits::PASSWORD_MEMORY_KIB, limits::PASSWORD_PASSES, LANES)
    };
    parsed.algorithm != id || !Params::try_from(&parsed).is_ok_and(same)
}

fn argon2() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(limits::PASSWORD_MEMORY_KIB, limits::PASSWORD_PASSES, LANES, None);
    let params = params.map_err(|_| PasswordError::NotHashed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_kept_as_a_salted_hash_of_today_s_cost() {
        let kept = hash("an unlikely sentence").unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert_ne!(hash("an unlikely sentence").unwrap(), kept);
        assert_eq!(verify("an unlikely sentence", Some(&kept)), Ok(true));
        assert_eq!(verify("an unlikely sentencf", Some(&kept)), Ok(false));
        assert_eq!(verify("", Some(&kept)), Ok(false));
        assert!(!needs_rehash(&kept));
    }

    #[test]
    fn nobody_logs_in_as_a_user_that_is_not_there() {
        assert!(!needs_rehash(DUMMY), "the dummy must cost what a user costs");
        for password in ["", "password1234", "tallystick-nobody"] {
            assert_eq!(verify(password, None), Ok(false), "{password:?}");
        }
        let kept = hash(&"x".repeat(200)).unwrap();
        assert_eq!(verify(&"x".repeat(200), Some(&kept)), Ok(false));
    }

    #[test]
    fn an_older_cost_is_to_be_hashed_again_and_garbage_is_named() {
        let kept = hash("an unlikely sentence").unwrap();
        for (from, to) in [("m=19456", "m=8192"), ("t=2", "t=1"), ("argon2id", "argon2i")] {
            assert!(needs_rehash(&kept.replace(from, to)), "{to}");
        }
        for garbage in ["", "x", "$argon2id$", &kept[..40]] {
            assert_eq!(
                verify("an unlikely sentence", Some(garbage)),
                Err(PasswordError::Kept),
                "{garbage:?}"
            );
            assert!(needs_rehash(garbage));
        }
    }

    #[test]
    fn what_anyone_would_try_first_is_not_chosen() {
        let code = |password: &str, user: &str| check_new(password, user).map_err(|error| error.code());
        assert_eq!(code("correct horse battery", "anna"), Ok(()));
        assert_eq!(code("zwölf Zeichen", "anna"), Ok(()));
        assert_eq!(code("elf zeichen", "anna"), Err("password.length"));
        assert_eq!(code(&"ab".repeat(64), "anna"), Ok(()));
        assert_eq!(code(&"ab".repeat(65), "anna"), Err("password.length"));
        assert_eq!(code("Anna.Schmidt@Branch", "anna.schmidt@branch"), Err("password.name"));
        for common in ["Password1234", "ADMINISTRATOR", "ééééééééééééé"] {
            assert_eq!(code(common, "anna"), Err("password.common"), "{common}");
        }
        for common in COMMONEST {
            assert!(
                common.len() >= limits::PASSWORD_CHARS_MIN && common == common.to_lowercase(),
                "{common}"
            );
        }
    }
}
