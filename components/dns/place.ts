/** From where a name server is to how it is reached. Pure. */
import type { Endpoint, NameServerPlace } from "../spec/model.ts";

/** How the machine that runs Pulumi reaches it; undefined: nobody serves names. */
export function endpointOf(place: NameServerPlace): Endpoint | undefined {
  switch (place.kind) {
    case "container":
      return { host: "127.0.0.1", port: place.publishedPort };
    case "machine":
      return { host: place.address, port: 53 };
    case "external":
      return { host: place.host, port: place.port };
    case "none":
      return undefined;
  }
}

/** The address of a server of our own; undefined: it is not ours. */
export function ownAddressOf(place: NameServerPlace): string | undefined {
  return place.kind === "container" || place.kind === "machine" ? place.address : undefined;
}
