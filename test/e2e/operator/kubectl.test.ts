/** The real kubectl on a running operator, by the kubeconfig that it writes. */
import { execFile, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { findKubectl } from "../../kubectl/find.ts";
import { projectYaml, type Scratch, scratch } from "./scratch.ts";

const kubectl = findKubectl();
if (kubectl === undefined)
  console.warn("SKIPPED: there is no kubectl on this machine. Run: node test/kubectl/install.ts");

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** kubectl as a person in the repository runs it; `kubeconfig` is the operator's own by default. */
function run(
  here: Scratch,
  args: string,
  { kubeconfig = here.workspace.kubeconfig, editor = "false" } = {},
): Promise<Ran> {
  return new Promise((resolve) => {
    const env = { ...environment(here), KUBECONFIG: kubeconfig, EDITOR: editor };
    const options = { cwd: here.repository, env, encoding: "utf8", timeout: 130_000 } as const;
    execFile(kubectl?.path ?? "kubectl", args.split(" "), options, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

/** One that goes on until the operator ends. Its answer gives what it has printed so far. */
function follow(here: Scratch, args: string): () => string {
  const file = path.join(here.folder, "followed");
  const out = openSync(file, "w");
  spawn(kubectl?.path ?? "kubectl", args.split(" "), {
    cwd: here.repository,
    env: environment(here),
    stdio: ["ignore", out, "ignore"],
  });
  closeSync(out);
  return () => readFileSync(file, "utf8");
}

function environment(here: Scratch): Record<string, string | undefined> {
  const { PATH } = process.env;
  return { PATH, HOME: path.join(here.folder, "home"), KUBECONFIG: here.workspace.kubeconfig };
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
    expect((await run(here, "auth can-i get projects", readOnly)).out).toBe("yes\n");
    expect((await run(here, "auth can-i delete projects", readOnly)).out).toBe("no\n");
    expect((await run(here, "auth whoami -o jsonpath={.status.userInfo.username}", readOnly)).out).toBe(
      "bosun:reader",
    );
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
    here.write("projects/kept.yaml", kept);
    const operator = here.rehearse();
    await operator.ready();
    const pools = here.read("pools.yaml");
    const file = async (name: string, text: string): Promise<void> => {
      await here.until(`${name} that follows`, () => here.read(name) === text).catch(() => {});
      expect(here.read(name)).toBe(text);
    };

    expect(await run(here, "scale agentpool/crew --replicas=3")).toMatchObject({ code: 0 });
    const waiting = "wait --for=jsonpath={.status.replicas}=3 agentpool/crew --timeout=60s";
    expect(await run(here, waiting)).toMatchObject({ code: 0 });
    await file("pools.yaml", pools.replace("replicas: 1 #", "replicas: 3 #"));
    expect((await run(here, "get agents -o name")).out.trim().split("\n")).toHaveLength(4);

    const editor = path.join(here.folder, "editor.sh");
    writeFileSync(editor, '#!/bin/sh\nsed -i "s/replicas: 3/replicas: 2/" "$1"\n', { mode: 0o755 });
    expect(await run(here, "edit agentpool crew", { editor })).toEqual({
      code: 0,
      out: "agentpool.bosun.dev/crew edited\n",
      err: "",
    });
    await file("pools.yaml", pools.replace("replicas: 1 #", "replicas: 2 #"));

    expect(await run(here, "label project kept area=docs")).toMatchObject({ code: 0 });
    await file(
      "projects/kept.yaml",
      kept.replace("name: kept # mine", "name: kept # mine\n  labels:\n    area: docs"),
    );
    expect((await run(here, "get projects -l area=docs -o name")).out).toBe("project.bosun.dev/kept\n");

    expect(await run(here, "delete project kept")).toMatchObject({ code: 0 });
    // The person's comment is theirs.
    await file("projects/kept.yaml", "# Comes later.\n");
    expect(await run(here, "get project kept")).toMatchObject({ code: 1 });
    await operator.end();
  },
);

/** Skipped: nobody works on it meanwhile. */
const kept = `# Comes later.
apiVersion: bosun.dev/v1alpha1
kind: Project
metadata:
  name: kept # mine
spec:
  title:   "Keep this"   # as it is
  skip: true
  acceptanceCriteria: [ { id: AC-1, text: It is kept. } ]
`;

test.skipIf(kubectl === undefined)(
  "a project that kubectl applies is worked on to its end, and kubectl tells its story",
  async () => {
    const here = scratch();
    here.write("projects/kept.yaml", kept);
    const operator = here.rehearse();
    await here.phase("kept", "Skipped");
    const manifest = path.join(here.folder, "told.yaml");
    const text = projectYaml("told", { description: "[test: steady]", tasks: 3 });
    writeFileSync(manifest, text);
    const watched = follow(here, "get projects --watch -o jsonpath={.status.phase}|");
    await here.until("a watch that has begun", () => watched().includes("Skipped|"));

    const differs = await run(here, `diff -f ${manifest}`);
    expect(differs).toMatchObject({ code: 1, out: expect.stringContaining("+  title: Write told") });
    expect(await run(here, `apply -f ${manifest}`)).toEqual({
      code: 0,
      out: "project.bosun.dev/told created\n",
      err: "",
    });
    await here.until("a file of it", () => existsSync(path.join(here.workspace.path, "projects/told.yaml")));
    expect(parse(here.read("projects/told.yaml"))).toEqual(parse(text));
    writeFileSync(manifest, text.replace("title: Part 3", "title: The end"));
    expect((await run(here, `diff -f ${manifest}`)).out).toContain("+    title: The end");
    expect((await run(here, `apply -f ${manifest}`)).out).toBe("project.bosun.dev/told configured\n");
    await here.until("the change in its file", () => here.read("projects/told.yaml").includes("The end"));
    expect(await run(here, `apply --server-side -f ${manifest}`)).toMatchObject({
      code: 0,
      out: "project.bosun.dev/told serverside-applied\n",
    });

    expect(await run(here, "wait --for=condition=Succeeded project/told --timeout=120s")).toMatchObject({
      code: 0,
      out: "project.bosun.dev/told condition met\n",
    });
    const { out: table } = await run(here, "get projects");
    expect(table).toMatch(/^NAME +NO +PHASE .* STATUS\n/);
    expect(table).toMatch(/\ntold +2 +Done .* 100 .* Merged as [0-9a-f]+\.\n$/);
    const { out: story } = await run(here, "describe project told");
    expect(story).toMatch(/Events:\n +Type +Reason/);
    for (const reason of ["Working", "InReview", "Approved", "Merged"])
      expect(story).toMatch(new RegExp(`Normal +${reason} `));
    expect((await run(here, "explain project.spec.tasks.title")).out).toContain(
      "title says in one line what to do.",
    );
    expect((await run(here, "delete project told")).code).toBe(0);
    await here.until("the last phase in the watch", () => watched().includes("Done|"));
    await operator.end();

    const phases = watched()
      .split("|")
      .filter((phase) => phase !== "" && phase !== "Skipped")
      .filter((phase, index, all) => phase !== all[index - 1]);
    expect(phases).toEqual(["Queued", "Working", "InReview", "Approved", "Merging", "Done"]);
  },
);
