//! Decides which names, addresses and passwords are good.

use serde_json::{Value, json};

use crate::auth::{REFRESH_TOKEN_CHARS, RefreshToken, Role};
use crate::http::{Choice, Fields, Format, Given, Input, Text, choice, line};
use crate::settings::Secret;

/// The longest address that mail can be sent to (RFC 5321 §4.5.3.1.3).
const EMAIL_BYTES_MAX: usize = 254;

/// Characters of a password. Longer ones are refused, not cut.
const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 8..=128;

/// Where a picture is.
const IMAGE: Text = line(1..=255);

const ROLES: Choice<Role> =
    choice(&[(Role::Player.name(), Role::Player), (Role::Admin.name(), Role::Admin)]);

/// A mail address, in small letters. Only a letter sent to it could prove more than its shape.
struct Email;

impl Format for Email {
    type Value = String;

    fn read(&self, given: Given<'_>) -> Option<String> {
        let text = given.text()?;
        let (local, domain) = text.split_once('@')?;
        let plain = |char: char| !char.is_control() && !char.is_whitespace() && char != '@';
        let labels = domain.split('.').all(|label| !label.is_empty());
        let shaped = !local.is_empty() && labels && domain.contains('.');
        let good = shaped && text.len() <= EMAIL_BYTES_MAX && local.chars().all(plain);
        (good && domain.chars().all(plain)).then(|| text.to_lowercase())
    }

    fn demand(&self) -> &'static str {
        "be a mail address"
    }

    fn limit(&self) -> String {
        format!("name@domain, up to {EMAIL_BYTES_MAX} bytes")
    }

    fn schema(&self) -> Value {
        json!({ "type": "string", "format": "email", "maxLength": EMAIL_BYTES_MAX })
    }
}

/// A password: any characters, since each of them makes it better.
struct Password;

impl Format for Password {
    type Value = Secret;

    fn read(&self, given: Given<'_>) -> Option<Secret> {
        let text = given.text()?;
        PASSWORD_CHARS.contains(&text.chars().count()).then(|| Secret::new(text))
    }

    fn demand(&self) -> &'static str {
        "be text"
    }

    fn limit(&self) -> String {
        format!("{} to {} characters", PASSWORD_CHARS.start(), PASSWORD_CHARS.end())
    }

    fn schema(&self) -> Value {
        let (min, max) = (PASSWORD_CHARS.start(), PASSWORD_CHARS.end());
        json!({ "type": "string", "format": "password", "minLength": min, "maxLength": max })
    }
}

/// Who wants to become a user.
#[derive(Debug)]
pub(super) struct Registration {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) password: Secret,
}

impl Input for Registration {
    fn read(fields: &mut Fields) -> Option<Self> {
        let name = fields.required("name", line(3..=20));
        let email = fields.required("email", Email);
        let password = fields.required("password", Password);
        Some(Registration { name: name?, email: email?, password: password? })
    }
}

/// Who says to be a user.
#[derive(Debug)]
pub(super) struct Credentials {
    pub(super) email: String,
    pub(super) password: Secret,
}

impl Input for Credentials {
    fn read(fields: &mut Fields) -> Option<Self> {
        let email = fields.required("email", Email);
        let password = fields.required("password", Password);
        Some(Credentials { email: email?, password: password? })
    }
}

/// The token that a session ended with.
#[derive(Debug)]
pub(super) struct Renewal(pub(super) RefreshToken);

impl Input for Renewal {
    fn read(fields: &mut Fields) -> Option<Self> {
        let chars = REFRESH_TOKEN_CHARS..=REFRESH_TOKEN_CHARS;
        let token = fields.required("refreshToken", line(chars));
        Some(Renewal(RefreshToken::brought(token?)))
    }
}

/// What a user looks like from now on.
#[derive(Debug)]
pub(super) struct PictureChange {
    pub(super) image: String,
}

impl Input for PictureChange {
    fn read(fields: &mut Fields) -> Option<Self> {
        fields.picture("image", IMAGE).map(|image| PictureChange { image })
    }
}

/// What a user may do from now on.
#[derive(Debug)]
pub(super) struct RoleChange(pub(super) Role);

impl Input for RoleChange {
    fn read(fields: &mut Fields) -> Option<Self> {
        fields.required("role", ROLES).map(RoleChange)
    }
}
