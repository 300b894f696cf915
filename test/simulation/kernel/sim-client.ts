/** A Client as it is met in the world: each call takes its turn, and some go wrong. */
import { StatusError } from "../../../pkg/api/status-error.ts";
import type { Client, Kind, WatchEvent } from "../../../pkg/runtime/client.ts";
import type { Prng } from "./prng.ts";
import type { Incarnation } from "./scheduler.ts";

/** Probabilities, 0 to 1, of what goes wrong with one call. May be changed while a run goes on. */
export interface Faults {
  /** A write with a precondition loses against another writer. */
  conflict: number;
  /** A write is made, and the answer is an error. */
  unknown: number;
  /** A call fails and nothing was done. */
  refused: number;
  /** A watch says that its history is gone. */
  expired: number;
  /** A watch ends. */
  ended: number;
}

export const noFaults: Faults = { conflict: 0, unknown: 0, refused: 0, expired: 0, ended: 0 };

/** How often steps come between a write and its answer, and then how often one more: the watch may tell it first. */
const lateAnswers = 0.25;
const laterAnswers = 0.5;

export interface SimClientOptions {
  client: Client;
  incarnation: Pick<Incarnation, "task">;
  chance: Prng;
  faults: Faults;
}

export function simClient({ client, incarnation, chance, faults }: SimClientOptions): Client {
  const { task } = incarnation;

  const read = <T>(label: string, call: () => Promise<T>): Promise<T> =>
    task(label, () => {
      if (chance.chance(faults.refused)) throw unavailable();
      return call();
    });

  async function write<T>(label: string, call: () => Promise<T>, conditional: boolean): Promise<T> {
    const answer = await task(label, async () => {
      if (chance.chance(faults.refused)) throw unavailable();
      if (chance.chance(faults.conflict) && conditional) throw conflict(label);
      const unknown = chance.chance(faults.unknown);
      const done = await call();
      if (unknown) throw new StatusError(504, "Timeout", `${label}: the answer was lost`);
      return done;
    });
    for (let late = chance.chance(lateAnswers); late; late = chance.chance(laterAnswers))
      await task(`${label} answers`, () => {});
    return answer;
  }

  async function* watch<T>(kind: Kind, events: AsyncIterable<WatchEvent<T>>): AsyncGenerator<WatchEvent<T>> {
    for await (const event of events) {
      const fault = await task(`watch ${kind}`, () => {
        if (chance.chance(faults.expired)) throw new StatusError(410, "Expired", "The history is gone");
        return chance.chance(faults.ended);
      });
      if (fault) return;
      yield event;
    }
  }

  return {
    get: (kind, key) => read(`get ${kind} ${key.name}`, () => client.get(kind, key)),
    list: (kind, options) => read(`list ${kind}`, () => client.list(kind, options)),
    watch: (kind, options) => watch(kind, client.watch(kind, options)),
    create: (kind, object) => write(`create ${kind}`, () => client.create(kind, object), false),
    update: (kind, object) => write(`update ${kind}`, () => client.update(kind, object), true),
    updateStatus: (kind, object) =>
      write(`update status of ${kind}`, () => client.updateStatus(kind, object), true),
    patch: (kind, key, patch, options) =>
      write(
        `patch ${kind} ${key.name}`,
        () => client.patch(kind, key, patch, options),
        hasPrecondition(patch),
      ),
    delete: (kind, key, options) =>
      write(
        `delete ${kind} ${key.name}`,
        () => client.delete(kind, key, options),
        options?.preconditions?.resourceVersion !== undefined,
      ),
  };
}

function hasPrecondition({ metadata }: Record<string, unknown>): boolean {
  return typeof metadata === "object" && metadata !== null && "resourceVersion" in metadata;
}

function unavailable(): StatusError {
  return new StatusError(503, "ServiceUnavailable", "The API is not available");
}

function conflict(label: string): StatusError {
  return new StatusError(409, "Conflict", `${label}: the object has been modified`);
}
