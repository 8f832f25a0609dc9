// The catalogue of errors: what each custom error of the contracts says to people, in English and in Portuguese.
//
// `errors/en.json` and `errors/pt-BR.json` have a text per error, under its name and the names of its arguments. A text
// shows an argument by `{name}`, or `{name:kind}` where the bare number says nothing: a `time` (seconds since 1970), a
// `day` (days since 1970), a `role` (hash of its name), a `reason` (code of a refusal, with its own text), an `address`,
// or the name of an enum. The bindings read the same files.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import sha3 from "js-sha3";

import { typeOf } from "./abi-types.mjs";
import { projectDir } from "./forge.mjs";

export const LANGUAGES = ["en", "pt-BR"];

const KINDS = ["time", "day", "role", "reason", "address"];
const SECTIONS = ["errors", "reasons", "enums", "roles", "others"];

/** The first four bytes of the hash of a signature, as they stand before an error's arguments. */
function selectorOf({ name, inputs }) {
  return `0x${sha3.keccak256(`${name}(${inputs.map(typeOf).join(",")})`).slice(0, 8)}`;
}

/** The enum that an argument is of, or `undefined`. */
function enumOf({ internalType = "" }) {
  return internalType.startsWith("enum ") ? internalType.slice("enum ".length).split(".").pop() : undefined;
}

/** Every custom error that a deployable contract can end with, sorted, each with the contracts that have it. */
export function readErrors() {
  const folder = join(projectDir, "artifacts");
  const errors = new Map();
  for (const file of readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .sort()) {
    const { contractName, abi } = JSON.parse(readFileSync(join(folder, file), "utf8"));
    for (const entry of abi.filter(({ type }) => type === "error")) {
      const key = `${entry.name}(${entry.inputs.map(({ name }) => name).join(", ")})`;
      const known = errors.get(key) ?? {
        key,
        name: entry.name,
        selector: selectorOf(entry),
        inputs: entry.inputs,
        contracts: [],
      };
      known.contracts.push(contractName);
      errors.set(key, known);
    }
  }
  return [...errors.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** The catalogue of a language. */
export function readCatalogue(language) {
  return JSON.parse(readFileSync(join(projectDir, "errors", `${language}.json`), "utf8"));
}

/** Text of all sources under `src/`. */
export function readSources() {
  const folder = join(projectDir, "src");
  return readdirSync(folder, { recursive: true })
    .filter((path) => path.endsWith(".sol"))
    .sort()
    .map((path) => ({ path: `src/${path}`, text: readFileSync(join(folder, path), "utf8") }));
}

/** Names of custom errors that sources declare. */
export function declaredErrors(sources) {
  return [...new Set(sources.flatMap(({ text }) => [...text.matchAll(/^\s*error (\w+)\(/gm)].map(([, name]) => name)))];
}

/** What the arguments of a text are shown as: `[name, kind]` for each placeholder, sorted. */
function placeholders(text) {
  return [...text.matchAll(/\{(\w+)(?::(\w+))?\}/g)].map(([, name, kind]) => [name, kind]).sort();
}

/** What is wrong with the catalogue, a sentence each; nothing if it is complete in both languages. */
export function findings() {
  const sources = readSources();
  const catalogues = LANGUAGES.map(readCatalogue);
  const errors = readErrors();
  const facts = {
    errors: errors.map(({ key }) => key),
    reasons: constantsOf(sources.find(({ path }) => path.endsWith("/ReasonCodes.sol")).text),
    roles: [...new Set(["DEFAULT_ADMIN_ROLE", ...sources.flatMap(rolesOf)])],
  };
  return [
    ...catalogues.flatMap((catalogue) => incomplete(catalogue, facts)),
    ...catalogues.flatMap((catalogue) => errors.flatMap((error) => wrongPlaceholders(catalogue, error))),
    ...catalogues.flatMap(wrongReasons),
    ...catalogues.flatMap((catalogue) => wrongEnums(catalogue, sources)),
    ...unlikeEachOther(...catalogues),
    ...declaredErrors(sources)
      .filter((name) => !errors.some((error) => error.name === name))
      .map((name) => `error ${name} is declared in src/ and no contract ends with it`),
  ];
}

/** Numbers of the constants of a library of codes. */
function constantsOf(text) {
  return [...text.matchAll(/uint16 internal constant \w+ = (\d+);/g)].map(([, number]) => number);
}

function rolesOf({ text }) {
  return [...text.matchAll(/keccak256\("(\w+_ROLE)"\)/g)].map(([, name]) => name);
}

/** Texts that miss, and texts of nothing. */
function incomplete(catalogue, facts) {
  return Object.entries(facts).flatMap(([section, names]) => {
    const texts = Object.keys(catalogue[section]);
    const at = `errors/${catalogue.language}.json, ${section}`;
    return [
      ...names.filter((name) => !texts.includes(name)).map((name) => `${at}: ${name} has no text`),
      ...texts.filter((name) => !names.includes(name)).map((name) => `${at}: ${name} is of no contract`),
    ];
  });
}

/** Placeholders that name no argument or no kind, and enums that are shown as bare numbers. */
function wrongPlaceholders(catalogue, { key, inputs }) {
  const at = `errors/${catalogue.language}.json, ${key}`;
  return placeholders(catalogue.errors[key] ?? "").flatMap(([name, kind]) => {
    const input = inputs.find((candidate) => candidate.name === name);
    if (input === undefined) return [`${at}: there is no argument ${name}`];
    if (kind !== enumOf(input) && !KINDS.includes(kind))
      return [`${at}: ${name} is shown as ${kind}, is ${input.internalType}`];
    return [];
  });
}

/** Reasons that show something else than the argument that comes with their code. */
function wrongReasons({ language, reasons, enums }) {
  const isKind = (kind) => kind === undefined || kind in enums || (KINDS.includes(kind) && kind !== "reason");
  return Object.entries(reasons).flatMap(([code, text]) =>
    placeholders(text)
      .filter(([name, kind]) => name !== "argument" || !isKind(kind))
      .map(([name, kind]) => `errors/${language}.json, reason ${code}: cannot show ${name} as ${kind}`),
  );
}

/** Enums whose words are not as many as their values. */
function wrongEnums({ language, enums }, sources) {
  const values = new Map(
    sources.flatMap(({ text }) =>
      [...text.matchAll(/^\s*enum (\w+) \{([^}]*)\}/gm)].map(([, name, body]) => [
        name,
        body.match(/^\s*\w+,?$/gm).length,
      ]),
    ),
  );
  return Object.entries(enums)
    .filter(([name, words]) => values.get(name) !== words.length)
    .map(([name, words]) => `errors/${language}.json, ${name}: ${words.length} words for ${values.get(name)} values`);
}

/** What one language has or shows and the other does not. */
function unlikeEachOther(first, second) {
  return SECTIONS.flatMap((section) =>
    [...new Set([...Object.keys(first[section]), ...Object.keys(second[section])])]
      .filter((name) => shape(first[section][name]) !== shape(second[section][name]))
      .map((name) => `${section}, ${name}: the languages differ in what they show`),
  );
}

function shape(entry) {
  if (Array.isArray(entry)) return String(entry.length);
  return entry === undefined ? "missing" : JSON.stringify(placeholders(entry));
}
