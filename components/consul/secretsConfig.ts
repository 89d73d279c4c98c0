/**
 * secrets.json: what Consul merges into consul.json, since both lie in its configuration directory. A file of its
 * own, mode 0600, so that the other one can be read and compared by anybody.
 */
import { renderJson } from "./common.ts";

export interface ConsulSecrets {
  /** 32 bytes in base64. Consul keeps it in its keyring; a new one is rolled out with `consul keyring`. */
  readonly gossipKey: string;
  /** The member's own token: registers its node and nothing else. */
  readonly agentToken: string;
  /** What a request without a token may do on an agent, e.g. ask DNS. */
  readonly defaultToken?: string;
  /** Servers only: the token that may do everything, in force from the first election on. */
  readonly initialManagementToken?: string;
}

/**
 * @throws when a value is not what Consul takes. The text never holds the value.
 *
 * Tokens are not made persistent through the API: a token that Consul had stored would win over this file.
 */
export function secretsConfig(secrets: ConsulSecrets): string {
  const bytes = Buffer.from(secrets.gossipKey, "base64");
  if (bytes.length !== 32 || bytes.toString("base64") !== secrets.gossipKey) {
    throw new Error(
      `gossipKey holds ${bytes.length} bytes of base64; 32 are needed (openssl rand -base64 32)`,
    );
  }
  const tokens = {
    agent: secrets.agentToken,
    default: secrets.defaultToken,
    initial_management: secrets.initialManagementToken,
  };
  for (const [name, token] of Object.entries(tokens)) {
    if (token !== undefined && !uuid.test(token)) {
      throw new Error(`the token acl.tokens.${name} is no UUID in lower case`);
    }
  }
  return renderJson({ encrypt: secrets.gossipKey, acl: { tokens } });
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
