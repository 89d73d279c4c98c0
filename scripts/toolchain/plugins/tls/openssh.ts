import { type KeyObject, randomBytes } from "node:crypto";

/**
 * OpenSSH's own formats (PROTOCOL.key, RFC 4253, RFC 5656), which Node's crypto does not write. Keys that OpenSSH does
 * not know, such as those on curve P224, have none.
 */

interface Ssh {
  readonly type: string;
  readonly publicFields: readonly Buffer[];
  /** All the fields of the private key, in the order of PROTOCOL.key. */
  readonly privateFields: readonly Buffer[];
}

const curves: Readonly<Record<string, string>> = {
  "P-256": "nistp256",
  "P-384": "nistp384",
  "P-521": "nistp521",
};

export function opensshPublicKey(key: KeyObject): { type: string; blob: Buffer } | undefined {
  const ssh = fields(key);
  return ssh && { type: ssh.type, blob: publicBlob(ssh) };
}

export function opensshPrivateKey(key: KeyObject): string | undefined {
  const ssh = fields(key);
  if (ssh === undefined) {
    return undefined;
  }
  const check = randomBytes(4);
  const content = Buffer.concat([check, check, text(ssh.type), ...ssh.privateFields.map(field), text("")]);
  const padding = Buffer.from(
    Array.from({ length: (8 - (content.length % 8)) % 8 }, (_, index) => index + 1),
  );
  const one = Buffer.of(0, 0, 0, 1);
  const file = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    text("none"),
    text("none"),
    text(""),
    one,
    field(publicBlob(ssh)),
    field(Buffer.concat([content, padding])),
  ]);
  const lines = file.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join(
    "\n",
  );
}

function publicBlob(ssh: Ssh): Buffer {
  return Buffer.concat([text(ssh.type), ...ssh.publicFields.map(field)]);
}

function fields(key: KeyObject): Ssh | undefined {
  if (key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "secp224r1") {
    return undefined;
  }
  const jwk = key.export({ format: "jwk" });
  const bytes = (name: keyof typeof jwk): Buffer => Buffer.from(String(jwk[name]), "base64url");
  const number = (name: keyof typeof jwk): Buffer => mpint(bytes(name));
  switch (jwk.kty) {
    case "RSA":
      return {
        type: "ssh-rsa",
        publicFields: [number("e"), number("n")],
        privateFields: [number("n"), number("e"), number("d"), number("qi"), number("p"), number("q")],
      };
    case "OKP":
      return {
        type: "ssh-ed25519",
        publicFields: [bytes("x")],
        privateFields: [bytes("x"), Buffer.concat([bytes("d"), bytes("x")])],
      };
    default: {
      const curve = curves[String(jwk.crv)];
      if (curve === undefined) {
        return undefined;
      }
      const point = Buffer.concat([Buffer.of(4), bytes("x"), bytes("y")]);
      return {
        type: `ecdsa-sha2-${curve}`,
        publicFields: [Buffer.from(curve), point],
        privateFields: [Buffer.from(curve), point, number("d")],
      };
    }
  }
}

/** A string of the protocol: its length, then its bytes. */
function field(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function text(value: string): Buffer {
  return field(Buffer.from(value));
}

/** A positive number of the protocol: no leading zeros, but one where the first bit would be taken for a sign. */
function mpint(bytes: Buffer): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) {
    start++;
  }
  const trimmed = bytes.subarray(start);
  return (trimmed[0] ?? 0) >= 128 ? Buffer.concat([Buffer.of(0), trimmed]) : trimmed;
}
