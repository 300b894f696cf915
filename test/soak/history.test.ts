import { expect, test } from "vitest";
import { type History, type Sight, violations, type Write } from "./history.ts";

const nothing: Sight & { is: "list" } = { is: "list", revision: 10, objects: new Map() };
const event = (revision: number, token: string, type = "MODIFIED", key = "a"): Sight => ({
  is: "event",
  type,
  key,
  revision,
  token,
});
const write = (revision: number, calledMs: number, more: Partial<Write> = {}): Write => ({
  key: "a",
  kind: "patch",
  token: `t${revision}`,
  calledMs,
  returnedMs: calledMs + 1,
  outcome: { is: "acknowledged", revision },
  ...more,
});
const good: History = {
  writes: [
    write(11, 0, { kind: "create" }),
    write(12, 2),
    write(13, 4, { kind: "delete", token: "", outcome: { is: "acknowledged" } }),
    write(99, 6, { outcome: { is: "unknown" } }),
    write(98, 6, { outcome: { is: "refused", code: 404 } }),
  ],
  reads: [
    { key: "a", calledMs: 3, returnedMs: 4, found: { revision: 12, token: "t12" } },
    { key: "a", calledMs: 8, returnedMs: 9, found: undefined },
  ],
  watchers: [
    [nothing, event(11, "t11", "ADDED"), event(12, "t12"), event(13, "t12", "DELETED")],
    [nothing, event(11, "t11", "ADDED"), event(12, "t12"), event(13, "t12", "DELETED")],
  ],
};

test("a linear history of which nothing is lost has no violations", () => {
  expect(violations(good)).toEqual([]);
});

const listAt = (revision: number, token: string, at = revision): Sight => ({
  is: "list",
  revision: at,
  objects: new Map([["a", { revision, token }]]),
});

test.each<[string, History, RegExp]>([
  [
    "an acknowledged write that nobody saw",
    { ...good, watchers: [[nothing, event(11, "t11"), event(13, "t12", "DELETED")]] },
    /acknowledged patch of a \(t12\) at revision 12 is lost/,
  ],
  [
    "an acknowledged write beyond what there is at the end",
    { ...good, reads: [], writes: [write(11, 0), write(12, 2)], watchers: [[nothing, event(11, "t11")]] },
    /at revision 12 is beyond the end/,
  ],
  [
    "a revision that says something else than was acknowledged",
    { ...good, watchers: [[nothing, event(11, "t11"), event(12, "other"), event(13, "other", "DELETED")]] },
    /Revision 12 was acknowledged for patch of a \(t12\) and is MODIFIED of a \(other\)/,
  ],
  [
    "an acknowledged deletion that did not happen",
    { ...good, reads: [], watchers: [[nothing, event(11, "t11"), event(12, "t12"), event(14, "t14")]] },
    /acknowledged delete of a \(t13\)? ?is lost|acknowledged delete of a \(\) is lost/,
  ],
  [
    "a refused write that happened",
    { ...good, watchers: good.watchers.map((sights) => [...sights, event(14, "t98")]) },
    /refused patch of a \(t98\) happened/,
  ],
  [
    "a watcher that sees a revision twice",
    {
      ...good,
      watchers: [[nothing, event(11, "t11"), event(12, "t12"), event(12, "t12"), event(13, "", "DELETED")]],
    },
    /Watcher 0 saw revision 12 after 12/,
  ],
  [
    "a list that is older than what its watcher saw",
    { ...good, watchers: good.watchers.map((sights) => [...sights, listAt(12, "t12")]) },
    /Watcher 0 saw revision 12 after 13/,
  ],
  [
    "a watcher that misses what another saw",
    { ...good, watchers: [good.watchers[0] ?? [], [nothing, event(11, "t11"), event(13, "t12", "DELETED")]] },
    /Watcher 1 never saw revision 12/,
  ],
  [
    "a watcher that misses what another saw, and later lists anew",
    {
      ...good,
      watchers: [
        good.watchers[0] ?? [],
        [nothing, event(11, "t11"), event(13, "t12", "DELETED"), { ...nothing, revision: 14 }],
      ],
    },
    /Watcher 1 never saw revision 12/,
  ],
  [
    "a list after a gap that is older than what was acknowledged in it",
    {
      writes: [write(11, 0), write(12, 2)],
      reads: [],
      watchers: [[nothing, event(11, "t11"), listAt(12, "t11", 14)]],
    },
    /at revision 12 is lost: later it says t11/,
  ],
  [
    "a replacement of a version that was no longer there",
    {
      ...good,
      writes: [...good.writes, write(14, 7, { basedOn: 11 })],
      watchers: [[...(good.watchers[0] ?? []), event(14, "t14")]],
    },
    /a was replaced at 14 on the ground of 11/,
  ],
  [
    "a write that began after a later one had ended",
    {
      ...good,
      reads: [],
      writes: [write(12, 0), write(11, 5)],
      watchers: [[nothing, event(11, "t11"), event(12, "t12")]],
    },
    /Revision 11 of a began after 12 of a had ended/,
  ],
  [
    "a read that is older than what had been acknowledged",
    { ...good, reads: [{ key: "a", calledMs: 4, returnedMs: 5, found: { revision: 11, token: "t11" } }] },
    /a was read at 11 after 12 had been acknowledged/,
  ],
  [
    "a read of what nobody wrote at that revision",
    { ...good, reads: [{ key: "a", calledMs: 3, returnedMs: 4, found: { revision: 12, token: "t11" } }] },
    /a was read as t11 at 12, which is MODIFIED of a \(t12\)/,
  ],
  [
    "an object that is not found although it is there",
    {
      ...good,
      writes: [write(11, 0)],
      reads: [{ key: "a", calledMs: 8, returnedMs: 9, found: undefined }],
      watchers: [[nothing, event(11, "t11")]],
    },
    /a was not found although it was there at 11/,
  ],
])("%s is a violation", (_, history, words) => {
  expect(violations(history).join("\n")).toMatch(words);
});

test("what happened while nobody watched is judged by the next list", () => {
  const watchers = [[nothing, event(11, "t11"), listAt(13, "t13", 20)]];
  const writes = [write(11, 0), write(12, 2), write(13, 4)];
  expect(violations({ writes, reads: [], watchers })).toEqual([]);
});
