//! Decides who is asking. Knows tokens; knows no table and no route.

mod identity;
mod password;
mod refresh;
mod secret;
mod token;

pub use identity::{Admin, CurrentUser, Viewer};
pub use password::{PasswordError, Passwords};
pub use refresh::{REFRESH_TOKEN_CHARS, RefreshToken};
pub use secret::{SecretError, private_directory, secret_of, write_private};
pub use token::{Role, TOKEN_LIFETIME, TokenError, Tokens, UnknownRole, UserId};
