#!/usr/bin/env node
// Plants defects in the contracts, one at a time, and runs the tests that should catch each. A defect that no test
// catches is said, unless `tools/mutants.json` explains why it makes no difference.
//
//   node tools/mutate.mjs compliance settlement          every mutant of these folders of `src/assets/`
//   node tools/mutate.mjs settlement --every 5 --from 2  each fifth, beginning with the third: a part, to be shared out
//   node tools/mutate.mjs settlement --list              says which there are, and runs nothing
//
// The sources are copied to a temporary folder; those here are never touched. Only tests of the same folder run, and
// those of `token/` for rules, since these say nothing without a token. Not part of `test.sh`: even without the
// optimizer a mutant takes some ten seconds to compile, and all of them hours.

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { projectDir } from "./forge.mjs";

// Folders of tests that judge a folder of sources.
const JUDGES = { compliance: ["compliance", "token"], settlement: ["settlement"] };

const ENVIRONMENT = {
  FOUNDRY_OPTIMIZER: "false",
  FOUNDRY_DENY: "never",
  FOUNDRY_DYNAMIC_TEST_LINKING: "true",
  FOUNDRY_INVARIANT_RUNS: "16",
  FOUNDRY_FUZZ_RUNS: "64",
};

// What can be wrong with a line: `[operator, what it fits, what stands there instead]`. Checks, arithmetic, effects.
const OPERATORS = [
  ["never refused", /^(\s*)if \((.*)\) revert\b/, (match, indent) => `${indent}if (false) revert`],
  ["never refused", /^(\s*)if \((.*)\) \{$/, (match, indent) => `${indent}if (false) {`],
  ["boundary", / < /, () => " <= "],
  ["boundary", / <= /, () => " < "],
  ["boundary", / > /, () => " >= "],
  ["boundary", / >= /, () => " > "],
  ["turned", / == /, () => " != "],
  ["turned", / != /, () => " == "],
  ["joined otherwise", / && /, () => " || "],
  ["joined otherwise", / \|\| /, () => " && "],
  ["turned", /([(\s])!(?=[\w(])/, (match, before) => before],
  ["arithmetic", / \+ /, () => " - "],
  ["arithmetic", / - /, () => " + "],
  ["arithmetic", / \+= /, () => " -= "],
  ["arithmetic", / -= /, () => " += "],
  ["arithmetic", / \* /, () => " / "],
  ["bits", / & /, () => " | "],
  ["bits", / \| /, () => " & "],
  ["bits", / << /, () => " >> "],
  ["bits", / >> /, () => " << "],
  [
    "arms exchanged",
    / \? ([^:?;]+) : ([^:?;]+?)([;,)])/,
    (match, first, second, end) => ` ? ${second} : ${first}${end}`,
  ],
  [
    "not done",
    /^(\s*)(?:emit |delete |_?[a-zA-Z][\w.[\]]*\(|[\w.[\]]+ [-+|&]?= |[\w.[\]]+\.(?:push|pop)\()[^{}]*;$/,
    (match, indent) => `${indent};`,
  ],
  ["unguarded", / nonReentrant /, () => " "],
  ["unguarded", / onlyRole\([^)]*\)/, () => ""],
];

class Refused extends Error {}

function sourcesOf(folder) {
  const root = join(projectDir, "src/assets", folder);
  return readdirSync(root, { recursive: true })
    .filter((path) => path.endsWith(".sol"))
    .sort()
    .map((path) => `src/assets/${folder}/${path}`);
}

/** Every mutant of a file: for each line of code, what each operator makes of each place that it fits. */
function mutantsOf(path) {
  const lines = readFileSync(join(projectDir, path), "utf8").split("\n");
  return lines.flatMap((text, index) => {
    if (/^\s*(\/\/|\*|import |using |error |event |type |pragma )/.test(text) || text.includes(" constant ")) return [];
    return OPERATORS.flatMap(([operator, pattern, replacement]) =>
      placesOf(text, pattern).map((place) => {
        const tail = text.slice(place).replace(pattern, replacement);
        const within = functionAround(lines, index);
        return { path, index, within, operator, before: text.trim(), after: (text.slice(0, place) + tail).trim() };
      }),
    );
  });
}

/** The function that a line belongs to: the last one that begins at or above it. */
function functionAround(lines, index) {
  const above = lines.slice(0, index + 1).reverse();
  return above.map((text) => /^\s*function (\w+)/.exec(text)?.[1]).find((name) => name !== undefined);
}

/** Where a pattern fits in a line of code; one that is anchored fits at most once. */
function placesOf(text, pattern) {
  if (pattern.source.startsWith("^")) return pattern.test(text) ? [0] : [];
  return [...text.matchAll(new RegExp(pattern.source, "g"))].map(({ index }) => index);
}

/** A copy of what is compiled, where mutants are planted. */
function prepare(folder) {
  const copy = mkdtempSync(join(tmpdir(), "lastro-mutants-"));
  const keep = (path) => !/\/(out|cache|artifacts|node_modules)$/.test(path);
  cpSync(join(projectDir, "src"), join(copy, "src"), { recursive: true, filter: keep });
  mkdirSync(join(copy, "test/assets"), { recursive: true });
  cpSync(join(projectDir, "test/base"), join(copy, "test/base"), { recursive: true });
  for (const judge of new Set([...JUDGES[folder], "access", "token"])) {
    cpSync(join(projectDir, "test/assets", judge), join(copy, "test/assets", judge), { recursive: true });
  }
  cpSync(join(projectDir, "tools"), join(copy, "tools"), { recursive: true });
  cpSync(join(projectDir, "foundry.toml"), join(copy, "foundry.toml"));
  symlinkSync(join(projectDir, "node_modules"), join(copy, "node_modules"));
  writeFileSync(join(copy, "package.json"), readFileSync(join(projectDir, "package.json")));
  return copy;
}

/** Runs the judges: `caught`, `survived`, or `invalid` if it does not compile. */
function judge(copy, folder) {
  const tests = `test/assets/{${JUDGES[folder].join(",")}}/**`;
  const paths = JUDGES[folder].length === 1 ? `test/assets/${JUDGES[folder][0]}/**` : tests;
  const result = spawnSync(
    "node",
    [
      "tools/forge.mjs",
      "test",
      "--fail-fast",
      "--match-path",
      paths,
      "--no-match-contract",
      "GasTest",
      "--code-size-limit",
      "10000000",
      "--no-match-test",
      "test_contracts_fit_eip_170",
    ],
    {
      cwd: copy,
      env: { ...process.env, ...ENVIRONMENT },
      encoding: "utf8",
    },
  );
  if (result.status === 0) return "survived";
  return /\[FAIL/.test(result.stdout) ? "caught" : "invalid";
}

function sameMutant(left, right) {
  return ["path", "within", "before", "after"].every((part) => left[part] === right[part]);
}

function run(folder, { every, from, onlyList }) {
  const all = sourcesOf(folder).flatMap(mutantsOf);
  const chosen = all.filter((mutant, index) => index % every === from);
  if (onlyList)
    return chosen.forEach(({ path, index, before, after }) =>
      console.log(`${path}:${index + 1}: ${before}  ->  ${after}`),
    );
  const explained = JSON.parse(readFileSync(join(projectDir, "tools/mutants.json"), "utf8"));
  const copy = prepare(folder);
  const counts = { caught: 0, survived: 0, invalid: 0, explained: 0 };
  try {
    if (judge(copy, folder) !== "survived") throw new Refused(`the tests of ${folder} fail before anything is planted`);
    for (const [done, mutant] of chosen.entries()) {
      tell(`${folder}: ${done} of ${chosen.length}, now ${mutant.path}:${mutant.index + 1}`);
      counts[plant(copy, folder, mutant, explained)] += 1;
    }
    tell("");
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
  const summary = Object.entries(counts).map(([outcome, count]) => `${count} ${outcome}`);
  console.log(`${folder}: ${chosen.length} of ${all.length} mutants: ${summary.join(", ")}`);
  if (counts.survived > 0) process.exitCode = 1;
}

/** Shows how far it has come, in place of what was shown before, where a person watches. */
function tell(progress) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${progress}`);
}

/** Plants one mutant, judges it, and takes it out again. */
function plant(copy, folder, mutant, explained) {
  const file = join(copy, mutant.path);
  const text = readFileSync(file, "utf8");
  const lines = text.split("\n");
  lines[mutant.index] = mutant.after;
  writeFileSync(file, lines.join("\n"));
  const outcome = judge(copy, folder);
  writeFileSync(file, text);
  if (outcome !== "survived") return outcome;
  if (explained.some((known) => sameMutant(known, mutant))) return "explained";
  console.log(`survived: ${mutant.path}:${mutant.index + 1}: ${mutant.before}  ->  ${mutant.after}`);
  return outcome;
}

function main() {
  const args = process.argv.slice(2);
  const numberAfter = (name, otherwise) => (args.includes(name) ? Number(args[args.indexOf(name) + 1]) : otherwise);
  const options = {
    every: numberAfter("--every", 1),
    from: numberAfter("--from", 0),
    onlyList: args.includes("--list"),
  };
  const folders = args.filter((arg) => arg in JUDGES);
  if (folders.length === 0) throw new Refused(`name folders to plant mutants in: ${Object.keys(JUDGES).join(", ")}`);
  folders.forEach((folder) => run(folder, options));
}

try {
  main();
} catch (error) {
  if (!(error instanceof Refused)) throw error;
  console.error(`error: ${error.message}`);
  process.exit(2);
}
