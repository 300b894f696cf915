import { afterEach, expect, test, vi } from "vitest";
import { hostProcess } from "./host-command.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

test.each([
  { where: "of its own", namespaces: ["--pid", "--fork"] },
  { where: "of the operator's", namespaces: undefined },
])(
  "a host in a namespace $where is given its marks and what programs need, and no credential",
  ({ namespaces }) => {
    vi.stubEnv("LANG", "C.UTF-8");
    for (const name of ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "GITHUB_TOKEN", "SSH_AUTH_SOCK"])
      vi.stubEnv(name, "not for agents");
    const host = { session: "s", attempt: "1" };
    const { env } = hostProcess(host, ["host"], { namespaces, marks: { BOSUN_WORKSPACE: "w" } });
    expect(Object.values(env)).not.toContain("not for agents");
    expect(env).toMatchObject({
      ...{ PATH: process.env.PATH, LANG: "C.UTF-8" },
      ...{ BOSUN_WORKSPACE: "w", BOSUN_SESSION: "s", BOSUN_ATTEMPT: "1" },
    });
  },
);
