/**
 * The boundary between what is deployed and where. A product (PostgreSQL, the name server, …) is written
 * against `Host` and never asks which kind it got; each target implements it in a room of its own.
 */
import type * as pulumi from "@pulumi/pulumi";
import type { OwnFile } from "./ownFiles.ts";

export interface Host {
  readonly name: string;
  readonly site: string;
  /** How other nodes reach it. */
  readonly address: string;
  /**
   * Installs files below one directory of a unit. Content can change at any time without replacing the unit;
   * a file that is no longer listed is removed. Secret content goes into a call of its own with `secret: true`.
   */
  files(name: string, args: FilesArgs, opts: pulumi.CustomResourceOptions): pulumi.Resource;
  /** A long-running program with durable directories. Its start is the host's, its data outlives it. */
  unit(name: string, args: UnitArgs, opts: pulumi.CustomResourceOptions): pulumi.Resource;
  /**
   * Instead of a unit that had protected data and is to go: its data is no longer protected, is never deleted either, and is
   * forgotten once this is not called any more. `parent` has to be the unit's.
   */
  leaveData(unit: string, opts: pulumi.CustomResourceOptions): void;
}

export interface FilesArgs {
  /** The unit that reads them. */
  readonly unit: string;
  /** Who reads them. Plain files belong to root and its group; secret ones to it. */
  readonly owner: Account;
  /** Relative to the unit's `config` directory; "" for itself. */
  readonly directory: string;
  /** Name, which may contain `/`, to content. */
  readonly files: Readonly<Record<string, pulumi.Input<string>>>;
  /** Beside them, and like them by name. */
  readonly ownFiles?: Readonly<Record<string, OwnFile>>;
  /** Content is secret: mode 0600, and it appears in no diff. */
  readonly secret?: boolean;
}

/** What a unit runs. A host knows how to come by it: an image that it builds, packages that it installs. */
export type Program = "postgres" | "dns" | "consul" | "patroni" | "haproxy";

/** The account that Debian's package of the program makes; what number it has is the host's to know. */
export type Account = "postgres" | "bind" | "consul" | "haproxy";

export interface UnitArgs {
  readonly program: Program;
  /** The user's own image for the program, where the host runs containers. */
  readonly image?: string;
  readonly command: readonly string[];
  /** Runs it and owns its data directories. */
  readonly user: Account;
  /** Absolute paths whose content outlives the unit. `config` is written by `files`, `data` by the program. */
  readonly directories: Readonly<Record<"config" | "data", string>>;
  /** Ports that it listens on, for the firewall where there is one. */
  readonly listens: readonly Listener[];
  /** container port → port on 127.0.0.1 of the host, for clients there. Nothing to a host without containers. */
  readonly publish: readonly PublishedPort[];
  readonly memoryMiB?: number;
  /** Files, connections among them, that it may have open at once. Default: 65536. A container has its engine's limit. */
  readonly openFiles?: number;
  /** Device files that its account may use where the host has them, e.g. `/dev/watchdog`. Containers have none. */
  readonly devices?: readonly string[];
  readonly stopTimeoutSeconds: number;
  /** A command inside the unit that exits 0 while it can do its work. */
  readonly health: readonly string[];
  /** Data directories are protected from deletion by a change of configuration. */
  readonly stateful: boolean;
}

export interface Listener {
  readonly port: number;
  readonly protocol: "tcp" | "udp";
  /** CIDR blocks that may come in; others are dropped. */
  readonly from: readonly string[];
}

export interface PublishedPort {
  readonly port: number;
  readonly publishedPort: number;
  readonly protocol: "tcp" | "udp";
}
