/** A life that can be suspended, as by SIGSTOP or a container that is paused, and goes on in the middle of what it did. */
import type { Prng } from "./prng.ts";
import type { Incarnation } from "./scheduler.ts";

export interface Suspendable extends Incarnation {
  readonly isSuspended: boolean;
  suspend(): void;
  resume(): void;
}

/** Of what it had asked the world for when it was suspended, so much is done at once, and the rest when it goes on. */
const doneMeanwhile = 0.5;

/** `life`, to which nothing gets through while it is suspended. */
export function suspendable(life: Incarnation, chance: Prng): Suspendable {
  let suspended: PromiseWithResolvers<void> | undefined;
  const goesOn = async (): Promise<void> => {
    while (suspended !== undefined) {
      await suspended.promise;
      if (life.revoked) await new Promise<never>(() => {});
      // One after the other, not all in the step that lets it go on.
      await life.task("goes on", () => {});
    }
  };
  return {
    get revoked() {
      return life.revoked;
    },
    get isSuspended() {
      return suspended !== undefined;
    },
    suspend() {
      suspended ??= Promise.withResolvers();
    },
    resume() {
      suspended?.resolve();
      suspended = undefined;
    },
    ids: life.ids,
    random: life.random,
    clock: {
      now: () => life.clock.now(),
      elapsed: () => life.clock.elapsed(),
      async sleep(ms, signal) {
        await life.clock.sleep(ms, signal);
        await goesOn();
      },
    },
    defer: (fn) =>
      life.defer(() => {
        if (suspended === undefined) fn();
        else void goesOn().then(() => life.revoked || life.defer(fn));
      }),
    async task(label, fn) {
      try {
        return await life.task(label, async () => {
          if (suspended !== undefined && !chance.chance(doneMeanwhile)) await goesOn();
          return await fn();
        });
      } finally {
        await goesOn();
      }
    },
    revoke: () => life.revoke(),
  };
}
