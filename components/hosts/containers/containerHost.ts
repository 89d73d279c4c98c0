import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { FilesArgs, Host, UnitArgs } from "../host.ts";
import { accountNumbers } from "./images.ts";
import type { InstallRequest } from "./install.ts";
import type { LocalImages } from "./localImages.ts";
import { leftAlone, MARK_LABEL, type Presence } from "./presence.ts";
import { containerName, dataVolumeName } from "./reach.ts";

export interface ContainerHostArgs {
  /** Prefix of physical names, and the value of the label by which everything of a deployment is found. */
  readonly deployment: string;
  readonly site: string;
  readonly address: string;
  readonly network: docker.Network;
  /** Of the engine. */
  readonly provider: docker.Provider;
  /** Undefined: the default engine. */
  readonly dockerHost: string | undefined;
  /**
   * The engine is one of several: `address` is its machine's, and ports are published there. False: `address` is the
   * container's on the one network, and ports are published on 127.0.0.1.
   */
  readonly ownEngine: boolean;
  readonly images: LocalImages;
  /** What the engine has of the deployment; see `presence.ts`. */
  readonly presence: Presence;
}

/**
 * Units as containers of one Docker engine: one container per unit, its configuration and its data in named
 * volumes. Configuration is written into the volume, so that an edit of it never replaces the container
 * (docker.Container replaces on nearly every input).
 */
export class ContainerHost implements Host {
  readonly name: string;
  readonly site: string;
  readonly address: string;
  readonly #args: ContainerHostArgs;
  readonly #configVolumes = new Map<string, docker.Volume>();

  constructor(name: string, args: ContainerHostArgs) {
    this.name = name;
    this.site = args.site;
    this.address = args.address;
    this.#args = args;
  }

