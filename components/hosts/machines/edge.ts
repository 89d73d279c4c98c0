/** What this machine has for SSH: its user's home, and the key that was given as a secret. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, resolve } from "node:path";
import type { RouteEdge } from "./ssh/route.ts";

/**
 * `converge` and `status` run in processes of their own and get no secret in argv, environment or the wish, so a key
 * that was given as a secret is put where only its owner reads it. `npm run down` takes it away.
 */
export function sshEdge(deployment: string, secretKey: string | undefined): RouteEdge {
  const file = resolve(".understudy", deployment, "ssh-key");
  if (secretKey !== undefined) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, secretKey.endsWith("\n") ? secretKey : `${secretKey}\n`, { mode: 0o600 });
    chmodSync(file, 0o600);
  }
  return {
    home: homedir(),
    secretKeyFile: secretKey === undefined ? undefined : file,
    readFile: (path) => (existsSync(path) ? readFileSync(path, "utf8") : undefined),
  };
}
