/** The real kubectl on a running operator, by the kubeconfig that it writes. */
import { execFile } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { findKubectl } from "../../kubectl/find.ts";
import { type Scratch, scratch } from "./scratch.ts";

const kubectl = findKubectl();
if (kubectl === undefined)
  console.warn("SKIPPED: there is no kubectl on this machine. Run: node test/kubectl/install.ts");

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** kubectl as a person in the repository runs it; `kubeconfig` is the operator's own by default. */
function run(here: Scratch, args: string, { kubeconfig = here.workspace.kubeconfig } = {}): Promise<Ran> {
  const env = { PATH: process.env.PATH, HOME: path.join(here.folder, "home"), KUBECONFIG: kubeconfig };
  return new Promise((resolve) => {
    const options = { cwd: here.repository, env, encoding: "utf8", timeout: 60_000 } as const;
    execFile(kubectl?.path ?? "kubectl", args.split(" "), options, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

test.skipIf(kubectl === undefined)(
  "a kubeconfig that only its owner reads leads to a port that stays; a second one may only look",
  async () => {
    const here = scratch({ projects: { one: {} } });
    const { kubeconfig } = here.workspace;
    let operator = here.rehearse();
    await operator.ready();
    expect(statSync(kubeconfig).mode & 0o777).toBe(0o600);
    const config = parse(readFileSync(kubeconfig, "utf8"));
    expect(config["current-context"]).toBe("scratch");
    const { server } = config.clusters[0].cluster;
    expect(server).toMatch(/^https:\/\/127\.0\.0\.1:2[6-9]\d{3}$/);
    expect(operator.output().split(server)).toHaveLength(2);
    expect(await run(here, "get projects -o name")).toEqual({
      code: 0,
      out: "project.bosun.dev/one\n",
      err: "",
    });

    const readOnly = { kubeconfig: `${kubeconfig}-read-only` };
    expect((await run(here, "get projects", readOnly)).code).toBe(0);
    expect(await run(here, "delete project one", readOnly)).toMatchObject({
      code: 1,
      err: expect.stringContaining(
        'projects.bosun.dev "one" is forbidden: User "bosun:reader" cannot delete',
      ),
    });

    await operator.end();
    expect(await run(here, "get projects")).toMatchObject({
      code: 1,
      err: expect.stringContaining("refused"),
    });
    operator = here.rehearse();
    await operator.ready();
    expect(parse(readFileSync(kubeconfig, "utf8"))).toEqual(config);
    expect((await run(here, "get projects")).code).toBe(0);
    await operator.end();
  },
);

test.skipIf(kubectl === undefined)(
  "what kubectl changes is in the YAML files, every other byte kept, and the loop follows",
  async () => {
    const here = scratch();
    const operator = here.rehearse();
    await operator.ready();
    const pools = here.read("pools.yaml");
    expect(await run(here, "scale agentpool/crew --replicas=3")).toMatchObject({ code: 0 });
    const waiting = "wait --for=jsonpath={.status.replicas}=3 agentpool/crew --timeout=60s";
    expect(await run(here, waiting)).toMatchObject({ code: 0 });
    await here.until("a file that follows", () => here.read("pools.yaml") !== pools);
    expect(here.read("pools.yaml")).toBe(pools.replace("replicas: 1 #", "replicas: 3 #"));
    expect((await run(here, "get agents -o name")).out.trim().split("\n")).toHaveLength(4);
    await operator.end();
  },
);
