#!/usr/bin/env node
// Keeps what upgrades must not move: where each contract behind a proxy has its storage. `layouts/` has a file per
// upgradeable contract with the namespaces (ERC-7201) of all its bases, the dependencies' too: their slots, and in each
// the fields with slot, offset and type. The compiler reports no layout of namespaces, so that each struct is laid out
// in a probe, a contract with nothing else.
//
//   node tools/check-layout.mjs                  records layouts; refuses if a recorded field has moved or changed
//   node tools/check-layout.mjs --accept-moves   records even so: for what was never deployed
//   node tools/check-layout.mjs --check          compares: exit code 1 names what moved, or what is not recorded
//
// Fields may be added at the end of a namespace, and nowhere else. The bits inside packed words (`Account`,
// `TokenHead`, `Identity`, `Checkpoint`) are not the compiler's: `test/assets/token/PackedWords.t.sol` holds them.

import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import sha3 from "js-sha3";
import solc from "solc";

import { readSources } from "./catalogue.mjs";
import { projectDir } from "./forge.mjs";

const LAYOUTS_DIR = join(projectDir, "layouts");
const LOCATION = /@?custom:storage-location erc7201:(\S+)/;
const UPGRADE_FUNCTION = "upgradeToAndCall";

class Refused extends Error {}

function compile(sources, outputSelection) {
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(sources.map(({ path, text }) => [path, { content: text }])),
    settings: { evmVersion: "berlin", remappings: ["@openzeppelin/=node_modules/@openzeppelin/"], outputSelection },
  };
  const readImport = (path) => ({ contents: readFileSync(join(projectDir, path), "utf8") });
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: readImport }));
  const failure = (output.errors ?? []).find(({ severity }) => severity === "error");
  if (failure) throw new Refused(failure.formattedMessage);
  return output;
}

/** Deployable contracts that can be upgraded, with the namespaces of their bases. */
function readUpgradeables(sources) {
  const units = Object.values(compile(sources, { "*": { "": ["ast"] } }).sources).map(({ ast }) => ast);
  const contracts = new Map();
  for (const unit of units) {
    for (const node of unit.nodes.filter(({ nodeType }) => nodeType === "ContractDefinition"))
      contracts.set(node.id, { node, unit });
  }
  const basesOf = ({ node }) => node.linearizedBaseContracts.map((id) => contracts.get(id));
  const canUpgrade = (contract) =>
    basesOf(contract).some(({ node }) => node.nodes.some(({ name }) => name === UPGRADE_FUNCTION));
  return [...contracts.values()]
    .filter(
      ({ node, unit }) => unit.absolutePath.startsWith("src/") && node.contractKind === "contract" && !node.abstract,
    )
    .filter(canUpgrade)
    .map((contract) => ({ name: contract.node.name, namespaces: namespacesOf(basesOf(contract)) }));
}

