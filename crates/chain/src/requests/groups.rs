//! Lane groups: which keys may sign what a service requests, and which of them the next request goes to.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use alloy_primitives::Address;
use custody::policy::Approval;
use custody::{Custody, KeyLabel};

use super::{LaneActivity, LaneStanding, RequestsError};
use crate::intent::Intent;

/// The longest name of a group, in bytes.
pub const LANE_GROUP_NAME_BYTES_MAX: usize = 100;

/// Keys that may sign for one purpose. Each is a lane, and lanes go side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneGroup {
    /// Its name, which requests give.
    pub name: String,
    /// Its keys, at least one.
    pub keys: Vec<KeyLabel>,
}

/// Lane groups are not as they must be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LaneGroupError {
    /// The name is empty or too long.
    #[error("a lane group's name has {bytes} bytes; 1 to {max} are allowed", max = LANE_GROUP_NAME_BYTES_MAX)]
    Name {
        /// How many it has.
        bytes: usize,
    },
    /// Two groups have one name.
    #[error("two lane groups are named `{name}`")]
    TwiceNamed {
        /// The name.
        name: String,
    },
    /// A group has no keys.
    #[error("lane group `{name}` has no keys")]
    Empty {
        /// Its name.
        name: String,
    },
    /// A key is in two groups, or twice in one. What it signs would be ordered for one of them alone.
    #[error("key `{label}` is in a lane group twice")]
    KeyTwice {
        /// The key.
        label: KeyLabel,
    },
}

/// Which lane of which group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    group: usize,
    lane: usize,
}

/// The groups with their lanes, as this process knows them.
pub(super) struct Groups(Mutex<Vec<Group>>);

struct Group {
    name: String,
    lanes: Vec<GroupLane>,
}

#[derive(Clone)]
struct GroupLane {
    label: KeyLabel,
    sender: Address,
    activity: LaneActivity,
    /// How many requests wait for it, when that was counted last, and how many were given to it since.
    load: u64,
}

impl Groups {
    pub(super) fn of(groups: Vec<LaneGroup>, custody: &Custody) -> Result<Self, RequestsError> {
        check(&groups).map_err(RequestsError::Groups)?;
        let group = |LaneGroup { name, keys }: LaneGroup| {
            let lane = |label: KeyLabel| match custody.address(&label) {
                Ok(sender) => Ok(GroupLane { label, sender, activity: LaneActivity::Sending, load: 0 }),
                Err(source) => Err(RequestsError::Key { group: name.clone(), source }),
            };
            let lanes = keys.into_iter().map(lane).collect::<Result<_, _>>()?;
            Ok(Group { name, lanes })
        };
        Ok(Self(Mutex::new(groups.into_iter().map(group).collect::<Result<_, _>>()?)))
    }

    /// The lane that a request goes to if its subject has nothing in flight; `None` if there is no such group. One that its approvals
    /// were given for, else the one with the least to do of those that can go on, else the one with the least to do.
    pub(super) fn lane_for(&self, group: &str, intent: &Intent, chain_id: u64) -> Option<Address> {
        let mut groups = self.groups();
        let lanes = &mut groups.iter_mut().find(|known| known.name == group)?.lanes;
        let is_approved = |lane: &GroupLane| {
            let command = intent.command_hash(lane.sender, chain_id);
            intent.approvals.iter().any(|Approval { statement, .. }| statement.subject == command)
        };
        let rank = |lane: &GroupLane| {
            let activity = match lane.activity {
                LaneActivity::Sending | LaneActivity::HeldElsewhere => 0,
                LaneActivity::Waiting { .. } => 1,
                LaneActivity::Retired => 2,
            };
            (!intent.approvals.is_empty() && !is_approved(lane), activity, lane.load)
        };
        let chosen = lanes.iter_mut().min_by_key(|lane| rank(lane))?;
        chosen.load += 1;
        Some(chosen.sender)
    }

    /// What was counted.
    pub(super) fn weigh(&self, waiting: &BTreeMap<Address, u64>) {
        for lane in self.groups().iter_mut().flat_map(|group| &mut group.lanes) {
            lane.load = waiting.get(&lane.sender).copied().unwrap_or(0);
        }
    }

    pub(super) fn places(&self) -> Vec<Place> {
        let groups = self.groups();
        let of = |(group, known): (usize, &Group)| {
            (0..known.lanes.len()).map(|lane| Place { group, lane }).collect::<Vec<_>>()
        };
        groups.iter().enumerate().flat_map(of).collect()
    }

    /// Name of the group, and the key.
    pub(super) fn at(&self, place: Place) -> (String, KeyLabel) {
        let groups = self.groups();
        let group = &groups[place.group];
        (group.name.clone(), group.lanes[place.lane].label.clone())
    }

    pub(super) fn set(&self, place: Place, activity: LaneActivity) {
        let lane = &mut self.groups()[place.group].lanes[place.lane];
        if lane.activity != activity {
            tracing::info!(key = %lane.label, sender = %lane.sender, ?activity, "requests for the lane");
            lane.activity = activity;
        }
    }

    /// The key has a successor here, which sends in its place.
    pub(super) fn succeed(&self, place: Place, label: KeyLabel, sender: Address) {
        let lane = &mut self.groups()[place.group].lanes[place.lane];
        *lane = GroupLane { label, sender, activity: LaneActivity::Sending, load: lane.load };
    }

