import type { JsonName } from "@peculiar/x509";
import type { Value } from "../resourceType.ts";
import { isObject } from "../wire.ts";

/** The parts of a distinguished name under their official names, in the order in which they are encoded. */
const parts: readonly (readonly [property: string, oid: string])[] = [
  ["country", "2.5.4.6"],
  ["organization", "2.5.4.10"],
  ["organizationalUnit", "2.5.4.11"],
  ["locality", "2.5.4.7"],
  ["province", "2.5.4.8"],
  ["streetAddresses", "2.5.4.9"],
  ["postalCode", "2.5.4.17"],
  ["commonName", "2.5.4.3"],
  ["serialNumber", "2.5.4.5"],
  ["emailAddress", "1.2.840.113549.1.9.1"],
];

export const subjectProperties: readonly string[] = parts.map(([property]) => property);

/**
 * A subject for the X.509 library. The kind of string is spelled out for each value: given a bare one, the library would
 * unquote and unescape it.
 */
export function distinguishedName(subject: Value | undefined): JsonName {
  if (!isObject(subject)) {
    return [];
  }
  return parts.flatMap(([property, oid]) => {
    const value = subject[property];
    const values = (Array.isArray(value) ? value : [value ?? ""]).map(String).filter((text) => text !== "");
    return values.length === 0 ? [] : [{ [oid]: values.map((text) => encoded(property, text)) }];
  }) as unknown as JsonName;
}

function encoded(property: string, value: string): Record<string, string> {
  if (property === "emailAddress") {
    return { ia5String: value };
  }
  return /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(value) ? { printableString: value } : { utf8String: value };
}
