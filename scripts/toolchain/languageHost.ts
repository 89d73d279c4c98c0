/**
 * `pulumi-language-nodejs` for machines that cannot download Pulumi's own: a `pulumirpc.LanguageRuntime` that
 * starts this project's program with the Node that runs it. Only what the CLI asks of a program written for
 * `runtime: nodejs` with `typescript: false` is here; the rest answers UNIMPLEMENTED, as gRPC does by default.
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import languageService from "@pulumi/pulumi/proto/language_grpc_pb.js";
import language from "@pulumi/pulumi/proto/language_pb.js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";

/** The program said on its way out that the user has been told what went wrong. */
const ALREADY_REPORTED = 32;

type Call<Request> = grpc.ServerUnaryCall<Request, unknown>;
type Answer<Response> = grpc.sendUnaryData<Response>;

let engineAddress = "";

function run(call: Call<language.RunRequest>, answer: Answer<language.RunResponse>): void {
  const request = call.request;
  const directory = request.getInfo()?.getProgramDirectory() || request.getPwd();
  const program = spawn(process.execPath, [runnerOf(directory), ...runnerArguments(request)], {
    cwd: directory,
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      ...process.env,
      PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().toObject())),
      PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
      PULUMI_NODEJS_TYPESCRIPT: "false",
    },
  });
  call.on("cancelled", () => program.kill());
  program.on("error", (error) => answer({ code: grpc.status.INTERNAL, message: error.message }));
  program.on("exit", (code, signal) => {
    const response = new language.RunResponse();
    if (code === ALREADY_REPORTED) response.setBail(true);
    else if (signal !== null) response.setError(`Program was ended by signal ${signal}`);
    else if (code !== 0) response.setError(`Program exited with non-zero exit code: ${code}`);
    answer(null, response);
  });
}

/** The SDK's runner, as the program itself would find it. */
function runnerOf(directory: string): string {
  return createRequire(join(directory, "package.json")).resolve("@pulumi/pulumi/cmd/run");
}

function runnerArguments(request: language.RunRequest): string[] {
  const flags: Record<string, string> = {
    monitor: request.getMonitorAddress(),
    engine: engineAddress,
    organization: request.getOrganization(),
    project: request.getProject(),
    stack: request.getStack(),
    pwd: request.getPwd(),
    "root-directory": request.getInfo()?.getRootDirectory() ?? "",
    parallel: String(request.getParallel()),
  };
  const given = Object.entries(flags).flatMap(([name, value]) => (value === "" ? [] : [`--${name}`, value]));
  const entryPoint = request.getInfo()?.getEntryPoint() || request.getProgram() || ".";
  return [...given, ...(request.getDryrun() ? ["--dry-run"] : []), entryPoint, ...request.getArgsList()];
}

interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  readonly pulumi?: {
    readonly resource?: boolean;
    readonly name?: string;
    readonly version?: string;
    readonly server?: string;
  };
}

function installedPackages(directory: string): InstalledPackage[] {
  const scope = join(directory, "node_modules", "@pulumi");
  if (!existsSync(scope)) return [];
  return readdirSync(scope)
    .map((name) => join(scope, name, "package.json"))
    .filter((file) => existsSync(file))
    .map((file) => JSON.parse(readFileSync(file, "utf8")) as InstalledPackage);
}

/** The provider plugins of the installed packages, in the versions that their package.json names. */
function requiredPackages(
  call: Call<language.GetRequiredPackagesRequest>,
  answer: Answer<language.GetRequiredPackagesResponse>,
): void {
  const response = new language.GetRequiredPackagesResponse();
  for (const { name, version, pulumi } of installedPackages(
    call.request.getInfo()?.getProgramDirectory() ?? ".",
  )) {
    if (pulumi?.resource !== true) continue;
    const dependency = new plugin.PackageDependency();
    dependency.setName(pulumi.name ?? name.replace("@pulumi/", ""));
    dependency.setKind("resource");
    dependency.setVersion(`v${(pulumi.version ?? version).replace(/^v/, "")}`);
    dependency.setServer(pulumi.server ?? "");
    response.addPackages(dependency);
  }
  answer(null, response);
}

function programDependencies(
  call: Call<language.GetProgramDependenciesRequest>,
  answer: Answer<language.GetProgramDependenciesResponse>,
): void {
  const response = new language.GetProgramDependenciesResponse();
  for (const { name, version } of installedPackages(call.request.getInfo()?.getProgramDirectory() ?? ".")) {
    const dependency = new language.DependencyInfo();
    dependency.setName(name);
    dependency.setVersion(version);
    response.addDependencies(dependency);
  }
  answer(null, response);
}

function about(_call: Call<language.AboutRequest>, answer: Answer<language.AboutResponse>): void {
  const response = new language.AboutResponse();
  response.setExecutable(process.execPath);
  response.setVersion(process.version);
  answer(null, response);
}

function pluginInfo(_call: Call<empty.Empty>, answer: Answer<plugin.PluginInfo>): void {
  const info = new plugin.PluginInfo();
  info.setVersion("0.1.0");
  answer(null, info);
}

const methods = {
  handshake: (
    call: Call<language.LanguageHandshakeRequest>,
    answer: Answer<language.LanguageHandshakeResponse>,
  ) => {
    engineAddress = call.request.getEngineAddress() || engineAddress;
    answer(null, new language.LanguageHandshakeResponse());
  },
  getPluginInfo: pluginInfo,
  getRequiredPackages: requiredPackages,
  getRequiredPlugins: (
    _call: Call<language.GetRequiredPluginsRequest>,
    answer: Answer<language.GetRequiredPluginsResponse>,
  ) => answer(null, new language.GetRequiredPluginsResponse()),
  about,
  getProgramDependencies: programDependencies,
  runtimeOptionsPrompts: (
    _call: Call<language.RuntimeOptionsRequest>,
    answer: Answer<language.RuntimeOptionsResponse>,
  ) => answer(null, new language.RuntimeOptionsResponse()),
  cancel: (_call: Call<empty.Empty>, answer: Answer<empty.Empty>) => answer(null, new empty.Empty()),
  run,
};

/** A CLI that was killed says goodbye to nobody: we go when somebody else has become our parent. */
function leaveWithParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(1);
  }, 1_000).unref();
}

/** The CLI reads the port from our first line, and ends us when it is done. */
function serve(): void {
  engineAddress = process.argv.slice(2).filter((argument) => !argument.startsWith("-"))[0] ?? "";
  const server = new grpc.Server({
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
  });
  server.addService(
    languageService.LanguageRuntimeService,
    methods as unknown as grpc.UntypedServiceImplementation,
  );
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error !== null) {
      process.stderr.write(`pulumi-language-nodejs could not listen: ${error.message}\n`);
      process.exit(1);
    }
    process.stdout.write(`${port}\n`);
  });
}

leaveWithParent();
serve();
