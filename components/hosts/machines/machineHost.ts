import { readFileSync } from "node:fs";
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { SshRoute } from "../../roles/desired.ts";
import type { Machine } from "../../spec/model.ts";
import type { FilesArgs, Host, Program, UnitArgs } from "../host.ts";
import { readOwnFile } from "../ownFiles.ts";
import { type BundleRequest, type PythonModule, pythonCommand, pythonText } from "../pythonScript.ts";
import { departure } from "./departure.ts";
import { prepareText } from "./prepare.ts";
import {
  LOCK_FILE,
  type MachineProgram,
  machineProgram,
  manifestFile,
  type PackageNeeds,
} from "./programs.ts";
import { connectionArgs, unusedConnection } from "./remoteConnection.ts";
import { shellCommand } from "./shellScript.ts";
import { asRoot } from "./ssh/shell.ts";
import { unitRequest } from "./unitRequest.ts";

export interface MachineHostArgs {
  readonly deployment: string;
  readonly address: string;
  readonly machine: Machine;
  readonly route: SshRoute;
  /** What it is to run. A machine is prepared for it before anything of it is written. */
  readonly program: Program;
  readonly database: PackageNeeds;
  /** Another value has everything on the machine written again. Config `repair`. */
  readonly repair: string | undefined;
  /** It does not answer: what would change on it is left for the first update that finds it. */
  readonly silent: boolean;
  /** A preview that reached nobody: what would change is shown, and how it is reached from elsewhere is no change. */
  readonly unseen?: boolean;
}

/**
 * Units as systemd services of a machine that exists already. Every resource is one script over one connection of its
 * own, and can be run again at any time: what is as it should be is left alone.
 */
export class MachineHost implements Host {
  readonly name: string;
  readonly site: string;
  readonly address: string;
  readonly #args: MachineHostArgs;
  readonly #program: MachineProgram;
  readonly #connection: command.types.input.remote.ConnectionArgs;
  readonly #prepared: pulumi.Resource;

  constructor(name: string, args: MachineHostArgs, parent: pulumi.Resource) {
    this.name = name;
    this.site = name;
    this.address = args.address;
    this.#args = args;
    this.#program = machineProgram(args.program, args.database);
    this.#connection = args.unseen
      ? unusedConnection(args.route)
      : connectionArgs(name, args.route, (file) => readKey(name, file));
    const leaving = departure(name, { ...args, machineProgram: this.#program }, parent);
    this.#prepared = new command.remote.Command(
      `${name}-machine`,
      this.#script(
        shellCommand,
        prepareText({ ...args, host: name, machineProgram: this.#program, resource: `${name}-machine` }),
      ),
      { parent, dependsOn: [leaving], ...this.#leftAlone() },
    );
  }

  files(name: string, args: FilesArgs, opts: pulumi.CustomResourceOptions): pulumi.Resource {
    const { config } = this.#program.directories;
    const files = pulumi
      .all({ ...args.files, ...mapValues(args.ownFiles ?? {}, readOwnFile) })
      .apply((contents) => mapValues(contents, (text) => text.split("\n")));
    const secret = args.secret ?? false;
    const request = files.apply(
      (lines): BundleRequest => ({
        host: this.name,
        top: config,
        directory: args.directory,
        owner: args.owner,
        secret,
        manifest: manifestFile(name),
        lock: LOCK_FILE,
        files: lines,
      }),
    );
    const text = this.#text(["writer", "bundle"], request);
    return this.#python(name, secret ? pulumi.secret(text) : text, opts);
  }

  /** It stays on the machine anyway, unless `onDestroy` says otherwise. */
  leaveData(): void {}

  unit(name: string, args: UnitArgs, opts: pulumi.CustomResourceOptions): pulumi.Resource {
    const { config, data } = this.#program.directories;
    if (
      args.program !== this.#args.program ||
      args.directories.config !== config ||
      args.directories.data !== data
    ) {
      throw new Error(`internal: ${name} is not what the machine ${this.name} was prepared for`);
    }
    const request = unitRequest(args, {
      ...this.#args,
      version: this.#args.database.version,
      host: this.name,
      machineProgram: this.#program,
      resource: name,
    });
    const text = this.#text(["writer", "systemd", "clusters", "unit"], pulumi.output(request));
    return this.#python(name, text, opts);
  }

  #text(modules: readonly PythonModule[], request: pulumi.Output<object>): pulumi.Output<string> {
    const repair = this.#args.repair ?? null;
    return request.apply((plain) => pythonText(modules, { ...plain, repair }));
  }

  #python(name: string, stdin: pulumi.Input<string>, opts: pulumi.CustomResourceOptions): pulumi.Resource {
    const after = pulumi.mergeOptions(opts, { dependsOn: [this.#prepared] });
    return new command.remote.Command(name, this.#script(pythonCommand, stdin), {
      ...after,
      ...this.#leftAlone(),
    });
  }

  #leftAlone(): { ignoreChanges?: string[] } {
    if (this.#args.silent) return { ignoreChanges: ["connection", "create", "stdin"] };
    return this.#args.unseen ? { ignoreChanges: ["connection"] } : {};
  }

  #script(program: string, stdin: pulumi.Input<string>): command.remote.CommandArgs {
    return {
      connection: this.#connection,
      create: asRoot(this.#args.route, program),
      stdin,
      logging: command.remote.Logging.Stderr,
      addPreviousOutputInEnv: false,
    };
  }
}

function readKey(host: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`${host}: the private key ${file} cannot be read (${code}); correct \`keyFile\``);
  }
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, f: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, f(value)]));
}
