/** Who may do what in Consul, by least privilege. Everything that is not allowed here is refused. */

export interface AclPolicy {
  readonly name: string;
  readonly description: string;
  /** In Consul's language for rules. */
  readonly rules: string;
}

/** For the token of a server or an agent: it registers its own node, and sees which services there are. */
export function memberPolicy(nodeName: string): AclPolicy {
  return policy(`member-${named(nodeName)}`, `Consul on ${nodeName}`, [
    rule("node", nodeName, "write"),
    rule("service_prefix", "", "read"),
  ]);
}

export interface PatroniAccess {
  /** Consul's name of the host that this Patroni runs on. */
  readonly nodeName: string;
  /** The Patroni cluster. */
  readonly scope: string;
  /** As in patroni.yml, e.g. `/service/`. */
  readonly namespace: string;
  /** Patroni registers the scope as a service, which gives it names in DNS. */
  readonly registerService: boolean;
}

/**
 * For one Patroni: the keys of its scope, and sessions of its own node. Not `session_prefix`, and no prefix without a
 * final `/`: `pg` would cover `pg2`.
 */
export function patroniPolicy({ nodeName, scope, namespace, registerService }: PatroniAccess): AclPolicy {
  return policy(`patroni-${named(scope)}-${named(nodeName)}`, `Patroni of ${scope} on ${nodeName}`, [
    rule("key_prefix", scopePrefix(namespace, scope), "write"),
    rule("session", nodeName, "write"),
    // Patroni asks its agent for the shortest session that Consul allows.
    rule("agent", nodeName, "read"),
    ...(registerService ? [rule("service", serviceName(scope), "write")] : []),
  ]);
}

/** For requests without a token: DNS answers for these scopes, and nothing else. */
export function dnsPolicy(scopes: readonly string[]): AclPolicy {
  return policy("dns", "Names in DNS", [
    ...scopes.map((scope) => rule("service", serviceName(scope), "read")),
    rule("node_prefix", "", "read"),
  ]);
}

/** For whoever only looks: status, preview. */
export function observerPolicy(namespace: string, scopes: readonly string[]): AclPolicy {
  return policy("observer", "Status and preview", [
    ...scopes.map((scope) => rule("key_prefix", scopePrefix(namespace, scope), "read")),
    rule("node_prefix", "", "read"),
    rule("session_prefix", "", "read"),
    'operator = "read"',
  ]);
}

/** Where Patroni keeps the keys of a scope: its own rule, so that the token fits to the byte. */
export function scopePrefix(namespace: string, scope: string): string {
  const folder = namespace.replace(/^\/+|\/+$/g, "");
  for (const part of folder.split("/")) named(part);
  return `${folder}/${named(scope)}/`;
}

/** The name under which Patroni registers a scope: `master.<this>.service.consul`. */
export function serviceName(scope: string): string {
  return named(scope).toLowerCase().replaceAll(/[._]/g, "-");
}

function policy(name: string, description: string, rules: readonly string[]): AclPolicy {
  return { name: name.replaceAll(/[^A-Za-z0-9_-]/g, "-"), description, rules: `${rules.join("\n")}\n` };
}

function rule(kind: string, name: string, access: "read" | "write"): string {
  return `${kind} "${name}" { policy = "${access}" }`;
}

/** A name goes into rules as it is, so nothing that means something there may be in it. */
function named(name: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
    throw new Error(
      `${JSON.stringify(name)} cannot be named in a rule of Consul: letters, digits, ".", "_" and "-" only`,
    );
  }
  return name;
}
