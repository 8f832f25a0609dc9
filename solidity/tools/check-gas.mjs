#!/usr/bin/env node
// Measures the gas of the transactions in `test/**/*Gas.t.sol` and keeps the figures in `snapshots/`, one file per
// family. The limits that the project promises are in those tests; here no figure may drift upwards unseen.
//
//   node tools/check-gas.mjs           measures and writes `snapshots/`
//   node tools/check-gas.mjs --check   measures elsewhere and compares: a rise of more than 1 % is an error

import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ForgeFailed, forge, projectDir } from "./forge.mjs";

const SNAPSHOTS_DIR = join(projectDir, "snapshots");
const RISE_PERCENT_MAX = 1;

function measure(snapshotsDir) {
  forge(["test", "--quiet"], { FOUNDRY_PROFILE: "gas", FOUNDRY_SNAPSHOTS: snapshotsDir });
}

/** Figures of a folder: `family: transaction` to gas. */
function readFigures(snapshotsDir) {
  const figures = new Map();
  for (const file of readdirSync(snapshotsDir).sort()) {
    const family = file.replace(/\.json$/, "");
    const measured = JSON.parse(readFileSync(join(snapshotsDir, file), "utf8"));
    for (const [name, gas] of Object.entries(measured)) figures.set(`${family}: ${name}`, Number(gas));
  }
  return figures;
}

/** One line per transaction whose figure rose too far, is new, or is gone. */
function findings(committed, measured) {
  const lines = [];
  for (const [name, gas] of measured) {
    const before = committed.get(name);
    if (before === undefined) {
      lines.push(`${name}: ${gas}, not in snapshots/`);
    } else if (gas > before * (1 + RISE_PERCENT_MAX / 100)) {
      lines.push(`${name}: ${gas}, was ${before}, may rise by ${RISE_PERCENT_MAX} %`);
    }
  }
  const gone = [...committed.keys()].filter((name) => !measured.has(name));
  return [...lines, ...gone.map((name) => `${name}: in snapshots/, no longer measured`)];
}

function check() {
  const folder = mkdtempSync(join(tmpdir(), "lastro-gas-"));
  try {
    measure(folder);
    const measured = readFigures(folder);
    const lines = findings(readFigures(SNAPSHOTS_DIR), measured);
    if (lines.length === 0) return console.log(`${measured.size} transactions cost what snapshots/ says`);
    for (const line of lines) console.error(`error: ${line}`);
    console.error("hint: `npm run gas` in solidity/ records the new figures");
    process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function record() {
  rmSync(SNAPSHOTS_DIR, { recursive: true, force: true });
  measure(SNAPSHOTS_DIR);
  for (const [name, gas] of readFigures(SNAPSHOTS_DIR)) console.log(`${String(gas).padStart(9)}  ${name}`);
}

try {
  if (process.argv.includes("--check")) check();
  else record();
} catch (error) {
  if (!(error instanceof ForgeFailed)) throw error;
  console.error(`error: ${error.message}`);
  process.exit(1);
}
