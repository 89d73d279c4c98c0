import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { secretsConfig } from "../consul/secretsConfig.ts";
import { tokenNames } from "./render/access.ts";
import type { AnyHost } from "./render/programs.ts";

type Token = pulumi.Output<string>;

/** A region's gossip key and tokens. Each lies only with the host that shows it, and all of them with the servers. */
export class ConsulSecrets {
  /** The token that may do everything. Secret. */
  readonly management: Token;
  readonly #gossipKey: pulumi.Output<string>;
  readonly #tokens: Readonly<Record<string, Token>>;

  /** `rotation`: another text makes another gossip key; undefined: the first one stays. */
  constructor(name: string, names: readonly string[], rotation: string | undefined, parent: pulumi.Resource) {
    const keepers = rotation === undefined ? {} : { keepers: { rotation } };
    this.#gossipKey = pulumi.secret(
      new random.RandomBytes(`${name}-gossip-key`, { length: 32, ...keepers }, { parent }).base64,
    );
    this.management = token(`${name}-management`, parent);
    this.#tokens = Object.fromEntries(names.map((one) => [one, token(`${name}-${one}`, parent)]));
  }

  /** `secrets/consul.json` of a server or a member. */
  agentFile(host: AnyHost): pulumi.Output<string> {
    const own = this.#token(tokenNames.agent(host.name));
    const anybody = this.#token(tokenNames.dns);
    return pulumi
      .all([this.#gossipKey, own, anybody, this.management])
      .apply(([gossipKey, agentToken, defaultToken, initialManagementToken]) =>
        secretsConfig({
          gossipKey,
          agentToken,
          defaultToken,
          ...(host.role === "server" ? { initialManagementToken } : {}),
        }),
      );
  }

  /** `secrets/tokens.json` of a server: what the agent there has Consul accept. */
  tokensFile(): pulumi.Output<string> {
    return pulumi.all(this.#tokens).apply((tokens) => `${JSON.stringify(tokens, null, 2)}\n`);
  }

  patroni(member: string): Token {
    return this.#token(tokenNames.patroni(member));
  }

  #token(name: string): Token {
    const found = this.#tokens[name];
    if (found === undefined) throw new Error(`internal: there is no token ${name}`);
    return found;
  }
}

/** A UUID as Consul wants it. Not `RandomUuid`, whose value is its resource's id as well, which nothing keeps secret. */
function token(name: string, parent: pulumi.Resource): Token {
  return pulumi.secret(new random.RandomBytes(name, { length: 16 }, { parent }).hex.apply(uuid));
}

/** Version 4 of RFC 9562: 122 bits of chance. */
export function uuid(hex: string): string {
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  const digits = `${hex.slice(0, 12)}4${hex.slice(13, 16)}${variant}${hex.slice(17, 32)}`;
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
