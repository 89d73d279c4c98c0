/** The engine's side of a provider, over a real connection to an in-process server, and an engine that keeps the log. */
import type * as Messages from "@pulumi/pulumi/proto/provider_pb.js";
import {
  empty,
  engineStubs,
  grpc,
  messages,
  services,
  struct,
} from "../../../../scripts/toolchain/plugins/proto.ts";
import { Work } from "../../../../scripts/toolchain/plugins/resourceProvider.ts";
import type { ProviderType, Values } from "../../../../scripts/toolchain/plugins/resourceType.ts";
import { start } from "../../../../scripts/toolchain/plugins/serve.ts";

export interface Logged {
  readonly urn: string;
  readonly severity: number;
  readonly message: string;
  readonly ephemeral: boolean;
}

export interface Diffed {
  readonly changes: number;
  readonly replaces: string[];
  readonly deleteBeforeReplace: boolean;
  readonly detailed: Record<string, number>;
}

type Client = InstanceType<typeof services.ResourceProviderClient>;
type Callback<Response> = (error: Error | null, response: Response) => void;

export class Engine {
  readonly logged: Logged[] = [];
  readonly work = new Work();
  private readonly client: Client;
  private readonly close: () => void;

  private constructor(port: number, logged: Logged[], work: Work, close: () => void) {
    this.client = new services.ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    this.logged = logged;
    this.work = work;
    this.close = close;
  }

  static async of(provider: ProviderType): Promise<Engine> {
    const logged: Logged[] = [];
    const work = new Work();
    const engine = await logServer(logged);
    const serving = await start(provider, `127.0.0.1:${engine.port}`, work);
    return new Engine(serving.port, logged, work, () => {
      serving.stop();
      engine.stop();
    });
  }

  stop(): void {
    this.client.close();
    this.close();
  }

  async configure(config: Values): Promise<void> {
    const request = new messages.ConfigureRequest();
    request.setArgs(toStruct(config));
    await this.call<Messages.ConfigureResponse>((done) => this.client.configure(request, done));
  }

  async cancel(): Promise<void> {
    await this.call((done) => this.client.cancel(new empty.Empty(), done));
  }

  async check(token: string, news: Values): Promise<{ inputs: Values; failures: Record<string, string> }> {
    const request = new messages.CheckRequest();
    request.setUrn(urn(token));
    request.setNews(toStruct(news));
    return checked(await this.call<Messages.CheckResponse>((done) => this.client.check(request, done)));
  }

  async checkConfig(news: Values): Promise<{ inputs: Values; failures: Record<string, string> }> {
    const request = new messages.CheckRequest();
    request.setNews(toStruct(news));
    return checked(await this.call<Messages.CheckResponse>((done) => this.client.checkConfig(request, done)));
  }

  async diffConfig(oldInputs: Values, news: Values): Promise<Diffed> {
    const request = new messages.DiffRequest();
    request.setOldInputs(toStruct(oldInputs));
    request.setNews(toStruct(news));
    return diffed(await this.call<Messages.DiffResponse>((done) => this.client.diffConfig(request, done)));
  }

  async diff(token: string, oldInputs: Values, news: Values, olds: Values = oldInputs): Promise<Diffed> {
    const request = new messages.DiffRequest();
    request.setUrn(urn(token));
    request.setOldInputs(toStruct(oldInputs));
    request.setOlds(toStruct(olds));
    request.setNews(toStruct(news));
    return diffed(await this.call<Messages.DiffResponse>((done) => this.client.diff(request, done)));
  }

  async create(token: string, inputs: Values, preview = false): Promise<{ id: string; state: Values }> {
    const request = new messages.CreateRequest();
    request.setUrn(urn(token));
    request.setProperties(toStruct(inputs));
    request.setPreview(preview);
    const response = await this.call<Messages.CreateResponse>((done) => this.client.create(request, done));
    return { id: response.getId(), state: fromStruct(response.getProperties()) };
  }

