//! `lastro keys retire`, `rotate` and `approve` through the binary, with a kill in the middle.

use super::*;

const WISH: [&str; 4] = ["--reason", "the officer has left", "--who", "ana"];

impl Desk {
    /// Ends the sender's key.
    fn retire(&self, further: &[&str]) -> Answer {
        let sender = self.sender.to_string();
        self.on_ledger(["keys", "retire"], &[&[sender.as_str()], WISH.as_slice(), further].concat())
    }

    /// Arguments by which keys are found and opened.
    fn place(&self) -> [String; 4] {
        let [keystore, passphrase] = ["keystore", "passphrase"].map(|name| text(&self.path(name)).to_owned());
        ["--keystore".to_owned(), keystore, "--passphrase-file".to_owned(), passphrase]
    }

    fn rotation(&self, further: &[&str]) -> Vec<String> {
        let (sender, place) = (self.sender.to_string(), self.place());
        let place: Vec<&str> = place.iter().map(String::as_str).collect();
        let named = [sender.as_str(), "--successor", "heir", "--rpc", self.http.as_str()];
        self.arguments(["keys", "rotate"], &[named.as_slice(), &WISH, &place, further].concat())
    }

    fn keys_of_store(&self, further: &[&str]) -> Answer {
        let (keystore, store) = (self.path("keystore"), self.path("chain.db"));
        let named = ["keys", "list", "--keystore", text(&keystore), "--store", text(&store)];
        lastro(&[&named, further].concat()).ok()
    }
}

#[tokio::test]
async fn a_key_is_retired_once_its_lane_is_drained() {
    let desk = Desk::with_all_states().await;
    let retired = desk.retire(&["--lang", "en"]).ok();
    let ended = desk.on_ledger(["tx", "trace"], &["pay/2", "--json"]).ok().json();
    assert_eq!(ended["state"], json!("reverted"), "what was open is sent, and ends");
    let again = desk.retire(&["--lang", "pt-BR"]).ok();
    let lanes = ["en", "pt-BR"].map(|lang| desk.run(["lane", "list"], &["--lang", lang]).ok());
    let keys = ["en", "pt-BR"].map(|lang| desk.keys_of_store(&["--lang", lang]));
    let sender = desk.sender.to_string();
    let resumed = desk.run(["lane", "resume"], &[&sender, "--who", "bia", "--lang", "en"]);
    let other = desk.retire(&["--successor", &Address::with_last_byte(7).to_string(), "--lang", "en"]);
    assert_eq!([resumed.code, other.code], [1, 1]);
    let all = [&retired, &again, &lanes[0], &lanes[1], &keys[0], &keys[1], &resumed, &other];
    assert_snapshot!("keys_retire", desk.shown_all(&all));
    assert_snapshot!("keys_retire_json", steady_json(&desk.retire(&["--json"]).ok().json()));
    let listed = desk.keys_of_store(&["--json"]).json();
    assert_eq!(listed["keys"][0]["retirement"]["isRetired"], json!(true), "{listed}");

    let (chain, label) = desk.opened(None).await;
    let refused = chain.lane(&label).await.map(|_| ()).unwrap_err().to_string();
    assert!(refused.contains("is retired, by ana: the officer has left"), "{refused}");
    chain.close().await;
    let verified = lastro(&["journal", "verify", text(&desk.path("chain.db")), "--state", "--json"]);
    let _ = verified.ok();
}

