/** Rules about machines, the way to them, and fence commands. */
import { keys, machineA, onMachines, pathA, siteA } from "../onMachines.ts";
import type { RuleCase } from "../ruleCase.ts";

const fine = onMachines();
const hop = (
  code: string,
  field: string,
  value: unknown,
  message: string,
  right: unknown = undefined,
): RuleCase => ({
  code,
  wrong: machineA({ [field]: value }),
  path: `${pathA}.machine.${field}`,
  message,
  fine: right === undefined ? fine : machineA({ [field]: right }),
});
/** A host that is no address has no address to derive. */
const host = (value: string, message: string): RuleCase => ({
  code: "E_HOST",
  wrong: siteA({ address: "192.0.2.11", machine: { host: value } }),
  path: `${pathA}.machine.host`,
  message,
  fine: siteA({ address: "192.0.2.11", machine: { host: "DB-1.example.test." } }),
});
const hostKey = (value: string, message: string, right = keys.ed25519) =>
  hop("E_HOST_KEY_FORMAT", "hostKey", value, message, right);

export const machineCases: readonly RuleCase[] = [
  {
    code: "E_MACHINE",
    wrong: siteA({ machine: undefined }),
    path: `${pathA}.machine`,
    message: "is missing; `target: machines` needs at least `machine: { host: … }`",
    fine,
  },
  {
    code: "E_MACHINE",
    wrong: { deployment: { sites: { "site-a": { machine: { host: "192.0.2.11" } } } } },
    path: `${pathA}.machine`,
    message: "is for `target: machines`; take it out, or write that target",
    fine,
  },
  {
    code: "E_MACHINE",
    wrong: siteA({ image: "own:1" }),
    path: `${pathA}.image`,
    message:
      "is for `target: containers`; take it out; PostgreSQL comes from packages, see `machine.packageMirror`",
    fine,
  },
  {
    code: "E_MACHINE",
    wrong: siteA({ publishedPort: 15_432 }),
    path: `${pathA}.publishedPort`,
    message: "is for `target: containers`; take it out; clients reach the node at its address",
    fine,
  },
  {
    code: "E_MACHINE",
    wrong: siteA({ dockerHost: "ssh://root@192.0.2.11" }),
    path: `${pathA}.dockerHost`,
    message: "is for `target: containers`; take it out",
    fine: siteA({ memoryMiB: 4096 }),
  },
  host("", "is empty; write the machine's name or address"),
  host("root@192.0.2.11", '"root@192.0.2.11" has a user in it; write it as `user`'),
  host("192.0.2.11:22", '"192.0.2.11:22" has a port in it; write it as `port`'),
  host(
    "[2001:db8::1]:22",
    '"[2001:db8::1]:22" has brackets; write the address alone, and the port as `port`',
  ),
  host("ssh://192.0.2.11", '"ssh://192.0.2.11" is a URL; write the host\'s name or address alone'),
  host("192.0.2.300", '"192.0.2.300" is not an IP address, e.g. 192.0.2.11'),
  host("192.0.2.011", '"192.0.2.011" has leading zeros, which some programs read as octal; write 192.0.2.11'),
  host(
    "-oProxyCommand=x",
    '"-oProxyCommand=x" is neither an IP address nor a host\'s name: label "-oproxycommand=x" begins or ends with a hyphen',
  ),
  {
    code: "E_HOST",
    wrong: machineA({ jump: { host: "bastion..test" } }),
    path: `${pathA}.machine.jump.host`,
    message: '"bastion..test" is neither an IP address nor a host\'s name: has an empty label',
    fine: machineA({ jump: { host: "2001:db8::1" } }),
  },
  hop(
    "E_SSH_USER",
    "user",
    "-lroot",
    '"-lroot" is not a user\'s name; use letters, digits, ".", "_" and "-", at most 32',
    "first.last",
  ),
  hop("E_KEY_FILE", "keyFile", " ", "is not a file's path", "~/.ssh/id_ed25519"),
  hop("E_KEY_FILE", "keyFile", keys.ed25519, "is a public key; write the path of the private key's file"),
  hop(
    "E_KEY_FILE",
    "keyFile",
    "~/.ssh/id.pub",
    '"~/.ssh/id.pub" is the public key\'s file; write that of the private key',
    "/etc/pulumi/key",
  ),
  hop(
    "E_KEY_FILE",
    "keyFile",
    "~ann/.ssh/id",
    '"~ann/.ssh/id": `~` is the home of the user who runs Pulumi; write the path in full',
  ),
  hostKey(
    "SHA256:uNiVztksCsDhcc0u9e8BrMYGGnvHfWY1sQ7Ej7NPxv4",
    "is a fingerprint; write the key itself, as `ssh-keyscan -t ed25519 <host>` prints it, and compare the fingerprint with `ssh-keygen -lf -`",
    `${keys.ed25519} root@db-1`,
  ),
  hostKey(
    keys.ed25519.slice(0, -4),
    "the key after `ssh-ed25519` is cut off or damaged; copy the whole line",
    keys.ecdsa,
  ),
  hostKey(
    keys.rsa.slice(0, -10),
    "the key after `ssh-rsa` is cut off or damaged; copy the whole line",
    keys.rsa,
  ),
  hostKey("ssh-ed25519", "the key after `ssh-ed25519` is cut off or damaged; copy the whole line"),
  hostKey(
    keys.ecdsa.replace("ecdsa-sha2-nistp256", "ssh-ed25519"),
    'says `ssh-ed25519`, and the key is "ecdsa-sha2-nistp256"; copy the whole line',
  ),
  hostKey(
    `192.0.2.11 ${keys.ed25519}`,
    "begins with a host's name, as in known_hosts; leave it out, e.g. `ssh-ed25519 AAAA…`",
  ),
  hostKey(
    keys.ed25519.slice("ssh-ed25519 ".length),
    "has no type before the key; write it, e.g. `ssh-ed25519 AAAA…`",
  ),
  hostKey(
    keys.rsa.replace("ssh-rsa", "rsa-sha2-512"),
    '"rsa-sha2-512" is a signature; the key\'s type is `ssh-rsa`',
  ),
  hostKey("ssh-dss AAAA", "is a DSA key, which SSH no longer accepts; write the host's `ssh-ed25519` key"),
  hostKey(
    `${keys.ed25519}\n${keys.ecdsa}`,
    "is not one public key; write one line, e.g. `ssh-ed25519 AAAA…`",
  ),
  hostKey(
    "yes",
    "is not a public key of a host; expected one of ssh-ed25519, ecdsa-sha2-nistp256, ecdsa-sha2-nistp384, ecdsa-sha2-nistp521, ssh-rsa and the key, e.g. `ssh-ed25519 AAAA…`",
  ),
  {
    code: "E_SECRET_PLAINTEXT",
    wrong: machineA({ keyFile: "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n" }),
    path: `${pathA}.machine.keyFile`,
    message:
      "is a private key, and configuration is not secret; write the path of its file, or `pulumi config set --secret sshPrivateKey < ~/.ssh/id_ed25519`, and make this key anew",
    fine,
  },
  {
    code: "E_SECRET_PLAINTEXT",
    wrong: machineA({ jump: { host: "192.0.2.1", hostKey: "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU" } }),
    path: `${pathA}.machine.jump.hostKey`,
    message:
      "is a private key, and configuration is not secret; write the host's public key, as `ssh-keyscan -t ed25519 <host>` prints it, and make this key anew",
    fine,
  },
  {
    code: "E_SECRET_PLAINTEXT",
    wrong: machineA({ privateKey: "canary" }),
    path: `${pathA}.machine.privateKey`,
    message:
      "a secret does not belong here: write `keyFile`, or `pulumi config set --secret sshPrivateKey < ~/.ssh/id_ed25519`",
    fine,
  },
  {
    code: "E_SECRET_PLAINTEXT",
    wrong: machineA({ sudoPassword: "canary" }),
    path: `${pathA}.machine.sudoPassword`,
    message:
      "a secret does not belong here: SSH goes by key (`keyFile`, the secret `sshPrivateKey` or the agent), and sudo without a password",
    fine,
  },
  {
    code: "E_SECRET_PLAINTEXT",
    wrong: onMachines({ sshPrivateKey: "canary" }),
    path: "deployment.sshPrivateKey",
    message:
      "a secret does not belong here: take it out, and set it with `pulumi config set --secret sshPrivateKey < ~/.ssh/id_ed25519`",
    fine,
  },
  {
    code: "E_SECRET_PLAINTEXT",
    wrong: onMachines({}, { plainSecrets: ["sshPrivateKey"] }),
    path: "sshPrivateKey",
    message:
      "is set without --secret, and anybody reads it in the stack's file; make a new one, and set it with `pulumi config set --secret sshPrivateKey < ~/.ssh/id_ed25519`",
    fine: onMachines({}, { plainSecrets: [] }),
  },
  {
    code: "E_REPAIR_SITE",
    wrong: onMachines({}, { repair: { "site-aa": "x" } }),
    path: "repair.site-aa",
    message:
      '"site-aa" is no site, and only machines are repaired: they are [site-a, site-b]. Did you mean "site-a"?',
    fine: onMachines({}, { repair: { "site-a": "ticket 12", "site-b": 7 } }),
  },
  {
    code: "E_REPAIR_SITE",
    wrong: { repair: { "site-a": "x" } },
    path: "repair.site-a",
    message:
      '"site-a" is in containers, and only machines are repaired: there is none. Remove it with `pulumi config rm --path repair.site-a`.',
    fine: { repair: {} },
  },
];

