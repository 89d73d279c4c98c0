/**
 * The release of Consul that this package brings: the last under the MPL that builds from published modules alone.
 * `scripts/toolchain/consul/go.mod` names the same.
 */
export const CONSUL_VERSION = "1.15.6";
