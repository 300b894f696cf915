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
 * Runs `work`, then ends what was started meanwhile.
 *
 * @param tell - told why a part could not be ended, where `work` has failed before: that is what is thrown
 */
export async function thenTakeBack<T>(
  undo: Start["undo"],
  work: () => Promise<T>,
  tell: (error: unknown) => void,
): Promise<T> {
  let result: T;
  try {
    result = await work();
  } catch (error) {
    await takeBack(undo).catch(tell);
    throw error;
  }
  await takeBack(undo);
  return result;
}

/**
 * Ends what was started, each part once and the last first, one after the other. One that can't be ended keeps none of
 * the others from it.
 *
 * @throws the first error of a part, once all have been tried
 */
export async function takeBack(undo: Start["undo"]): Promise<void> {
  const errors: unknown[] = [];
  for (const step of undo.splice(0).reverse()) {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}
