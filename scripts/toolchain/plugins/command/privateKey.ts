import { createPrivateKey } from "node:crypto";
import ssh2 from "ssh2";
import { opensshPrivateKey } from "../tls/openssh.ts";
import { Final } from "./retry.ts";

/**
 * A private key in a format that ssh2 reads, which does not know PKCS#8 ("BEGIN PRIVATE KEY"); the official provider
 * does. A key that cannot be used is told before anything is dialled, and without a word of its content.
 */
export function readablePrivateKey(key: string, password: string | undefined): string {
  if (/-----BEGIN (ENCRYPTED )?PRIVATE KEY-----/.test(key)) {
    return fromPkcs8(key, password);
  }
  const parsed = ssh2.utils.parseKey(key, password);
  if (parsed instanceof Error) {
    throw new Final(`privateKey: ssh: ${parsed.message}`);
  }
  if ([parsed].flat().some((one) => !one.isPrivateKey())) {
    throw new Final("privateKey: ssh: this is a public key");
  }
  return key;
}

function fromPkcs8(key: string, password: string | undefined): string {
  let readable: string | undefined;
  try {
    readable = opensshPrivateKey(
      createPrivateKey(password === undefined ? key : { key, passphrase: password }),
    );
  } catch (error) {
    const { code = "unreadable" } = error as NodeJS.ErrnoException;
    throw new Final(`privateKey: ssh: cannot parse the PKCS#8 key (${code})`);
  }
  if (readable === undefined) {
    throw new Final("privateKey: ssh: unsupported kind of key");
  }
  return readable;
}
