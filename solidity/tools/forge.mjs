// Runs the project's own forge, the one that `npm ci` installed, in the project's folder.
//
// The package's launcher (`node_modules/.bin/forge` of 1.7.1) ends with 0 whatever forge ended with, so that a failing
// test would pass here: the program is called itself.

import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

export const projectDir = dirname(dirname(fileURLToPath(import.meta.url)));

const ARCHITECTURES = { x64: "amd64", arm64: "arm64" };

function binaryPath() {
  const platform = `${process.platform}-${ARCHITECTURES[process.arch]}`;
  try {
    return createRequire(import.meta.url).resolve(`@foundry-rs/forge-${platform}/bin/forge`);
  } catch {
    console.error(`error: forge for ${platform} is not installed`);
    console.error("hint: `npm ci` in solidity/ installs it where the package offers it");
    process.exit(3);
  }
}

/** Runs forge with `args`, its output shown as it comes. Throws with forge's exit code unless that is 0. */
export function forge(args, environment = {}) {
  const result = spawnSync(binaryPath(), args, {
    cwd: projectDir,
    env: { ...process.env, ...environment },
    stdio: "inherit",
  });
  if (result.error) throw result.error;
  if (result.status !== 0) throw new ForgeFailed(args[0], result.status ?? result.signal);
}

/** Forge ended with something else than 0; what it found is on its own output. */
export class ForgeFailed extends Error {
  constructor(command, status) {
    super(`forge ${command} ended with ${status}`);
  }
}

// As a program: `node tools/forge.mjs test --match-contract TPFt`.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    forge(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof ForgeFailed)) throw error;
    process.exit(1);
  }
}
