//! Personal data: sealed for one place, opened there alone, gone when its person is erased, whatever is killed half-way.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use journal::clock::ManualClock;
use journal::personal::{
    ErasureRequest, Field, KEY_KEPT_MAX, KeysError, LegalBasis, MasterKeySource, OpenKeysError, Opened,
    PLAIN_BYTES_MAX, PersonId, PersonKeys, PersonKeysConfig, Personal, PersonsBackedUp, RegisterBroken, RestoreError,
    RotateError, SealError, Sealed, UnsealError,
};
use journal::{Clock, Entropy, Place};
use messages::{EventType, StreamName, TenantId, Timestamp};
use proptest::prelude::*;
use sqlx::{Connection as _, Row as _};

/// A folder with master keys, and a database of either kind.
struct Home {
    folder: tempfile::TempDir,
    place: Place,
    clock: ManualClock,
}

impl Home {
    fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::Sqlite { path: folder.path().join("persons.db") };
        Self { folder, place, clock: ManualClock::at(Timestamp::from_micros(1_800_000_000_000_000)) }
    }

    fn postgres() -> Self {
        let url = test_servers::Postgres::shared().unwrap().database().unwrap();
        Self { place: Place::Postgres { url, schema: "persons".to_owned() }, ..Self::sqlite() }
    }

    fn both() -> [Self; 2] {
        [Self::sqlite(), Self::postgres()]
    }

    /// A second, empty database of the same kind, with the same master keys.
    fn second_place(&self) -> Place {
        match &self.place {
            Place::Sqlite { .. } => Place::Sqlite { path: self.file("second.db") },
            Place::Postgres { url, .. } => Place::Postgres { url: url.clone(), schema: "second".to_owned() },
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn master(&self, byte: u8) -> MasterKeySource {
        let path = self.file(&format!("master-{byte}"));
        if !path.exists() {
            std::fs::write(&path, format!("{byte:02x}").repeat(32)).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        MasterKeySource::File { path }
    }

    fn config(&self, master: u8, former: Option<u8>) -> PersonKeysConfig {
        PersonKeysConfig {
            place: self.place.clone(),
            master: self.master(master),
            former_master: former.map(|byte| self.master(byte)),
            clock: Clock::Manual(self.clock.clone()),
            entropy: Entropy::System,
        }
    }

    async fn open(&self, master: u8, former: Option<u8>) -> Result<PersonKeys, OpenKeysError> {
        PersonKeys::open(&self.config(master, former)).await
    }
}

fn tenant(name: &str) -> TenantId {
    TenantId::parse(name).unwrap()
}

fn field() -> Field {
    Field {
        tenant: tenant("bank_a"),
        stream: StreamName::parse("holder/1").unwrap(),
        event_type: EventType::of("tokens.holder_registered"),
        name: "name",
    }
}

fn request(person: PersonId) -> ErasureRequest {
    ErasureRequest {
        tenant: tenant("bank_a"),
        person,
        legal_basis: LegalBasis::ConsentWithdrawn,
        reference: "LGPD-2026-0042".to_owned(),
        requested_by: "dpo@bank".to_owned(),
    }
}

async fn sealed(keys: &PersonKeys, person: PersonId, name: &str) -> Sealed {
    keys.seal(person, &field(), &Personal::new(name.to_owned())).await.unwrap()
}

async fn opened(keys: &PersonKeys, sealed: &Sealed) -> Result<Opened<String>, UnsealError> {
    keys.unseal(sealed, &field()).await
}

fn value(name: &str) -> Opened<String> {
    Opened::Value(Personal::new(name.to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sealed_opens_after_a_restart_and_not_for_another_master_key() {
    for home in Home::both() {
        let keys = home.open(1, None).await.unwrap();
        let person = keys.add_person(&tenant("bank_a")).await.unwrap();
        let text = sealed(&keys, person, "Ana Souza").await.to_string();
        assert!(!text.contains("Ana"));
        keys.close().await;
        let refused = home.open(2, None).await.unwrap_err();
        assert!(matches!(refused, OpenKeysError::OtherMaster { .. }), "{refused}");
        let keys = home.open(1, None).await.unwrap();
        assert_eq!(opened(&keys, &text.parse().unwrap()).await.unwrap(), value("Ana Souza"));
        keys.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_person_is_an_answer_and_stays_erased() {
    for home in Home::both() {
        let keys = home.open(1, None).await.unwrap();
        let person = keys.add_person(&tenant("bank_a")).await.unwrap();
        let other = keys.add_person(&tenant("bank_a")).await.unwrap();
        let (of_person, of_other) = (sealed(&keys, person, "Ana").await, sealed(&keys, other, "Rui").await);
        assert_eq!(opened(&keys, &of_person).await.unwrap(), value("Ana"));
        let erasure = keys.erase(&request(person)).await.unwrap();
        assert_eq!((erasure.number, erasure.person), (1, person));
        assert_eq!(keys.erase(&request(person)).await.unwrap(), erasure);
        assert_eq!(opened(&keys, &of_person).await.unwrap(), Opened::Erased);
        let refused = keys.seal(person, &field(), &Personal::new("Ana")).await.unwrap_err();
        assert!(matches!(refused, SealError::Erased { .. }));
        keys.close().await;
        let keys = home.open(1, None).await.unwrap();
        assert_eq!(opened(&keys, &of_person).await.unwrap(), Opened::Erased);
        assert_eq!(opened(&keys, &of_other).await.unwrap(), value("Rui"));
        assert_eq!(keys.verify_register().await.unwrap(), Ok((1, erasure.hash)));
        keys.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_an_erased_key_is_left_in_the_file_or_its_log() {
    let home = Home::sqlite();
    let keys = home.open(1, None).await.unwrap();
    let person = keys.add_person(&tenant("bank_a")).await.unwrap();
    let _ = sealed(&keys, person, "Ana").await;
    keys.close().await;
    let wrapped = wrapped_of(&home, person).await;
    let files = || ["persons.db", "persons.db-wal"].map(|name| std::fs::read(home.file(name)).unwrap_or_default());
    let is_there = || files().iter().any(|file| file.windows(wrapped.len()).any(|part| part == wrapped));
    assert!(is_there());
    let keys = home.open(1, None).await.unwrap();
    let _ = keys.erase(&request(person)).await.unwrap();
    assert!(!is_there());
    keys.close().await;
    assert!(!is_there());
}

async fn wrapped_of(home: &Home, person: PersonId) -> Vec<u8> {
    let url = format!("sqlite://{}", home.file("persons.db").display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let row = sqlx::query("SELECT wrapped FROM person_keys WHERE person = $1").bind(person.as_bytes().to_vec());
    let wrapped = row.fetch_one(&mut connection).await.unwrap().get(0);
    connection.close().await.unwrap();
    wrapped
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_reads_what_was_erased_no_longer_than_a_key_is_kept() {
    let home = Home::postgres();
    let (here, there) = (home.open(1, None).await.unwrap(), home.open(1, None).await.unwrap());
    let person = here.add_person(&tenant("bank_a")).await.unwrap();
    let text = sealed(&there, person, "Ana").await;
    let _ = here.erase(&request(person)).await.unwrap();
    assert_eq!(opened(&here, &text).await.unwrap(), Opened::Erased);
    home.clock.advance(KEY_KEPT_MAX - Duration::from_micros(1));
    assert_eq!(opened(&there, &text).await.unwrap(), value("Ana"));
    home.clock.advance(Duration::from_micros(1));
    assert_eq!(opened(&there, &text).await.unwrap(), Opened::Erased);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_value_opens_at_its_place_alone() {
    let home = Home::sqlite();
    let keys = home.open(1, None).await.unwrap();
    let person = keys.add_person(&tenant("bank_a")).await.unwrap();
    let text = sealed(&keys, person, "Ana").await;
    let moved = [
        Field { stream: StreamName::parse("holder/2").unwrap(), ..field() },
        Field { event_type: EventType::of("tokens.holder_changed"), ..field() },
        Field { name: "mother", ..field() },
    ];
    for place in moved {
        let result = keys.unseal::<String>(&text, &place).await;
        assert!(matches!(result, Err(UnsealError::DoesNotOpen { .. })), "{place:?}");
    }
    let place = Field { tenant: tenant("bank_b"), ..field() };
    assert!(matches!(keys.unseal::<String>(&text, &place).await, Err(UnsealError::OtherTenant { .. })));
    let refused = keys.seal(person, &place, &Personal::new("Ana")).await;
    assert!(matches!(refused, Err(SealError::OtherTenant { .. })));
    let other = keys.add_person(&tenant("bank_a")).await.unwrap();
    let stolen: Sealed = text.to_string().replace(&person.to_string(), &other.to_string()).parse().unwrap();
    assert!(matches!(opened(&keys, &stolen).await, Err(UnsealError::DoesNotOpen { .. })));
    keys.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_repeat_nothing_personal_and_limits_are_named() {
    let home = Home::sqlite();
    let keys = home.open(1, None).await.unwrap();
    let person = keys.add_person(&tenant("bank_a")).await.unwrap();
    let text = sealed(&keys, person, "Ana Souza").await;
    let error = keys.unseal::<u64>(&text, &field()).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("Ana"), "{error:?}");
    let long = Personal::new("x".repeat(PLAIN_BYTES_MAX));
    let error = keys.seal(person, &field(), &long).await.unwrap_err().to_string();
    assert_eq!(error, "a personal value of 8194 bytes is longer than 8192");
    let unknown = PersonId::from_bytes([9; 16]);
    assert!(matches!(keys.seal(unknown, &field(), &long).await, Err(SealError::Unknown { .. })));
    assert!(keys.erase(&request(unknown)).await.is_err());
    let request = ErasureRequest { reference: "a\nb".to_owned(), ..request(person) };
    assert!(keys.erase(&request).await.is_err());
    assert_eq!(keys.verify_register().await.unwrap().unwrap().0, 0);
    let debug = format!("{keys:?}");
    assert!(!debug.contains("[1, 1, 1") && debug.contains("MasterKey(*** "), "{debug}");
    keys.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_killed_after_any_batch_is_ended_by_the_next_and_the_former_key_is_refused() {
    for home in Home::both() {
        let keys = home.open(1, None).await.unwrap();
        let mut texts = Vec::new();
        for number in 0..600 {
            let person = keys.add_person(&tenant("bank_a")).await.unwrap();
            if number % 100 == 0 {
                texts.push(sealed(&keys, person, &number.to_string()).await);
            }
        }
        let erased = texts.pop().unwrap();
        let _ = keys.erase(&request(erased.person())).await.unwrap();
        assert!(matches!(keys.rotate(|_| {}).await, Err(RotateError::NothingToRotate)));
        keys.close().await;

        let keys = home.open(2, Some(1)).await.unwrap();
        // Killed: the future is dropped after its first batch.
        let (sender, first_batch) = tokio::sync::oneshot::channel();
        let mut sender = Some(sender);
        let rotating = keys.rotate(move |_| {
            if let Some(sender) = sender.take() {
                let _ = sender.send(());
            }
        });
        tokio::select! {
            biased;
            _ = first_batch => {}
            _ = rotating => panic!("the rotation ended before it was killed"),
        }
        keys.close().await;
        for alone in [1, 2] {
            let refused = refused_when_free(&home, alone).await;
            assert!(matches!(refused, OpenKeysError::MasterMissing { persons: 1.., .. }), "{refused}");
        }

        let keys = home.open(2, Some(1)).await.unwrap();
        for (index, text) in texts.iter().enumerate() {
            assert_eq!(opened(&keys, text).await.unwrap(), value(&(index * 100).to_string()));
        }
        let rotation = keys.rotate(|_| {}).await.unwrap();
        assert!((1..599).contains(&rotation.rewrapped), "{rotation:?}");
        keys.close().await;
        assert!(matches!(home.open(1, None).await, Err(OpenKeysError::Retired { .. })));
        let keys = home.open(2, None).await.unwrap();
        for (index, text) in texts.iter().enumerate() {
            assert_eq!(opened(&keys, text).await.unwrap(), value(&(index * 100).to_string()));
        }
        assert_eq!(opened(&keys, &erased).await.unwrap(), Opened::Erased);
        keys.close().await;
    }
}

/// Why the keys are refused to whoever has this master key alone, once what was dropped in the middle of a transaction has let go
/// of them.
async fn refused_when_free(home: &Home, master: u8) -> OpenKeysError {
    let began = std::time::Instant::now();
    loop {
        match home.open(master, None).await.unwrap_err() {
            OpenKeysError::Keys(_) if began.elapsed() < Duration::from_secs(60) => tokio::task::yield_now().await,
            refused => return refused,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_with_the_former_key_alone_adds_nobody_after_the_rotation() {
    let home = Home::postgres();
    let old = home.open(1, None).await.unwrap();
    let new = home.open(2, Some(1)).await.unwrap();
    let person = old.add_person(&tenant("bank_a")).await.unwrap();
    let _ = new.rotate(|_| {}).await.unwrap();
    assert!(old.add_person(&tenant("bank_a")).await.unwrap_err().to_string().ends_with("is retired"));
    let text = sealed(&new, person, "Ana").await;
    let error = opened(&old, &text).await.unwrap_err();
    assert!(matches!(error, UnsealError::Keys(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_brings_back_everybody_but_whom_the_register_has_erased() {
    for home in Home::both() {
        let keys = home.open(1, None).await.unwrap();
        let mut texts = Vec::new();
        for name in ["before", "after", "stays"] {
            let person = keys.add_person(&tenant("bank_a")).await.unwrap();
            texts.push(sealed(&keys, person, name).await);
        }
        let _ = keys.erase(&request(texts[0].person())).await.unwrap();
        keys.backup(&home.file("backup")).await.unwrap();
        assert_eq!(home.file("backup").metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let later = keys.add_person(&tenant("bank_a")).await.unwrap();
        let of_later = sealed(&keys, later, "later").await;
        let _ = keys.erase(&request(texts[1].person())).await.unwrap();
        let _ = keys.erase(&request(later)).await.unwrap();
        let register = keys.erasures_after(0).await.unwrap();

        let config = PersonKeysConfig { place: home.second_place(), ..home.config(1, None) };
        let mut forged = register.clone();
        forged[1].person = texts[2].person();
        let refused = PersonKeys::restore(&config, &home.file("backup"), &forged).await.unwrap_err();
        assert!(matches!(refused, RestoreError::Register(RegisterBroken::Hash { number: 2, .. })), "{refused}");
        let restored = PersonKeys::restore(&config, &home.file("backup"), &register).await.unwrap();
        assert_eq!(opened(&restored, &texts[0]).await.unwrap(), Opened::Erased);
        assert_eq!(opened(&restored, &texts[1]).await.unwrap(), Opened::Erased);
        assert_eq!(opened(&restored, &of_later).await.unwrap(), Opened::Erased);
        assert_eq!(opened(&restored, &texts[2]).await.unwrap(), value("stays"));
        assert_eq!(restored.verify_register().await.unwrap(), keys.verify_register().await.unwrap());
        restored.close().await;
        let refused = PersonKeys::restore(&config, &home.file("backup"), &register).await.unwrap_err();
        assert!(matches!(refused, RestoreError::NotEmpty { persons: 4 }), "{refused}");
        keys.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_with_another_master_key_leaves_an_empty_place_for_the_right_one() {
    for home in Home::both() {
        let keys = home.open(1, None).await.unwrap();
        let person = keys.add_person(&tenant("bank_a")).await.unwrap();
        let text = sealed(&keys, person, "Ana").await;
        let erased = keys.add_person(&tenant("bank_a")).await.unwrap();
        let _ = keys.erase(&request(erased)).await.unwrap();
        keys.backup(&home.file("backup")).await.unwrap();
        keys.close().await;
        let config = |master| PersonKeysConfig { place: home.second_place(), ..home.config(master, None) };
        let refused = PersonKeys::restore(&config(2), &home.file("backup"), &[]).await.unwrap_err();
        assert!(matches!(refused, RestoreError::Keys(KeysError::MasterUnknown { .. })), "{refused:?}");
        let missing = MasterKeySource::File { path: home.file("missing") };
        let nothing = PersonKeysConfig { master: missing, ..config(1) };
        let refused = PersonKeys::restore(&nothing, &home.file("backup"), &[]).await.unwrap_err();
        assert!(matches!(refused, RestoreError::Open(OpenKeysError::Master(_))), "{refused:?}");
        let restored = PersonKeys::restore(&config(1), &home.file("backup"), &[]).await.unwrap();
        assert_eq!(opened(&restored, &text).await.unwrap(), value("Ana"));
        restored.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_says_who_is_in_it_and_whether_their_keys_unwrap() {
    let home = Home::sqlite();
    let keys = home.open(1, None).await.unwrap();
    for number in 0..5 {
        let person = keys.add_person(&tenant("bank_a")).await.unwrap();
        if number % 2 == 0 {
            let _ = keys.erase(&request(person)).await.unwrap();
        }
    }
    keys.backup(&home.file("backup")).await.unwrap();
    keys.close().await;
    let expected = PersonsBackedUp { living: 2, erased: 3 };
    for master in [None, Some(home.master(1))] {
        assert_eq!(PersonsBackedUp::read(&home.file("backup"), master.as_ref()).unwrap(), expected);
    }
    let refused = PersonsBackedUp::read(&home.file("backup"), Some(&home.master(2))).unwrap_err();
    assert!(matches!(refused, RestoreError::Keys(KeysError::MasterUnknown { .. })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_must_be_there_are_not_made() {
    for home in Home::both() {
        let refused = PersonKeys::open_existing(&home.config(1, None)).await.unwrap_err();
        assert!(matches!(refused, OpenKeysError::NoKeys { .. }), "{refused:?}");
        assert!(!home.file("persons.db").exists());
        home.open(1, None).await.unwrap().close().await;
        PersonKeys::open_existing(&home.config(1, None)).await.unwrap().close().await;
    }
    let home = Home::sqlite();
    for text in ["", "a text that is longer than the head of a database, as SQLite writes it: one hundred bytes of it"]
    {
        std::fs::write(home.file("persons.db"), text).unwrap();
        let refused = PersonKeys::open_existing(&home.config(1, None)).await.unwrap_err();
        assert!(matches!(refused, OpenKeysError::NoKeys { .. }), "{refused:?}");
        assert_eq!(std::fs::read_to_string(home.file("persons.db")).unwrap(), text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_on_both_sides_is_no_rotation() {
    for home in Home::both() {
        home.open(1, None).await.unwrap().close().await;
        let refused = home.open(1, Some(1)).await.unwrap_err();
        assert!(matches!(refused, OpenKeysError::SameMaster { .. }), "{refused:?}");
        home.open(1, None).await.unwrap().close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_backup_restores_nothing() {
    let home = Home::sqlite();
    let keys = home.open(1, None).await.unwrap();
    let _ = keys.add_person(&tenant("bank_a")).await.unwrap();
    keys.backup(&home.file("backup")).await.unwrap();
    keys.close().await;
    let whole = std::fs::read(home.file("backup")).unwrap();
    let config = PersonKeysConfig { place: home.second_place(), ..home.config(1, None) };
    for place in (0..whole.len()).step_by(7) {
        let mut flipped = whole.clone();
        flipped[place] ^= 4;
        std::fs::write(home.file("backup"), &flipped).unwrap();
        assert!(PersonKeys::restore(&config, &home.file("backup"), &[]).await.is_err(), "byte {place}");
    }
    std::fs::write(home.file("backup"), &whole).unwrap();
    PersonKeys::restore(&config, &home.file("backup"), &[]).await.unwrap().close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_register_that_was_changed_and_a_key_that_came_back_are_found() {
    let home = Home::sqlite();
    let keys = home.open(1, None).await.unwrap();
    let mut persons = Vec::new();
    for _ in 0..3 {
        let person = keys.add_person(&tenant("bank_a")).await.unwrap();
        let _ = keys.erase(&request(person)).await.unwrap();
        persons.push(person);
    }
    keys.close().await;
    let whole = std::fs::read(home.file("persons.db")).unwrap();
    let person = persons[1];
    let changes = [
        ("UPDATE erasures SET reference = 'x' WHERE number = 2", RegisterKind::Hash),
        ("UPDATE erasures SET erased_us = 0 WHERE number = 2", RegisterKind::Hash),
        ("DELETE FROM erasures WHERE number = 2", RegisterKind::Number),
        (
            "UPDATE person_keys SET is_erased = 0 WHERE person = (SELECT person FROM erasures WHERE number = 2)",
            RegisterKind::Back,
        ),
        ("DELETE FROM person_keys WHERE person = (SELECT person FROM erasures WHERE number = 2)", RegisterKind::Back),
    ];
    for (sql, expected) in changes {
        std::fs::write(home.file("persons.db"), &whole).unwrap();
        let url = format!("sqlite://{}", home.file("persons.db").display());
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        assert_eq!(sqlx::query(sql).execute(&mut connection).await.unwrap().rows_affected(), 1);
        connection.close().await.unwrap();
        let keys = home.open(1, None).await.unwrap();
        let broken = keys.verify_register().await.unwrap().unwrap_err();
        let kind = match broken {
            RegisterBroken::Hash { number: 2, .. } => RegisterKind::Hash,
            RegisterBroken::Number { expected: 2, found: 3 } => RegisterKind::Number,
            RegisterBroken::KeyCameBack { number: 2, person: found } if found == person => RegisterKind::Back,
            other => panic!("{sql}: {other}"),
        };
        assert_eq!(kind, expected, "{sql}");
        keys.close().await;
    }
}

#[derive(Debug, PartialEq, Eq)]
enum RegisterKind {
    Hash,
    Number,
    Back,
}

#[tokio::test(flavor = "multi_thread")]
async fn erasures_from_two_processes_at_once_make_one_register() {
    let home = Home::postgres();
    let keys = [home.open(1, None).await.unwrap(), home.open(1, None).await.unwrap()];
    let mut persons = Vec::new();
    for _ in 0..20 {
        persons.push(keys[0].add_person(&tenant("bank_a")).await.unwrap());
    }
    let mut tasks = tokio::task::JoinSet::new();
    for (index, person) in persons.iter().chain(&persons).enumerate() {
        let (keys, request) = (keys[index % 2].clone(), request(*person));
        let _task = tasks.spawn(async move { keys.erase(&request).await.unwrap().number });
    }
    let mut numbers = tasks.join_all().await;
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=20).flat_map(|number| [number, number]).collect::<Vec<_>>());
    assert_eq!(keys[0].verify_register().await.unwrap().unwrap().0, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_ever_for_a_process_that_was_stopped() {
    let home = Home::postgres();
    let keys = home.open(1, None).await.unwrap();
    let Place::Postgres { url, .. } = &home.place else { panic!("{:?}", home.place) };
    let mut stopped = sqlx::PgConnection::connect(url).await.unwrap();
    let held = "BEGIN; UPDATE persons.master_keys SET state = state";
    let _ = sqlx::raw_sql(held).execute(&mut stopped).await.unwrap();
    let waited = tokio::time::timeout(Duration::from_secs(60), keys.add_person(&tenant("bank_a"))).await;
    assert!(matches!(waited, Ok(Err(KeysError::Sql { .. }))), "{waited:?}");
    stopped.close().await.unwrap();
    let _ = keys.add_person(&tenant("bank_a")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_is_kept_out_of_a_file() {
    let home = Home::sqlite();
    let keys = home.open(1, None).await.unwrap();
    assert!(matches!(home.open(1, None).await, Err(OpenKeysError::Keys(KeysError::Busy))));
    let refused = PersonKeys::open_existing(&home.config(1, None)).await;
    assert!(matches!(refused, Err(OpenKeysError::Keys(KeysError::Busy))));
    keys.close().await;
    home.open(1, None).await.unwrap().close().await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any text opens as it was sealed; with any bit of nonce or ciphertext changed it does not.
    #[test]
    fn any_value_comes_back_and_no_changed_one_does(name in ".{0,100}", place in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let home = Home::sqlite();
            let keys = home.open(1, None).await.unwrap();
            let person = keys.add_person(&tenant("bank_a")).await.unwrap();
            let text = sealed(&keys, person, &name).await;
            prop_assert_eq!(opened(&keys, &text).await.unwrap(), value(&name));
            let written = text.to_string();
            let begin = written.len() - written.rsplit('.').next().map_or(0, str::len);
            let place = begin + place.index(written.len() - begin);
            let mut changed = written.into_bytes();
            changed[place] ^= 1 << (bit % 7);
            let changed = String::from_utf8(changed).unwrap();
            if let Ok(changed) = changed.parse::<Sealed>() {
                let result = opened(&keys, &changed).await;
                prop_assert!(matches!(result, Err(UnsealError::DoesNotOpen { .. })), "{result:?}");
            }
            keys.close().await;
            Ok(())
        })?;
    }
}
