/** Which file may import which: the layers of docs/design.md, section 6. Paths are relative to the root, with `/`. */

export interface Import {
  /** The importing file. */
  from: string;
  /** What is imported: a path for a relative import, else the package (`node:fs`, `yaml`). */
  to: string;
  /** `import type`: gone at run time. */
  typeOnly: boolean;
}

interface Rule {
  broken: (entry: Import) => boolean;
  /** What is wrong and what to do. */
  advice: string;
}

const top = (path: string) => path.split("/", 1)[0] ?? "";
const within = (path: string, ...folders: string[]) =>
  folders.some((folder) => path.startsWith(`${folder}/`));
const isLocal = (path: string) => /^(cmd|controllers|pkg|hack|test|vscode)\//.test(path);
/** `agent` of `controllers/agent/act.ts`; undefined for what all controllers share, `controllers/deps.ts`. */
const controllerOf = (path: string) => /^controllers\/([^/]+)\//.exec(path)?.[1];
/** The one file that gathers them. */
const gathering = "controllers/controllers.ts";

/** Packages that start processes or touch files: a controller is handed what does so. */
const worldly = ["execa", "child_process", "fs", "fs/promises", "net", "http", "https", "worker_threads"];

const rules: readonly Rule[] = [
  {
    broken: ({ from, to }) => ["cmd", "controllers", "pkg"].includes(top(from)) && within(to, "hack", "test"),
    advice: "Product code must not import hack/ or test/. Move what is needed to pkg/.",
  },
  {
    broken: ({ from, to }) => ["cmd", "controllers", "pkg"].includes(top(from)) && to.includes("/testing/"),
    advice: "Product code must not import what is made for tests.",
  },
  {
    broken: ({ from, to }) => top(from) === "pkg" && within(to, "controllers", "cmd"),
    advice: "pkg/ must not import controllers/ or cmd/. Hand it in, or move it down to pkg/.",
  },
  {
    broken: ({ from, to }) => top(from) === "controllers" && within(to, "cmd"),
    advice: "controllers/ must not import cmd/. Hand it in from cmd/bosun.",
  },
  {
    broken: ({ from, to }) =>
      top(from) === "controllers" &&
      from !== gathering &&
      controllerOf(to) !== undefined &&
      controllerOf(from) !== controllerOf(to),
    advice: "Two controllers meet only through objects. Write a condition or move the shared part to pkg/.",
  },
  {
    broken: ({ from, to }) => top(from) === "controllers" && !isLocal(to),
    advice:
      "A controller imports nothing but pkg/. Put the part that needs a package behind an interface there.",
  },
  {
    broken: ({ from, to }) => within(from, "pkg/runtime") && (to.startsWith("node:") || worldly.includes(to)),
    advice: "pkg/runtime must not touch the world. Take an interface as a parameter instead.",
  },
  {
    broken: ({ from, to }) =>
      within(from, "pkg/runtime") && isLocal(to) && !within(to, "pkg/runtime", "pkg/api"),
    advice: "pkg/runtime imports only pkg/api.",
  },
  {
    broken: ({ from, to }) => within(from, "pkg/api") && !within(to, "pkg/api"),
    advice: "pkg/api imports nothing outside itself.",
  },
  {
    broken: ({ from, to }) => within(from, "pkg/storage") && within(to, "pkg/registry", "pkg/apiserver"),
    advice:
      "Storage lies beneath registry and apiserver. Implement an interface of pkg/storage there instead.",
  },
  {
    broken: ({ from, to }) => within(from, "pkg/registry") && within(to, "pkg/apiserver"),
    advice: "The registry lies beneath the API server and must not import it.",
  },
  {
    broken: ({ from, to }) => within(from, "pkg/apiserver") && within(to, "pkg/storage"),
    advice: "The API server stands on the registry alone. Ask the registry for it.",
  },
  {
    broken: ({ from, to }) =>
      within(from, "pkg/apiserver", "pkg/registry", "pkg/storage") &&
      within(to, "pkg/session", "pkg/git", "pkg/gateway", "pkg/quality", "pkg/github", "pkg/prompts"),
    advice:
      "What an API server does knows nothing of the world. Move the shared part to pkg/api or pkg/runtime.",
  },
  {
    broken: ({ from, to }) =>
      !within(from, "pkg/cluster") && within(to, "pkg/cluster") && top(from) !== "cmd",
    advice: "Only cmd/ chooses cluster mode: file mode must run without pkg/cluster.",
  },
];

/** What is wrong with an import, and what to do; undefined when it is allowed. */
export function objection(entry: Import): string | undefined {
  return rules.find((rule) => rule.broken(entry))?.advice;
}