  files(name: string, args: FilesArgs, opts: pulumi.CustomResourceOptions): pulumi.Resource {
    const volume = this.#configVolume(args.unit, opts);
    const request = pulumi.jsonStringify(
      {
        volume: volume.name,
        // Any image with Python 3 will do for the short-lived container that writes the files.
        image: this.#args.images.tag("postgres"),
        bundle: name,
        directory: args.directory,
        owner: accountNumbers[args.owner],
        secret: args.secret ?? false,
        mark: this.#mark(args.unit),
        labels: this.#labels().map(({ label, value }) => `${label}=${value}`),
        files: pulumi.all(args.files).apply((files) => mapValues(files, (content) => content.split("\n"))),
        ...(args.ownFiles === undefined ? {} : { ownFiles: args.ownFiles }),
      } satisfies Record<Exclude<keyof InstallRequest, "ownFiles">, unknown>,
      undefined,
      2,
    );
    return new command.local.Command(
      name,
      {
        create: "node components/hosts/containers/install.ts",
        stdin: args.secret ? pulumi.secret(request) : request,
        ...this.#environment(),
        logging: command.local.Logging.Stderr,
        addPreviousOutputInEnv: false,
      },
      {
        ...this.#after(opts, this.#args.images.built("postgres")),
        ...leftAlone(this.#args.presence, ["stdin"]),
      },
    );
  }

  unit(name: string, args: UnitArgs, opts: pulumi.CustomResourceOptions): pulumi.Resource {
    const container = this.#container(name);
    const image = args.image ?? this.#args.images.tag(args.program);
    const config = this.#configVolume(name, opts);
    // Rule "data volumes are protected": no edit and no rename of a site may delete a database.
    const data = this.#dataVolume(name, { ...opts, protect: args.stateful });
    const started =
      args.image === undefined ? this.#after(opts, this.#args.images.built(args.program)) : opts;
    return new docker.Container(
      name,
      {
        name: container,
        image,
        hostname: name,
        entrypoints: [args.command[0] ?? ""],
        command: args.command.slice(1),
        user: accountNumbers[args.user],
        labels: [...this.#labels(), { label: MARK_LABEL, value: this.#mark(name) }],
        restart: "unless-stopped",
        // Whether a stopped container is started is the role change's decision: a fenced primary must stay down.
        mustRun: false,
        networkMode: "bridge",
        networksAdvanced: [
          {
            name: this.#args.network.name,
            aliases: [name],
            ...(this.#args.ownEngine ? {} : { ipv4Address: this.address }),
          },
        ],
        ports: [...args.publish]
          .sort((a, b) => a.port - b.port || a.protocol.localeCompare(b.protocol))
          .map((p) => ({
            internal: p.port,
            external: p.publishedPort,
            ip: this.#args.ownEngine ? this.address : "127.0.0.1",
            protocol: p.protocol,
          })),
        volumes: [
          { volumeName: config.name, containerPath: args.directories.config, readOnly: true },
          { volumeName: data.name, containerPath: args.directories.data },
        ],
        ...(args.memoryMiB === undefined ? {} : { memory: args.memoryMiB, memorySwap: args.memoryMiB }),
        healthcheck: {
          tests: ["CMD", ...args.health],
          interval: "5s",
          timeout: "5s",
          startPeriod: "30s",
          retries: 3,
        },
        wait: true,
        waitTimeout: 120,
        securityOpts: ["no-new-privileges"],
        logDriver: "json-file",
        logOpts: { "max-file": "4", "max-size": "20m" },
        stopSignal: "SIGTERM",
        stopTimeout: args.stopTimeoutSeconds,
        // Without it the provider kills at once, and a killed database has to recover.
        destroyGraceSeconds: args.stopTimeoutSeconds,
      },
      { ...started, provider: this.#args.provider, ...leftAlone(this.#args.presence, ["labels"]) },
    );
  }

  leaveData(unit: string, opts: pulumi.CustomResourceOptions): void {
    const { reachable, leftVolumes } = this.#args.presence;
    const volume = dataVolumeName(this.#args.deployment, unit);
    if (reachable && leftVolumes && !leftVolumes.includes(volume)) {
      // Declared, it would be made.
      pulumi.log.warn(
        `W_RETIRED_UNKNOWN  \`retired\` names ${unit}, and there is no volume ${volume}: nothing is left behind, and none is made. Correct the name, or take it out.`,
      );
      return;
    }
    this.#dataVolume(unit, { ...opts, protect: false, retainOnDelete: true });
  }

  #dataVolume(unit: string, opts: pulumi.CustomResourceOptions): docker.Volume {
    return new docker.Volume(
      `${unit}-data`,
      { name: dataVolumeName(this.#args.deployment, unit), labels: this.#labels() },
      { ...opts, provider: this.#args.provider, dependsOn: [] },
    );
  }

  #after(opts: pulumi.CustomResourceOptions, resource: pulumi.Resource): pulumi.CustomResourceOptions {
    return pulumi.mergeOptions(opts, { dependsOn: [resource] });
  }

  #configVolume(unit: string, opts: pulumi.CustomResourceOptions): docker.Volume {
    const known = this.#configVolumes.get(unit);
    if (known) return known;
    const volume = new docker.Volume(
      `${unit}-config`,
      { name: `${this.#container(unit)}-config`, labels: this.#labels() },
      { ...opts, provider: this.#args.provider, dependsOn: [] },
    );
    this.#configVolumes.set(unit, volume);
    return volume;
  }

  #mark(unit: string): string {
    return this.#args.presence.containers[this.#container(unit)] ?? this.#args.presence.fresh;
  }

  #labels(): { label: string; value: string }[] {
    return [{ label: "understudy.deployment", value: this.#args.deployment }];
  }

  #container(unit: string): string {
    return containerName(this.#args.deployment, unit);
  }

  #environment(): { environment?: Record<string, string> } {
    return this.#args.dockerHost === undefined ? {} : { environment: { DOCKER_HOST: this.#args.dockerHost } };
  }
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, f: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, f(value)]));
}
