import { createRequire } from "node:module";

/**
 * The generated stubs of the engine's protocol. They are CommonJS that fills its exports at run time, so an ESM import
 * sees no names; and only these files are loaded, not `@pulumi/pulumi`, which alone would cost most of the start-up.
 */
const load = createRequire(import.meta.url);

export const grpc: typeof import("@grpc/grpc-js") = load("@grpc/grpc-js");
export const messages: typeof import("@pulumi/pulumi/proto/provider_pb.js") = load(
  "@pulumi/pulumi/proto/provider_pb.js",
);
export const plugin: typeof import("@pulumi/pulumi/proto/plugin_pb.js") = load(
  "@pulumi/pulumi/proto/plugin_pb.js",
);
export const services: typeof import("@pulumi/pulumi/proto/provider_grpc_pb.js") = load(
  "@pulumi/pulumi/proto/provider_grpc_pb.js",
);
export const struct: typeof import("google-protobuf/google/protobuf/struct_pb.js") = load(
  "google-protobuf/google/protobuf/struct_pb.js",
);
export const empty: typeof import("google-protobuf/google/protobuf/empty_pb.js") = load(
  "google-protobuf/google/protobuf/empty_pb.js",
);

/** Only needed once something is logged. */
export function engineStubs(): {
  messages: typeof import("@pulumi/pulumi/proto/engine_pb.js");
  services: typeof import("@pulumi/pulumi/proto/engine_grpc_pb.js");
} {
  return {
    messages: load("@pulumi/pulumi/proto/engine_pb.js"),
    services: load("@pulumi/pulumi/proto/engine_grpc_pb.js"),
  };
}
