import type * as Grpc from "@grpc/grpc-js";
import type * as Messages from "@pulumi/pulumi/proto/provider_pb.js";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import { type Change, difference } from "./difference.ts";
import type { EngineLog } from "./engineLog.ts";
import { cleaned, ownProblems, type Problem, problems, withDefaults, withImplied } from "./inputs.ts";
import { empty, grpc, messages, plugin, struct } from "./proto.ts";
import * as state from "./resourceState.ts";
import type { ProviderType, ResourceContext, ResourceType, Value, Values } from "./resourceType.ts";
import { hasSecret, masker, plain, plainValues, wrap } from "./wire.ts";

/** What a provider is doing: so that it can be told to stop, and be waited for. */
export class Work {
  readonly cancelled = new AbortController();
  running = 0;
}

/** The engine's calls (`pulumirpc.ResourceProvider`), answered from the description of a provider. */
export function resourceProvider(
  provider: ProviderType,
  log: EngineLog,
  work: Work,
): Grpc.UntypedServiceImplementation {
  const types = new Map(provider.resources.map((type) => [type.token, type]));
  const functions = new Map(provider.functions.map((type) => [type.token, type]));
  let config: Values = {};

  function typeOf(urn: string): ResourceType {
    const token = urn.split("::")[2]?.split("$").at(-1) ?? "";
    return types.get(token) ?? refuseToken(provider, token);
  }

  /** Runs a plugin's own code: with its context, and with the secrets taken out of what it says when it fails. */
  async function run<T>(
    urn: string,
    secrets: readonly Values[],
    body: (context: ResourceContext) => Promise<T>,
  ): Promise<T> {
    const mask = masker(config, ...secrets);
    const context: ResourceContext = {
      name: urn.split("::").slice(3).join("::"),
      signal: work.cancelled.signal,
      config: plainValues(config),
      log: (severity, message) => log.log(urn, severity, mask(message)),
    };
    work.running++;
    try {
      return await body(context);
    } catch (error) {
      throw new Error(mask(error instanceof Error ? error.message : String(error)));
    } finally {
      work.running--;
      await log.flushed();
    }
  }

  return {
    handshake: unary((_: Messages.ProviderHandshakeRequest) => {
      const response = new messages.ProviderHandshakeResponse();
      response.setAcceptSecrets(true);
      return response;
    }),

    getPluginInfo: unary(() => {
      const response = new plugin.PluginInfo();
      response.setVersion(provider.version);
      return response;
    }),

    getSchema: unary(() => {
      const response = new messages.GetSchemaResponse();
      response.setSchema(JSON.stringify({ name: provider.name, version: provider.version }));
      return response;
    }),

    getMapping: unary(() => new messages.GetMappingResponse()),
    getMappings: unary(() => new messages.GetMappingsResponse()),
    attach: unary(() => new empty.Empty()),

    cancel: unary(() => {
      work.cancelled.abort(new Error("cancelled"));
      return new empty.Empty();
    }),

    checkConfig: unary((request: Messages.CheckRequest) => {
      const inputs = cleaned(values(request.getNews()));
      const token = `pulumi:providers:${provider.name}`;
      return checked(inputs, problems(token, provider.config, providerConfig(inputs)));
    }),

    diffConfig: unary((request: Messages.DiffRequest) => {
      const olds = providerConfig(values(request.getOldInputs() ?? request.getOlds()));
      return different(difference(provider.config, olds, providerConfig(values(request.getNews()))));
    }),

    configure: unary((request: Messages.ConfigureRequest) => {
      config = withImplied(provider.config, providerConfig(values(request.getArgs())));
      const response = new messages.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setSupportspreview(true);
      return response;
    }),

    check: unary((request: Messages.CheckRequest) => {
      const type = typeOf(request.getUrn());
      const given = cleaned(values(request.getNews()));
      const inputs = withDefaults(type.inputs, given);
      const found = problems(type.token, type.inputs, inputs);
      return checked(inputs, found.length > 0 ? found : ownProblems(type, inputs));
    }),

    diff: unary((request: Messages.DiffRequest) => {
      const type = typeOf(request.getUrn());
      const olds = values(request.getOldInputs() ?? request.getOlds());
      const news = values(request.getNews());
      const changes = difference(type.inputs, olds, news, request.getIgnorechangesList());
      const outdated = type.outdated?.(
        plainValues(values(request.getOlds())),
        plainValues(withImplied(type.inputs, news)),
      );
      for (const output of outdated ?? []) {
        changes.push({ path: output, input: output, kind: "update", replaces: true });
      }
      return different(changes, type);
    }),

    create: unary(async (request: Messages.CreateRequest) => {
      const type = typeOf(request.getUrn());
      const inputs = cleaned(values(request.getProperties()));
      const response = new messages.CreateResponse();
      if (request.getPreview()) {
        response.setProperties(toStruct(state.createdPreview(type, inputs)));
        return response;
      }
      const given = plainValues(withImplied(type.inputs, inputs));
      const { id, outputs } = await run(request.getUrn(), [inputs], (context) => type.create(given, context));
      response.setId(id);
      response.setProperties(toStruct(state.created(type, inputs, outputs)));
      return response;
    }),

    read: unary(async (request: Messages.ReadRequest) => {
      const type = typeOf(request.getUrn());
      const recorded = values(request.getProperties());
      const oldInputs = values(request.getInputs());
      const response = new messages.ReadResponse();
      if (type.read === undefined) {
        if (Object.keys(recorded).length === 0) {
          throw new Error(`${type.token} cannot be read or imported by the offline plugin`);
        }
        response.setId(request.getId());
        response.setProperties(toStruct(recorded));
        response.setInputs(toStruct(oldInputs));
        return response;
      }
      const read = type.read.bind(type);
      const found = await run(request.getUrn(), [recorded, oldInputs], (context) =>
        read(request.getId(), plainValues(recorded), context),
      );
      if (found === null) {
        return response;
      }
      const inputs = found.inputs && state.readInputs(oldInputs, recorded, found.inputs);
      response.setId(found.id);
      response.setProperties(toStruct(state.readState(type, recorded, inputs, found.outputs)));
      response.setInputs(toStruct(inputs ?? oldInputs));
      return response;
    }),

    update: unary(async (request: Messages.UpdateRequest) => {
      const type = typeOf(request.getUrn());
      const recorded = values(request.getOlds());
      const inputs = cleaned(values(request.getNews()));
      const response = new messages.UpdateResponse();
      if (request.getPreview()) {
        response.setProperties(toStruct(state.updatedPreview(type, recorded, inputs)));
        return response;
      }
      if (type.update === undefined) {
        throw new Error(`${type.token} cannot be updated in place`);
      }
      const update = type.update.bind(type);
      const given = plainValues(withImplied(type.inputs, inputs));
      const outputs = await run(request.getUrn(), [recorded, inputs], (context) =>
        update(request.getId(), plainValues(recorded), given, context),
      );
      response.setProperties(toStruct(state.updated(type, recorded, inputs, outputs)));
      return response;
    }),

    delete: unary(async (request: Messages.DeleteRequest) => {
      const type = typeOf(request.getUrn());
      const recorded = values(request.getProperties());
      await run(request.getUrn(), [recorded], async (context) =>
        type.delete?.(request.getId(), plainValues(recorded), context),
      );
      return new empty.Empty();
    }),

    invoke: unary(async (request: Messages.InvokeRequest) => {
      const called = functions.get(request.getTok()) ?? refuseToken(provider, request.getTok());
      const given = withDefaults(called.inputs, cleaned(values(request.getArgs())));
      const found = problems(called.token, called.inputs, given);
      const response = new messages.InvokeResponse();
      if (found.length > 0) {
        response.setFailuresList(found.map(failure));
        return response;
      }
      const args = plainValues(withImplied(called.inputs, given));
      const result = await run("", [given], (context) => called.invoke(args, context));
      const secrets = Object.values(given).some(hasSecret);
      response.setReturn(toStruct(wrap(result, [given], (key) => secrets && !(key in given))));
      return response;
    }),
  };
}

