#!/usr/bin/env node
// Writes `docs/gas.md` from the figures in `snapshots/`: what the project promised beside what was measured, and then
// every figure. The promised limits are in the tests too; here a figure above its limit is an error, unless its row says why.
//
//   node tools/gas-page.mjs           writes the page
//   node tools/gas-page.mjs --check   compares: exit code 1 if the page is not what the figures make

import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { projectDir } from "./forge.mjs";
import { table } from "./markdown.mjs";

const PAGE = join(projectDir, "../docs/gas.md");
const SNAPSHOTS_DIR = join(projectDir, "snapshots");
const BATCH = 20;

class Refused extends Error {}

const figures = new Map(
  readdirSync(SNAPSHOTS_DIR)
    .sort()
    .map((file) => [file.replace(/\.json$/, ""), readFigures(join(SNAPSHOTS_DIR, file))]),
);

function readFigures(path) {
  return new Map(Object.entries(JSON.parse(readFileSync(path, "utf8"))).map(([name, gas]) => [name, Number(gas)]));
}

/** The gas of one transaction. */
function gas(family, name) {
  const found = figures.get(family)?.get(name);
  if (found === undefined) throw new Refused(`snapshots/${family}.json has no figure \`${name}\``);
  return found;
}

function grouped(number) {
  return Math.round(number)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A promise: what was measured, and the limit that it must keep. */
function promise(what, measured, max) {
  if (measured > max) throw new Refused(`${what}: ${grouped(measured)}, promised at most ${grouped(max)}`);
  return [what, grouped(measured), grouped(max)];
}

const token = (name) => gas("assets", `RegulatedToken.${name}`);
const plain = (name) => gas("assets", `plain ERC-20: ${name}`);
const drex = (name) => gas("drex", name);
const settlement = (name) => gas("settlement", name);

function promises() {
  return table(
    ["transaction", "gas", "limit"],
    [
      promise("Regulated token: transfer between two holders, four rules", token("transfer"), 75_000),
      promise("The same, the token behind a proxy", token("transfer behind a proxy"), 75_000),
      promise("Regulated token: batch of 20, per transfer", token("batchTransfer, 20 holders") / BATCH, 42_000),
      promise("Real Digital: transfer", drex("RealDigital.transfer"), 55_000),
      promise("A bank's token: transfer", drex("RealTokenizado.transfer"), 55_000),
      promise("1052 by CNPJ, first command", drex("1052 by CNPJ, first command"), 150_000),
      promise("1052 by CNPJ, second command", drex("1052 by CNPJ, second command"), 135_000),
      promise("1052 by wallet, first command", drex("1052 by wallet, first command"), 150_000),
      promise("1052 by wallet, second command", drex("1052 by wallet, second command"), 135_000),
    ],
  );
}

function excesses() {
  const rows = [
    [
      "Transfer to somebody who holds nothing yet",
      token("transfer, first receipt"),
      "a balance is written for the first time: 20,000 gas that every token pays",
    ],
    [
      "Batch of 20 to new holders, per transfer (limit 42,000)",
      token("batchTransfer, 20 first receipts") / BATCH,
      "the same, in each entry",
    ],
    [
      "Transfer, token, registry and rules all behind proxies",
      token("transfer, all behind proxies"),
      "three proxies of about 4,900 each: cold code, cold slot, copy",
    ],
    [
      "First transfer of both parties after a record date",
      token("transfer, first after a record date"),
      "both balances of that date are written down, once per account and pair of dates",
    ],
    [
      "The same after the next record date",
      token("transfer, first after the next record date"),
      "the second checkpoint shares the slot of the first",
    ],
  ];
  return table(
    ["transaction", "gas", "why"],
    rows.map(([what, cost, why]) => [what, grouped(cost), why]),
  );
}

function comparison() {
  const row = (what, ours, theirs) => [what, grouped(ours), grouped(theirs), `${(ours / theirs).toFixed(2)}×`];
  return table(
    ["transaction", "regulated token", "plain ERC-20", "ratio"],
    [
      row("transfer between holders", token("transfer"), plain("transfer")),
      row("transfer, first receipt", token("transfer, first receipt"), plain("transfer, first receipt")),
      row("transferFrom", token("transferFrom"), plain("transferFrom")),
      row("approve", token("approve"), plain("approve")),
      row(
        "20 transfers (here one batch, there 20 transactions)",
        token("batchTransfer, 20 holders"),
        BATCH * plain("transfer"),
      ),
    ],
  );
}

function recordDates() {
  const none = token("transfer, no record date");
  const between = token("transfer, between record dates");
  const overhead = (100 * (between - none)) / none;
  if (overhead > 8) throw new Refused(`record dates add ${overhead.toFixed(1)} % to a transfer, promised at most 8 %`);
  const odd = (token("transfer, first after a record date") - none) / 2;
  const even = (token("transfer, first after the next record date") - none) / 2;
  return { none, between, overhead, odd, even, transfers: Math.ceil((odd + even) / (0.08 * none)) };
}

function everything(family) {
  return table(
    ["transaction", "gas"],
    [...figures.get(family)].map(([name, cost]) => [name, grouped(cost)]),
  );
}

const HEAD = `<!-- Written by solidity/tools/gas-page.mjs from solidity/snapshots/; \`npm run gas:page\` makes it anew. -->

# Gas of the contracts

Figures are those of whole transactions, as a receipt shows them: base fee and call data included, every account and slot
cold, rules of the \`berlin\` fork, solc 0.8.37 with the optimizer at 20,000 runs. Each is measured by a test
(\`solidity/test/**/*Gas.t.sol\`); \`npm run gas:check\` fails if one rises by more than 1 %.`;

function promisesSection() {
  return `## What was promised

The four rules in force are those of a typical asset: countries, classes of investors, largest balance, number of holders;
registry and claims are asked in each transfer.

${promises()}

Above the limit of a transfer between holders, 75,000, or of its batch are:

${excesses()}`;
}

function comparisonSection() {
  return `## Beside a plain ERC-20

OpenZeppelin's ERC-20 without anything else, in the same run. What the regulated token costs more is two calls of others'
code (registry, rules) and the slots in which identities and rules stand.

${comparison()}

T-REX, the usual implementation of ERC-3643, is under the GPL and is not measured here. Its own figures, from pull request
129 of the repository \`ERC-3643/ERC-3643\` (once \`TokenySolutions/T-REX\`), after an optimisation that it proposes: 155,742
for a transfer, 2,196,700 for a batch of 20, 109,835 each. With which modules and settings it measured is its own: this is
a quotation, no comparison under the same conditions.`;
}

function recordDatesSection() {
  const dates = recordDates();
  return `## Record dates

A record date costs an account something once, at its first movement afterwards.

${table(
  ["transfer", "gas"],
  [
    ["without any record date", grouped(dates.none)],
    ["between record dates", grouped(dates.between)],
    ["what the first movement after a date costs an account more", grouped(dates.odd)],
    ["the same after the next date, and so on in turn", grouped(dates.even)],
  ],
)}

Between record dates a transfer costs ${dates.overhead.toFixed(2)} % more than without any, where 8 % were promised. (OpenZeppelin's
ERC20Snapshot adds 13 to 20 % to each transfer: tokenize.it, issue 179.) With the first movements included, record dates add
less than 8 % to what an account's transfers cost if it moves at least ${dates.transfers} times between two dates; an account that moves
less pays more for each movement, and one that does not move pays nothing: there is no loop over holders.`;
}

function settlementSection() {
  const rows = [
    [
      "Regulated units against Real Digital: first confirmation",
      "DvP of regulated units against Real Digital, first confirmation",
    ],
    ["the second, which moves both", "DvP of regulated units against Real Digital, second confirmation"],
    ["Plain tokens: first confirmation", "DvP, first confirmation"],
    ["the second", "DvP, second confirmation"],
    ["both signatures, brought by somebody else in one transaction", "DvP, both signatures at once"],
  ];
  const figuresOf = rows.map(([what, name]) => [what, grouped(settlement(name))]);
  return `## Delivery versus payment\n\n${table(["transaction", "gas"], figuresOf)}`;
}

function page() {
  const families = [...figures.keys()].map((family) => `### ${family}\n\n${everything(family)}`);
  const sections = [HEAD, promisesSection(), comparisonSection(), recordDatesSection(), settlementSection()];
  return `${[...sections, "## All figures", ...families].join("\n\n")}\n`;
}

try {
  const text = page();
  if (process.argv.includes("--check")) {
    if (readFileSync(PAGE, "utf8") !== text) throw new Refused("docs/gas.md is not what snapshots/ make");
    console.log("docs/gas.md is what snapshots/ make");
  } else {
    writeFileSync(PAGE, text);
    console.log("docs/gas.md written");
  }
} catch (error) {
  if (!(error instanceof Refused)) throw error;
  console.error(`error: ${error.message}`);
  if (process.argv.includes("--check")) console.error("hint: `npm run gas:page` in solidity/ writes it anew");
  process.exit(1);
}
