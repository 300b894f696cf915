/** Whatever fails while an agent lets go of its work: nothing of it is lost, and it is tried again. */
import { describe, expect, test } from "vitest";
import type { Kinds } from "../../pkg/api/generated.ts";
import { TransientError } from "../../pkg/runtime/errors.ts";
import { type Story, tell } from "./story.ts";

type Call = (...args: never[]) => Promise<unknown>;

/** How a call goes wrong. */
const ways = {
  "is refused": async () => {
    throw new TransientError("Refused", "It was refused.");
  },
  "is not answered": async () => ({ is: "unknown", why: "It is locked." }),
  "is made and its answer is lost": async (make: () => Promise<unknown>) => {
    await make();
    throw new TransientError("Lost", "The answer was lost.");
  },
  "is what the operator dies before": (_make: () => Promise<unknown>, die: () => void) => {
    die();
    return unheard;
  },
  "is what the operator dies after": async (make: () => Promise<unknown>, die: () => void) => {
    await make();
    die();
    return await unheard;
  },
} as const;
type Way = keyof typeof ways;

/** What a call answers to an operator that is dead. */
const unheard = new Promise<never>(() => {});

/** A call of the world that is made while work is let go. */
interface Place {
  what: string;
  part: "api" | "money" | "repository" | "sessions";
  name: string;
  /** Which of its calls are meant; all when left out. */
  isMeant?(...args: readonly unknown[]): boolean;
  /** Its answer may be that nobody knows. */
  mayBeUnknown?: true;
}

const statusOf = <K extends "Agent" | "Project" | "Review">(
  kind: K,
  isMeant: (status: NonNullable<Kinds[K]["status"]>) => boolean,
): Place => ({
  what: `the status of the ${kind}`,
  part: "api",
  name: "updateStatus",
  isMeant: (of, object) => of === kind && isMeant((object as Kinds[K]).status ?? {}),
});

const common: readonly Place[] = [
  { what: "the look at its session", part: "sessions", name: "find", mayBeUnknown: true },
  { what: "the end of its session", part: "sessions", name: "stop" },
  { what: "the end of what its session may spend", part: "money", name: "dismiss" },
  { what: "the removal of its checkout", part: "repository", name: "release" },
  statusOf("Agent", ({ session }) => session === undefined),
];
const places = {
  execute: [
    ...common,
    { what: "the commit of what is unfinished", part: "repository", name: "saveWork", mayBeUnknown: true },
    { what: "the collection of its branch", part: "repository", name: "collect" },
    statusOf("Project", ({ claim }) => claim === undefined),
  ],
  review: [...common, statusOf("Review", ({ claim }) => claim === undefined)],
} satisfies Record<string, readonly Place[]>;

const rowsOf = (all: readonly Place[]) =>
  all.flatMap((place) =>
    (Object.keys(ways) as Way[])
      .filter((way) => way !== "is not answered" || place.mayBeUnknown)
      .map((way) => ({ ...place, way })),
  );

const key = { namespace: "default", name: "one" };
const occasions = {
  "its Project is skipped": (story: Story) => story.patch("Project", "one", { skip: true }),
  "its Project is deleted": async ({ world }: Story) => void (await world.api.delete("Project", key)),
  "its agent is scaled away": (story: Story) => story.patch("AgentPool", "builders", { replicas: 0 }),
};

/** Has the next two calls at `place` go wrong in this `way`. @returns whether all that there have to be have */
function failing(story: Story, { part, name, isMeant = () => true }: Place, way: Way): () => boolean {
  const { world, operator } = story;
  let left = 2;
  const twin = world[part] as unknown as Record<string, Call>;
  const call = (twin[name] as Call).bind(twin);
  const die = (): void => {
    operator.crash();
    operator.start();
  };
  // The next life of the operator meets it.
  operator.crash();
  twin[name] = (...args) => {
    if (left === 0 || !isMeant(...args)) return call(...args);
    left -= 1;
    return ways[way](() => call(...args), die);
  };
  operator.start();
  // What was made need not be made again.
  const isMade = way === "is made and its answer is lost" || way === "is what the operator dies after";
  return () => left <= (isMade ? 1 : 0);
}

/** Of an earlier claim, in seconds. */
const workedBefore = 1_000;

/** A session that goes on and on, of the first run of Project one. */
async function atWork(purpose: "execute" | "review") {
  const script = (spec: { purpose: string }) =>
    spec.purpose === purpose ? { ends: "Done" as const, turns: 10_000 } : undefined;
  const story = await tell({ temper: { script } });
  await story.projects("one");
  const worked = { status: { workedSeconds: workedBefore } };
  await story.world.api.patch("Project", key, worked, { subresource: "status" });
  const host = () => story.world.sessions.hosts().find(({ spec }) => spec.purpose === purpose);
  await story.until("it is worked on", () => host() !== undefined);
  await story.minutes(5);
  const spec = host()?.spec;
  if (spec === undefined) throw new Error("Nobody works.");
  return { story, spec };
}

