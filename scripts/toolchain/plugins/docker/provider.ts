/**
 * The offline `docker` provider: the resource types of `@pulumi/docker` that this package uses, spoken straight
 * to an engine. Whatever it does not implement is refused by name, never dropped.
 */

import type { ProviderType } from "../resourceType.ts";
import { container } from "./container.ts";
import { network } from "./network.ts";
import { remoteImage } from "./remoteImage.ts";
import { volume } from "./volume.ts";

export const docker: ProviderType = {
  name: "docker",
  version: "5.2.0",
  config: {
    host: {},
    sshOpts: {},
    certPath: {},
    caMaterial: {},
    certMaterial: {},
    keyMaterial: {},
    // The engine is reached when a resource needs it, not before: what this asks for is always so.
    disableDockerDaemonCheck: {},
  },
  resources: [container, network, remoteImage, volume],
  functions: [],
};
