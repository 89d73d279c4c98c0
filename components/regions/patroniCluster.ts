import * as pulumi from "@pulumi/pulumi";
import { secretsYml } from "../patroni/patroniYml.ts";
import { type Passwords, passwordFiles } from "../postgres/passwords.ts";
import type { Region, RegionalDeployment } from "../spec/regionalModel.ts";
import type { ConsulSecrets } from "./consulSecrets.ts";
import { inTurn, type RegionHosts, setUpHost } from "./hostSetup.ts";
import { SECRET_FILES } from "./render/paths.ts";

export interface PatroniClusterArgs extends RegionHosts {
  readonly deployment: RegionalDeployment;
  readonly region: Region;
  readonly consul: ConsulSecrets;
  readonly passwords: Passwords;
  /** Units that are replaced before those of this region. */
  readonly after: readonly pulumi.Resource[];
}

/**
 * A region's members: PostgreSQL under Patroni, with a Consul agent beside it. Which of them leads, Patroni decides
 * inside the region; which region does, the region change.
 */
export class PatroniCluster extends pulumi.ComponentResource {
  /** By member. */
  readonly units: Readonly<Record<string, pulumi.Resource>>;

  constructor(name: string, args: PatroniClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("understudy:regions:PatroniCluster", name, {}, opts);
    const { region, consul, passwords } = args;
    this.units = inTurn(region.members, args, args.after, (host, after) =>
      setUpHost(
        {
          ...args,
          host,
          after,
          secrets: {
            [SECRET_FILES.consul]: consul.agentFile(host),
            [SECRET_FILES.patroni]: consul
              .patroni(host.name)
              .apply((consulToken) => secretsYml({ consulToken })),
            ...passwordFiles(passwords),
          },
        },
        this,
      ),
    );
    for (const name of region.retired) {
      const [beside] = region.members;
      if (beside) args.hosts[beside.name]?.leaveData(name, { parent: this });
    }
    this.registerOutputs({});
  }
}
