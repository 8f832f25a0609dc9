//! The roles of regulated assets, one per duty: no role includes another, and one person should not have two.
//!
//! A role is known by the hash of its name, the admin's by zero. Source: `solidity/src/assets/access/Duties.sol` and the
//! public constants of contracts with roles of their own.

use alloy_primitives::{B256, keccak256};
use std::fmt;

/// A role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Duty {
    /// Appoints and removes; does nothing else. One account, passed on in two steps.
    Admin,
    /// Issues and redeems units, names the asset; certifies; creates series.
    Issuer,
    /// Acts on wallets: registers, freezes, moves by order, recovers, pauses.
    Agent,
    /// Sets rules: which registry, which topics and issuers, which rules of compliance; approves transfers.
    Compliance,
    /// Announces record dates and pays what is due at them.
    Treasury,
    /// Attests; changes no balance and no rule.
    Auditor,
    /// Replaces the implementation behind a proxy.
    Upgrader,
    /// Decides on holds that name it.
    Notary,
    /// Revokes certificates of every issuer.
    Revoker,
    /// Seals trees of documents.
    Sealer,
    /// Registers versions of documents.
    Registrar,
}

impl Duty {
    /// All duties.
    pub const ALL: [Self; 11] = [
        Self::Admin,
        Self::Issuer,
        Self::Agent,
        Self::Compliance,
        Self::Treasury,
        Self::Auditor,
        Self::Upgrader,
        Self::Notary,
        Self::Revoker,
        Self::Sealer,
        Self::Registrar,
    ];

    /// The name whose hash is the role.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "DEFAULT_ADMIN_ROLE",
            Self::Issuer => "ISSUER_ROLE",
            Self::Agent => "AGENT_ROLE",
            Self::Compliance => "COMPLIANCE_ROLE",
            Self::Treasury => "TREASURY_ROLE",
            Self::Auditor => "AUDITOR_ROLE",
            Self::Upgrader => "UPGRADER_ROLE",
            Self::Notary => "NOTARY_ROLE",
            Self::Revoker => "REVOKER_ROLE",
            Self::Sealer => "SEALER_ROLE",
            Self::Registrar => "REGISTRAR_ROLE",
        }
    }

    /// What `grantRole`, `hasRole` and `AccessControlUnauthorizedAccount` know the role by.
    pub fn role(self) -> B256 {
        match self {
            Self::Admin => B256::ZERO,
            other => keccak256(other.name()),
        }
    }

    /// The duty of a role, if it is one of these.
    pub fn of_role(role: B256) -> Option<Self> {
        Self::ALL.into_iter().find(|duty| duty.role() == role)
    }
}

impl fmt::Display for Duty {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_leads_back_to_its_duty() {
        for duty in Duty::ALL {
            assert_eq!(Duty::of_role(duty.role()), Some(duty));
        }
        assert_eq!(Duty::of_role(keccak256("BURNER_ROLE")), None);
    }

    /// The contracts' sources, which no artifact has the names of roles from.
    #[test]
    fn every_role_of_the_sources_is_a_duty_and_every_duty_a_role() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../solidity/src/assets");
        let mut named: Vec<String> = vec![Duty::Admin.name().to_owned()];
        let mut folders = vec![std::path::PathBuf::from(root)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let text = std::fs::read_to_string(path).unwrap();
                    let hashed = text.split("keccak256(\"").skip(1).filter_map(|rest| rest.split_once("\")"));
                    named.extend(hashed.map(|(name, _)| name.to_owned()).filter(|name| name.ends_with("_ROLE")));
                }
            }
        }
        named.sort_unstable();
        named.dedup();
        let mut known: Vec<&str> = Duty::ALL.iter().map(|duty| duty.name()).collect();
        known.sort_unstable();
        assert_eq!(named, known);
    }
}