  async update(token: string, state: Values, inputs: Values, preview = false): Promise<Values> {
    const request = new messages.UpdateRequest();
    request.setUrn(urn(token));
    request.setOlds(toStruct(state));
    request.setNews(toStruct(inputs));
    request.setPreview(preview);
    const response = await this.call<Messages.UpdateResponse>((done) => this.client.update(request, done));
    return fromStruct(response.getProperties());
  }

  async read(
    token: string,
    id: string,
    state: Values,
    inputs: Values,
  ): Promise<{ id: string; state: Values; inputs: Values }> {
    const request = new messages.ReadRequest();
    request.setUrn(urn(token));
    request.setId(id);
    request.setProperties(toStruct(state));
    request.setInputs(toStruct(inputs));
    const response = await this.call<Messages.ReadResponse>((done) => this.client.read(request, done));
    return {
      id: response.getId(),
      state: fromStruct(response.getProperties()),
      inputs: fromStruct(response.getInputs()),
    };
  }

  async delete(token: string, state: Values): Promise<void> {
    const request = new messages.DeleteRequest();
    request.setUrn(urn(token));
    request.setProperties(toStruct(state));
    await this.call((done) => this.client.delete(request, done));
  }

  async invoke(token: string, args: Values): Promise<{ result: Values; failures: Record<string, string> }> {
    const request = new messages.InvokeRequest();
    request.setTok(token);
    request.setArgs(toStruct(args));
    const response = await this.call<Messages.InvokeResponse>((done) => this.client.invoke(request, done));
    return { result: fromStruct(response.getReturn()), failures: failures(response.getFailuresList()) };
  }

  private call<Response>(send: (done: Callback<Response>) => void): Promise<Response> {
    return new Promise((resolve, reject) => {
      send((error, response) => (error === null ? resolve(response) : reject(error)));
    });
  }
}

export function urn(token: string): string {
  return `urn:pulumi:dev::project::understudy:index:Parent$${token}::thing`;
}

async function logServer(logged: Logged[]): Promise<{ port: number; stop(): void }> {
  const { services: engine } = engineStubs();
  const server = new grpc.Server();
  server.addService(engine.EngineService as never, {
    log(call: { request: import("@pulumi/pulumi/proto/engine_pb.js").LogRequest }, done: Callback<unknown>) {
      const { request } = call;
      logged.push({
        urn: request.getUrn(),
        severity: request.getSeverity(),
        message: request.getMessage(),
        ephemeral: request.getEphemeral(),
      });
      done(null, new empty.Empty());
    },
  });
  const port = await new Promise<number>((resolve) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (_, bound) => resolve(bound));
  });
  return { port, stop: () => server.forceShutdown() };
}

function toStruct(values: Values): import("google-protobuf/google/protobuf/struct_pb.js").Struct {
  return struct.Struct.fromJavaScript(values as Parameters<typeof struct.Struct.fromJavaScript>[0]);
}

function fromStruct(
  message: import("google-protobuf/google/protobuf/struct_pb.js").Struct | undefined,
): Values {
  return (message?.toJavaScript() ?? {}) as Values;
}

function failures(list: readonly Messages.CheckFailure[]): Record<string, string> {
  return Object.fromEntries(list.map((failure) => [failure.getProperty(), failure.getReason()]));
}

function checked(response: Messages.CheckResponse): { inputs: Values; failures: Record<string, string> } {
  return { inputs: fromStruct(response.getInputs()), failures: failures(response.getFailuresList()) };
}

function diffed(response: Messages.DiffResponse): Diffed {
  return {
    changes: response.getChanges(),
    replaces: response.getReplacesList(),
    deleteBeforeReplace: response.getDeletebeforereplace(),
    detailed: Object.fromEntries(
      [...response.getDetaileddiffMap().entries()].map(([path, detail]) => [path, detail.getKind()]),
    ),
  };
}
