//! Mistakes of a profile's file, each by its words; and any text at all.

use proptest::prelude::*;

use super::*;

/// The shipped profile with the most in it.
fn rbb() -> &'static str {
    NetworkProfile::shipped_text("rbb").unwrap()
}

/// What is said of the file after one replacement.
fn changed(from: &str, to: &str) -> String {
    let text = rbb().replacen(from, to, 1);
    assert_ne!(text, rbb(), "`{from}` is in the file");
    parse("own.toml", &text).map_or_else(|error| error.to_string(), |profile| format!("{profile:?}"))
}

#[test]
fn a_file_says_everything_of_a_network() {
    let profile = parse("own.toml", rbb()).unwrap();
    assert_eq!(profile.rules, Expected::Exactly(Rules::Berlin));
    assert_eq!(profile.block_gas_limit, Expected::Exactly(16_000_000));
    assert_eq!((profile.consensus, profile.pool), (Some(Consensus::Qbft), Some(PoolKind::Sequenced)));
    let governs: Vec<_> = profile.permissioning.iter().map(|contract| contract.governs).collect();
    assert_eq!(governs, [Governs::Accounts, Governs::Nodes]);
    assert_eq!(profile.chains[0].block_period, Some(Duration::from_secs(4)));
    assert_eq!(profile.chains[0].empty_block_period, Some(Duration::from_secs(4)));
    assert_eq!(profile.window_start, 5, "the pool's default");
    let of_geth = rbb().replacen("attempts_max = 20", "attempts_max = 20\nwindow_start = 64", 1);
    assert_eq!(parse("own.toml", &of_geth).unwrap().window_start, 64);
    let dearer = rbb().replacen("attempts_max = 20", "attempts_max = 20\nprice_steps_max = 0", 1);
    assert_eq!((profile.price_steps_max, parse("own.toml", &dearer).unwrap().price_steps_max), (8, 0));
    assert_eq!((profile.chains[1].chain_id, profile.chains[1].genesis_hash), (648_629, None));
}

#[test]
fn every_mistake_names_file_field_value_and_limit() {
    let cases = [
        (
            "name = \"rbb\"",
            "name = \"R B\"",
            "`own.toml`: `name` is `R B`, and must be 1 to 32 characters of a-z, 0-9 and -",
        ),
        ("16_000_000", "4_999", "`own.toml`: `block_gas_limit` is `4999`, and must be 5000 to 9223372036854775807"),
        (
            "\"4s\"",
            "\"4\"",
            "`own.toml`: `chains[0].block_period` is `4`, and must be a length of time from `1ms` to `60m`, such as `250ms` or `4s`",
        ),
        (
            "\"4s\"",
            "\"61m\"",
            "`own.toml`: `chains[0].block_period` is `61m`, and must be a length of time from `1ms` to `60m`, such as `250ms` or `4s`",
        ),
        (
            "\"0xa7ce",
            "\"0xzzce",
            "`own.toml`: `chains[0].genesis_hash` is `0xzzce1b4328b704f45901db430f4b52eb1bc633cf78b8bde63c60e0ee84c431ed`, and must be a hash: 0x and 64 hexadecimal digits",
        ),
        ("12120014", "0", "`own.toml`: `chains[0].chain_id` is `0`, and must be 1 to 9223372036854775807"),
        ("\"production\"", "\"\"", "`own.toml`: `chains[0].label` is ``, and must be 1 to 64 printable characters"),
        (
            "8888\"",
            "88888\"",
            "`own.toml`: `permissioning[0].address` is `0x00000000000000000000000000000000000088888`, and must be an address: 0x and 40 digits",
        ),
        ("attempts_max = 20", "attempts_max = 0", "`own.toml`: `sending.attempts_max` is `0`, and must be 1 to 1000"),
        (
            "attempts_max = 20",
            "attempts_max = 20\nwindow_start = 4097",
            "`own.toml`: `sending.window_start` is `4097`, and must be 1 to 4096",
        ),
        (
            "attempts_max = 20",
            "attempts_max = 20\nprice_steps_max = 65",
            "`own.toml`: `sending.price_steps_max` is `65`, and must be 0 to 64",
        ),
        (
            "first_pause = \"100ms\"",
            "first_pause = \"2001ms\"",
            "`own.toml`: `sending.first_pause` is `2001ms`, and must be `sending.pause_max`, `2s`, or shorter",
        ),
        (
            "empty_block_period = \"4s\"",
            "empty_block_period = \"3s\"",
            "`own.toml`: `chains[0].empty_block_period` is `3s`, and must be as long as `block_period` or longer, and that must be there",
        ),
        (
            "finality_blocks = 0",
            "finality_blocks = 100001",
            "`own.toml`: `finality_blocks` is `100001`, and must be 0 to 100000",
        ),
        (
            "fees = \"free\"",
            "fees = { eip1559 = { max_fee_per_gas_wei = 2, max_priority_fee_per_gas_wei = 1 } }",
            "`own.toml`: `fees` is `eip1559`, and must be legacy or free where the rules are older than London",
        ),
    ];
    for (from, to, expected) in cases {
        assert_eq!(changed(from, to), expected);
    }
}

