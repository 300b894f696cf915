/** Deliberate bugs in what the promises stand on, and the tests that have to find each. */

export interface Mutation {
  /** In lower case with dashes. */
  name: string;
  /** What is wrong then, for people. */
  bug: string;
  file: string;
  /** Stands in the file exactly once. */
  find: string;
  replace: string;
  /** Test files that fail with it. */
  tests: readonly string[];
}

const ledger: readonly Mutation[] = [
  {
    name: "reservation-off-by-one",
    bug: "a reservation may take one nano-dollar more than is left",
    file: "pkg/gateway/budgets.ts",
    find: "alone.cost <= left(grant.limitCost, position.spent + position.reserved) &&",
    replace: "alone.cost <= left(grant.limitCost, position.spent + position.reserved) + 1 &&",
    tests: ["pkg/gateway/budgets.test.ts", "pkg/gateway/money-laws.test.ts"],
  },
  {
    name: "reserved-not-counted",
    bug: "what others have reserved does not count against the limit",
    file: "pkg/gateway/budgets.ts",
    find: "left(grant.limitCost, position.spent + position.reserved)",
    replace: "left(grant.limitCost, position.spent)",
    tests: ["pkg/gateway/budgets.test.ts", "pkg/gateway/money-laws.test.ts"],
  },
  {
    name: "sent-released-after-crash",
    bug: "a request that was sent costs nothing when the gateway dies",
    file: "pkg/gateway/ledger.ts",
    find: '      state === "reserved"\n        ? { step: "released", id, why }',
    replace: '      state !== undefined\n        ? { step: "released", id, why }',
    tests: ["pkg/gateway/ledger.test.ts"],
  },
  {
    name: "ledger-acted-upon-before-its-sync",
    bug: "a line counts before it is on disk",
    file: "pkg/gateway/ledger.ts",
    find: "        await this.#file.datasync();\n",
    replace: "",
    tests: ["pkg/gateway/ledger.faults.test.ts"],
  },
  {
    name: "violation-forgotten",
    bug: "usage above its bound stops nothing",
    file: "pkg/gateway/ledger-state.ts",
    find: "return cost > bound.cost || tokens > bound.tokens;",
    replace: "return cost < 0 && tokens > bound.tokens;",
    tests: ["pkg/gateway/ledger.test.ts", "pkg/gateway/money-laws.test.ts", "pkg/gateway/gateway.test.ts"],
  },
  {
    name: "clock-believed",
    bug: "a clock that jumped opens a new window unasked",
    file: "pkg/gateway/trusted-time.ts",
    find: 'if (this.#confirmed !== undefined && agree(offset, this.#confirmed)) return { is: "confirmed" };',
    replace: 'if (this.#confirmed !== undefined) return { is: "confirmed" };',
    tests: ["pkg/gateway/trusted-time.test.ts"],
  },
  {
    name: "window-opens-again",
    bug: "a clock that is set back opens a window that was over",
    file: "pkg/gateway/trusted-time.ts",
    find: "return newestMs === undefined ? wallMs : Math.max(wallMs, newestMs);",
    replace: "return wallMs;",
    tests: ["pkg/gateway/trusted-time.test.ts", "pkg/gateway/money-laws.test.ts"],
  },
];

const claims: readonly Mutation[] = [
  {
    name: "claim-not-verified",
    bug: "the claim is looked at, but not verified in the transaction that moves refs",
    file: "pkg/git/claims.ts",
    find: 'return { do: "verify", ref: claimRef(claim.project), is: recorded.id };',
    replace: 'return { do: "verify", ref: "refs/bosun/none", is: undefined };',
    tests: ["test/integration/repository.test.ts"],
  },
  {
    name: "older-claim-recorded",
    bug: "a lower claim number takes the claim's ref back",
    file: "pkg/git/claims.ts",
    find: "        if (recorded.number >= claim.number) throw stale(claim, recorded);\n",
    replace: "",
    tests: ["test/integration/repository.test.ts"],
  },
  {
    name: "stale-session-file",
    bug: "a stale host writes into its agent's session file",
    file: "pkg/session/session-file.ts",
    find: "changes.claim < (current.claim ?? 0)",
    replace: "changes.claim < 0",
    tests: ["pkg/session/session-file.test.ts"],
  },
  {
    name: "earlier-operator-moves-refs",
    bug: "an operator that was replaced moves refs",
    file: "pkg/git/refs.ts",
    find: 'const guarded: readonly RefChange[] = [{ do: "verify", ref, is }, ...changes];',
    replace: "const guarded: readonly RefChange[] = is === undefined ? [] : changes;",
    tests: ["test/integration/repository.test.ts"],
  },
  {
    name: "lock-given-twice",
    bug: "two operators that start at the same moment both get the lock",
    file: "cmd/bosun/operator/lock-terms.ts",
    find: '{ mode: 0o600, flag: "wx" }',
    replace: "{ mode: 0o600 }",
    tests: ["cmd/bosun/operator/lock.test.ts"],
  },
];

