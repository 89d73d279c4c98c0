/** What `facts.sh` finds on a machine, as data. The judge and the drift read nothing else. */

import type { ForeseenAdoption } from "../../../roles/facts.ts";

export interface MachineFacts {
  /** Of /etc/os-release, e.g. `debian`, `13`, `trixie`. */
  readonly os: {
    readonly id: string;
    readonly version: string;
    readonly codename: string;
    readonly name: string;
  };
  /** Debian's word (`amd64`), else the kernel's (`x86_64`). */
  readonly architecture: string;
  readonly kernel: string;
  /** `running`, or what is PID 1 instead. */
  readonly init: string;
  readonly memoryMiB: number;
  readonly cpus: number;
  /** The machine's clock minus ours lies between these, in seconds. */
  readonly clockOffset: { readonly atLeastSeconds: number; readonly atMostSeconds: number };
  readonly clockSynchronized: boolean;
  readonly machineId: string;
  /** Of this boot: what has the same is the same machine, under whatever name. */
  readonly boot: string;
  /** e.g. `ssh-ed25519 AAAA…`. */
  readonly hostKeys: readonly string[];
  /** Of those that are looked for. */
  readonly programs: readonly string[];
  /** By the directory that was asked for. */
  readonly filesystems: Readonly<Record<string, Filesystem>>;
  readonly listeners: readonly ListenerFacts[];
  readonly packages: readonly PackageFacts[];
  /** Version that apt would install, by package; null: none. Only of those that are not installed. */
  readonly candidates: Readonly<Record<string, string | null>>;
  /** apt has lists of what its sources offer. Without them a missing candidate means nothing. */
  readonly packageLists: boolean;
  readonly clusters: readonly ClusterFacts[];
  /** `adopt` names no directory. */
  readonly adoptMissing: boolean;
  /** What is in the directory that `adopt` names; null: it names none, or no data directory. */
  readonly adoption: ForeseenAdoption | null;
  /** Names (a few) of what lies in our directories, by directory. Not there: the directory is not there. */
  readonly directories: Readonly<Record<string, readonly string[]>>;
  /** Whose machine this is, by the name of the note that says so. `unreadable`: it is not what we write. */
  readonly owners: Readonly<Record<string, Owner | "unreadable">>;
  readonly units: Readonly<Record<string, UnitFacts>>;
  /** Our table of nftables is there; null: there is no nft to ask. */
  readonly firewallTable: boolean | null;
  /** Files that manifests speak of; null: there is no manifest. */
  readonly manifestFiles: number | null;
  /** What was written into the configuration files that others may read too. */
  readonly recorded: readonly { readonly resource: string; readonly path: string; readonly sum: string }[];
  readonly drift: readonly FileDrift[];
}

export interface Owner {
  readonly deployment: string;
  readonly host: string;
  /** Config `repair` as of the last writing; absent: it was not noted. */
  readonly repair?: string;
}

export interface Filesystem {
  readonly mount: string;
  readonly writable: boolean;
  readonly sizeMiB: number;
  readonly freeMiB: number;
  /** null: the file system does not count them. */
  readonly freeInodes: number | null;
}

export interface ListenerFacts {
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
  /** Empty where it cannot be told. */
  readonly program: string;
  /** Control group of its process, which names its unit; else `uid 104`. */
  readonly owner: string;
}

export interface PackageFacts {
  readonly name: string;
  readonly version: string;
  readonly held: boolean;
}

export interface ClusterFacts {
  /** Of the distribution's making, or the one that the config names. */
  readonly kind: "distribution" | "adopt";
  readonly directory: string;
  /** null: no PG_VERSION, so no data directory. */
  readonly majorVersion: string | null;
  readonly account: string;
  readonly mode: string;
  readonly role: "primary" | "standby";
  /** Of its running postmaster; null: none runs. */
  readonly pid: number | null;
  readonly port: number | null;
}

export interface UnitFacts {
  /** `loaded`, `not-found`, `masked`, … */
  readonly load: string;
  /** `active`, `inactive`, `failed`, … */
  readonly active: string;
  /** `enabled`, `disabled`, `masked`, … */
  readonly enabled: string;
  /** Its file has changed since systemd read it. */
  readonly needsReload: boolean;
  /** Somebody's additions to it; those of the distribution are not in here. */
  readonly dropIns: readonly string[];
}

export interface FileDrift {
  /** That wrote the file, by the name of its manifest. */
  readonly resource: string;
  readonly path: string;
  readonly what: "content" | "mode" | "owner" | "missing";
  /** e.g. `644 and not 640`. */
  readonly detail: string;
}
