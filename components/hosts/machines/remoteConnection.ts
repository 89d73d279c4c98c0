/** From a way to a machine to what `remote.Command` takes. The private key is a secret of the state from here on. */
import type { types } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { SshRoute, SshStop } from "../../roles/desired.ts";

type ConnectionArgs = types.input.remote.ConnectionArgs;

/** A dead host is known after 30 s: six attempts of this each. So many, because sshd refuses at random when it is busy. */
const perDialTimeout = 5;
const dialErrorLimit = 5;

/** Only one can be told. The first of these that is known of a host: as ssh prefers them. */
const keyTypes = ["ssh-ed25519", "ecdsa-sha2-", "ssh-rsa", ""];

export function connectionArgs(
  host: string,
  route: SshRoute,
  readKey: (file: string) => string,
): ConnectionArgs {
  const { jump } = route;
  return {
    ...stop(host, route, readKey),
    ...(jump === undefined ? {} : { proxy: stop(host, jump, readKey) }),
  };
}

/** Of a preview that connects to nothing, and may have neither the host's key nor its own. */
export function unusedConnection({ host, port, user }: SshRoute): ConnectionArgs {
  return { host, port, user };
}

function stop(
  name: string,
  { host, port, user, hostKeys, keyFile }: SshStop,
  readKey: (file: string) => string,
) {
  const hostKey = keyTypes.flatMap((type) => hostKeys.filter((key) => key.startsWith(type))).at(0);
  if (hostKey === undefined) {
    // Without one the provider would take whoever answers.
    throw new Error(
      `${name}: no host key of ${host}:${port} is known, so it is not connected to; give \`hostKey\`, or put it into the known hosts`,
    );
  }
  const privateKey = keyFile === undefined ? {} : { privateKey: pulumi.secret(readKey(keyFile)) };
  return { host, port, user, hostKey, ...privateKey, perDialTimeout, dialErrorLimit };
}
