/** The world as one life of the operator meets it: each call takes its turn, and some go wrong. */
import { TransientError } from "../../../pkg/runtime/errors.ts";
import type { Prng } from "../kernel/prng.ts";
import type { Incarnation } from "../kernel/scheduler.ts";

/** Probabilities, 0 to 1, of what goes wrong with one call into the world. May be changed while a run goes on. */
export interface Weather {
  /** It throws TransientError and nothing was done. */
  refused: number;
  /** It was done, and throws TransientError. */
  lost: number;
  /** The answer is unknown, where a call can say so. */
  unknown: number;
}

export const fairWeather: Weather = { refused: 0, lost: 0, unknown: 0 };

type Answers = Readonly<Record<string, unknown>>;

export interface SeenByOptions {
  incarnation: Pick<Incarnation, "task" | "defer" | "revoked">;
  chance: Prng;
  weather: Weather;
  /** Stands before the method's name in the trace. */
  label: string;
  /** What a method answers when it does not know; methods without an entry always know. */
  unknowns?: Answers;
  /** Looks at a call of this name where it arrives; what it throws is the answer. */
  arrives?: (name: string) => void;
}

/** `twin` with each method a task of `incarnation`; who subscribes is woken in a step of its own. */
export function seenBy<T extends object>(
  twin: T,
  names: readonly (keyof T & string)[],
  options: SeenByOptions,
): T {
  const { incarnation, chance, weather, label, unknowns = {}, arrives } = options;
  const seen: Record<string, unknown> = {};
  for (const name of names) {
    const method = (twin[name] as (...args: unknown[]) => unknown).bind(twin);
    seen[name] = (...args: unknown[]) =>
      incarnation.task(`${label}.${name}`, async () => {
        arrives?.(name);
        if (chance.chance(weather.refused))
          throw new TransientError("Refused", `${label}.${name} was refused`);
        if (name in unknowns && chance.chance(weather.unknown)) return unknowns[name];
        const lost = chance.chance(weather.lost);
        const answer = await method(...args);
        if (lost) throw new TransientError("Lost", `${label}.${name}: the answer was lost`);
        return answer;
      });
  }
  if ("subscribe" in twin) {
    const subscribe = (twin.subscribe as (wake: (what?: string) => void, until: unknown) => void).bind(twin);
    seen.subscribe = (wake: (what?: string) => void, until: unknown) =>
      subscribe((what) => {
        if (!incarnation.revoked) incarnation.defer(() => wake(what));
      }, until);
  }
  return seen as T;
}