#[tokio::test]
async fn a_rotation_that_is_killed_goes_on_and_makes_no_second_successor() {
    let mut desk = Desk::new(NO_BLOCK);
    let (chain, lane) = desk.service().await;
    let _ = lane.submit(&desk.deployment()).await.unwrap();
    drop(lane);
    chain.close().await;
    let process = Process::start(&desk.rotation(&["--lang", "en"]));
    let begun = || process.stdout_so_far().contains("the retirement is begun").then_some(());
    wait_until("the retirement is begun", LIMIT, begun);
    let killed = process.kill();
    assert_eq!(killed.code, -1);
    let lanes = desk.run(["lane", "list"], &["--json"]).ok().json();
    let (begun, successor) = (&lanes["lanes"][0]["retirement"], desk.keys_of_store(&["--json"]).json());
    assert_eq!((&begun["isRetired"], &begun["successor"]), (&json!(false), &successor["keys"][0]["address"]));
    let late = lastro(&desk.rotation(&["--wait", "1", "--lang", "pt-BR"]));
    assert_eq!(late.code, 5, "{}", late.shown(&[]));

    let node = desk.node.take().unwrap();
    let address = node.address();
    let _ = node.process.kill();
    desk.node = Some(desk.ledger.start_at_with(&address, &["--block-period", "50ms"]));
    let finished = lastro(&desk.rotation(&["--lang", "en"])).ok();
    let json = lastro(&desk.rotation(&["--json"])).ok().json();
    assert_eq!((&json["successorLabel"], &json["isSuccessorMade"]), (&json!("heir"), &json!(false)));
    assert_snapshot!("keys_rotate", desk.shown_all(&[&killed, &late, &finished]));
    let named = desk.keys_of_store(&["--json"]).json();
    assert_eq!(named["keys"].as_array().unwrap().len(), 2, "{named}");
}

#[tokio::test]
async fn a_key_with_a_policy_is_retired_by_two_persons() {
    let desk = Desk::new("50ms");
    let approver = |person: &str| {
        let made = desk.keys(&["new", person, "--purpose", "statements", "--json"]).ok().json();
        format!("[[approver]]\nperson = \"{person}\"\nrole = \"policy\"\naddress = {}\n", made["address"])
    };
    let approvers = ["ana", "bruno"].map(approver).concat();
    let policy = format!(
        "version = 1\nchain_id = {CHAIN_ID}\n{approvers}[[target]]\naddress = \"{}\"\n\
         [[target.function]]\ncall = \"pause()\"\n",
        Address::with_last_byte(7)
    );
    std::fs::write(desk.path("policy"), &policy).unwrap();
    let (chain, label) = desk.opened(Some(Policy::parse(&policy).unwrap())).await;
    drop(chain.lane(&label).await.unwrap());
    chain.close().await;

    let (file, [ana, bruno]) = (desk.path("policy"), ["ana", "bruno"].map(|name| desk.path(&format!("{name}.json"))));
    let (sender, place) = (desk.sender.to_string(), desk.place());
    let approve = |key: &str, further: &[&str]| {
        let place: Vec<&str> = place.iter().map(String::as_str).collect();
        let named = ["keys", "approve", sender.as_str(), "--policy", text(&file), "--key", key];
        lastro(&[&named, place.as_slice(), further].concat())
    };
    let without = desk.retire(&["--lang", "en"]);
    let under = |further: &[&str]| desk.retire(&[&["--policy", text(&file), "--lang", "en"], further].concat());
    let unapproved = under(&[]);
    let approved = approve("ana", &["--lang", "pt-BR"]).ok();
    std::fs::write(&ana, &approved.stdout).unwrap();
    let alone = under(&["--approval", text(&ana)]);
    let twice = under(&["--approval", text(&ana), "--approval", text(&ana)]);
    let no_approval = under(&["--approval", text(&file)]);
    let of_a_sender = approve("sender", &["--lang", "en"]);
    let codes = [&without, &unapproved, &alone, &twice, &no_approval, &of_a_sender].map(|answer| answer.code);
    assert_eq!(codes, [2, 1, 1, 1, 2, 1]);
    let said = Answer { stdout: String::new(), ..approved };
    assert_snapshot!(
        "keys_retire_policy",
        desk.shown_all(&[&without, &unapproved, &said, &alone, &twice, &no_approval, &of_a_sender])
    );
    let lanes = desk.run(["lane", "list"], &["--json"]).ok().json();
    assert_eq!((&lanes["lanes"][0]["paused"], &lanes["lanes"][0]["retirement"]), (&json!(null), &json!(null)));
    std::fs::write(&bruno, approve("bruno", &["--json"]).ok().stdout).unwrap();
    let _ = under(&["--approval", text(&ana), "--approval", text(&bruno)]).ok();
}
