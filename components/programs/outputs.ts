import type * as pulumi from "@pulumi/pulumi";
import type { HostRow, NodeRow } from "../access.ts";
import type { Names } from "../spec/model.ts";

/** The stack's outputs. */
export interface Outputs {
  /** The site or region that takes writes. */
  readonly active: pulumi.Output<string>;
  /** The floating name and its port. */
  readonly endpoint: pulumi.Output<string>;
  /** The same for sessions that only read, where there is one. */
  readonly readEndpoint?: pulumi.Output<string>;
  /** The same for clients of PgBouncer, where there is one. */
  readonly pooledEndpoint?: pulumi.Output<string>;
  /** libpq URI for clients on this machine. Secret. */
  readonly uri: pulumi.Output<string> | undefined;
  /** What proves the role change of the last update: both control files, the steps' times, the gap that a client saw. */
  readonly evidence: pulumi.Output<unknown>;
  readonly caCertificate: pulumi.Output<string>;
  /** Name, site or region, address and ports of everything that a client can connect to. */
  readonly nodes: readonly NodeRow[];
  /** Every host of every region. */
  readonly hosts?: readonly HostRow[];
  /** Where the deployment's names are served, for `npm run status`. */
  readonly names: Names;
  /** By region, the token of its Consul that may do everything. Secret. */
  readonly consulManagementTokens?: pulumi.Output<Record<string, string>>;
  /** What `npm run status` holds the hosts against. It holds no secret; marked as one, the screen stays readable. */
  readonly wish: pulumi.Output<string>;
  /** What a preview that reaches nobody plans from. It holds no secret, either; see `components/record/`. */
  readonly facts?: pulumi.Output<unknown>;
}
