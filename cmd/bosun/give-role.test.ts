import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { giveRole } from "./give-role.ts";

test.each([
  { user: undefined, want: "--user=NAME" },
  { user: "system:serviceaccount:crew:bosun", want: "--user=system:serviceaccount:crew:bosun" },
  { user: "https://issuer/#ada o'neill; rm -r ~", want: "--user=https://issuer/#ada o'neill; rm -r ~" },
])("a shell takes the command that gives $user a role as it is meant", ({ user, want }) => {
  const line = giveRole({
    role: "bosun-edit",
    namespace: "crew",
    ...(user === undefined ? {} : { user }),
  });
  const words = execFileSync("sh", ["-c", `kubectl() { printf '%s\\n' "$@"; }; ${line}`], {
    encoding: "utf8",
  });
  expect(words.trim().split("\n")).toEqual([
    ...["-n", "crew", "create", "rolebinding", "bosun-edit", "--clusterrole=bosun-edit", want],
  ]);
});
