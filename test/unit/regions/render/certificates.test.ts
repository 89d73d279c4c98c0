import { expect, test } from "vitest";
import { certificateNamesOf, certificateNotes } from "../../../../components/regions/render/certificates.ts";
import { allHosts } from "../../../../components/regions/render/topology.ts";
import { hostsOf } from "../../../../components/spec/regionalModel.ts";
import { regionNamed, twoRegions } from "./sample.ts";

const deployment = twoRegions();
const namesOf = (name: string) => {
  const host = allHosts(deployment).find((candidate) => candidate.name === name);
  if (host === undefined) throw new Error(`no host ${name}`);
  return certificateNamesOf(deployment, host);
};

test("a member is verified under every name by which a client may come to it, through any region's proxy", () => {
  const { dns, ip } = namesOf("region-b-2");
  expect(dns).toEqual([
    "region-b-2",
    "region-b-2.ha.example.test",
    "db.ha.example.test",
    "region-a.ha.example.test",
    "region-b.ha.example.test",
    "region-a-proxy.ha.example.test",
    "region-b-proxy.ha.example.test",
    "localhost",
  ]);
  expect(ip).toEqual(["127.0.0.1", "::1", "10.86.2.12", "10.86.1.51", "10.86.2.51"]);
});

test("no two members are the same to who verifies one of them by its own name or address", () => {
  const members = deployment.regions.flatMap((region) => region.members);
  for (const member of members) {
    const others = members.filter(({ name }) => name !== member.name).map(({ name }) => namesOf(name));
    expect(others.some(({ dns }) => dns.includes(member.name))).toBe(false);
    expect(others.some(({ ip }) => ip.includes(member.address))).toBe(false);
  }
});

test("only a region's Consul servers have the name of a Consul server there", () => {
  const withName = (name: string) =>
    allHosts(deployment).filter((host) => certificateNamesOf(deployment, host).dns.includes(name));
  for (const region of ["region-a", "region-b"]) {
    const { servers } = regionNamed(deployment, region);
    expect(withName(`server.${region}.consul`)).toEqual(servers);
  }
});

test("every host has a note of its certificate, which no change of the active region touches", () => {
  const epoch = 495_000;
  const notes = certificateNotes(deployment, epoch);
  expect(Object.keys(notes).sort()).toEqual(
    deployment.regions
      .flatMap(hostsOf)
      .map(({ name }) => name)
      .sort(),
  );
  expect(certificateNotes(twoRegions({ active: "region-b" }), epoch)).toEqual(notes);
  expect(certificateNotes(deployment, epoch + 1440)).not.toEqual(notes);
});
