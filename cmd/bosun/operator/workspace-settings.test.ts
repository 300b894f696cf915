import { afterEach, expect, test } from "vitest";
import type { AdmittedField } from "../../../pkg/gateway/admission.ts";
import { registryClient } from "../../../pkg/registry/client.ts";
import { jsonLogger } from "../../../pkg/runtime/logger.ts";
import { systemClock } from "../../../pkg/system/system.ts";
import { createAll, openRegistry, until } from "../testing/operator.ts";
import { workspaceSettings } from "./workspace-settings.ts";

const key = { namespace: "default", name: "w" };
const following: AbortController[] = [];
afterEach(() => {
  for (const one of following.splice(0)) one.abort();
});

async function follow() {
  const registry = await openRegistry();
  await createAll(
    registry,
    "apiVersion: bosun.dev/v1alpha1\nkind: Workspace\nmetadata: { name: w }\nspec: {}",
  );
  const client = registryClient(registry, "bosun");
  const workspace = await client.get("Workspace", key);
  if (workspace === undefined) throw new Error("It was created above.");
  const settings = workspaceSettings(workspace);
  const admitted: (readonly AdmittedField[])[] = [];
  const events: string[] = [];
  const notes: string[] = [];
  const one = settings.follow({
    client,
    namespace: "default",
    clock: systemClock,
    logger: jsonLogger(() => {}, systemClock),
    gateway: {
      setAdmitted: async (fields) => {
        admitted.push(fields);
        if (admitted.length === 1) throw new Error("The gateway is away.");
      },
    },
    events: { event: (_object, type, reason, message) => void events.push(`${type} ${reason}: ${message}`) },
    note: (line) => void notes.push(line),
  });
  following.push(one);
  const change = (spec: object) => client.patch("Workspace", key, { spec });
  return { settings, admitted, events, notes, change };
}

test("what the gateway admits, the network of setup and included files count as soon as they are changed", async () => {
  const { settings, admitted, events, change } = await follow();
  const field = (name: string) => ({ field: name, priceFactor: 2 });
  await change({ gateway: { admit: [field("service_tier")] } });
  await until(() => admitted.length === 1, "the first field");
  await change({ gateway: { admit: [field("service_tier"), field("web_search")] }, setupNetwork: "Host" });
  await until(() => admitted.length === 2, "the second field");
  expect(admitted[1]).toEqual([field("service_tier"), field("web_search")]);
  expect(settings.spec.setupNetwork).toBe("Host");

  await change({ checkout: { include: ["config/local.json"] } });
  await until(() => settings.spec.checkout.include?.length === 1, "the included file");
  expect(admitted).toHaveLength(2);
  expect(events).toEqual([]);
});

test("what counts from the next start alone is said once, until it is put back", async () => {
  const { settings, events, notes, change } = await follow();
  const message =
    "spec.repository.targetBranch is next, in force is main; spec.sandbox is Off, in force is Required. " +
    "It counts once the operator is started again: `bosun stop`, then `bosun up`.";
  await change({ sandbox: "Off", repository: { targetBranch: "next" } });
  await until(() => notes.length === 1, "the note");
  expect(notes).toEqual([message]);
  expect(events).toEqual([`Warning RestartNeeded: ${message}`]);

  await change({ mode: "Paused" });
  await until(() => settings.spec.mode === "Paused", "another change");
  await change({ sandbox: "Required", repository: { targetBranch: "main" } });
  await until(() => settings.spec.sandbox === "Required", "the change back");
  expect(notes).toHaveLength(1);
});
