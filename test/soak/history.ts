/**
 * What clients did to an API server that is killed again and again, and what watchers saw. Judged from the outside: no
 * acknowledged write is lost, each object's history is linear, each watch is ordered, unique and complete.
 *
 * The revision that an answer carries puts all writes in one order, so linearizability needs no search: it is enough that
 * this order agrees with what clients know of time, and each answer with the state that the order implies.
 */

/** Milliseconds of one monotonic clock that all clients share. */
export interface Span {
  readonly calledMs: number;
  readonly returnedMs: number;
}

export interface Write extends Span {
  readonly key: string;
  readonly kind: "create" | "patch" | "replace" | "delete";
  /** What the object says afterwards, different for each write; none for a deletion. */
  readonly token: string;
  /** The revision that a replacement was based on. */
  readonly basedOn?: number;
  readonly outcome:
    | {
        readonly is: "acknowledged" /** Absent for a deletion: its answer has none. */;
        readonly revision?: number;
      }
    | { readonly is: "refused"; readonly code: number }
    /** The connection broke: it may have happened or not. */
    | { readonly is: "unknown" };
}

export interface Read extends Span {
  readonly key: string;
  /** Undefined: there was no such object. */
  readonly found: { readonly revision: number; readonly token: string } | undefined;
}

export type Sight =
  | {
      readonly is: "event";
      readonly type: string;
      readonly key: string;
      readonly revision: number;
      readonly token: string;
    }
  /** A list: all that there is at `revision`. Events between the one before and this are not known to this watcher. */
  | { readonly is: "list"; readonly revision: number; readonly objects: ReadonlyMap<string, Version> };

export interface Version {
  readonly revision: number;
  readonly token: string;
}

export interface History {
  readonly writes: readonly Write[];
  readonly reads: readonly Read[];
  /** What each watcher saw, in the order in which it saw it; each begins with a list. */
  readonly watchers: readonly (readonly Sight[])[];
}

/** Everything that contradicts the promise, in words; empty when all holds. */
export function violations(history: History): string[] {
  const timeline = timelineOf(history);
  return [
    ...history.watchers.flatMap((sights, index) => disorder(sights, index)),
    ...history.watchers.flatMap((sights, index) => gaps(sights, timeline, index)),
    ...history.writes.flatMap((write) => lost(write, timeline)),
    ...history.writes.flatMap((write) => overtaken(write, timeline)),
    ...backwards(history),
    ...history.reads.flatMap((read) => misread(read, timeline)),
  ];
}

type Event = Sight & { is: "event" };

interface Timeline {
  /** What some watcher saw happen to each object, by revision. */
  readonly events: ReadonlyMap<string, readonly Event[]>;
  readonly byRevision: ReadonlyMap<number, Event>;
  /** Stretches of revisions that no watcher saw event by event: after the first, up to the second. */
  readonly unseen: readonly (readonly [number, number])[];
  /** The last list or event of anybody. */
  readonly end: number;
  /** Lists, oldest first. */
  readonly lists: readonly (Sight & { is: "list" })[];
  /** When the write of a token was called. */
  readonly begun: ReadonlyMap<string, number>;
  /** The newest revision of an object that some client had been told before `atMs`; 0 for none. */
  known(key: string, atMs: number): number;
}

function timelineOf({ watchers, writes }: History): Timeline {
  const byRevision = new Map<number, Event>();
  const lists: (Sight & { is: "list" })[] = [];
  for (const sight of watchers.flat()) {
    if (sight.is === "event") byRevision.set(sight.revision, sight);
    else lists.push(sight);
  }
  const sorted = [...byRevision.values()].sort((a, b) => a.revision - b.revision);
  const unseen = watchers.map(stretches).reduce(intersection);
  const end = Math.max(0, ...watchers.map((sights) => sights.at(-1)?.revision ?? 0));
  return {
    events: Map.groupBy(sorted, ({ key }) => key),
    byRevision,
    unseen,
    end,
    lists: lists.sort((a, b) => a.revision - b.revision),
    begun: new Map(writes.map(({ token, calledMs }) => [token, calledMs])),
    known: knowledge(writes),
  };
}

