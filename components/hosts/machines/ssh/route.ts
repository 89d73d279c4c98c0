/**
 * From what the user said of a machine to everything that a connection takes: the host's public keys are looked up,
 * the private key's file is found. Read here once, so that whoever connects later reads no configuration of SSH.
 */
import type { SshRoute } from "../../../roles/desired.ts";
import type { SshTarget } from "../../../spec/model.ts";

export interface RouteEdge {
  /** Of the user who runs Pulumi; `~` in a path. */
  readonly home: string;
  /** Where the secret `sshPrivateKey` was put, for machines without a `keyFile`; undefined: there is none. */
  readonly secretKeyFile: string | undefined;
  /** Content of a file; undefined: it is not there. */
  readonly readFile: (path: string) => string | undefined;
}

export function routeOf(_target: SshTarget, _edge: RouteEdge): SshRoute {
  throw new Error("internal: machines are not built yet");
}
