//! A deployed network as it is shown: what stands where, and whose wallets take part.

use crate::drex_suite::{Contract, Suite, Wallet};
use alloy_primitives::Address;

/// Everything that a report says of a network.
pub(super) struct Network {
    /// The suite.
    pub(super) suite: Suite,
    /// Chain id.
    pub(super) chain_id: u64,
    /// Price of gas, in wei.
    pub(super) gas_price_wei: u128,
    /// Wallets, in the order in which they are shown.
    pub(super) accounts: Vec<Account>,
}

/// A wallet that takes part.
#[derive(Clone, Debug)]
pub(super) struct Account {
    /// Whose it is.
    pub(super) wallet: Wallet,
    /// Its address.
    pub(super) address: Address,
    /// Its private key as wallets read it, if everybody may know it.
    pub(super) test_key: Option<String>,
}

impl Network {
    /// Where contracts are looked up.
    pub(super) fn directory(&self) -> Address {
        self.suite.address(Contract::AddressDiscovery)
    }

    /// Somebody's wallet, if it takes part.
    pub(super) fn account(&self, wallet: Wallet) -> Option<&Account> {
        self.accounts.iter().find(|account| account.wallet == wallet)
    }

    /// Who holds a wallet, in words that are the same in both languages.
    pub(super) fn holder(&self, wallet: Wallet) -> String {
        let institutions = self.suite.institutions();
        match wallet {
            Wallet::Admin | Wallet::CentralBank => "BCB".to_owned(),
            Wallet::Treasury => "Tesouro Nacional".to_owned(),
            Wallet::Bank(place) | Wallet::Reserve(place) => institutions[place].name.clone(),
            Wallet::Client(place, client) => institutions[place].clients[client].clone(),
        }
    }
}
