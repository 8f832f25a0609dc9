//! The EVM's rules, found by running a few instructions as creation code with `eth_call`: nothing is sent, nothing is stored.
//!
//! Each probe returns one word, and what it returns shows that it ran: an answer that nobody computed is told from one.

use alloy_primitives::U256;

use super::ask::Asker;
use super::observation::{Seen, SeenRules, Unseen};
use crate::profile::Rules;

/// Returns 1: creation code runs at all.
pub(super) const CONTROL: &[u8] = &[0x60, 1, 0x60, 0, 0x52, 0x60, 32, 0x60, 0, 0xf3];

/// Stores the word on the stack and returns it.
const RETURN_WORD: &[u8] = &[0x60, 0, 0x52, 0x60, 32, 0x60, 0, 0xf3];

/// What shows that rules are in force.
pub(super) enum Sign {
    /// The code runs and returns 1.
    Runs,
    /// It runs on all rules, and returns this from these on.
    Returns(fn(U256) -> bool),
}

/// One probe.
pub(super) struct Probe {
    pub(super) rules: Rules,
    /// Comes before [`RETURN_WORD`], and leaves one word on the stack.
    pub(super) code: &'static [u8],
    pub(super) sign: Sign,
}

/// In the order of the rules. An instruction is run and its result dropped, then 1 is left.
pub(super) const PROBES: &[Probe] = &[
    // EIP-2929: looking up the balance of an account that nobody touched costs 2,600; it was 700. With three instructions
    // around it: GAS PUSH20 … BALANCE POP GAS SWAP1 SUB.
    Probe {
        rules: Rules::Berlin,
        code: &[
            0x5a, 0x73, 0x1a, 0x57, 0x0d, 0xec, 0x70, 0x12, 0x1a, 0x57, 0x0d, 0xec, 0x70, 0x12, 0x1a, 0x57, 0x0d, 0xec,
            0x70, 0x12, 0x51, 0x52, 0x31, 0x50, 0x5a, 0x90, 0x03,
        ],
        sign: Sign::Returns(|gas| gas >= U256::from(2_600_u64) && gas < U256::from(10_000_u64)),
    },
    // EIP-3198: BASEFEE.
    Probe { rules: Rules::London, code: &[0x48, 0x50, 0x60, 1], sign: Sign::Runs },
    // EIP-4399: DIFFICULTY, which is 1 on these networks, became PREVRANDAO, which is 32 bytes of the header.
    Probe { rules: Rules::Paris, code: &[0x44], sign: Sign::Returns(|word| word > U256::from(u64::MAX)) },
    // EIP-3855: PUSH0.
    Probe { rules: Rules::Shanghai, code: &[0x5f, 0x50, 0x60, 1], sign: Sign::Runs },
    // EIP-5656: MCOPY of nothing; EIP-1153: TLOAD.
    Probe {
        rules: Rules::Cancun,
        code: &[0x60, 0, 0x60, 0, 0x60, 0, 0x5e, 0x60, 0, 0x5c, 0x50, 0x60, 1],
        sign: Sign::Runs,
    },
    // EIP-2537: the precompiled contract 0x0b adds two points of BLS12-381 and returns 128 bytes; without it the call
    // succeeds and returns nothing.
    Probe {
        rules: Rules::Prague,
        code: &[0x60, 0, 0x60, 0, 0x61, 1, 0, 0x60, 0, 0x60, 0x0b, 0x5a, 0xfa, 0x50, 0x3d],
        sign: Sign::Returns(|bytes| bytes == U256::from(128_u64)),
    },
    // EIP-7939: CLZ.
    Probe { rules: Rules::Osaka, code: &[0x60, 1, 0x1e, 0x50, 0x60, 1], sign: Sign::Runs },
];

/// The rules at the head.
pub(super) async fn rules(asker: &Asker) -> Seen<SeenRules> {
    if asker.run(CONTROL).await? != U256::ONE {
        return Err(Unseen::Unreadable { method: "eth_call" });
    }
    let mut shown = Vec::new();
    for probe in PROBES {
        let code = [probe.code, RETURN_WORD].concat();
        let is_in_force = match (asker.run(&code).await, &probe.sign) {
            (Ok(word), Sign::Runs) => word == U256::ONE,
            (Ok(word), Sign::Returns(is_sign)) => is_sign(word),
            // An instruction that the rules do not know ends the call with an error.
            (Err(Unseen::Refused { .. }), _) => false,
            (Err(unseen), _) => return Err(unseen),
        };
        shown.push((probe.rules, is_in_force));
    }
    Ok(conclude(&shown))
}

/// The rules of which all signs and all older ones are there.
fn conclude(shown: &[(Rules, bool)]) -> SeenRules {
    let whole_up_to = shown.iter().take_while(|(_, is_in_force)| *is_in_force).last().map(|(rules, _)| *rules);
    let newest = shown.iter().rfind(|(_, is_in_force)| *is_in_force).map(|(rules, _)| *rules);
    match newest {
        None => SeenRules::BeforeBerlin,
        Some(newest) if Some(newest) == whole_up_to => SeenRules::These(newest),
        Some(newest) => SeenRules::Contradictory { whole_up_to, newest },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_probe_for_all_rules_in_their_order() {
        assert!(PROBES.windows(2).all(|pair| pair[0].rules < pair[1].rules));
        assert_eq!((PROBES[0].rules, PROBES[PROBES.len() - 1].rules), (Rules::Berlin, Rules::Osaka));
    }

    #[test]
    fn rules_are_those_of_the_last_sign_if_none_before_it_is_missing() {
        let of = |signs: &str| {
            let shown: Vec<_> = PROBES.iter().zip(signs.chars()).map(|(probe, c)| (probe.rules, c == '1')).collect();
            conclude(&shown)
        };
        assert_eq!(of("0000000"), SeenRules::BeforeBerlin);
        assert_eq!(of("1000000"), SeenRules::These(Rules::Berlin));
        assert_eq!(of("1111000"), SeenRules::These(Rules::Shanghai));
        assert_eq!(of("1111111"), SeenRules::These(Rules::Osaka));
        let contradictory = SeenRules::Contradictory { whole_up_to: Some(Rules::Berlin), newest: Rules::Cancun };
        assert_eq!(of("1000100"), contradictory);
    }
}