function knowledge(writes: readonly Write[]): Timeline["known"] {
  const told = Map.groupBy(
    writes
      .flatMap(({ key, returnedMs, outcome }) =>
        outcome.is === "acknowledged" && outcome.revision !== undefined
          ? [{ key, returnedMs, revision: outcome.revision }]
          : [],
      )
      .sort((a, b) => a.returnedMs - b.returnedMs),
    ({ key }) => key,
  );
  const newest = new Map([...told].map(([key, list]) => [key, runningMaximum(list)]));
  return (key, atMs) => {
    const list = newest.get(key) ?? [];
    let [low, high] = [0, list.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((list[middle]?.returnedMs ?? 0) < atMs) low = middle + 1;
      else high = middle;
    }
    return list[low - 1]?.most ?? 0;
  };
}

/** Revisions that one watcher has no events of: those before each of its lists. */
function stretches(sights: readonly Sight[]): (readonly [number, number])[] {
  let last = 0;
  return sights.flatMap((sight) => {
    const before = last;
    last = Math.max(last, sight.revision);
    return sight.is === "list" && sight.revision > before ? [[before, sight.revision] as const] : [];
  });
}

function intersection(
  a: readonly (readonly [number, number])[],
  b: readonly (readonly [number, number])[],
): (readonly [number, number])[] {
  return a.flatMap(([from, to]) =>
    b
      .map(([start, end]) => [Math.max(from, start), Math.min(to, end)] as const)
      .filter(([start, end]) => start < end),
  );
}

function runningMaximum(
  list: readonly { returnedMs: number; revision: number }[],
): readonly { returnedMs: number; most: number }[] {
  let most = 0;
  return list.map(({ returnedMs, revision }) => {
    most = Math.max(most, revision);
    return { returnedMs, most };
  });
}

function isUnseen({ unseen }: Timeline, revision: number): boolean {
  return unseen.some(([after, to]) => revision > after && revision <= to);
}

/** Ordered and unique: each revision comes once, after all smaller ones. */
function disorder(sights: readonly Sight[], watcher: number): string[] {
  return sights.flatMap((sight, index) => {
    const before = sights[index - 1]?.revision ?? 0;
    const follows = sight.is === "list" ? sight.revision >= before : sight.revision > before;
    return follows ? [] : [`Watcher ${watcher} saw revision ${sight.revision} after ${before}.`];
  });
}

/** Complete: between its lists a watcher saw all that any other saw, and its lists say what the events before them do. */
function gaps(sights: readonly Sight[], timeline: Timeline, watcher: number): string[] {
  const own = new Set(sights.filter((sight) => sight.is === "event").map(({ revision }) => revision));
  const skipped = stretches(sights);
  const last = sights.at(-1)?.revision ?? 0;
  const missing = [...timeline.byRevision.keys()].filter(
    (revision) =>
      revision <= last &&
      !own.has(revision) &&
      !skipped.some(([after, to]) => revision > after && revision <= to),
  );
  return missing.map((revision) => `Watcher ${watcher} never saw revision ${revision}.`);
}

/** An acknowledged write is in the history, as it was acknowledged; a refused one is not. */
function lost(write: Write, timeline: Timeline): string[] {
  const { key, token, kind, outcome } = write;
  const said = `${kind} of ${key} (${token})`;
  const events = timeline.events.get(key) ?? [];
  if (outcome.is === "refused") {
    const happened = kind !== "delete" && events.some((event) => event.token === token);
    return happened ? [`A refused ${said} happened all the same.`] : [];
  }
  if (outcome.is === "unknown") return [];
  const { revision } = outcome;
  if (revision === undefined) return lostDeletion(write, timeline, said);
  const event = timeline.byRevision.get(revision);
  if (event !== undefined) {
    return event.key === key && event.token === token
      ? []
      : [
          `Revision ${revision} was acknowledged for ${said} and is ${event.type} of ${event.key} (${event.token}).`,
        ];
  }
  if (!isUnseen(timeline, revision) && revision <= timeline.end)
    return [`An acknowledged ${said} at revision ${revision} is lost.`];
  if (revision > timeline.end)
    return [`An acknowledged ${said} at revision ${revision} is beyond the end, ${timeline.end}.`];
  return lostUnseen(write, revision, timeline, said);
}