function refuseToken(provider: ProviderType, token: string): never {
  throw new Error(
    `${token} is not implemented by the offline plugin "${provider.name}"; install the official plugin`,
  );
}

/** Answers one call; an error reaches the user as its message, without a stack. */
function unary<Request, Response>(
  handle: (request: Request) => Response | Promise<Response>,
): Grpc.handleUnaryCall<Request, unknown> {
  return async (call: Grpc.ServerUnaryCall<Request, Response>, callback: Grpc.sendUnaryData<unknown>) => {
    try {
      callback(null, await handle(call.request));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      callback({ code: grpc.status.UNKNOWN, details: message, message });
    }
  };
}

function values(message: Struct | undefined): Values {
  return (message?.toJavaScript() ?? {}) as Values;
}

function toStruct(wire: Values): Struct {
  return struct.Struct.fromJavaScript(wire as Parameters<typeof struct.Struct.fromJavaScript>[0]);
}

/**
 * A provider's own inputs. The SDK sends those that are not strings as JSON, and the engine adds where the plugin is to
 * come from.
 */
function providerConfig(inputs: Values): Values {
  const own = Object.entries(cleaned(inputs)).filter(
    ([key]) => key !== "version" && key !== "pluginDownloadURL",
  );
  return Object.fromEntries(own.map(([key, value]) => [key, decoded(value)]));
}

