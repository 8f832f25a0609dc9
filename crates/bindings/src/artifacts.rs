//! The committed artifacts of all families, as the contracts' build wrote them.

use crate::{assets, drex};
use alloy_json_abi::JsonAbi;
use serde::Deserialize;

/// The one part of an artifact that is read at run time.
#[derive(Deserialize)]
struct Artifact {
    abi: JsonAbi,
}

/// Name and ABI of each contract, family by family.
pub(crate) fn abis() -> impl Iterator<Item = (&'static str, JsonAbi)> {
    drex::ARTIFACTS.iter().chain(assets::ARTIFACTS).map(|(contract, json)| {
        let artifact = serde_json::from_str::<Artifact>(json);
        // The artifacts are compiled in; the tests read each.
        let artifact = artifact.unwrap_or_else(|error| panic!("the artifact of {contract} has no ABI: {error}"));
        (*contract, artifact.abi)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A contract whose artifact nobody reads here reverts with errors that nobody can name.
    #[test]
    fn every_artifact_of_the_contracts_is_known() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../solidity/artifacts");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut built: Vec<String> = files.filter_map(|file| file.strip_suffix(".json").map(str::to_owned)).collect();
        built.sort_unstable();
        let mut known: Vec<&str> = abis().map(|(contract, _)| contract).collect();
        known.sort_unstable();
        assert_eq!(built, known);
    }
}