/** An acknowledged deletion is an event after all that the client knew of the object when it asked for it. */
function lostDeletion({ key, calledMs }: Write, timeline: Timeline, said: string): string[] {
  const known = timeline.known(key, calledMs);
  const isSeen = (timeline.events.get(key) ?? []).some(
    ({ type, revision }) => type === "DELETED" && revision > known,
  );
  // Where nobody watched there is no telling whether a later object of the name is another one.
  return isSeen || timeline.unseen.some(([, to]) => to > known) ? [] : [`An acknowledged ${said} is lost.`];
}

/** Nobody saw it happen, but the next list must show it, something later, or nothing. */
function lostUnseen({ key, token }: Write, revision: number, { lists }: Timeline, said: string): string[] {
  const after = lists.find((list) => list.revision >= revision)?.objects.get(key);
  if (after === undefined || after.revision > revision) return [];
  if (after.revision === revision && after.token === token) return [];
  return [
    `An acknowledged ${said} at revision ${revision} is lost: later it says ${after.token} at ${after.revision}.`,
  ];
}

/** A replacement was of the very version it was based on. */
function overtaken({ key, basedOn, outcome }: Write, timeline: Timeline): string[] {
  if (basedOn === undefined || outcome.is !== "acknowledged" || outcome.revision === undefined) return [];
  const between = (timeline.events.get(key) ?? []).find(
    ({ revision }) => revision > basedOn && revision < (outcome.revision ?? 0),
  );
  return between === undefined
    ? []
    : [
        `${key} was replaced at ${outcome.revision} on the ground of ${basedOn}, and is other since ${between.revision}.`,
      ];
}

/** What ended before something began has the smaller revision: over all objects, since there is one counter. */
function backwards({ writes }: History): string[] {
  const acknowledged = writes.flatMap((write) =>
    write.outcome.is === "acknowledged" && write.outcome.revision !== undefined
      ? [{ ...write, revision: write.outcome.revision }]
      : [],
  );
  const byEnd = acknowledged.toSorted((a, b) => a.returnedMs - b.returnedMs);
  const found: string[] = [];
  let ended = 0;
  let newest: (typeof acknowledged)[number] | undefined;
  for (const write of acknowledged.toSorted((a, b) => a.calledMs - b.calledMs)) {
    for (
      let next = byEnd[ended];
      next !== undefined && next.returnedMs < write.calledMs;
      next = byEnd[++ended]
    )
      if (newest === undefined || next.revision > newest.revision) newest = next;
    if (newest !== undefined && newest.revision > write.revision)
      found.push(
        `Revision ${write.revision} of ${write.key} began after ${newest.revision} of ${newest.key} had ended.`,
      );
  }
  return found;
}

/** A read shows a version that some write made, and none older than what had been acknowledged before it was asked. */
function misread({ key, found, calledMs, returnedMs }: Read, timeline: Timeline): string[] {
  const known = timeline.known(key, calledMs);
  if (found === undefined) {
    if (known === 0 || timeline.unseen.some(([, to]) => to > known)) return [];
    const isDeleted = (timeline.events.get(key) ?? []).some(
      ({ type, revision }) => type === "DELETED" && revision > known,
    );
    return isDeleted ? [] : [`${key} was not found although it was there at ${known} and never deleted.`];
  }
  const { revision, token } = found;
  if (revision < known) return [`${key} was read at ${revision} after ${known} had been acknowledged.`];
  if ((timeline.begun.get(token) ?? Number.NEGATIVE_INFINITY) > returnedMs)
    return [`${key} was read as ${token} before anybody wrote that.`];
  const event = timeline.byRevision.get(revision);
  if (event !== undefined)
    return event.key === key && event.token === token
      ? []
      : [
          `${key} was read as ${token} at ${revision}, which is ${event.type} of ${event.key} (${event.token}).`,
        ];
  const listed = timeline.lists.some(({ objects }) => objects.get(key)?.revision === revision);
  return listed || isUnseen(timeline, revision) ? [] : [`${key} was read at ${revision}, which never was.`];
}
