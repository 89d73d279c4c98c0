import * as pulumi from "@pulumi/pulumi";
import type { Region, RegionalDeployment } from "../spec/regionalModel.ts";
import { ConsulSecrets } from "./consulSecrets.ts";
import { inTurn, type RegionHosts, setUpHost } from "./hostSetup.ts";
import { accessOf } from "./render/access.ts";
import { SECRET_FILES } from "./render/paths.ts";

export interface ConsulClusterArgs extends RegionHosts {
  readonly deployment: RegionalDeployment;
  readonly region: Region;
  /** Units that are replaced before those of this region. */
  readonly after: readonly pulumi.Resource[];
}

/**
 * A region's Consul servers, on hosts of their own: a session that was made through a server dies with it. The agents
 * on the members' hosts belong to those (see `PatroniCluster`). Policies and tokens come into force later, by the
 * region change: here they only lie with the servers.
 */
export class ConsulCluster extends pulumi.ComponentResource {
  /** By server. */
  readonly units: Readonly<Record<string, pulumi.Resource>>;
  readonly secrets: ConsulSecrets;

  constructor(name: string, args: ConsulClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("understudy:regions:ConsulCluster", name, {}, opts);
    const { deployment, region } = args;
    const tokens = Object.keys(accessOf(deployment, region).tokens);
    const secrets = new ConsulSecrets(name, tokens, region.consul.gossipKeyRotation, this);
    this.secrets = secrets;
    this.units = inTurn(region.servers, args, args.after, (host, after) =>
      setUpHost(
        {
          ...args,
          host,
          after,
          secrets: {
            [SECRET_FILES.consul]: secrets.agentFile(host),
            [SECRET_FILES.tokens]: secrets.tokensFile(),
          },
        },
        this,
      ),
    );
    this.registerOutputs({});
  }
}
