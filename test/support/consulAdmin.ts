/** Consul's API in a test: asked from a container, with its certificate; tokens travel on stdin. */
import {
  type AclPolicy,
  dnsPolicy,
  memberPolicy,
  patroniPolicy,
} from "../../components/consul/aclPolicies.ts";
import { dockerWith } from "../node/docker.ts";
import { namespace, type PatroniShape, scope } from "./patroniShape.ts";

export interface Ask {
  readonly method: "GET" | "PUT";
  readonly path: string;
  readonly token: string;
  readonly body?: unknown;
}

export type Answer = [status: number, text: string];

/** @param container has the deployment's certificates, and Python */
export async function askConsul(container: string, server: string, asks: readonly Ask[]): Promise<Answer[]> {
  const payload = JSON.stringify(asks.map((one) => ({ ...one, url: `https://${server}:8501${one.path}` })));
  const text = await dockerWith(payload, "exec", "-i", container, "python3", "-c", ADMIN);
  return JSON.parse(text) as Answer[];
}

/** Every policy of a region, and the token that has it. */
export function grants(shape: PatroniShape): Ask[] {
  const { servers, nodes, memberTokens, patroniTokens, defaultToken } = shape;
  const grant = (policy: AclPolicy, token: string | undefined): Ask[] => [
    put("/v1/acl/policy", { Name: policy.name, Description: policy.description, Rules: policy.rules }),
    put("/v1/acl/token", { SecretID: token, Policies: [{ Name: policy.name }] }),
  ];
  const put = (path: string, body: unknown): Ask => ({
    method: "PUT",
    path,
    token: shape.managementToken,
    body,
  });
  return [
    ...[...servers, ...nodes].flatMap(({ name }) => grant(memberPolicy(name), memberTokens[name])),
    ...nodes.flatMap(({ name }) =>
      grant(patroniPolicy({ nodeName: name, scope, namespace, registerService: true }), patroniTokens[name]),
    ),
    ...grant(dnsPolicy([scope]), defaultToken),
  ];
}

const ADMIN = `import json, ssl, sys, urllib.request, urllib.error
tls = ssl.create_default_context(cafile="/etc/understudy/secrets/ca.crt")
tls.load_cert_chain("/etc/understudy/secrets/server.crt", "/etc/understudy/secrets/server.key")
answers = []
for ask in json.load(sys.stdin):
    body = None if ask.get("body") is None else json.dumps(ask["body"]).encode()
    request = urllib.request.Request(ask["url"], body, {"X-Consul-Token": ask["token"]}, method=ask["method"])
    try:
        with urllib.request.urlopen(request, context=tls, timeout=10) as answer:
            answers.append([answer.status, answer.read().decode()])
    except urllib.error.HTTPError as error:
        answers.append([error.code, error.read().decode()])
    except OSError as error:
        answers.append([0, str(error)])
print(json.dumps(answers))`;
