import type { ProviderType } from "../resourceType.ts";
import { localCommand, localRun } from "./local.ts";
import { remoteCommand } from "./remote.ts";

/** Follows @pulumi/command 1.2.1. */
export const command: ProviderType = {
  name: "command",
  version: "1.2.1",
  config: {},
  resources: [localCommand, remoteCommand],
  functions: [localRun],
};
