import { accessTo, closeAll } from "./hosts/access.ts";
import { type Preview, preview } from "./roles/converge.ts";
import type { Desired } from "./roles/desired.ts";

/**
 * Looks at every node, without changing anything, and plans. The program does this before it makes any resource,
 * at preview and at update: what is refused is refused with nothing touched, and what is printed is what the update
 * is going to find. In this process, because a child would cost every `up` half a second.
 */
export async function observeAndPlan(desired: Desired): Promise<Preview> {
  const access = accessTo(desired.nodes);
  try {
    return await preview({ desired, access });
  } finally {
    await closeAll(access);
  }
}
