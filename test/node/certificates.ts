/** A certificate authority and a certificate for each node, made by OpenSSL in a container of the node's image. */
import { docker } from "./docker.ts";

export interface Certificates {
  readonly authority: string;
  /** By node name. */
  readonly leaves: Readonly<Record<string, Leaf>>;
}

export interface Leaf {
  readonly certificate: string;
  readonly key: string;
}

const marker = "-----NEXT-----";

export async function makeCertificates(
  image: string,
  nodes: readonly {
    readonly name: string;
    readonly address: string;
    /** More names in the certificate, as OpenSSL writes them: `DNS:x`, `IP:x`. */
    readonly more?: readonly string[];
  }[],
): Promise<Certificates> {
  const key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
  const script = [
    'set -e; cd "$(mktemp -d)"',
    `openssl req -x509 ${key} -keyout ca.key -out ca.crt -subj '/CN=test authority' ` +
      "-addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null",
    `cat ca.crt; echo '${marker}'`,
    ...nodes.flatMap(({ name, address, more = [] }) => [
      `openssl req -x509 ${key} -CA ca.crt -CAkey ca.key -keyout leaf.key -out leaf.crt -subj '/CN=${name}' ` +
        `-addext basicConstraints=critical,CA:FALSE -addext subjectAltName=${[`DNS:${name}`, `IP:${address}`, ...more].join(",")} ` +
        "-addext extendedKeyUsage=serverAuth,clientAuth 2>/dev/null",
      `cat leaf.crt; echo '${marker}'; cat leaf.key; echo '${marker}'`,
    ]),
  ];
  const output = await docker(
    "run",
    "--rm",
    "--network",
    "none",
    "--entrypoint",
    "sh",
    image,
    "-c",
    script.join("\n"),
  );
  const [authority = "", ...rest] = output.split(`${marker}\n`);
  const leaves = nodes.map(({ name }, i) => [
    name,
    { certificate: rest[2 * i] ?? "", key: (rest[2 * i + 1] ?? "").replace(marker, "") },
  ]);
  return { authority, leaves: Object.fromEntries(leaves) };
}
