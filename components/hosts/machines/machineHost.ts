import type * as pulumi from "@pulumi/pulumi";
import type { SshRoute } from "../../roles/desired.ts";
import type { Machine } from "../../spec/model.ts";
import type { FilesArgs, Host, UnitArgs } from "../host.ts";

export interface MachineHostArgs {
  readonly deployment: string;
  readonly address: string;
  readonly machine: Machine;
  readonly route: SshRoute;
  /** Another value has everything on the machine written again. Config `repair`. */
  readonly repair: string | undefined;
}

/** Units as systemd services of a machine that exists already. */
export class MachineHost implements Host {
  readonly name: string;
  readonly site: string;
  readonly address: string;

  constructor(name: string, args: MachineHostArgs, _parent: pulumi.Resource) {
    this.name = name;
    this.site = name;
    this.address = args.address;
  }

  files(_name: string, _args: FilesArgs, _opts: pulumi.CustomResourceOptions): pulumi.Resource {
    throw new Error("internal: machines are not built yet");
  }

  unit(_name: string, _args: UnitArgs, _opts: pulumi.CustomResourceOptions): pulumi.Resource {
    throw new Error("internal: machines are not built yet");
  }
}
