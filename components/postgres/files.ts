/** The rendered configuration of a node: one map, which is installed, hashed, compared and shown at preview. */
import type { Deployment, Node } from "../spec/model.ts";
import { postgresqlConf } from "./conf.ts";
import { clientsConf, pgHbaConf } from "./hba.ts";
import { pgIdentConf } from "./ident.ts";
import { nodeJson } from "./nodeJson.ts";

/** By the names of `NodeReport.files`, all but `certificate.json`, which comes from the certificate. No secrets. */
export function nodeFiles(deployment: Deployment, node: Node): Record<string, string> {
  return {
    "postgresql.conf": postgresqlConf(deployment, node),
    "pg_hba.conf": pgHbaConf(deployment, node),
    "pg_ident.conf": pgIdentConf(deployment, node),
    "clients.conf": clientsConf(deployment, node),
    "node.json": nodeJson(deployment, node),
  };
}
