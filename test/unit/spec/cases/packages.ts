/** Rules about package mirrors and data directories that are adopted. */
import type { Tree } from "../configuration.ts";
import { machineA, onMachines, pathA } from "../onMachines.ts";
import type { RuleCase } from "../ruleCase.ts";

/** Made for this test; it signs nothing. */
export const key = `-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawG/oBYJKwYBBAHaRw8BAQdAU8O7IhHsV5wjZoMOgkmqoVLeG4oXwcHcACo7
EtPoGkm0E21pcnJvci5leGFtcGxlLnRlc3SIkAQTFggAOBYhBDD8hJEyuny8feko
W///jiEariEzBQJrAb+gAhsDBQsJCAcCBhUKCQgLAgQWAgMBAh4BAheAAAoJEP//
jiEariEzO3YA/0kp0kJHom7272niMfRZrBw86fhNBY+wSHexVNstDzZxAP4sneD9
7nKmwfnX3z3mWpcaVcTYz7oVATSlsvFhnhztDg==
=jZ4G
-----END PGP PUBLIC KEY BLOCK-----
`;
const damaged = "is damaged: it cannot be read as an OpenPGP public key; copy all of it";
const right = { url: "https://mirror.example.test/debian-pg", suite: "trixie-pgdg", key };
const mirror = (change: Tree) => machineA({ packageMirror: { ...right, ...change } });
const wrongMirror = (
  change: Tree,
  message: string,
  nearMiss: Tree = {},
  code = "E_PACKAGE_MIRROR",
): RuleCase => ({
  code,
  wrong: mirror(change),
  path: `${pathA}.machine.packageMirror.${Object.keys(change)[0]}`,
  message,
  fine: mirror(nearMiss),
});

export const packageCases: readonly RuleCase[] = [
  wrongMirror({ url: "ftp://mirror.test/x" }, '"ftp://mirror.test/x" is not an http or https URL', {
    url: "http://192.0.2.5:8080/~pg/apt",
  }),
  wrongMirror(
    { url: "https://mirror.test/$(id)" },
    '"https://mirror.test/$(id)" may have letters, digits and :/._~+%- only',
  ),
  wrongMirror(
    { suite: "trixie main" },
    '"trixie main" may have letters, digits and "._+~/-" only, and begins with a letter or digit',
    { suite: "trixie/updates" },
  ),
  wrongMirror({ suite: "trixie/" }, '"trixie/" is of a repository without suites, which is not supported'),
  wrongMirror(
    { components: ["main", "non;free"] },
    '"non;free" may have letters, digits and "._+~/-" only, and begins with a letter or digit',
    { components: ["main", "17"] },
  ),
  wrongMirror(
    { key: "https://mirror.test/key.asc" },
    "is a place and not a key; expected the text of the key, ASCII-armoured (-----BEGIN PGP PUBLIC KEY BLOCK-----)",
    { key: key.replace("-----\n", "-----\nVersion: GnuPG v2\n") },
  ),
  wrongMirror(
    { key: "ACCC4CF8" },
    "expected the text of the key, ASCII-armoured (-----BEGIN PGP PUBLIC KEY BLOCK-----)",
    { key: key.replaceAll("\n", "\r\n") },
  ),
  wrongMirror({ key: key.slice(0, 200) }, damaged),
  // The first packet says: private key.
  wrongMirror({ key: key.replace("mDME", "lDME") }, damaged),
  wrongMirror(
    { key: "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\ncanary\n" },
    "is a private key, and configuration is not secret; write the public one, as `gpg --armor --export` prints it, and make this key anew",
    {},
    "E_SECRET_PLAINTEXT",
  ),
  wrongMirror(
    { url: "https://ann:canary@mirror.test/x" },
    "has a password in it, and configuration is not secret",
    {},
    "E_SECRET_PLAINTEXT",
  ),
  ...adoptions(),
];

function adoptions(): RuleCase[] {
  const adopt = (path: string) => machineA({ adopt: path });
  const path = `${pathA}.machine.adopt`;
  const fine = adopt("/var/lib/postgresql/17/main");
  const wrong = (text: string, message: string): RuleCase => ({
    code: "E_ADOPT",
    wrong: adopt(text),
    path,
    message: `${JSON.stringify(text)} ${message}`,
    fine,
  });
  return [
    wrong("main", "is not an absolute path, e.g. /var/lib/postgresql/17/main"),
    wrong("/srv/pg/../main/", 'is not written in its shortest form; write "/srv/main"'),
    wrong("//srv/pg", 'is not written in its shortest form; write "/srv/pg"'),
    wrong("/", "is the root of the file system"),
    wrong("/srv/my data", 'may have letters, digits and "/._+@:-" only'),
    wrong(
      "/var/lib/understudy/pgdata",
      "is not apart from /var/lib/understudy, which is the deployment's own",
    ),
    wrong("/etc", "is not apart from /etc/understudy, which is the deployment's own"),
    wrong("/run/pg", "is below /run, where nothing is kept"),
    {
      code: "E_ADOPT",
      wrong: machineA({ adopt: "/srv/pg", onDestroy: "wipe" }),
      path: `${pathA}.machine.onDestroy`,
      message: '"wipe" would delete a directory that was there before the deployment; write "keep"',
      fine: machineA({ onDestroy: "wipe" }),
    },
    {
      code: "E_ADOPT_TWICE",
      wrong: onMachines({
        sites: {
          "site-a": { machine: { adopt: "/srv/pg" } },
          "site-b": { machine: { adopt: "/srv/pg" } },
        },
      }),
      path: "deployment.sites.site-b.machine.adopt",
      message: "site-a adopts a data directory already, and the other sites are copies of it; take it out",
      // After a switchover the line stays where it is.
      fine: { ...adopt("/srv/pg"), active: "site-b" },
    },
  ];
}
