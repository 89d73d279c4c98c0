/** The conversation with the agent on a host of a region: `roles/conversation.ts` with that agent's verbs. */
import type { AccessOf, SessionOf } from "../roles/conversation.ts";
import type { HostFacts } from "./facts.ts";
import type { UnitVerbs } from "./verbs.ts";

export type UnitSession = SessionOf<UnitVerbs>;

/** The way to a host. */
export type UnitAccess = AccessOf<UnitVerbs, HostFacts>;

/** By the host's name, over all regions. */
export type UnitFleet = ReadonlyMap<string, UnitAccess>;
