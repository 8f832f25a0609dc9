#!/usr/bin/env node
// Runs slither over `src/` and compares what it finds with `tools/slither.json`, where each finding has its
// explanation. A finding that is not there is an error, and so is an explanation of what slither no longer finds.
//
//   node tools/check-slither.mjs             runs `slither`, which must be on the path: `pip install slither-analyzer`
//   node tools/check-slither.mjs REPORT      reads a report of `slither --json` that was made before
//
// An explanation is of one place or, for checks of low impact whose meaning does not depend on the place, of all. Takes
// minutes, since slither compiles everything anew. Not part of `test.sh`.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

import { projectDir } from "./forge.mjs";

const MAY_BE_EXPLAINED_EVERYWHERE = ["Low", "Informational", "Optimization"];

class Refused extends Error {}

/** Runs slither on a copy, so that its build does not replace ours, and reads its report. */
function analyse() {
  const folder = mkdtempSync(join(tmpdir(), "lastro-slither-"));
  try {
    for (const name of ["src", "tools", "foundry.toml", "package.json"])
      cpSync(join(projectDir, name), join(folder, name), { recursive: true });
    symlinkSync(join(projectDir, "node_modules"), join(folder, "node_modules"));
    const report = join(folder, "report.json");
    const path = [forgeFolder(), process.env.PATH].join(delimiter);
    const options = { cwd: folder, env: { ...process.env, PATH: path }, encoding: "utf8" };
    const result = spawnSync("slither", [".", "--json", report, "--filter-paths", "node_modules"], options);
    if (result.error?.code === "ENOENT")
      throw new Refused("slither is not on the path: `pip install slither-analyzer`");
    if (!existsSync(report)) throw new Refused(`slither made no report:\n${result.stderr}`);
    return JSON.parse(readFileSync(report, "utf8"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function forgeFolder() {
  const architecture = { x64: "amd64", arm64: "arm64" }[process.arch];
  const name = `@foundry-rs/forge-${process.platform}-${architecture}/bin/forge`;
  return dirname(createRequire(import.meta.url).resolve(name));
}

/** Where a finding is: the first function or variable that its text names, with the file, without lines: they move. */
function placeOf({ description }) {
  const [, name, variable, file] = /([\w.]+)(?:\([^)]*\))?(\.\w+)? \((src\/[^#)]+)/.exec(description) ?? [];
  if (name === undefined) throw new Refused(`slither names no place in: ${description}`);
  return `${file}: ${name}${variable ?? ""}`;
}

/** Findings by check and place, each with how often it is found there. */
function collect(report) {
  const found = new Map();
  for (const { check, impact, description } of report.results.detectors ?? []) {
    const place = placeOf({ description });
    const key = `${check} at ${place}`;
    found.set(key, { check, impact, place, count: (found.get(key)?.count ?? 0) + 1 });
  }
  return found;
}

function compare(found, explanations) {
  const errors = [];
  const used = new Set();
  for (const [key, { check, impact, place }] of found) {
    const explanation = explanations.find(
      (known) => known.check === check && (known.places === "everywhere" || known.places.includes(place)),
    );
    if (explanation === undefined) errors.push(`${impact}: ${key} is not explained`);
    else if (explanation.places === "everywhere" && !MAY_BE_EXPLAINED_EVERYWHERE.includes(impact)) {
      errors.push(`${impact}: ${key} needs an explanation of its own place`);
    } else used.add(explanation.places === "everywhere" ? `${check} everywhere` : key);
  }
  const keys = explanations.flatMap(({ check, places }) =>
    places === "everywhere" ? [`${check} everywhere`] : places.map((place) => `${check} at ${place}`),
  );
  return [
    ...errors,
    ...keys.filter((key) => !used.has(key)).map((key) => `${key} is explained, and slither does not find it`),
  ];
}

function main() {
  const given = process.argv[2];
  const found = collect(given ? JSON.parse(readFileSync(given, "utf8")) : analyse());
  const explanations = JSON.parse(readFileSync(join(projectDir, "tools/slither.json"), "utf8"));
  const errors = compare(found, explanations);
  if (errors.length > 0) throw new Refused(errors.join("\nerror: "));
  const count = [...found.values()].reduce((sum, { count }) => sum + count, 0);
  console.log(`slither finds ${count} things, and each is explained in tools/slither.json`);
}

try {
  main();
} catch (error) {
  if (!(error instanceof Refused)) throw error;
  console.error(`error: ${error.message}`);
  process.exit(1);
}
