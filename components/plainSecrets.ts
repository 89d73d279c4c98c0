/** Which of the configuration's secrets were set without --secret, as far as Pulumi tells. */
import { configurationKeys } from "./spec/configurationKeys.ts";

/**
 * @param given whether a key of the configuration is set
 * @param secretKeys what Pulumi's runner is given in PULUMI_CONFIG_SECRET_KEYS: a JSON list of `<project>:<key>`
 */
export function plainSecrets(given: (key: string) => boolean, secretKeys: string | undefined): string[] {
  // Without the list nothing is known, and nobody is blamed.
  if (secretKeys === undefined) return [];
  const kept: unknown = JSON.parse(secretKeys);
  if (!Array.isArray(kept)) return [];
  return configurationKeys
    .filter(({ key, setSecret }) => setSecret !== undefined && given(key))
    .map(({ key }) => key)
    .filter((key) => !kept.includes(`understudy:${key}`));
}
