/** `bosun kubectl` and `bosun env` as a person starts them; kubectl is a script that says how it was called. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { packageRoot } from "../../../pkg/system/package-root.ts";
import { startOperator, type TestOperator, temporaryWorkspace } from "../testing/operator.ts";

interface Started {
  readonly child: ChildProcess;
  /** All that it printed so far. */
  output(): string;
  ended: Promise<[code: number | null, signal: NodeJS.Signals | null]>;
}

function bosun(cwd: string, args: readonly string[], searched = "/usr/bin:/bin"): Started {
  const child = spawn(process.execPath, [path.join(packageRoot(), "bin/bosun.mjs"), ...args], {
    cwd,
    env: { PATH: searched },
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += String(chunk)));
  return { child, output: () => text, ended: once(child, "close") as Started["ended"] };
}

/** A PATH whose kubectl is this shell script. */
function fakeKubectl({ folder }: TestOperator, script: string): string {
  writeFileSync(folder.kubeconfig, "");
  const bin = path.join(folder.repository, "bin");
  mkdirSync(bin);
  writeFileSync(path.join(bin, "kubectl"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return `${bin}:/usr/bin:/bin`;
}

describe("bosun kubectl", () => {
  test("hands over every argument, the kubeconfig and the terminal, and ends as kubectl ended", async () => {
    await using operator = await startOperator("");
    const searched = fakeKubectl(operator, 'printf "%s|" "$KUBECONFIG" "$@"; cat; exit 7');
    const args = ["get", "-o", "wide", "--help", "--", "a b", ""];
    const started = bosun(operator.folder.repository, ["kubectl", ...args], searched);
    started.child.stdin?.end("typed");
    expect(await started.ended).toEqual([7, null]);
    expect(started.output()).toBe(`${operator.folder.kubeconfig}|get|-o|wide|--help|--|a b||typed`);
  });

  test("passes a signal on, and ends by the one that ended kubectl", async () => {
    await using operator = await startOperator("");
    const searched = fakeKubectl(
      operator,
      'trap "echo told; trap - TERM; kill -TERM $$" TERM; echo ready; while :; do sleep 0.02; done',
    );
    const started = bosun(operator.folder.repository, ["kubectl", "get", "-w"], searched);
    await once(started.child.stdout ?? started.child, "data");
    started.child.kill("SIGTERM");
    expect(await started.ended).toEqual([null, "SIGTERM"]);
    expect(started.output()).toBe("ready\ntold\n");
  });

  test("says that there is no kubectl, or that no operator runs", async () => {
    await using operator = await startOperator("");
    writeFileSync(operator.folder.kubeconfig, "");
    const without = bosun(operator.folder.repository, ["kubectl", "get"], operator.folder.operator);
    expect(await without.ended).toEqual([1, null]);
    expect(without.output()).toContain("There is no kubectl in PATH.");

    const stopped = temporaryWorkspace();
    onTestFinished(() => rmSync(stopped.repository, { recursive: true }));
    const alone = bosun(stopped.repository, ["kubectl", "get", "projects"]);
    expect(await alone.ended).toEqual([1, null]);
    expect(alone.output()).toContain(`No operator is running in ${stopped.repository}`);
    expect(alone.output()).toContain("`bosun up`");
  });
});

describe("bosun env", () => {
  test.each(["sh", "bash"])("%s evaluates it, also where the path has spaces and quotes", async (shell) => {
    await using operator = await startOperator("");
    const odd = path.join(operator.folder.repository, `it's "a" $folder`);
    mkdirSync(path.join(odd, ".claude-sessions"), { recursive: true });
    const started = bosun(odd, ["env"]);
    let line = "";
    started.child.stdout?.on("data", (chunk) => (line += String(chunk)));
    expect(await started.ended).toEqual([0, null]);
    const seen = execFileSync(shell, ["-c", `eval "$LINE"; printf %s "$KUBECONFIG"`], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
      env: { LINE: line, PATH: "/usr/bin:/bin" },
    });
    expect(seen).toBe(path.join(odd, ".claude-sessions/.bosun/kubeconfig"));
    expect(started.output()).toContain("No operator is running");
  });
});
