#!/usr/bin/env node
// Builds the artifacts that the bindings read: one small JSON file per deployable contract in `artifacts/`, with ABI,
// creation and deployed bytecode, storage layout and the hash of the compiler's metadata. The bytes depend on the
// sources and the pinned toolchain alone. Every contract is also held to the limits of the oldest network it must run
// on.
//
// The regulated token is two contracts at one address: `RegulatedToken` hands what it does not know to
// `RegulatedTokenOperations`. Callers need the ABI of both, errors included, which no compiler's output has: the
// artifact `IRegulatedToken` is their union, without bytecode, held to the interface of that name.
//
//   node tools/build-artifacts.mjs           builds and writes `artifacts/`
//   node tools/build-artifacts.mjs --check   builds elsewhere and compares: exit code 1 names the first file that
// differs

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ForgeFailed, forge, projectDir } from "./forge.mjs";
import { JointAbiRefused, jointAbi } from "./joint-abi.mjs";
import { firstForeignOpcode } from "./opcodes.mjs";

const ARTIFACTS_DIR = join(projectDir, "artifacts");

// EIP-170, and EIP-3860 for networks that are past Shanghai.
const DEPLOYED_BYTES_MAX = 24_576;
const CREATION_BYTES_MAX = 49_152;

// Contracts that answer at one address: the interface, and the parts in the order in which a call finds them.
const JOINT = { face: "IRegulatedToken", parts: ["RegulatedToken", "RegulatedTokenOperations"] };

class Refused extends Error {}

/** Compiles `src/` from nothing into a folder of its own and hands forge's outputs to `read`, sorted by contract. */
function compile(read) {
  const folder = mkdtempSync(join(tmpdir(), "lastro-artifacts-"));
  try {
    forge(["build", "src", "--force", "--quiet", "--out", join(folder, "out"), "--cache-path", join(folder, "cache")], {
      FOUNDRY_EXTRA_OUTPUT: '["storageLayout", "metadata"]',
    });
    return read(join(folder, "out"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Artifacts of what we deploy: not of dependencies, interfaces, abstract contracts or internal libraries. */
function readDeployables(outDir) {
  const outputs = readdirSync(outDir, { recursive: true })
    .filter((path) => path.endsWith(".json") && !path.startsWith("build-info"))
    .map((path) => JSON.parse(readFileSync(join(outDir, path), "utf8")))
    .filter((output) => output.rawMetadata && output.abi.some((entry) => entry.type === "function"))
    .map((output) => ({ output, target: JSON.parse(output.rawMetadata).settings.compilationTarget }))
    .filter(({ target }) => Object.keys(target)[0].startsWith("src/"))
    .map(({ output, target }) => ({ output, name: Object.values(target)[0] }));
  const artifacts = outputs
    .filter(({ output }) => output.bytecode?.object?.length > 2)
    .map(({ output, name }) => artifact(name, output));
  const face = outputs.find(({ name }) => name === JOINT.face);
  if (face) artifacts.push(jointArtifact(face.output.abi, artifacts));
  return artifacts.sort((a, b) => (a.contractName < b.contractName ? -1 : 1));
}

/** What callers of a contract in parts read: the ABI of all parts, and no bytecode. */
function jointArtifact(faceAbi, artifacts) {
  const parts = JOINT.parts.map((name) => artifacts.find(({ contractName }) => contractName === name));
  return { contractName: JOINT.face, parts: JOINT.parts, abi: sortAbi(jointAbi(JOINT.face, faceAbi, parts)) };
}

function artifact(contractName, output) {
  if (/__\$/.test(output.bytecode.object)) throw new Refused(`${contractName} must be linked to a library`);
  return {
    contractName,
    abi: sortAbi(output.abi),
    bytecode: { object: output.bytecode.object },
    deployedBytecode: { object: output.deployedBytecode.object, immutables: immutables(output.deployedBytecode) },
    storageLayout: storageLayout(output.storageLayout),
    metadataSha256: createHash("sha256").update(output.rawMetadata).digest("hex"),
  };
}

/** Where a deployed contract differs from `deployedBytecode`: each place that its constructor fills in, in bytes. */
function immutables({ immutableReferences = {} }) {
  return Object.values(immutableReferences)
    .flat()
    .map(({ start, length }) => ({ start, length }))
    .sort((a, b) => a.start - b.start);
}

/** Drops the compiler's numbers of syntax nodes: they depend on everything that was compiled together. */
function storageLayout({ storage, types }) {
  const plain = JSON.parse(
    JSON.stringify({ storage, types: types ?? {} })
      .replace(/\)\d+_storage/g, ")_storage")
      .replace(/(t_(?:contract|enum|userDefinedValueType)\([^)]*\))\d+/g, "$1"),
  );
  const strip = (members) => members.map(({ astId, ...rest }) => sortKeys(rest));
  for (const type of Object.values(plain.types)) if (type.members) type.members = strip(type.members);
  return { storage: strip(plain.storage), types: sortKeys(plain.types) };
}

function sortAbi(abi) {
  return abi.map(sortKeys).sort((a, b) => (abiOrder(a) < abiOrder(b) ? -1 : 1));
}

function abiOrder({ type, name = "", inputs = [] }) {
  return `${type} ${name} ${JSON.stringify(inputs)}`;
}

function sortKeys(value) {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sortKeys(value[key])]),
  );
}

