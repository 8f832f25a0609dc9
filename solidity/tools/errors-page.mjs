#!/usr/bin/env node
// Writes `docs/errors.md` from the artifacts and the catalogue of texts: every custom error of the contracts, with its
// selector, its arguments and what it says to people.
//
//   node tools/errors-page.mjs           checks the catalogue and writes the page
//   node tools/errors-page.mjs --check   checks the catalogue and compares the page: exit code 1 says what is wrong

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { LANGUAGES, findings, readCatalogue, readErrors } from "./catalogue.mjs";
import { projectDir } from "./forge.mjs";
import { table } from "./markdown.mjs";

const PAGE = join(projectDir, "../docs/errors.md");
const CONTRACTS_NAMED_MAX = 3;

/** A text as it stands in a table: placeholders as code, kinds left out. */
function shown(text) {
  return text.replace(/\{(\w+)(?::\w+)?\}/g, "`$1`").replaceAll("|", "\\|");
}

function contractsOf({ contracts }) {
  const named = contracts.slice(0, CONTRACTS_NAMED_MAX).join(", ");
  const others = contracts.length - CONTRACTS_NAMED_MAX;
  return others > 0 ? `${named} and ${others} more` : named;
}

function signature({ name, inputs }) {
  const typed = inputs.map(
    ({ type, internalType = type, name: input }) => `${internalType.replace(/^(enum|contract|struct) /, "")} ${input}`,
  );
  return `\`${name}(${typed.join(", ")})\``;
}

function page(errors, [english, portuguese]) {
  const rows = errors.map((error) => [
    `\`${error.selector}\``,
    signature(error),
    shown(english.errors[error.key]),
    shown(portuguese.errors[error.key]),
    contractsOf(error),
  ]);
  const reasons = Object.keys(english.reasons).map((code) => [
    code,
    shown(english.reasons[code]),
    shown(portuguese.reasons[code]),
  ]);
  return `<!-- Written by solidity/tools/errors-page.mjs from solidity/artifacts/ and solidity/errors/; \`npm run errors\` makes it anew. -->

# Errors of the contracts

What a contract reverts with begins with the four bytes of its error's selector; the arguments follow by the rules of the
ABI. Crate \`bindings\` decodes both (\`revert::decode\`) and says them in the reader's language (\`Revert::explain\`), from the
same catalogue that this page is made of: \`solidity/errors/en.json\` and \`solidity/errors/pt-BR.json\`. \`npm run
errors:check\` in \`solidity/\` fails if an error has no text, a text has no error, a text shows an argument that there is not,
or an enum's words are not as many as its values.

Amounts are in units of the token, or in its minor units of money; times are seconds since 1970 in UTC and are shown as
dates.

## Why rules refuse

\`ComplianceRefused\` carries a number that says why, and an argument that says of what. The same numbers are in the answers
of \`transferRefusals\`, which lists every reason at once. Below 20 they are the token's, up to 99 the rules', from 1,000 on a
module's own. None ever changes its meaning.

${table(["code", "English", "Português"], reasons)}

## Errors

${table(["selector", "error", "English", "Português", "contracts"], rows)}
`;
}

function refuse(sentences, hint) {
  for (const sentence of sentences) console.error(`error: ${sentence}`);
  console.error(`hint: ${hint}`);
  process.exit(1);
}

const wrong = findings();
if (wrong.length > 0) refuse(wrong, "texts are in solidity/errors/, one file per language");
const errors = readErrors();
const text = page(errors, LANGUAGES.map(readCatalogue));
if (!process.argv.includes("--check")) {
  writeFileSync(PAGE, text);
  console.log(`docs/errors.md written: ${errors.length} errors`);
} else if (existsSync(PAGE) && readFileSync(PAGE, "utf8") === text) {
  console.log(`${errors.length} errors have their texts, and docs/errors.md shows them`);
} else {
  refuse(["docs/errors.md is not what the catalogue makes"], "`npm run errors` in solidity/ writes it anew");
}
