/** The configuration keys of a stack: what `pulumi config set` takes besides the structure under `deployment`. */

export interface ConfigurationKey {
  readonly key: string;
  readonly type: string;
  readonly default: string;
  /** What a change does: a word of `Effect`, or more. */
  readonly effect: string;
  readonly description: string;
  /** Set with `--secret`; undefined: it is no secret. The command that sets it. */
  readonly setSecret?: string;
}

export const configurationKeys: readonly ConfigurationKey[] = [
  {
    key: "active",
    type: "text",
    default: "**required**",
    effect: "moves the deployment",
    description: "The site or region that takes writes. A preview says what a change of it takes.",
  },
  {
    key: "deployment",
    type: "map",
    default: "**required**",
    effect: "see below",
    description: "The deployment. Its `database.kind` decides whether it has `sites` or `regions`.",
  },
  {
    key: "failover",
    type: "map",
    default: "none",
    effect: "see below",
    description: "The statement that allows a failover without the old site or region.",
  },
  {
    key: "repair",
    type: "map of site to text",
    default: "none",
    effect: "restart",
    description:
      "Any new text has everything on that site's machine written again, what was changed there by hand included: `pulumi config set --path repair.site-a \"ticket 12\"`. `dns` is the name server's machine. Without it such a change is reported only.",
  },
  {
    key: "caPrivateKey",
    type: "secret",
    default: "none",
    effect: "reload",
    description: "PEM key of `certificates.ownCaCertificate`.",
    setSecret: "pulumi config set --secret caPrivateKey < key.pem",
  },
  {
    key: "sshPrivateKey",
    type: "secret",
    default: "none",
    effect: "none",
    description: "Private key for the machines and jump hosts without a `keyFile`, without a passphrase.",
    setSecret: "pulumi config set --secret sshPrivateKey < ~/.ssh/id_ed25519",
  },
  {
    key: "dnsKey",
    type: "secret",
    default: "none",
    effect: "none",
    description: "TSIG secret, base64, of `names.server.keyName`, with `kind: external`.",
    setSecret: "pulumi config set --secret dnsKey",
  },
];

/** The command that sets a secret; undefined: it is none of the configuration's secrets. */
export function setSecretCommand(key: string): string | undefined {
  return configurationKeys.find((one) => one.key === key)?.setSecret;
}
