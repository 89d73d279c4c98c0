/** Patroni's dynamic configuration of a region, while it is active and while it follows another. */
import { dynamicConfig, standbyCluster } from "../../patroni/dynamicConfig.ts";
import type { Region, RegionalDeployment } from "../../spec/regionalModel.ts";
import { parametersOf } from "./parameters.ts";
import { othersThan, regionSlot } from "./topology.ts";

const MiB = 1024 * 1024;

/** Without `standby_cluster`. */
export function dynamicOf(deployment: RegionalDeployment, region: Region): Readonly<Record<string, unknown>> {
  const { database } = deployment;
  return dynamicConfig({
    timing: database.timing.patroni,
    synchronous: database.synchronous,
    maximumLagBytes: database.maximumLagMiB * MiB,
    parameters: parametersOf(deployment).dynamic,
    permanentSlots: othersThan(deployment, region).map(regionSlot),
  });
}

/** `standby_cluster` of `region` while it follows `of`. */
export function standbyOf(region: Region, of: Region): Readonly<Record<string, unknown>> {
  const ports = [...new Set(of.members.map(({ port }) => port))];
  const [port] = ports;
  if (port === undefined || ports.length > 1) {
    throw new Error(
      `region ${of.name}: its members have the ports ${ports.join(", ")}; a region that follows it needs one port for all`,
    );
  }
  return standbyCluster({
    addresses: of.members.map(({ address }) => address),
    port,
    slot: regionSlot(region),
  });
}

/** What a region begins with: the active one as a cluster of its own, the others as followers of it. */
export function initialDynamic(
  deployment: RegionalDeployment,
  region: Region,
): Readonly<Record<string, unknown>> {
  const active = othersThan(deployment, region).find(({ name }) => name === deployment.active);
  const dynamic = dynamicOf(deployment, region);
  return active === undefined ? dynamic : { ...dynamic, standby_cluster: standbyOf(region, active) };
}
