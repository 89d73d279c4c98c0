/** The key that we show: from its file, or from the user's agent. What a file holds appears in no message. */
import { readFileSync } from "node:fs";
import type { AgentAuthMethod, ParsedKey, PublicKeyAuthMethod } from "ssh2";
import type { SshStop } from "../../../roles/desired.ts";
import { keyFailure, type SshError } from "./failure.ts";

type ParseKey = (data: Buffer) => ParsedKey | ParsedKey[] | Error;

/** One method, and not "none" before it: that costs a round trip and is never the way in. */
export function loginOf(
  stop: SshStop,
  parseKey: ParseKey,
  agent = process.env.SSH_AUTH_SOCK,
): PublicKeyAuthMethod | AgentAuthMethod {
  const { user: username, keyFile } = stop;
  if (keyFile !== undefined) {
    return { type: "publickey", username, key: readKey(stop, keyFile, parseKey) };
  }
  if (agent === undefined || agent === "") {
    throw keyFailure(
      stop,
      "there is no key to log in with: no `keyFile`, no secret `sshPrivateKey`, and no agent at SSH_AUTH_SOCK",
    );
  }
  return { type: "agent", username, agent };
}

function readKey(stop: SshStop, file: string, parseKey: ParseKey): ParsedKey {
  const content = readFile(stop, file);
  const parsed = parseKey(content);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key instanceof Error || key === undefined) {
    const isEncrypted = content.includes("ENCRYPTED") || /encrypted|passphrase/i.test(key?.message ?? "");
    throw unusable(stop, file, isEncrypted);
  }
  if (!key.isPrivateKey()) {
    throw keyFailure(
      stop,
      `the key file ${file} holds a public key; name the private one that belongs to it`,
    );
  }
  return key;
}

function readFile(stop: SshStop, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === "ENOENT" ? "is not there" : `cannot be read (${code ?? message})`;
    throw keyFailure(stop, `the key file ${file} ${reason}`);
  }
}

function unusable(stop: SshStop, file: string, isEncrypted: boolean): SshError {
  return isEncrypted
    ? keyFailure(
        stop,
        `the key file ${file} is encrypted, and nobody is there to be asked for its passphrase; load it with ssh-add and leave \`keyFile\` out`,
      )
    : keyFailure(
        stop,
        `the key file ${file} holds no private key in a format that is known (OpenSSH or PEM)`,
      );
}