const log: readonly Mutation[] = [
  {
    name: "log-acknowledged-before-its-sync",
    bug: "a write is answered before it is on disk",
    file: "pkg/storage/log/log.ts",
    find: "    await segment.datasync();\n",
    replace: "",
    tests: ["pkg/storage/log/log.test.ts", "pkg/storage/log/log.faults.test.ts"],
  },
  {
    name: "directory-not-synced",
    bug: "a file that was replaced is the old one after a power loss",
    file: "pkg/storage/replace-file.ts",
    find: "  await fs.syncDirectory(dirname(path));\n",
    replace: "",
    tests: [
      "pkg/storage/log/log.faults.test.ts",
      "pkg/storage/log/log.test.ts",
      "test/integration/people-files.faults.test.ts",
    ],
  },
  {
    name: "renamed-before-synced",
    bug: "a file is put in place before what it says is on disk",
    file: "pkg/storage/replace-file.ts",
    find: "    await file.datasync();\n",
    replace: "",
    tests: ["pkg/storage/log/log.faults.test.ts", "test/integration/people-files.faults.test.ts"],
  },
  {
    name: "owner-of-the-log-not-checked",
    bug: "an operator whose log was taken over still answers writes",
    file: "pkg/storage/log/log.ts",
    find: "        await checkOwnership();\n",
    replace: "",
    tests: ["pkg/storage/log/log.test.ts"],
  },
  {
    name: "tool-started-before-it-is-noted",
    bug: "a tool call starts before it is on disk that it was intended",
    file: "pkg/session/transcript.ts",
    find: "          calls.fdatasyncSync(file);\n        } catch (error) {",
    replace: "        } catch (error) {",
    tests: ["pkg/session/transcript.faults.test.ts"],
  },
];

const stop: readonly Mutation[] = [
  {
    name: "start-time-not-compared",
    bug: "a signal goes to whoever has the number of a process that is gone",
    file: "pkg/system/end-processes.ts",
    find: "if (startTimeNow(pid) === startTime) signal(pid, name);",
    replace: "signal(pid, name);",
    tests: ["pkg/system/end-processes.test.ts"],
  },
  {
    name: "number-instead-of-process",
    bug: "a stop ends whoever has the number of a host that is gone",
    file: "cmd/bosun/stop/end-everything.ts",
    find: "entry.pid === pid && entry.startTime === startTime",
    replace: "entry.pid === pid",
    tests: ["cmd/bosun/commands/stop.test.ts"],
  },
  {
    name: "children-forgotten",
    bug: "what a process has started is not ended with it",
    file: "pkg/system/end-processes.ts",
    find: "for (const child of children.get(pid) ?? []) add(child);",
    replace: "if (pid < 0) for (const child of children.get(pid) ?? []) add(child);",
    tests: ["pkg/system/end-processes.test.ts", "test/integration/sessions.test.ts"],
  },
  {
    name: "asked-instead-of-killed",
    bug: "processes are asked to end, and may refuse",
    file: "pkg/system/end-processes.ts",
    find: '["SIGSTOP", "SIGKILL"]',
    replace: '["SIGTERM"]',
    tests: ["pkg/system/end-processes.test.ts", "test/integration/sessions.test.ts"],
  },
  {
    name: "one-look-is-no-proof",
    bug: "what is started while a stop looks is left",
    file: "pkg/system/end-processes.ts",
    find: "if (clean === 2) return [];",
    replace: "if (clean >= 0) return [];",
    tests: ["pkg/system/end-processes.test.ts", "cmd/bosun/commands/stop.test.ts"],
  },
  {
    name: "marks-not-looked-for",
    bug: "a stop ends only what is on record, not what carries the workspace's mark",
    file: "cmd/bosun/stop/end-everything.ts",
    find: "isMarked(entry) || known.some(",
    replace: "known.some(",
    tests: ["cmd/bosun/commands/stop.test.ts"],
  },
  {
    name: "host-blind-to-the-latch",
    bug: "a host does not see the stop latch",
    file: "pkg/session/host.ts",
    find: "    if (!existsSync(launch.stopLatch) && isNamed()) return;\n",
    replace: "    if (isNamed()) return;\n",
    tests: ["pkg/session/sessions.test.ts"],
  },
];

export const mutations: readonly Mutation[] = [...ledger, ...claims, ...log, ...stop];
