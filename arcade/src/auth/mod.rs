//! Decides who is asking. Knows tokens, and asks `sessions` whether they still hold; knows no table
//! and no route.

mod identity;
mod password;
mod refresh;
mod secret;
mod token;

pub use identity::{Admin, CurrentSession, CurrentUser, Identities, Viewer};
pub use password::{PasswordError, Passwords};
pub use refresh::{REFRESH_TOKEN_CHARS, RefreshToken};
pub use secret::{SecretError, private_directory, secret_of, write_private};
pub use token::{Claimed, Role, SessionId, TOKEN_LIFETIME, TokenError, Tokens, UnknownRole, UserId};
