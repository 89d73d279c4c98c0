/** What a user may write about a machine that exists already, and about a site's fence. */
import { z } from "zod";
import { field, fieldMeta } from "./field.ts";

export const port = () => z.int().min(1).max(65_535);

const hop = {
  host: field(z.string(), {
    description: "Name or address that SSH connects to; no user and no port in it.",
    effect: "none",
  }),
  port: field(port().default(22), { description: "Port of its SSH server.", effect: "none" }),
  user: field(z.string().default("root"), {
    description: "root, or a user who may use sudo without a password.",
    effect: "none",
  }),
  keyFile: field(z.string().optional(), {
    description: "File with the private key, on the machine that runs Pulumi; `~` is its user's home.",
    effect: "none",
    derived: "the secret `sshPrivateKey`, or else the agent at SSH_AUTH_SOCK",
  }),
  hostKey: field(z.string().optional(), {
    description:
      "Public key that the host must show, e.g. `ssh-ed25519 AAAA…`. It is never connected to without one.",
    effect: "none",
    derived: "what `knownHosts` says of the host",
  }),
  knownHosts: field(z.string().default("~/.ssh/known_hosts"), {
    description: "File in which the host's key is looked up.",
    effect: "none",
  }),
};

const packageMirror = z.strictObject({
  url: field(z.string(), { description: "Base URL of an apt repository, http or https.", effect: "none" }),
  suite: field(z.string(), { description: "Its suite, e.g. `trixie-pgdg`.", effect: "none" }),
  components: field(z.array(z.string()).min(1).default(["main"]), {
    description: "Its components.",
    effect: "none",
  }),
  key: field(z.string(), {
    description: "The public OpenPGP key that signs it, ASCII-armoured; the text, not a file.",
    effect: "none",
  }),
});

export const machine = z.strictObject({
  ...hop,
  jump: field(z.strictObject(hop).optional(), {
    description: "A host to go through.",
    effect: "none",
    derived: "none; the machine is connected to directly",
  }),
  packageMirror: field(packageMirror.optional(), {
    description: "Where the packages of what runs on it come from.",
    effect: "none",
    derived: "the sources that the machine has",
  }),
  firewall: field(z.boolean().default(true), {
    description:
      "A table of nftables of the deployment's own that admits its ports from its nodes and from the networks of `clientAccess` only. It says nothing about any other port, SSH's among them.",
    effect: "reload",
  }),
  onDestroy: field(z.enum(["keep", "wipe"]).default("keep"), {
    description:
      "What becomes of the data when the site, or the region's host, leaves the stack. Units, configuration and firewall go in either case.",
    effect: "none",
  }),
  adopt: field(z.string().optional(), {
    description:
      "Data directory of a primary that runs on the machine already, of the same major version. It becomes the site's, in place and without a dump; its configuration is kept beside ours. The site leads at first. Keep the line afterwards: it says where the data is.",
    effect: "restart",
    derived: "none; the data is in `/var/lib/understudy`",
  }),
});

/** The field without its default: what nobody wrote can be said elsewhere. */
function unsaid<T extends z.ZodType>(withDefault: z.ZodDefault<T>) {
  const meta = fieldMeta.get(withDefault);
  if (meta === undefined) throw new Error("internal: a field without a description");
  const derived = `\`${String(withDefault.def.defaultValue)}\``;
  return field((withDefault.unwrap() as T).optional(), { ...meta, derived });
}

const { host, port: sshPort, user, keyFile, hostKey, knownHosts } = machine.shape;
const { jump, packageMirror: mirrorOfMachine, firewall, onDestroy } = machine.shape;

const partsOfMachine = {
  port: unsaid(sshPort),
  user: unsaid(user),
  keyFile,
  hostKey,
  knownHosts: unsaid(knownHosts),
  jump,
  packageMirror: mirrorOfMachine,
  firewall: unsaid(firewall),
  onDestroy: unsaid(onDestroy),
};

/** What a region says of all its machines at once. */
export const regionMachine = z.strictObject(partsOfMachine);

/** The machine of a region's host: what is not said here its region says. */
export const hostMachine = z.strictObject({ host, ...partsOfMachine });

export const fenceCommand = z.strictObject({
  command: field(z.array(z.string()).min(1), {
    description:
      "Program and arguments, e.g. `[ipmitool, -H, bmc-a, -f, /root/bmc.pass, chassis, power, off]`; no shell. Run on the machine that runs Pulumi. No secret: it is shown.",
    effect: "none",
  }),
  timeoutSeconds: field(z.int().min(1).max(600).default(30), {
    description: "Beyond it the command is ended, and counts as failed.",
    effect: "none",
    unit: "s",
  }),
});

export type WrittenMachine = z.output<typeof machine>;
export type WrittenRegionMachine = z.output<typeof regionMachine>;
export type WrittenHostMachine = z.output<typeof hostMachine>;
export type WrittenHop = NonNullable<WrittenMachine["jump"]>;
