/** The rendered configuration of a region's host: one map, which is installed, hashed, compared and shown at preview. */
import type { RegionalDeployment } from "../../spec/regionalModel.ts";
import { agentJson } from "./agentJson.ts";
import { consulFile, consulStartFile, gossipKeyNote } from "./consulFile.ts";
import { haproxyFiles } from "./haproxyFiles.ts";
import { FILES } from "./paths.ts";
import { patroniFiles } from "./patroniFiles.ts";
import { pgbouncerFiles } from "./pgbouncerFiles.ts";
import type { AnyHost } from "./programs.ts";

/** By their path below `/etc/understudy`; all but `certificate.json`, which comes from the certificate. No secrets. */
export function hostFiles(deployment: RegionalDeployment, host: AnyHost): Record<string, string> {
  return {
    [FILES.agent]: agentJson(deployment, host),
    ...(host.role === "proxy"
      ? { ...haproxyFiles(deployment, host), ...pgbouncerFiles(deployment, host) }
      : {
          [FILES.consul]: consulFile(deployment, host),
          [FILES.consulStart]: consulStartFile(deployment, host),
          [FILES.gossipKey]: gossipKeyNote(deployment, host),
        }),
    ...(host.role === "member" ? patroniFiles(deployment, host) : {}),
  };
}
