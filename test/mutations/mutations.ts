/** Deliberate bugs in what the promises stand on, and the tests or the seeds of the simulation that have to find each. */

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
  /** Absent: the tests alone. So many first seeds of the simulation find it too, each by itself. */
  seeds?: number;
  /** The seeds are those of cluster mode alone: 3, 7, 11, ... */
  cluster?: true;
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
    find: 'if (this.#confirmed !== undefined && agree(offset, this.#confirmed.date)) return { is: "confirmed" };',
    replace: 'if (this.#confirmed !== undefined) return { is: "confirmed" };',
    tests: ["pkg/gateway/trusted-time.test.ts"],
  },
  {
    name: "clock-believed-twice",
    bug: "a clock that was minutes off when it was confirmed may go as far again",
    file: "pkg/gateway/trusted-time.ts",
    find: "agree(offset, this.#confirmed.date)",
    replace: "agree(offset, this.#confirmed.wall)",
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
  {
    name: "collected-without-fence",
    bug: "a branch is moved for a claim that is no longer the current one",
    file: "pkg/git/collect.ts",
    find: '[fence, { do: "move", ref, from: before, to: head }],',
    replace: '[{ do: "move", ref, from: before, to: head }],',
    tests: ["test/integration/repository.test.ts"],
  },
  {
    name: "claim-number-given-twice",
    bug: "a claim has the number of the one before",
    file: "controllers/agent/act.ts",
    find: "number: Math.max(target.status?.claimNumber ?? 0, mirrored) + 1,",
    replace: "number: Math.max(target.status?.claimNumber ?? 1, mirrored),",
    tests: ["test/simulation/scenarios.test.ts"],
    seeds: 4,
  },
  {
    name: "claimed-over-another",
    bug: "whoever looks and then writes writes over what somebody else wrote in between",
    file: "pkg/runtime/status-writer.ts",
    find: "    return await client.updateStatus(kind, { ...object, status } as Kinds[K]);\n",
    replace: [
      "    const { fresh = client } = client as { fresh?: Client };",
      "    const { name, namespace = 'default' } = (object as unknown as KubeObject).metadata;",
      "    const newest = (await fresh.get(kind, { namespace, name })) ?? object;",
      "    return await client.updateStatus(kind, { ...object, metadata: newest.metadata, status } as Kinds[K]);\n",
    ].join("\n"),
    tests: [],
    seeds: 12,
  },
  {
    name: "lease-not-looked-at",
    bug: "an operator of a cluster writes whether or not it holds the Lease",
    file: "pkg/runtime/acting-client.ts",
    find: "    if (!mayAct())\n",
    replace: "    if (mayAct === undefined)\n",
    tests: ["pkg/runtime/acting-client.test.ts"],
  },
  {
    name: "lease-held-too-long",
    bug: "an operator acts for as long as its Lease holds, and longer",
    file: "pkg/runtime/leader-election.ts",
    find: "return Math.max(elapsedMs, wallMs) < this.#times.renewDeadlineMs;",
    replace: "return elapsedMs - wallMs < 4 * this.#times.leaseMs;",
    tests: ["pkg/runtime/leader-election.test.ts"],
    seeds: 8,
    cluster: true,
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
  {
    name: "started-while-it-was-stopped",
    bug: "what an operator starts until it is quiet is left by the stop command",
    file: "cmd/bosun/stop/end-everything.ts",
    find: "const left = (await end()).map(",
    replace: "const left = ([] as readonly ProcessEntry[]).map(",
    tests: ["cmd/bosun/commands/stop.test.ts"],
  },
  {
    name: "started-under-the-latch",
    bug: "a session is started without a look at the stop latch",
    file: "pkg/session/manager.ts",
    find: "if (!existsSync(this.#options.stopLatch)) return;",
    replace: "if (this.#options.stopLatch !== '') return;",
    tests: ["pkg/session/sessions.test.ts"],
  },
  {
    name: "mode-stopped-engages-nothing",
    bug: "mode Stopped writes no latch",
    file: "controllers/workspace/controller.ts",
    find: 'await latch.engage("The Workspace\'s mode is Stopped.");',
    replace: "await latch.look();",
    tests: ["test/simulation/scenarios.test.ts"],
  },
  {
    name: "paused-agents-go-on",
    bug: "an agent that is paused is started",
    file: "controllers/agent/observe.ts",
    find: 'if (agent.spec.paused) return pause("AgentPaused", "The agent is paused.");',
    replace: "",
    tests: ["test/simulation/scenarios.test.ts"],
    seeds: 12,
  },
  {
    name: "gateway-under-the-latch",
    bug: "a gateway is started under the stop latch",
    file: "pkg/gateway/money-client.ts",
    find: "return stopLatch !== undefined && existsSync(stopLatch);",
    replace: "return stopLatch === '' && existsSync(stopLatch);",
    tests: ["pkg/gateway/gateway.test.ts"],
  },
];

const merges: readonly Mutation[] = [
  {
    name: "merged-without-checks",
    bug: "what is red on the tree that becomes the target is merged",
    file: "controllers/merge/decide.ts",
    find: "  if (!checks.passed) {",
    replace: "  if (!checks.passed && checks.results.length === 0) {",
    tests: ["controllers/merge/decide.test.ts"],
    seeds: 12,
  },
  {
    name: "own-work-approved",
    bug: "an author's approval of its own work counts",
    file: "controllers/merge/decide.ts",
    find: 'if (verdict?.result !== "Approved" || verdict.by === status.submission?.agent)',
    replace: 'if (verdict?.result !== "Approved")',
    tests: ["controllers/merge/decide.test.ts"],
  },
  {
    name: "author-reviews",
    bug: "a reviewer's approval counts also where the reviewer is the author",
    file: "controllers/review/decide.ts",
    find: "if ((reviewer ?? claim?.agent) === review.spec.author) result",
    replace: "if (review.spec.author === '') result",
    tests: ["controllers/review/decide.test.ts"],
  },
  {
    name: "approved-at-another-commit",
    bug: "a verdict counts for whatever is handed over since",
    file: "pkg/api/phases.ts",
    find: "return fact.head === submission.head && fact.run === submission.run ? fact : undefined;",
    replace: "return fact;",
    tests: ["pkg/api/phases.test.ts"],
    seeds: 12,
  },
  {
    name: "secret-merged",
    bug: "a secret in a commit keeps nothing from the target",
    file: "controllers/merge/decide.ts",
    find: 'const secrets = findings.filter(({ kind }) => kind === "Secret");',
    replace: "const secrets = findings.filter(({ kind }) => kind !== kind);",
    tests: ["controllers/merge/decide.test.ts"],
  },
  {
    name: "merged-unannounced",
    bug: "the target is swapped before it is written that it will be",
    file: "controllers/merge/controller.ts",
    find: "    const merge = { from, to, head, time: timestamp(clock.now()) };\n",
    replace:
      "    const merge = { from, to, head, time: timestamp(clock.now()) };\n    await repository.swapTarget(from, to);\n",
    tests: [],
    seeds: 12,
  },
];

const files: readonly Mutation[] = [
  {
    name: "uncommitted-work-not-asked-about",
    bug: "the person's branch is moved under a checkout that has it out",
    file: "pkg/git/fast-forward.ts",
    find: 'const merge = await git.inUserCheckout(path, ["merge", "--ff-only", "--no-stat", "--quiet", commit]);',
    replace: 'const merge = await git.inUserCheckout(path, ["reset", "--quiet", "--hard", commit]);',
    tests: ["test/integration/repository.test.ts"],
  },
  {
    name: "newer-edit-overwritten",
    bug: "a file that a person saved meanwhile is replaced",
    file: "pkg/storage/files/project-files.ts",
    find: "mode, { over: last });",
    replace: "mode);",
    tests: ["test/integration/people-files.test.ts", "test/integration/people-files.faults.test.ts"],
  },
  {
    name: "own-text-taken-for-a-persons",
    bug: "what the operator was writing when it died is taken for a person's edit",
    file: "pkg/storage/files/project-files.ts",
    find: "    await state.transact([], [projectingRecord(path, text)]);\n    // A link",
    replace: "    // A link",
    tests: ["test/integration/people-files.test.ts", "test/integration/people-files.faults.test.ts"],
  },
  {
    name: "emptied-file-deletes",
    bug: "a file that a full disk left empty deletes what it declared",
    file: "pkg/storage/files/people-files.ts",
    find: 'return text.trim() === "" && (records.texts.get(path) ?? "").trim() !== "";',
    replace: "return path === '' && text.trim() === '';",
    tests: ["test/integration/people-files.test.ts"],
  },
  {
    name: "half-a-folder-deleted",
    bug: "objects go with their files however many are missing",
    file: "pkg/storage/files/deletion-guard.ts",
    find: "const tooMany = missing.length > missingCountMax || missing.length > total / 2;",
    replace: "const tooMany = missing.length > total;",
    tests: ["pkg/storage/files/deletion-guard.test.ts"],
  },
];

const resume: readonly Mutation[] = [
  {
    name: "last-turn-dropped",
    bug: "a session goes on from the turn before its last",
    file: "pkg/session/transcript.ts",
    find: "    calls.ftruncateSync(file, size);\n",
    replace:
      '    calls.ftruncateSync(file, size);\n    if (entries.at(-1)?.type === "assistant") entries.pop();\n',
    tests: ["pkg/session/transcript.test.ts"],
  },
  {
    name: "tool-repeated-untold",
    bug: "a tool call that may have had its effect is made again, and the model is not told",
    file: "pkg/session/runner/conversation.ts",
    find: '.map((call) => ({ call, started: has("intended", call.id) }));',
    replace: ".map((call) => ({ call, started: false }));",
    tests: ["pkg/session/runner/loop.test.ts", "test/integration/resume.test.ts"],
  },
  {
    name: "cycles-forgotten",
    bug: "review cycles count from the beginning again",
    file: "controllers/review/controller.ts",
    find: "? { reviewCycles: (status.reviewCycles ?? 0) + 1 }",
    replace: "? { reviewCycles: review === undefined ? 0 : 1 }",
    tests: ["test/simulation/scenarios.test.ts"],
    seeds: 12,
  },
  {
    name: "crashes-forgotten",
    bug: "a session that crashes again and again is started again without a longer wait",
    file: "controllers/agent/controller.ts",
    find: "return (recovered ? 0 : before) + (failure === undefined ? 0 : 1);",
    replace: "return failure === undefined || recovered ? 0 : Math.min(before, 1);",
    tests: ["test/simulation/scenarios.test.ts"],
  },
  {
    name: "another-session-after-a-crash",
    bug: "a claim goes on in a new session",
    file: "controllers/agent/session-spec.ts",
    find: "id: work.claim.session",
    replace: 'id: work.claim.session + (agent.status?.session?.pid ?? "")',
    tests: ["test/simulation/scenarios.test.ts"],
    seeds: 8,
  },
  {
    name: "work-let-go-uncollected",
    bug: "what an agent had committed is not brought to the branch when its claim ends",
    file: "controllers/agent/act.ts",
    find: 'const head = saved.is === "present" ? await collectOwn(work, branch, deps) : status.head;',
    replace: 'const head = saved.is === "absent" ? await collectOwn(work, branch, deps) : status.head;',
    tests: ["test/simulation/scenarios.test.ts"],
    seeds: 12,
  },
];

export const mutations: readonly Mutation[] = [
  ...ledger,
  ...claims,
  ...log,
  ...stop,
  ...merges,
  ...files,
  ...resume,
];