#[test]
fn keys_that_no_profile_has_wrong_types_and_missing_keys_are_refused_with_their_line() {
    let cases = [
        ("pool = \"sequenced\"", "pol = \"sequenced\"", "unknown field `pol`, expected one of `name`, `rules`"),
        ("pool = \"sequenced\"", "pool = \"big\"", "unknown variant `big`, expected `sequenced` or `layered`"),
        ("finality_blocks = 0", "finality_blocks = -1", "invalid value: integer `-1`, expected u64"),
        ("exactly = \"berlin\"", "exactly = \"frontier\"", "unknown variant `frontier`, expected one of `berlin`"),
        ("exactly = \"berlin\"", "at_most = \"berlin\"", "unknown variant `at_most`, expected `exactly` or `at_least`"),
        ("chain_id = 648629", "", "missing field `chain_id`"),
    ];
    for (from, to, expected) in cases {
        let said = changed(from, to);
        assert!(said.starts_with("`own.toml`, line ") && said.contains(expected), "{said}");
    }
}

#[test]
fn prices_are_read_where_the_rules_have_them() {
    let legacy = changed("fees = \"free\"", "fees = { legacy = { gas_price_wei = 1000 } }");
    assert!(legacy.contains("Legacy { gas_price_wei: 1000 }"), "{legacy}");
    let text = rbb().replacen("exactly = \"berlin\"", "exactly = \"london\"", 1);
    let fees = |most: u64, priority: u64| {
        let fees =
            format!("{{ eip1559 = {{ max_fee_per_gas_wei = {most}, max_priority_fee_per_gas_wei = {priority} }} }}");
        parse("own.toml", &text.replacen("\"free\"", &fees, 1)).map(|profile| profile.fees)
    };
    let expected = FeeModel::Eip1559 { max_fee_per_gas_wei: 7, max_priority_fee_per_gas_wei: 7 };
    assert_eq!(fees(7, 7).unwrap(), expected);
    assert!(fees(7, 8).is_err());
}

#[test]
fn a_file_is_read_up_to_its_limit_and_may_not_take_a_shipped_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.toml");
    let read = |text: &[u8]| {
        std::fs::write(&path, text).unwrap();
        NetworkProfile::read(&path)
    };
    let own = rbb().replacen("name = \"rbb\"", "name = \"rbb-own\"", 1);
    let length = usize::try_from(PROFILE_BYTES_MAX).unwrap();
    let filled = own.clone() + &"#".repeat(length - own.len());
    assert_eq!(read(filled.as_bytes()).unwrap().name.as_str(), "rbb-own");
    assert!(matches!(read((filled + "#").as_bytes()), Err(ProfileFileError::TooLong { .. })));
    assert!(matches!(read(rbb().as_bytes()), Err(ProfileFileError::Value { field, .. }) if field == "name"));
    assert!(matches!(read(&[0xff, 0xfe]), Err(ProfileFileError::Read { .. })));
    assert!(matches!(NetworkProfile::read(&folder.path().join("none")), Err(ProfileFileError::Read { .. })));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}") {
        let _ = parse("own.toml", &text);
    }

    #[test]
    fn no_cut_and_no_changed_byte_of_a_real_file_makes_it_panic(place in 0_usize..2_000, byte in 32_u8..127) {
        let text = rbb();
        let cut = text.get(..place.min(text.len())).unwrap_or_default();
        let _ = parse("own.toml", cut);
        let mut bytes = text.as_bytes().to_vec();
        let place = place % bytes.len();
        bytes[place] = byte;
        if let Ok(changed) = String::from_utf8(bytes) {
            let _ = parse("own.toml", &changed);
        }
    }

    #[test]
    fn a_length_of_time_is_read_as_it_was_written(number in 0_u64..1_000_000) {
        prop_assert_eq!(duration(&format!("{number}ms")), Some(Duration::from_millis(number)));
        prop_assert_eq!(duration(&format!("{number}s")), Some(Duration::from_secs(number)));
        prop_assert_eq!(duration(&format!("{number}m")), Some(Duration::from_secs(number * 60)));
        prop_assert_eq!(duration(&format!("{number}")), None);
    }
}
