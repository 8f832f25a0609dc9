//! The token under load: the suite's Real Digital, its holders, their transfers, and the check afterwards.

use super::connection::{Connection, quantity};
use super::drive::Drive;
use super::signer::{Signed, Signer};
use super::watcher::Watched;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, keccak256};
use alloy_sol_types::SolCall;
use anyhow::{Context, Result, ensure};
use bindings::drex::RealDigital;
use serde_json::json;

/// Accounts that seed holders beside each other: one alone could have few transactions waiting.
const SEEDERS: u32 = 100;
/// What each holder begins with, in cents: more than it can send.
const BALANCE_CENTS: u64 = 1_000_000_000;
/// What each transfer moves, in cents.
const TRANSFER_CENTS: u64 = 1;
/// Holders whose balance is compared at the end, spread over all.
const BALANCES_COMPARED: usize = 100;

/// A deployed token.
pub(super) struct Token {
    authority: Signer,
    address: Address,
}

/// The receiver of a holder's `round`-th transfer: never itself, and another in each round.
fn receiver(holder: usize, round: usize, holders: usize) -> usize {
    (holder + 1 + round * 7_919 % (holders - 1)) % holders
}

impl Token {
    /// Deploys the token.
    pub(super) async fn deploy(drive: &Drive) -> Result<Self> {
        let authority = Signer::named("authority", 0);
        let arguments = RealDigital::constructorCall {
            name_: "Real Digital".to_owned(),
            symbol_: "BRL".to_owned(),
            authority_: authority.address,
            admin_: authority.address,
        };
        let creation = authority.sign(0, TxKind::Create, bindings::creation(&RealDigital::BYTECODE, &arguments));
        let _ = drive.one_by_one().send(&[creation]).await.context("the token is not deployed")?;
        let address = authority.address.create(0);
        Ok(Self { authority, address })
    }

    /// Lets every holder hold, and gives it its first balance.
    pub(super) async fn seed(&self, drive: &Drive, holders: &[Signer]) -> Result<()> {
        let seeders: Vec<Signer> = (0..SEEDERS).map(|index| Signer::named("seeder", index)).collect();
        let grants = seeders.iter().flat_map(|seeder| {
            ["ACCESS_ROLE", "MINTER_ROLE"]
                .map(|role| RealDigital::grantRoleCall { role: keccak256(role), account: seeder.address })
        });
        let grants: Vec<Signed> = (1..)
            .zip(grants)
            .map(|(nonce, grant)| self.authority.sign(nonce, self.to(), grant.abi_encode().into()))
            .collect();
        let _ = drive.one_by_one().send(&grants).await.context("the seeders have no roles")?;
        let seeding: Vec<Signed> = in_parallel(holders.len(), |index| {
            let (seeder, holder) = (&seeders[index % seeders.len()], holders[index].address);
            let nonce = (index / seeders.len() * 2) as u64;
            let enable = RealDigital::enableAccountCall { member: holder };
            let mint = RealDigital::mintCall { to: holder, amount: U256::from(BALANCE_CENTS) };
            [
                seeder.sign(nonce, self.to(), enable.abi_encode().into()),
                seeder.sign(nonce + 1, self.to(), mint.abi_encode().into()),
            ]
        })
        .into_iter()
        .flatten()
        .collect();
        let _ = drive.send(&seeding).await.context("the holders are not seeded")?;
        Ok(())
    }

    /// Signs transfers: holders take turns, each sends to others in turn.
    pub(super) fn transfers(&self, holders: &[Signer], count: usize) -> Vec<Signed> {
        in_parallel(count, |index| {
            let (holder, round) = (index % holders.len(), index / holders.len());
            let to = holders[receiver(holder, round, holders.len())].address;
            let transfer = RealDigital::transferCall { to, value: U256::from(TRANSFER_CENTS) };
            holders[holder].sign(round as u64, self.to(), transfer.abi_encode().into())
        })
    }

    /// Asserts that every transfer succeeded with its one event and that balances are what they must be. Returns the
    /// most gas that a transfer used.
    pub(super) async fn check(
        &self,
        connection: &mut Connection,
        holders: &[Signer],
        count: usize,
        watched: &Watched,
    ) -> Result<u64> {
        let mut gas = 0;
        let mut checked = 0;
        for (number, _) in &watched.blocks {
            let receipts = connection.call("eth_getBlockReceipts", json!([format!("{number:#x}")])).await?;
            for receipt in receipts.as_array().context("a block has receipts")? {
                let hash = &receipt["transactionHash"];
                ensure!(receipt["status"] == "0x1", "transfer {hash} failed");
                ensure!(
                    receipt["logs"].as_array().is_some_and(|logs| logs.len() == 1),
                    "transfer {hash} has not one event"
                );
                gas = gas.max(quantity(&receipt["gasUsed"])?);
                checked += 1;
            }
        }
        ensure!(checked == count, "{checked} receipts were found for {count} transfers");
        let expected = balances(holders.len(), count);
        for index in (0..holders.len()).step_by((holders.len() / BALANCES_COMPARED).max(1)) {
            let found = self.balance(connection, holders[index].address).await?;
            ensure!(found == U256::from(expected[index]), "holder {index} has {found} cents, not {}", expected[index]);
        }
        Ok(gas)
    }

    async fn balance(&self, connection: &mut Connection, holder: Address) -> Result<U256> {
        let input: Bytes = RealDigital::balanceOfCall { account: holder }.abi_encode().into();
        let call = json!([{ "to": self.address, "data": input }, "latest"]);
        let answer = connection.call("eth_call", call).await?;
        let word: B256 = answer.as_str().unwrap_or_default().parse().context("a balance is a word")?;
        Ok(word.into())
    }

    fn to(&self) -> TxKind {
        TxKind::Call(self.address)
    }
}

/// Balances in cents after so many transfers, by arithmetic alone.
fn balances(holders: usize, count: usize) -> Vec<u64> {
    let mut balances = vec![BALANCE_CENTS; holders];
    for index in 0..count {
        let (holder, round) = (index % holders, index / holders);
        balances[holder] -= TRANSFER_CENTS;
        balances[receiver(holder, round, holders)] += TRANSFER_CENTS;
    }
    balances
}

/// Makes `count` values on all cores, in order.
fn in_parallel<T: Send>(count: usize, make: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = count.div_ceil(threads);
    let make = &make;
    std::thread::scope(|scope| {
        let range = |thread: usize| (thread * share).min(count)..((thread + 1) * share).min(count);
        let workers: Vec<_> =
            (0..threads).map(|thread| scope.spawn(move || range(thread).map(make).collect::<Vec<T>>())).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("signing does not panic")).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_sends_to_itself_and_no_cent_is_lost() {
        for holders in [2, 3, 10, 7_920] {
            for index in 0..holders * 3 {
                assert_ne!(receiver(index % holders, index / holders, holders), index % holders);
            }
            let total: u64 = balances(holders, holders * 3 + 1).iter().sum();
            assert_eq!(total, BALANCE_CENTS * holders as u64);
        }
    }

    #[test]
    fn values_made_on_all_cores_keep_their_order() {
        assert_eq!(in_parallel(7, |index| index), (0..7).collect::<Vec<_>>());
        assert_eq!(in_parallel(0, |index| index), Vec::<usize>::new());
    }
}