/** Structs with a storage location that the bases declare, or that stand at the top of the bases' files. */
function namespacesOf(bases) {
  const found = new Map();
  for (const { node, unit } of bases) {
    for (const [owner, declared] of [
      [`${node.name}.`, node.nodes],
      ["", unit.nodes],
    ]) {
      for (const struct of declared.filter(({ nodeType }) => nodeType === "StructDefinition")) {
        const id = LOCATION.exec(struct.documentation?.text ?? struct.documentation ?? "")?.[1];
        const scope = owner === "" ? struct.name : node.name;
        if (id) found.set(id, { id, type: `${owner}${struct.name}`, scope, path: unit.absolutePath });
      }
    }
  }
  return [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Slot of a namespace by ERC-7201. */
function slotOf(id) {
  const inner = BigInt(`0x${sha3.keccak256(id)}`) - 1n;
  const outer = BigInt(`0x${sha3.keccak256(Buffer.from(inner.toString(16).padStart(64, "0"), "hex"))}`);
  return `0x${(outer & ~0xffn).toString(16).padStart(64, "0")}`;
}

/** Fields of each namespace, by its id: one probe for each. */
function layOut(namespaces) {
  const probes = namespaces.map(({ type, scope, path }, index) => ({
    path: `probe/${index}.sol`,
    text: `// SPDX-License-Identifier: Apache-2.0\npragma solidity 0.8.37;\nimport {${scope}} from "${path}";\ncontract Probe { ${type} internal data; }\n`,
  }));
  const output = compile(probes, { "*": { Probe: ["storageLayout"] } });
  return new Map(
    namespaces.map(({ id, path }, index) => [
      id,
      layoutOf(id, path, output.contracts[`probe/${index}.sol`].Probe.storageLayout),
    ]),
  );
}

function layoutOf(id, path, { storage, types }) {
  const slot = slotOf(id);
  if (!readFileSync(join(projectDir, path), "utf8").toLowerCase().includes(slot)) {
    throw new Refused(`${path}: namespace ${id} is not at the slot that ERC-7201 gives it, ${slot}`);
  }
  const fields = types[storage[0].type].members.map((member) => ({
    field: member.label,
    slot: Number(member.slot),
    offset: member.offset,
    type: typeText(member.type, types),
  }));
  return { slot, fields };
}

/** A type with everything inside it that has a place of its own. */
function typeText(name, types) {
  const type = types[name];
  if (type.members) {
    const members = type.members.map(
      (member) => `${member.slot}:${member.offset} ${typeText(member.type, types)} ${member.label}`,
    );
    return `${type.label} { ${members.join("; ")} }`;
  }
  if (type.encoding === "mapping") return `mapping(${types[type.key].label} => ${typeText(type.value, types)})`;
  if (type.base) return `${type.label} of ${typeText(type.base, types)}`;
  return type.encoding === "inplace" ? `${type.label} (${type.numberOfBytes} bytes)` : type.label;
}

function render({ name, namespaces }, layouts) {
  const entries = namespaces.map(({ id }) => [id, layouts.get(id)]);
  return `${JSON.stringify({ contract: name, namespaces: Object.fromEntries(entries) }, null, 2)}\n`;
}

/** What an upgrade from the recorded layout to the present one would break. */
function moves(name, recorded, present) {
  return Object.entries(recorded.namespaces).flatMap(([id, { fields }]) => {
    const now = present.namespaces[id]?.fields ?? [];
    return fields
      .filter((field, index) => JSON.stringify(field) !== JSON.stringify(now[index]))
      .map(
        ({ field, slot, offset, type }) =>
          `${name}: ${id}, ${field} (${type}) is no longer at slot ${slot}, byte ${offset}`,
      );
  });
}

function recordedFiles() {
  return existsSync(LAYOUTS_DIR) ? readdirSync(LAYOUTS_DIR).filter((name) => name.endsWith(".json")) : [];
}

function compare(files) {
  const moved = [];
  const unrecorded = [];
  for (const file of [...new Set([...files.keys(), ...recordedFiles()])].sort()) {
    const path = join(LAYOUTS_DIR, file);
    if (!existsSync(path)) unrecorded.push(`layouts/${file} is missing`);
    else if (!files.has(file)) moved.push(`layouts/${file} is of no upgradeable contract`);
    else {
      const text = readFileSync(path, "utf8");
      moved.push(...moves(file.replace(/\.json$/, ""), JSON.parse(text), JSON.parse(files.get(file))));
      if (text !== files.get(file)) unrecorded.push(`layouts/${file} does not have what was added`);
    }
  }
  return { moved, unrecorded };
}

/** Storage outside every namespace would move with the order of inheritance. */
function refuseLooseStorage({ name }) {
  const artifact = JSON.parse(readFileSync(join(projectDir, "artifacts", `${name}.json`), "utf8"));
  const loose = artifact.storageLayout.storage.map(({ label }) => label);
  if (loose.length > 0)
    throw new Refused(`${name} can be upgraded and has storage outside its namespaces: ${loose.join(", ")}`);
}

function main() {
  const upgradeables = readUpgradeables(readSources());
  upgradeables.forEach(refuseLooseStorage);
  const namespaces = new Map(
    upgradeables.flatMap((contract) => contract.namespaces.map((namespace) => [namespace.id, namespace])),
  );
  const layouts = layOut([...namespaces.values()]);
  const files = new Map(upgradeables.map((contract) => [`${contract.name}.json`, render(contract, layouts)]));
  const { moved, unrecorded } = compare(files);
  const isCheck = process.argv.includes("--check");
  if (moved.length > 0 && !process.argv.includes("--accept-moves")) throw new Refused(moved.join("\nerror: "));
  if (isCheck && unrecorded.length > 0) throw new Refused(unrecorded.join("\nerror: "));
  if (!isCheck) {
    rmSync(LAYOUTS_DIR, { recursive: true, force: true });
    mkdirSync(LAYOUTS_DIR);
    for (const [file, text] of files) writeFileSync(join(LAYOUTS_DIR, file), text);
  }
  console.log(`${files.size} upgradeable contracts have ${namespaces.size} namespaces where layouts/ has them`);
}

try {
  main();
} catch (error) {
  if (!(error instanceof Refused)) throw error;
  console.error(`error: ${error.message}`);
  console.error("hint: `npm run layouts` in solidity/ records what was added; what moved breaks every proxy");
  process.exit(1);
}
