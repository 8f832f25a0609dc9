//! Who may do what on a NATS server, and how its connections are protected.

use std::fmt::Write as _;

use super::certificates::Certificates;
use crate::program::text;

/// Whether connections are encrypted, and who shows a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tls {
    /// Nobody: connections are in the clear.
    #[default]
    Off,
    /// The server.
    Server,
    /// The server and its clients.
    Mutual,
}

/// A user of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its name.
    pub name: String,
    /// Its password.
    pub password: String,
    /// The subjects that it may publish on; `None` for all of its account.
    pub may_publish: Option<Vec<String>>,
}

/// An account: subjects and streams of its own, which other accounts do not see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its users.
    pub users: Vec<User>,
}

/// Accounts and TLS of a server. By default there are none: everybody may do everything, in the clear.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Security {
    /// TLS.
    pub tls: Tls,
    /// The accounts, each with JetStream; none lets everybody in.
    pub accounts: Vec<Account>,
}

impl Security {
    /// This part of the server's configuration.
    pub(super) fn config(&self, certificates: Option<&Certificates>) -> String {
        let mut config = String::new();
        if let Some(files) = certificates {
            let (cert, key, ca) = (text(&files.server()), text(&files.server_key()), text(&files.authority()));
            let verify = self.tls == Tls::Mutual;
            // Writing to a string cannot fail, here and below.
            let _ = writeln!(
                config,
                "tls {{ cert_file: \"{cert}\", key_file: \"{key}\", ca_file: \"{ca}\", verify: {verify}, timeout: 10 }}"
            );
        }
        if !self.accounts.is_empty() {
            config.push_str("accounts {\n");
            for account in &self.accounts {
                let users: Vec<String> = account.users.iter().map(User::config).collect();
                let _ = writeln!(config, "  {}: {{ jetstream: enabled, users: [{}] }}", account.name, users.join(", "));
            }
            config.push_str("}\n");
        }
        config
    }
}

impl User {
    fn config(&self) -> String {
        let Self { name, password, may_publish } = self;
        let permissions = may_publish.as_ref().map_or_else(String::new, |subjects| {
            let subjects: Vec<String> = subjects.iter().map(|subject| format!("\"{subject}\"")).collect();
            format!(", permissions: {{ publish: [{}] }}", subjects.join(", "))
        });
        format!("{{ user: \"{name}\", password: \"{password}\"{permissions} }}")
    }
}
