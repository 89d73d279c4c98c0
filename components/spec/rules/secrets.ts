/** Secrets and places: nothing secret in plain configuration, and images and engines that can be named. */
import { looksSecret } from "../show.ts";
import type { Finding, Rule } from "./rule.ts";
import { settingPlaces } from "./settings.ts";

const plaintext: Rule = {
  code: "E_SECRET_PLAINTEXT",
  needs: [],
  check(deployment) {
    const found: Finding[] = settingPlaces(deployment)
      .filter(({ value }) => looksSecret(value))
      .map(({ path }) => ({
        path,
        message:
          "the value has a password or a key in it, and configuration is not secret; let the command read a file",
      }));
    const ca = deployment.certificates.ownCaCertificate;
    if (ca?.includes("PRIVATE KEY")) {
      const path = "deployment.certificates.ownCaCertificate";
      const message =
        "has a private key in it, and configuration is not secret; set the key with `pulumi config set --secret caPrivateKey < key.pem`";
      found.push({ path, message });
    }
    if (looksSecret(deployment.containers.dockerHost)) {
      const path = "deployment.containers.dockerHost";
      found.push({ path, message: "has a password in it; use `ssh://` with a key, or a local socket" });
    }
    return found;
  },
};

const dockerHost: Rule = {
  code: "E_DOCKER_HOST",
  needs: [],
  check({ containers: { dockerHost } }) {
    if (dockerHost === undefined || looksSecret(dockerHost)) return [];
    if (/^(unix:\/\/\/|tcp:\/\/[^/]|ssh:\/\/[^/])\S+$/.test(dockerHost)) return [];
    const message = `"${dockerHost}" does not name a Docker engine, e.g. unix:///var/run/docker.sock or ssh://user@host`;
    return [{ path: "deployment.containers.dockerHost", message }];
  },
};

/** As the distribution's reference grammar has it: registry and path, tag, digest. */
const reference =
  /^(?:[a-zA-Z0-9.-]+(?::\d+)?\/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/;

const image: Rule = {
  code: "E_IMAGE",
  needs: [],
  check({ sites }) {
    return sites
      .filter(({ node }) => node.image !== undefined && !reference.test(node.image))
      .map(({ name }) => ({
        path: `deployment.sites.${name}.image`,
        message: "is not an image's name, e.g. registry.example.test/postgres:17.6",
      }));
  },
};

export const placeRules: readonly Rule[] = [plaintext, dockerHost, image];
