#!/usr/bin/env node
// Compares the artifacts with the ABIs that the central bank's pilot kit published: every function, event and error of
// a published ABI must be in ours with the same signature (and so selector or topic), outputs, mutability and `indexed`
// flags. Constructors are those of the kit's documents, its ABIs being stale there. Names that differ and entries of
// ours in addition are listed, and are no error.
//
// The published ABIs carry no licence and are not in this repository: they are read from
// `$LASTRO_SHARED/data/drex-kit/abi`, by default `../../shared`. Without that folder nothing is compared, and this says
// so.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";

import { signatureOf, typeOf } from "./abi-types.mjs";
import { projectDir } from "./forge.mjs";

const PUBLISHED_DIR = join(resolve(projectDir, process.env.LASTRO_SHARED || "../../shared"), "data/drex-kit/abi");

// By the kit's documents: `authority` before `admin`, except in the swaps.
const CONSTRUCTORS = {
  AccountRules: "address,address",
  AddressDiscovery: "address,address",
  ApprovedDigitalCurrency: "address,address",
  KeyDictionary: "address",
  RealDigital: "string,string,address,address",
  RealDigitalDefaultAccount: "address,address,address",
  RealDigitalEnableAccount: "address",
  RealTokenizado: "string,string,address,address,string,uint256,address",
  STR: "address",
  SwapOneStep: "address,address,address",
  SwapTwoSteps: "address,address,address",
  SwapTwoStepsReserve: "address,address,address",
};

function readAbi(path) {
  const json = JSON.parse(readFileSync(path, "utf8"));
  return Array.isArray(json) ? json : json.abi;
}

function typesOf(parameters) {
  return parameters.map(typeOf).join(",");
}

/** All that callers and readers of logs depend on beside the signature. */
function shapeOf(entry) {
  if (entry.type === "function") return `${entry.stateMutability} returns (${typesOf(entry.outputs)})`;
  if (entry.type === "error") return "";
  const flags = entry.inputs.map(({ indexed }) => Number(indexed)).join("");
  return `indexed ${flags}${entry.anonymous ? " anonymous" : ""}`;
}

/** Names of parameters and of the members of tuples, in order. */
function namesOf({ inputs }) {
  const names = (parameter) => [parameter.name, ...(parameter.components ?? []).flatMap(names)];
  return inputs.flatMap(names).join(",");
}

function compare(contractName, published, ours) {
  const bySignature = new Map(ours.map((entry) => [entry.name && signatureOf(entry), entry]));
  const entries = published.filter((entry) => entry.name);
  const errors = [];
  const renamed = [];
  for (const entry of entries) {
    const signature = signatureOf(entry);
    const own = bySignature.get(signature);
    bySignature.delete(signature);
    if (own === undefined) {
      errors.push(`${contractName}: ${signature} is missing`);
    } else if (shapeOf(own) !== shapeOf(entry)) {
      errors.push(`${contractName}: ${signature} is ${shapeOf(own)}, published as ${shapeOf(entry)}`);
    } else if (namesOf(own) !== namesOf(entry)) {
      renamed.push(`${entry.name}(${namesOf(entry)})`);
    }
  }
  const constructor = typesOf(ours.find(({ type }) => type === "constructor")?.inputs ?? []);
  const expected = CONSTRUCTORS[contractName];
  if (expected !== undefined && constructor !== expected) {
    errors.push(`${contractName}: the constructor takes (${constructor}), by the kit's documents (${expected})`);
  }
  const additions = [...bySignature.keys()].filter(Boolean).sort();
  report(contractName, entries.length, constructor, renamed, additions);
  return errors;
}

function report(contractName, count, constructor, renamed, additions) {
  console.log(`${contractName}: ${count} published entries compared; constructor(${constructor})`);
  if (renamed.length > 0) console.log(`  names differ, published as: ${renamed.join(", ")}`);
  for (const kind of ["function", "event", "error"]) {
    const own = additions
      .filter((signature) => signature.startsWith(`${kind} `))
      .map((signature) => signature.slice(kind.length + 1));
    if (own.length > 0) console.log(`  ${kind}s of ours in addition: ${own.join(", ")}`);
  }
}

function main() {
  if (!existsSync(PUBLISHED_DIR)) {
    console.log(`SKIPPED: no published ABIs at ${PUBLISHED_DIR}, so nothing was compared`);
    console.log("hint: set LASTRO_SHARED to the folder that holds `data/drex-kit`");
    return;
  }
  const errors = [];
  const unbuilt = [];
  const files = readdirSync(PUBLISHED_DIR).filter((name) => name.endsWith(".json"));
  for (const file of files.sort()) {
    const contractName = file.replace(/\.json$/, "").replace(/^ITPFt/, "TPFt");
    const path = join(projectDir, "artifacts", `${contractName}.json`);
    if (!existsSync(path)) unbuilt.push(contractName);
    else errors.push(...compare(contractName, readAbi(join(PUBLISHED_DIR, file)), readAbi(path)));
  }
  if (unbuilt.length > 0) console.log(`published and not built yet: ${unbuilt.join(", ")}`);
  for (const error of errors) console.error(`error: ${error}`);
  if (errors.length > 0) process.exitCode = 1;
}

main();
