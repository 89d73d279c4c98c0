/** What the stack's configuration says, the same for every kind of deployment. */
import * as pulumi from "@pulumi/pulumi";
import { plainSecrets } from "../plainSecrets.ts";
import type { Parsed, RawConfiguration } from "../spec/parseAs.ts";
import { renderProblems } from "../spec/problems.ts";

export function rawConfiguration(config: pulumi.Config): RawConfiguration {
  const given = (key: string) => Boolean(config.get(key));
  return {
    stack: pulumi.getStack(),
    active: config.get("active"),
    deployment: config.getObject("deployment"),
    failover: config.getObject("failover"),
    repair: config.getObject("repair"),
    caPrivateKeyGiven: given("caPrivateKey"),
    dnsKeyGiven: given("dnsKey"),
    plainSecrets: plainSecrets(given, process.env.PULUMI_CONFIG_SECRET_KEYS),
  };
}

/** @throws with all of its problems, if there are any */
export function accepted<D>(parsed: Parsed<D>): D {
  if (!parsed.ok) throw new pulumi.RunError(renderProblems(parsed.problems));
  for (const { code, path, message } of parsed.warnings) pulumi.log.warn(`${code}  ${path}: ${message}`);
  return parsed.deployment;
}

export function secretsOf(config: pulumi.Config) {
  return { caPrivateKey: config.getSecret("caPrivateKey"), dnsKey: config.getSecret("dnsKey") };
}
