#!/usr/bin/env node
// Each custom error that the sources declare is expected by a test: its selector stands in a test's code. An error that
// nobody can cause, or that nobody tried to cause, is found here.
//
//   node tools/check-reverts.mjs             exit code 1 names the errors that no test expects

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { declaredErrors, readSources } from "./catalogue.mjs";
import { projectDir } from "./forge.mjs";

// Errors of an interface that an ERC prescribes, where our contracts have a more telling one of their own.
const OF_STANDARDS = new Map([
  ["ERC7943CannotTransfer", "rules refuse with ComplianceRefused, which says why"],
]);

const folder = join(projectDir, "test");
const tests = readdirSync(folder, { recursive: true })
  .filter((path) => path.endsWith(".sol"))
  .map((path) => readFileSync(join(folder, path), "utf8"))
  .join("\n");
const expected = new Set([...tests.matchAll(/\b(\w+)\s*\.selector/g)].map(([, name]) => name));
const declared = declaredErrors(readSources()).sort();
const unexpected = declared.filter((name) => !expected.has(name) && !OF_STANDARDS.has(name));
for (const name of OF_STANDARDS.keys()) if (expected.has(name)) unexpected.push(`${name} to be missing any longer`);
for (const name of unexpected) console.error(`error: no test expects ${name}`);
if (unexpected.length > 0) process.exitCode = 1;
else console.log(`each of ${declared.length - OF_STANDARDS.size} errors is expected by a test`);