function decoded(value: Value): Value {
  const text = plain(value);
  if (typeof text !== "string" || hasSecret(value) || !/^(\{|\[|true$|false$)/.test(text)) {
    return value;
  }
  try {
    return JSON.parse(text) as Value;
  } catch {
    return value;
  }
}

function failure(problem: Problem): Messages.CheckFailure {
  const message = new messages.CheckFailure();
  message.setProperty(problem.property);
  message.setReason(problem.reason);
  return message;
}

function checked(inputs: Values, found: readonly Problem[]): Messages.CheckResponse {
  const response = new messages.CheckResponse();
  response.setInputs(toStruct(inputs));
  response.setFailuresList(found.map(failure));
  return response;
}

function different(changes: readonly Change[], type?: ResourceType): Messages.DiffResponse {
  const response = new messages.DiffResponse();
  const kinds = messages.PropertyDiff.Kind;
  const codes = {
    add: [kinds.ADD, kinds.ADD_REPLACE],
    delete: [kinds.DELETE, kinds.DELETE_REPLACE],
    update: [kinds.UPDATE, kinds.UPDATE_REPLACE],
  } as const;
  const mustReplace = (change: Change): boolean =>
    change.replaces || (type !== undefined && type.update === undefined);
  for (const change of changes) {
    const detail = new messages.PropertyDiff();
    detail.setKind(codes[change.kind][mustReplace(change) ? 1 : 0]);
    detail.setInputdiff(type === undefined || change.input in type.inputs);
    response.getDetaileddiffMap().set(change.path, detail);
  }
  const replacing = changes.filter(mustReplace).map((change) => change.input);
  response.setChanges(
    changes.length > 0
      ? messages.DiffResponse.DiffChanges.DIFF_SOME
      : messages.DiffResponse.DiffChanges.DIFF_NONE,
  );
  response.setDiffsList([...new Set(changes.map((change) => change.input))]);
  response.setReplacesList([...new Set(replacing)]);
  response.setDeletebeforereplace(replacing.length > 0 && type?.deleteBeforeReplace === true);
  response.setHasdetaileddiff(true);
  return response;
}