    /// Whether a group has a lane of this sender.
    pub(super) fn has(&self, sender: Address) -> bool {
        self.groups().iter().flat_map(|group| &group.lanes).any(|lane| lane.sender == sender)
    }

    /// Whether a group has the key.
    pub(super) fn is_in_a_group(&self, label: &KeyLabel) -> bool {
        self.groups().iter().flat_map(|group| &group.lanes).any(|lane| lane.label == *label)
    }

    /// Another lane of the group whose key is not retired.
    pub(super) fn other(&self, place: Place) -> Option<Address> {
        let groups = self.groups();
        let (own, lanes) = (groups[place.group].lanes[place.lane].sender, &groups[place.group].lanes);
        let others = lanes.iter().filter(|lane| lane.sender != own && lane.activity != LaneActivity::Retired);
        others.min_by_key(|lane| lane.load).map(|lane| lane.sender)
    }

    pub(super) fn standing(&self) -> Vec<LaneStanding> {
        let standing = |group: &Group| {
            let of = |lane: &GroupLane| {
                let GroupLane { label, sender, activity, load: _ } = lane.clone();
                LaneStanding { group: group.name.clone(), label, sender, activity }
            };
            group.lanes.iter().map(of).collect::<Vec<_>>()
        };
        self.groups().iter().flat_map(standing).collect()
    }

    fn groups(&self) -> MutexGuard<'_, Vec<Group>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check(groups: &[LaneGroup]) -> Result<(), LaneGroupError> {
    for (index, LaneGroup { name, keys }) in groups.iter().enumerate() {
        if name.is_empty() || name.len() > LANE_GROUP_NAME_BYTES_MAX {
            return Err(LaneGroupError::Name { bytes: name.len() });
        }
        if keys.is_empty() {
            return Err(LaneGroupError::Empty { name: name.clone() });
        }
        if groups[..index].iter().any(|other| other.name == *name) {
            return Err(LaneGroupError::TwiceNamed { name: name.clone() });
        }
        for (at, label) in keys.iter().enumerate() {
            if keys[..at].contains(label) || groups[..index].iter().any(|other| other.keys.contains(label)) {
                return Err(LaneGroupError::KeyTwice { label: label.clone() });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Bytes;
    use custody::Purpose;

    use super::*;
    use crate::intent::IntentKey;
    use crate::{Profile, Rules};

    fn label(text: &str) -> KeyLabel {
        KeyLabel::parse(text).unwrap()
    }

    fn custody() -> Custody {
        let mut custody = Custody::new(Profile::embedded(1337, Rules::Berlin, 30_000_000).network());
        for key in ["a", "b", "c"] {
            let _ = custody.add_test_key(label(key), Purpose::Transactions).unwrap();
        }
        custody
    }

    fn group(name: &str, keys: &[&str]) -> LaneGroup {
        LaneGroup { name: name.to_owned(), keys: keys.iter().map(|key| label(key)).collect() }
    }

    fn refused(groups: Vec<LaneGroup>) -> String {
        match Groups::of(groups, &custody()) {
            Err(RequestsError::Groups(error)) => error.to_string(),
            Err(error) => error.to_string(),
            Ok(_) => panic!("they are taken"),
        }
    }

    #[test]
    fn groups_have_names_and_keys_of_their_own() {
        assert_eq!(refused(vec![group("", &["a"])]), "a lane group's name has 0 bytes; 1 to 100 are allowed");
        assert_eq!(refused(vec![group("x", &[])]), "lane group `x` has no keys");
        assert_eq!(refused(vec![group("x", &["a"]), group("x", &["b"])]), "two lane groups are named `x`");
        assert_eq!(refused(vec![group("x", &["a"]), group("y", &["a"])]), "key `a` is in a lane group twice");
        assert_eq!(refused(vec![group("x", &["a", "a"])]), "key `a` is in a lane group twice");
        assert_eq!(refused(vec![group("x", &["z"])]), "lane group `x` has a key that is not there");
    }

    #[test]
    fn a_request_goes_where_least_is_to_do_among_those_that_can_go_on() {
        let groups = Groups::of(vec![group("x", &["a", "b", "c"])], &custody()).unwrap();
        let intent = Intent::call(IntentKey::parse("k").unwrap(), Address::ZERO, Bytes::new(), 21_000, "a call");
        let [a, b, c] = ["a", "b", "c"].map(|key| custody().address(&label(key)).unwrap());
        let next = || groups.lane_for("x", &intent, 1337).unwrap();
        assert_eq!([next(), next(), next(), next()], [a, b, c, a]);
        groups.weigh(&BTreeMap::from([(a, 3), (b, 1)]));
        assert_eq!([next(), next()], [c, b]);
        let places = groups.places();
        groups.set(places[2], LaneActivity::Waiting { reason: "paused".to_owned() });
        groups.weigh(&BTreeMap::from([(a, 9), (b, 9)]));
        assert_eq!(next(), a, "the third cannot go on");
        groups.set(places[0], LaneActivity::Retired);
        groups.set(places[1], LaneActivity::Retired);
        assert_eq!((next(), groups.other(places[0])), (c, Some(c)));
        assert_eq!(groups.lane_for("y", &intent, 1337), None);
    }
}