/** Finds here what a network would refuse: a contract that is too big, or an opcode that it does not know. */
function holdLimits({ contractName, bytecode, deployedBytecode }) {
  const bytes = (code) => (code.object.length - 2) / 2;
  if (bytes(deployedBytecode) >= DEPLOYED_BYTES_MAX) {
    throw new Refused(`${contractName} deploys ${bytes(deployedBytecode)} bytes, must be below ${DEPLOYED_BYTES_MAX}`);
  }
  if (bytes(bytecode) > CREATION_BYTES_MAX) {
    throw new Refused(`${contractName} is created by ${bytes(bytecode)} bytes, the limit is ${CREATION_BYTES_MAX}`);
  }
  for (const code of [bytecode, deployedBytecode]) {
    const foreign = firstForeignOpcode(code.object);
    if (foreign) {
      throw new Refused(`${contractName} has opcode ${foreign.opcode} at byte ${foreign.offset}, unknown to berlin`);
    }
  }
}

function render(artifact) {
  return `${JSON.stringify(artifact, null, 2)}\n`;
}

function write(files) {
  mkdirSync(ARTIFACTS_DIR, { recursive: true });
  for (const name of committedNames()) if (!files.has(name)) rmSync(join(ARTIFACTS_DIR, name));
  for (const [name, text] of files) writeFileSync(join(ARTIFACTS_DIR, name), text);
  console.log(`${files.size} artifacts written to artifacts/`);
}

function check(files) {
  for (const name of [...new Set([...files.keys(), ...committedNames()])].sort()) {
    const path = join(ARTIFACTS_DIR, name);
    if (!existsSync(path)) throw new Refused(`artifacts/${name} is missing`);
    if (!files.has(name)) throw new Refused(`artifacts/${name} has no source`);
    if (readFileSync(path, "utf8") !== files.get(name)) {
      throw new Refused(`artifacts/${name} is not what its source builds`);
    }
  }
  console.log(`${files.size} artifacts are what their sources build`);
}

function committedNames() {
  return existsSync(ARTIFACTS_DIR) ? readdirSync(ARTIFACTS_DIR).filter((name) => name.endsWith(".json")) : [];
}

try {
  const artifacts = compile(readDeployables);
  artifacts.filter(({ bytecode }) => bytecode !== undefined).forEach(holdLimits);
  const files = new Map(artifacts.map((artifact) => [`${artifact.contractName}.json`, render(artifact)]));
  if (process.argv.includes("--check")) check(files);
  else write(files);
} catch (error) {
  if (![Refused, ForgeFailed, JointAbiRefused].some((kind) => error instanceof kind)) throw error;
  console.error(`error: ${error.message}`);
  if (process.argv.includes("--check")) console.error("hint: `npm run artifacts` in solidity/ builds them anew");
  process.exit(1);
}