describe.each(Object.entries(occasions))("work is let go because %s", (_, begin) => {
  test.each(rowsOf(places.execute))("also where $what $way", async ({ way, ...place }) => {
    const { story, spec } = await atWork("execute");
    const { world } = story;
    const { repository, api } = world;
    repository.checkoutAt(spec.checkout)?.dirty.set("unfinished.txt", "half\n");
    const hasFailed = failing(story, place, way);
    await begin(story);
    const isOver = () => {
      const agent = api.object("Agent", "agent-1");
      const { claim } = api.object("Project", "one")?.status ?? {};
      return claim === undefined && agent?.status?.session === undefined && hasFailed();
    };
    await story.until("it is let go", isOver, 1);

    const head = repository.branch(spec.branch);
    expect(repository.objects.get(head ?? "").tree.get("unfinished.txt")).toBe("half\n");
    expect(repository.checkoutAt(spec.checkout)).toBeUndefined();
    expect(repository.quarantined).toEqual([]);
    expect(world.sessions.hosts()).toEqual([]);
    const { status } = api.object("Project", "one") ?? {};
    if (status !== undefined) {
      expect(status.head).toBe(head);
      const seen = await world.sessions.find(spec.id);
      const lived = seen.is === "absent" ? Math.floor(seen.report?.liveSeconds ?? 0) : 0;
      expect(status.workedSeconds).toBe(workedBefore + lived);
    }
  });
});

test("work that waits for its review is let go with the time that it took, though its session is not looked at", async () => {
  const story = await tell({ reviewers: 0 });
  await story.projects("one");
  const isHandedOver = () => story.world.api.object("Agent", "agent-1")?.status?.state === "AwaitingReview";
  await story.until("it is handed over", isHandedOver);
  const { session = "" } = story.the("Project", "one").status?.claim ?? {};
  const seen = await story.world.sessions.find(session);
  const lived = Math.floor((seen.is === "absent" && seen.report?.liveSeconds) || 0);
  expect(lived).toBeGreaterThan(0);
  await story.patch("Project", "one", { skip: true });
  await story.until("it is let go", () => story.the("Project", "one").status?.claim === undefined, 1);
  expect(story.the("Project", "one").status?.workedSeconds).toBe(lived);
});

test("work that is wanted again while it is saved stays with who has it, and its session goes on", async () => {
  const { story, spec } = await atWork("execute");
  const { repository, scheduler, sessions } = story.world;
  const collect = repository.collect.bind(repository);
  let isWantedAgain = false;
  story.operator.crash();
  repository.collect = async (...args) => {
    const head = await collect(...args);
    await story.patch("Project", "one", { skip: false });
    // Until the operator has heard of it.
    await scheduler.world.clock.sleep(1_000);
    isWantedAgain = true;
    return head;
  };
  story.operator.start();
  await story.patch("Project", "one", { skip: true });
  await story.until("it is wanted again", () => isWantedAgain, 1);
  await story.until("somebody works on it", () => sessions.hosts().length > 0, 1);
  expect(sessions.hosts()).toMatchObject([{ spec: { id: spec.id } }]);
  expect(story.the("Project", "one").status?.claim).toMatchObject({
    session: spec.id,
    number: spec.claim.number,
  });
});

test.each(rowsOf(places.review))(
  "a review is given back by a reviewer that is scaled away, also where $what $way",
  async ({ way, ...place }) => {
    const { story, spec } = await atWork("review");
    const { world } = story;
    const { repository, api } = world;
    const hasFailed = failing(story, place, way);
    await story.patch("AgentPool", "reviewers", { replicas: 0 });
    const isOver = () =>
      api
        .objects("Review")
        .every(({ status }) => status?.state === "Pending" && status.claim === undefined) &&
      api.object("Agent", spec.agent) === undefined &&
      hasFailed();
    await story.until("it is given back", isOver, 1);
    expect(api.object("Review", spec.claim.name)).toMatchObject({
      metadata: { uid: spec.claim.uid },
      status: { state: "Pending" },
    });
    expect(repository.checkoutAt(spec.checkout)).toBeUndefined();
    expect(world.sessions.hosts()).toEqual([]);
  },
);

test("the checkout of a review that was deleted goes with its session", async () => {
  const { story, spec } = await atWork("review");
  const { repository, api, sessions } = story.world;
  await api.delete("Review", { namespace: "default", name: spec.claim.name });
  const isForgotten = () => api.object("Agent", spec.agent)?.status?.session?.id !== spec.id;
  await story.until("the session is forgotten", isForgotten, 1);
  expect(repository.checkoutAt(spec.checkout)).toBeUndefined();
  expect(sessions.hosts()).toEqual([]);
});

test("a session whose claim went to another one is not forgotten before it is ended, though that fails first", async () => {
  const { story, spec } = await atWork("execute");
  const { world, operator } = story;
  const stop = world.sessions.stop.bind(world.sessions);
  let refusals = 0;
  let isRefused = true;
  operator.crash();
  world.sessions.stop = async (...args) => {
    if (!isRefused) return stop(...args);
    refusals += 1;
    throw new TransientError("StillRunning", "It is still there.");
  };
  operator.start();
  await story.minutes(1);
  const { claim } = story.the("Project", "one").status ?? {};
  for (const status of [
    { claim: null },
    { claimNumber: 2, claim: { ...claim, number: 2, session: "another" } },
  ])
    await world.api.patch("Project", key, { status }, { subresource: "status" });
  await story.until("its end has failed often", () => refusals === 4);
  isRefused = false;
  const isEnded = () => world.sessions.hosts().every(({ spec: { id } }) => id !== spec.id);
  // Before sessions that nobody names are sought.
  await story.until("it is ended", isEnded, 1 / 30);
});