const fence = (...command: string[]) => siteA({ fenceCommand: { command } });
const fencePath = `${pathA}.fenceCommand.command`;
const secretIn = (index: number, wrong: string[], right: string[]): RuleCase => ({
  code: "E_SECRET_PLAINTEXT",
  wrong: fence(...wrong),
  path: fencePath,
  message: `argument ${index} looks like a password or a token, and a command is shown; let the program read it from a file`,
  fine: fence(...right),
});

export const fenceCases: readonly RuleCase[] = [
  {
    code: "E_FENCE_COMMAND",
    wrong: fence("", "x"),
    path: fencePath,
    message: "begins with an empty text; write the program first",
    fine: fence("poweroff-bmc", ""),
  },
  {
    code: "E_FENCE_COMMAND",
    wrong: fence("poweroff-bmc site-a"),
    path: fencePath,
    message:
      '"poweroff-bmc site-a" is one word to it, because there is no shell; write [poweroff-bmc, site-a]',
    fine: fence("/opt/power tools/off", "site-a"),
  },
  secretIn(2, ["curl", "-d", "password=canary"], ["curl", "-d", "@/root/request"]),
  secretIn(1, ["fence", "--api-token=canary"], ["fence", "--token-file=/root/token"]),
  secretIn(2, ["fence", "--password", "canary"], ["fence", "--password-file", "/root/password"]),
  secretIn(2, ["curl", "-H", "Authorization: Bearer canary"], ["curl", "-H", "@/root/headers"]),
  secretIn(1, ["curl", "https://root:canary@bmc.test/off"], ["curl", "https://bmc.test/off"]),
  secretIn(
    6,
    ["/usr/bin/ipmitool", "-H", "bmc", "-U", "root", "-P", "canary", "power", "off"],
    ["/usr/bin/ipmitool", "-H", "bmc", "-U", "root", "-f", "/root/bmc.pass", "power", "off"],
  ),
  secretIn(2, ["curl", "--data", '{"passphrase":"canary"}'], ["curl", "--data", '{"power":"off"}']),
];
