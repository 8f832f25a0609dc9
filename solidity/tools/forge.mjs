// Runs the project's own forge, the one that `npm ci` installed, in the project's folder.

import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const projectDir = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs forge with `args`, its output shown as it comes; a failure ends this process with forge's own exit code. */
export function forge(args, environment = {}) {
  const result = spawnSync(process.execPath, [join(projectDir, "node_modules", ".bin", "forge"), ...args], {
    cwd: projectDir,
    env: { ...process.env, ...environment },
    stdio: "inherit",
  });
  if (result.error) throw result.error;
  if (result.status !== 0) process.exit(result.status ?? 1);
}
