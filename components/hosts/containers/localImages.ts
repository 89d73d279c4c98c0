import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Program } from "../host.ts";
import { programTag } from "./images.ts";

/**
 * The images that the deployment's containers run, built by the engine that runs them from `images/`. A tag is
 * made of the content that it is built from, so it is known at preview and an unchanged image is never rebuilt.
 */
export class LocalImages extends pulumi.ComponentResource {
  readonly #dockerHost: string | undefined;
  readonly #name: string;
  readonly #builds = new Map<Program, command.local.Command>();

  constructor(
    name: string,
    args: { dockerHost: string | undefined },
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("understudy:hosts:LocalImages", name, {}, opts);
    this.#name = name;
    this.#dockerHost = args.dockerHost;
    this.registerOutputs({});
  }

  tag(program: Program): string {
    return programTag(program);
  }

  /** Depend on it to come after the image is there. An engine gets only those images that it is asked for. */
  built(program: Program): pulumi.Resource {
    const known = this.#builds.get(program);
    if (known) return known;
    const build = new command.local.Command(
      `${this.#name}-${program}`,
      {
        create: `node scripts/image.ts ${program}`,
        // Not read by the script, which computes the same: a new tag is what makes the command run again.
        stdin: programTag(program),
        ...(this.#dockerHost === undefined ? {} : { environment: { DOCKER_HOST: this.#dockerHost } }),
        addPreviousOutputInEnv: false,
      },
      { parent: this },
    );
    this.#builds.set(program, build);
    return build;
  }
}
