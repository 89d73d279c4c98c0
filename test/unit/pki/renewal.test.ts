import { describe, expect, test } from "vitest";
import {
  certificateEpoch,
  certificateFiles,
  leafValidityHours,
  now,
} from "../../../components/pki/renewal.ts";
import type { Certificates } from "../../../components/spec/model.ts";
import { pair } from "../postgres/sample.ts";
import { root, shortLived } from "./authorities.ts";

const hour = 3_600_000;
const start = Date.parse("2026-11-21T12:00:00Z");
const terms: readonly Certificates[] = [
  { caValidityDays: 3650, validityHours: 2160, renewBeforeHours: 720, ownCaCertificate: undefined },
  { caValidityDays: 3650, validityHours: 48, renewBeforeHours: 24, ownCaCertificate: undefined },
  { caValidityDays: 3650, validityHours: 49, renewBeforeHours: 36, ownCaCertificate: undefined },
  { caValidityDays: 3650, validityHours: 876_000, renewBeforeHours: 24, ownCaCertificate: undefined },
];

describe.each(terms)(
  "a certificate for $validityHours h, renewed $renewBeforeHours h before its end",
  (certificates) => {
    const epochAt = (time: number) => certificateEpoch(certificates, new Date(time));
    const period = certificates.validityHours - certificates.renewBeforeHours;

    test("whenever it is issued, the first `up` in its renewal window reissues it", () => {
      for (let step = 0; step < 500; step++) {
        const issued = start + Math.floor((step * period * hour) / 250) + step;
        const windowOpens = issued + period * hour;
        const ends = issued + leafValidityHours(certificates, epochAt(issued)) * hour;
        expect(ends - windowOpens).toBe(certificates.renewBeforeHours * hour);
        expect(epochAt(windowOpens)).toBeGreaterThan(epochAt(issued));
      }
    });

    test("within an epoch every `up` agrees: nothing is reissued", () => {
      const epoch = epochAt(start);
      const last = (epoch + period) * hour - 1;
      expect(epochAt(epoch * hour)).toBe(epoch);
      expect(epochAt(last)).toBe(epoch);
      expect(epochAt(last + 1)).toBe(epoch + period);
    });

    test("time that passes never leads back", () => {
      let before = 0;
      for (let time = start; time < start + 5 * period * hour; time += (period * hour) / 97) {
        expect(epochAt(time)).toBeGreaterThanOrEqual(before);
        before = epochAt(time);
      }
    });
  },
);

describe("under a CA of the user's own", () => {
  const end = "2027-03-01T00:00:00Z";
  const certificates: Certificates = {
    caValidityDays: 3650,
    validityHours: 240,
    renewBeforeHours: 72,
    ownCaCertificate: shortLived,
  };

  test("no certificate outlives it, each lasts until the next is due, and time is left in each until the last days", () => {
    let epochs = 0;
    let before = 0;
    const caEnd = Date.parse(end);
    for (let time = start; time < caEnd - 48 * hour; time += hour / 2) {
      const epoch = certificateEpoch(certificates, new Date(time));
      if (epoch === before) {
        continue;
      }
      before = epoch;
      epochs++;
      const certificateEnds = time + leafValidityHours(certificates, epoch) * hour;
      expect(certificateEnds).toBeLessThanOrEqual(caEnd);
      expect(certificateEnds).toBeGreaterThan(Math.min(time + 168 * hour, caEnd - 48 * hour));
    }
    expect(epochs).toBeGreaterThan(20);
  });

  test("far from its end nothing is different", () => {
    const made = { ...certificates, ownCaCertificate: undefined };
    expect(certificateEpoch(certificates, new Date(start))).toBe(certificateEpoch(made, new Date(start)));
    expect(leafValidityHours(certificates, certificateEpoch(certificates, new Date(start)))).toBe(240);
  });
});

describe("certificate.json", () => {
  test("says what makes a certificate what it is, byte for byte, without the certificate", () => {
    const deployment = pair({ names: { floating: "pg.ha.example.test" } });
    const epoch = certificateEpoch(deployment.certificates, new Date(start));
    expect(certificateFiles(deployment, epoch)["site-b"]).toBe(`{
  "epoch": "2026-11-03T00:00:00.000Z",
  "validityHours": 2160,
  "authority": "generated for 3650 days",
  "names": {
    "dns": [
      "site-b",
      "site-b.ha.example.test",
      "pg.ha.example.test",
      "localhost"
    ],
    "ip": [
      "127.0.0.1",
      "::1",
      "10.86.0.12"
    ]
  }
}
`);
  });

  test("changes with the epoch, the names, the validity and the authority, and with nothing else", () => {
    const base = pair();
    const epoch = certificateEpoch(base.certificates, new Date(start));
    const before = certificateFiles(base, epoch)["site-a"];
    const with_ = (change: Partial<Certificates>) => ({
      ...base,
      certificates: { ...base.certificates, ...change },
    });
    expect(certificateFiles(base, epoch + 1440)["site-a"]).not.toBe(before);
    expect(certificateFiles({ ...base, domain: "x.test" }, epoch)["site-a"]).not.toBe(before);
    expect(certificateFiles(with_({ validityHours: 2000 }), epoch)["site-a"]).not.toBe(before);
    expect(certificateFiles(with_({ ownCaCertificate: root }), epoch)["site-a"]).not.toBe(before);
    expect(certificateFiles({ ...base, active: "site-b" }, epoch)["site-a"]).toBe(before);
  });
});

test("the clock can be moved by a test, and by nothing that is not a time", () => {
  expect(now({ UNDERSTUDY_NOW: "2030-01-01T00:00:00Z" }).toISOString()).toBe("2030-01-01T00:00:00.000Z");
  expect(Math.abs(now({}).getTime() - Date.now())).toBeLessThan(1000);
  expect(() => now({ UNDERSTUDY_NOW: "soon" })).toThrow('UNDERSTUDY_NOW is not a time in ISO 8601: "soon"');
});
