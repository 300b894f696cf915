/** What commands about money do in a copy of a workspace, whose records name the original's gateway and totals. */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { controlCalls, serveControl } from "../../../pkg/gateway/control.ts";
import { writeTotals } from "../../../pkg/gateway/ledger-totals.ts";
import { writeProcessRecord } from "../../../pkg/gateway/process-record.ts";
import { startTestGateway } from "../../../pkg/gateway/testing/gateway.ts";
import { MemoryLedger } from "../../../pkg/gateway/testing/ledger.ts";
import { reservation } from "../../../pkg/gateway/testing/steps.ts";
import { startTestUpstream } from "../../../pkg/gateway/testing/upstream.ts";
import { openLog } from "../../../pkg/storage/log/log.ts";
import { nodeFileSystem } from "../../../pkg/storage/node-file-system.ts";
import { startTimeOf } from "../../../pkg/system/process-identity.ts";
import { systemClock } from "../../../pkg/system/system.ts";
import { settleHere } from "../operator/state-directory.ts";
import { createAll, openRegistry, runIn, temporaryWorkspace } from "../testing/operator.ts";

const fiveDollarsADay = `
apiVersion: bosun.dev/v1alpha1
kind: Budget
metadata: { name: default }
spec: { daily: { usd: 5 } }
`;

/** A workspace that an operator has worked in, and a copy of it. */
function copiedWorkspace() {
  const original = temporaryWorkspace();
  const state = mkdtempSync(path.join(tmpdir(), "bosun-state-"));
  const copy = `${original.repository}-copy`;
  onTestFinished(() => {
    for (const made of [original.repository, state, copy]) rmSync(made, { recursive: true, force: true });
  });
  mkdirSync(path.join(state, "gateway"));
  symlinkSync(path.join(state, "gateway"), original.gateway);
  settleHere(original, state);
  return {
    original,
    /** Makes the copy, and runs one command line in it. */
    runInCopy(...args: string[]) {
      cpSync(original.repository, copy, { recursive: true, verbatimSymlinks: true });
      return runIn(copy, args);
    },
  };
}

const refused = { exitCode: 1, out: [], notes: [expect.stringContaining("are copies of one workspace")] };

test("what a request cost is not told to the original's gateway from a copy: it settled the original's request", async () => {
  const { original, runInCopy } = copiedWorkspace();
  const ledger = new MemoryLedger(systemClock);
  await ledger.append(reservation("r-1"));
  await ledger.append({ step: "sent", id: "r-1" });
  await ledger.append({ step: "unsettled", id: "r-1", cost: 1_000, tokens: 300, why: "It was cut." });
  const lines = ledger.lines.map((line) => `${JSON.stringify(line)}\n`);
  writeFileSync(path.join(original.operator, "ledger.jsonl"), lines.join(""));
  await using upstream = await startTestUpstream();
  const gateway = await startTestGateway({ folder: original.operator, upstream });
  const identity = { pid: process.pid, startTime: (await startTimeOf(process.pid)) ?? "" };
  const socketPath = path.join(original.gateway, "control.sock");
  const control = await serveControl(
    socketPath,
    controlCalls(gateway, { ...identity, fingerprint: "" }, () => {}),
  );
  onTestFinished(async () => {
    control.close();
    control.closeAllConnections();
    await gateway.stop();
  });
  await writeProcessRecord(original.gateway, { ...identity, port: gateway.port, socketPath });

  expect(await runInCopy("budget", "settle", "r-1", "--cost", "0")).toMatchObject(refused);
  expect(gateway.requests(1)).toMatchObject([{ id: "r-1", state: "unsettled" }]);
});

test("a ledger is not made anew in a copy: its totals would take the place of the original's, which then started no more", async () => {
  const { original, runInCopy } = copiedWorkspace();
  const ledger = path.join(original.operator, "ledger", "ledger.jsonl");
  mkdirSync(path.dirname(ledger));
  writeFileSync(ledger, '{"seq":3}\n{"seq":4}\n');
  const log = openLog({ directory: original.log, fs: nodeFileSystem });
  await createAll(await openRegistry(log), fiveDollarsADay);
  await log.close();
  const before = readdirSync(original.gateway);
  expect(await runInCopy("budget", "rebuild", "--write")).toMatchObject(refused);
  expect(readdirSync(original.gateway)).toEqual(before);
  expect(readFileSync(ledger, "utf8")).toBe('{"seq":3}\n{"seq":4}\n');
});

test("sums in a copy are those of its own ledger, said to be so: it took what the original spent since for lost", async () => {
  const { original, runInCopy } = copiedWorkspace();
  mkdirSync(path.join(original.operator, "ledger"));
  const log = openLog({ directory: original.log, fs: nodeFileSystem });
  await createAll(await openRegistry(log), fiveDollarsADay);
  await log.close();
  const totals = { ledger: "l-1", seq: 7, windows: [] };
  await writeTotals(nodeFileSystem, path.join(original.gateway, "totals.json"), totals);
  const { exitCode, out, notes } = await runInCopy("budget");
  expect({ exitCode, notes }).toEqual({
    exitCode: 0,
    notes: [
      "No operator is running; last known state.",
      `${original.repository}-copy is a copy of ${original.repository}: what was spent there since is not in it.`,
    ],
  });
  expect(out.join()).toContain("default");
});
