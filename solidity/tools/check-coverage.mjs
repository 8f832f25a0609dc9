#!/usr/bin/env node
// Measures how much of `src/` the tests reach, and holds the limits over both families: 97 % of lines, 93 % of branches.
//
//   node tools/check-coverage.mjs            runs the tests with `forge coverage`, prints each file that is not whole
//   node tools/check-coverage.mjs LCOV       reads a report that was made before
//
// Takes minutes: everything is compiled without the optimizer. What counts bytes of deployed code is left out, since
// there it says nothing. Not part of `test.sh`.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ForgeFailed, forge } from "./forge.mjs";

const LINES_PERCENT_MIN = 97;
const BRANCHES_PERCENT_MIN = 93;

// Tests of the size of code, which the optimizer makes.
const SIZE_TESTS = "test_contracts_fit_eip_170";

class Refused extends Error {}

function measure(read) {
  const folder = mkdtempSync(join(tmpdir(), "lastro-coverage-"));
  try {
    const report = join(folder, "lcov.info");
    forge([
      "coverage",
      "--report",
      "lcov",
      "--report-file",
      report,
      "--no-match-test",
      SIZE_TESTS,
      "--no-match-coverage",
      "^(test|node_modules)/",
    ]);
    return read(report);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Per source file: lines and branches, and which were not reached. */
function readReport(path) {
  const files = new Map();
  for (const record of readFileSync(path, "utf8").split("end_of_record\n")) {
    const name = /^SF:(.*)$/m.exec(record)?.[1];
    if (!name?.startsWith("src/")) continue;
    const lines = [...record.matchAll(/^DA:(\d+),(\d+)/gm)];
    const branches = [...record.matchAll(/^BRDA:(\d+),\d+,\d+,(\S+)/gm)];
    files.set(name, {
      lines: lines.length,
      linesMissed: lines.filter(([, , hits]) => hits === "0").map(([, line]) => line),
      branches: branches.length,
      branchesMissed: branches.filter(([, , hits]) => hits === "0" || hits === "-").map(([, line]) => line),
    });
  }
  return files;
}

function percent(reached, all) {
  return all === 0 ? 100 : (100 * reached) / all;
}

function report(files) {
  const total = { lines: 0, linesMissed: 0, branches: 0, branchesMissed: 0 };
  for (const [name, file] of [...files].sort()) {
    total.lines += file.lines;
    total.linesMissed += file.linesMissed.length;
    total.branches += file.branches;
    total.branchesMissed += file.branchesMissed.length;
    if (file.linesMissed.length > 0) console.log(`${name}: lines not reached: ${file.linesMissed.join(", ")}`);
    if (file.branchesMissed.length > 0)
      console.log(`${name}: branches not taken at lines: ${file.branchesMissed.join(", ")}`);
  }
  const lines = percent(total.lines - total.linesMissed, total.lines);
  const branches = percent(total.branches - total.branchesMissed, total.branches);
  console.log(
    `${files.size} files: ${lines.toFixed(2)} % of ${total.lines} lines, ${branches.toFixed(2)} % of ${total.branches} branches`,
  );
  if (lines < LINES_PERCENT_MIN)
    throw new Refused(`lines: ${lines.toFixed(2)} %, at least ${LINES_PERCENT_MIN} % are asked for`);
  if (branches < BRANCHES_PERCENT_MIN) {
    throw new Refused(`branches: ${branches.toFixed(2)} %, at least ${BRANCHES_PERCENT_MIN} % are asked for`);
  }
}

try {
  const given = process.argv[2];
  report(given ? readReport(given) : measure(readReport));
} catch (error) {
  if (!(error instanceof Refused || error instanceof ForgeFailed)) throw error;
  console.error(`error: ${error.message}`);
  process.exit(1);
}
