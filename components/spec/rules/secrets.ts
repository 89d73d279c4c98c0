/** Secrets and places: nothing secret in plain configuration, and images and engines that can be named. */
import { setSecretCommand } from "../configurationKeys.ts";
import type { AnyDeployment } from "../regionalModel.ts";
import type { WrittenBase } from "../schemaBase.ts";
import { looksSecret, show } from "../show.ts";
import { isPrivateKey } from "../sshHost.ts";
import { serversOf } from "./areas.ts";
import { fenceCommands, secretArgument } from "./fenceCommand.ts";
import { writtenHops, writtenMachines } from "./machines.ts";
import { isPrivatePgpKey } from "./packages.ts";
import type { Finding, Rule } from "./rule.ts";
import { settingPlaces } from "./settings.ts";

const plaintext: Rule = {
  code: "E_SECRET_PLAINTEXT",
  needs: [],
  check: (deployment, { written, plainSecrets }) => [
    ...inSettings(deployment),
    ...inCertificates(deployment),
    ...inMachines(written),
    ...inFenceCommands(deployment),
    ...engines(deployment)
      .filter(({ dockerHost }) => looksSecret(dockerHost))
      .map(({ path }) => ({
        path,
        message: "has a password in it; use `ssh://` with a key, or a local socket",
      })),
    ...plainSecrets.map((key) => ({
      path: key,
      message: `is set without --secret, and anybody reads it in the stack's file; make a new one, and set it with \`${setSecretCommand(key)}\``,
    })),
  ],
};

function inSettings(deployment: AnyDeployment): Finding[] {
  return settingPlaces(deployment)
    .filter(({ value }) => looksSecret(value))
    .map(({ path }) => ({
      path,
      message:
        "the value has a password or a key in it, and configuration is not secret; let the command read a file",
    }));
}

function inCertificates({ certificates: { ownCaCertificate } }: AnyDeployment): Finding[] {
  if (!ownCaCertificate?.includes("PRIVATE KEY")) return [];
  const path = "deployment.certificates.ownCaCertificate";
  const message = `has a private key in it, and configuration is not secret; set the key with \`${setSecretCommand("caPrivateKey")}\``;
  return [{ path, message }];
}

/** Each beside what was meant. The key has been in a file that others read: it is no secret any more. */
function inMachines(written: WrittenBase): Finding[] {
  const privateKey = (path: string, advice: string): Finding => ({
    path,
    message: `is a private key, and configuration is not secret; ${advice}, and make this key anew`,
  });
  return [
    ...writtenHops(written).flatMap(({ path, value: { keyFile = "", hostKey = "" } }) => [
      ...(isPrivateKey(keyFile)
        ? [
            privateKey(
              `${path}.keyFile`,
              `write the path of its file, or \`${setSecretCommand("sshPrivateKey")}\``,
            ),
          ]
        : []),
      ...(isPrivateKey(hostKey)
        ? [
            privateKey(
              `${path}.hostKey`,
              "write the host's public key, as `ssh-keyscan -t ed25519 <host>` prints it",
            ),
          ]
        : []),
    ]),
    ...writtenMachines(written).flatMap(({ path, value: { packageMirror } }) => [
      ...(packageMirror !== undefined && isPrivatePgpKey(packageMirror.key)
        ? [
            privateKey(
              `${path}.packageMirror.key`,
              "write the public one, as `gpg --armor --export` prints it",
            ),
          ]
        : []),
      ...(looksSecret(packageMirror?.url)
        ? [
            {
              path: `${path}.packageMirror.url`,
              message: "has a password in it, and configuration is not secret",
            },
          ]
        : []),
    ]),
  ];
}

function inFenceCommands(deployment: AnyDeployment): Finding[] {
  return fenceCommands(deployment).flatMap(({ path, command }) => {
    const index = secretArgument(command);
    if (index < 0) return [];
    const message = `argument ${index} looks like a password or a token, and a command is shown; let the program read it from a file`;
    return [{ path, message }];
  });
}

interface EngineAt {
  readonly path: string;
  readonly dockerHost: string | undefined;
}

function engines(deployment: AnyDeployment): EngineAt[] {
  const own = serversOf(deployment).flatMap(({ path, place }) =>
    place.target === "containers" && place.ownEngine
      ? [{ path: `${path}.dockerHost`, dockerHost: place.dockerHost }]
      : [],
  );
  const { dockerHost } = deployment.containers;
  return [{ path: "deployment.containers.dockerHost", dockerHost }, ...own];
}

const dockerHost: Rule = {
  code: "E_DOCKER_HOST",
  needs: [],
  check: (deployment) =>
    engines(deployment).flatMap(({ path, dockerHost }) => {
      if (dockerHost === undefined || looksSecret(dockerHost)) return [];
      if (/^(unix:\/\/\/|tcp:\/\/[^/]|ssh:\/\/[^/])\S+$/.test(dockerHost)) return [];
      const message = `${show(dockerHost, path)} does not name a Docker engine, e.g. unix:///var/run/docker.sock or ssh://user@host`;
      return [{ path, message }];
    }),
};

/** As the distribution's reference grammar has it: registry and path, tag, digest. */
const reference =
  /^(?:[a-zA-Z0-9.-]+(?::\d+)?\/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/;

const image: Rule = {
  code: "E_IMAGE",
  needs: [],
  check(deployment) {
    return serversOf(deployment)
      .filter(({ image }) => image !== undefined && !reference.test(image))
      .map(({ path }) => ({
        path: `${path}.image`,
        message: "is not an image's name, e.g. registry.example.test/postgres:17.6",
      }));
  },
};

export const placeRules: readonly Rule[] = [plaintext, dockerHost];

export const imageRules: readonly Rule[] = [image];
