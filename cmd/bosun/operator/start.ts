/** What the parts of one start of an operator share. */
import type { Clock } from "../../../pkg/runtime/clock.ts";
import type { Logger } from "../../../pkg/runtime/logger.ts";

export interface Start {
  clock: Clock;
  logger: Logger;
  /** Each part that starts adds here how it is ended. */
  undo: (() => void | Promise<void>)[];
}

/**
 * Ends what was started, each part once and the last first, one after the other.
 *
 * @throws what a step throws; what was started before that part is then left as it is
 */
export async function takeBack(undo: Start["undo"]): Promise<void> {
  for (const step of undo.splice(0).reverse()) await step();
}
